"""A deployment in the documented shapes: its plan, snapshot, phases and recovery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from quarterdeck.deploy.deployments.admission import snapshot_variables
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.transitions import TERMINAL
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers.model import Destination, Server
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import MASK
from quarterdeck.surfaces.deploy.shapes import at, present
from quarterdeck.workspace.model import Environment, Project
from quarterdeck.workspace.variables import PRECEDENCE

PHASE = {"cut-over": "verify"}
"""Phases that the contract does not know, by the one that it counts them to."""
STEPS = [
    "Fetch the source",
    "Plan the build",
    "Package the artefact",
    "Start beside the running version",
    "Verify internal health",
    "Verify public access and cut over",
]


def phase_word(phase: str | None) -> str:
    """The contract's word for a phase."""
    return PHASE.get(phase or "detect", phase or "detect")


class Names:
    """Wire ids of the rows that a list of deployments refers to, each looked up once."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._known: dict[tuple[type[Any], int], Any] = {}
        self._refs: dict[tuple[type[Any], int], str | None] = {}

    def row(self, model: type[Any], row_id: int) -> Any:
        key = (model, row_id)
        if key not in self._known:
            self._known[key] = self._tx.get(model, row_id)
        return self._known[key]

    def ref(self, model: type[Any], row_id: int | None) -> str | None:
        if not row_id:
            return None
        if (model, row_id) not in self._refs:
            row = self.row(model, row_id)
            self._refs[model, row_id] = row.ref if row is not None else None
        return self._refs[model, row_id]

    def learn(self, deployments: Sequence[Deployment]) -> None:
        """Look up what a list of them names, with one statement for each kind of row."""
        named: tuple[tuple[type[Any], set[int | None]], ...] = (
            (Project, {row.project_id for row in deployments}),
            (Environment, {row.environment_id for row in deployments}),
            (Resource, {row.resource_id for row in deployments}),
            (Destination, {row.destination_id for row in deployments}),
            (Deployment, {other for row in deployments for other in _others(row)}),
        )
        for model, keys in named:
            wanted = sorted(key for key in keys if key)
            found = self._tx.execute(select(model.id, model.ref).where(model.id.in_(wanted))) if wanted else ()
            self._refs |= {(model, row.id): row.ref for row in found}
        servers = sorted({row.server_id for row in deployments})
        for server in self._tx.scalars(select(Server).where(Server.id.in_(servers))):
            self._known[Server, server.id] = server


def _others(deployment: Deployment) -> tuple[int | None, ...]:
    """The attempts that one refers to."""
    return (
        deployment.source_deployment_id, deployment.candidate_id, deployment.supersedes_id, deployment.superseded_by_id,
    )  # fmt: skip


def base(names: Names, deployment: Deployment) -> dict[str, Any]:
    """What every answer says of a deployment."""
    return present(
        id=deployment.ref,
        projectId=names.ref(Project, deployment.project_id),
        environmentId=names.ref(Environment, deployment.environment_id),
        resourceId=names.ref(Resource, deployment.resource_id),
        serverId=names.ref(Server, deployment.server_id),
        destinationId=names.ref(Destination, deployment.destination_id),
        status=deployment.status,
        triggerKind=deployment.trigger,
        sourceDeploymentId=names.ref(Deployment, deployment.source_deployment_id),
        rollbackCandidateDeploymentId=names.ref(Deployment, deployment.candidate_id),
        rollbackOfDeploymentId=names.ref(Deployment, deployment.candidate_id),
        supersedesDeploymentId=names.ref(Deployment, deployment.supersedes_id),
        supersededByDeploymentId=names.ref(Deployment, deployment.superseded_by_id),
        sourceCommitSha=deployment.commit,
        runtimePlan=runtime_plan(names, deployment),
        environmentSnapshot=environment_snapshot(names, deployment),
        dependencyBindingReferences=[],
        createdAt=wire_time(deployment.created_at),
        startedAt=at(deployment.started_at),
        finishedAt=at(deployment.finished_at),
        archivedAt=at(deployment.archived_at),
    )


def runtime_plan(names: Names, deployment: Deployment) -> dict[str, Any]:
    """The documented plan; before planning has ended only what admission knew."""
    plan, snapshot = deployment.plan or {}, deployment.snapshot
    source = snapshot.get("source") or {}
    server: Server = names.row(Server, deployment.server_id)
    artifact = deployment.artifact or {}
    built = plan.get("artifact_intent", "build-image")
    return present(
        id=deployment.plan_ref,
        source=present(
            kind=source.get("kind"),
            locator=source.get("locator"),
            displayName=source.get("displayName") or source.get("locator"),
            inspection=_inspection(plan) or None,
        ),
        buildStrategy=plan.get("build_strategy", "dockerfile"),
        packagingMode=plan.get("packaging_mode", "all-in-one-docker"),
        runtimeArtifact=present(
            kind="compose-project" if built == "compose-project" else "image",
            intent=built,
            image=artifact.get("image") or plan.get("image"),
            composeFile=plan.get("compose_file"),
            metadata=_artifact_metadata(plan, artifact) or None,
        ),
        execution=_execution(deployment, plan, names),
        target={
            "kind": server.target_kind,
            "providerKey": server.provider,
            "serverIds": [server.ref],
            "metadata": {"context.serverName": server.name},
        },
        detectSummary=plan.get("detect_summary") or "Not detected yet",
        steps=list(plan.get("steps") or STEPS),
        generatedAt=wire_time(deployment.started_at or deployment.created_at),
    )


def _artifact_metadata(plan: dict[str, Any], artifact: dict[str, Any]) -> dict[str, str]:
    """The contract has no kind for what a host process runs from: the metadata says it."""
    found = {"reference": str(artifact["reference"])} if artifact.get("reference") else {}
    return found | ({"kind": "release-directory"} if plan.get("execution_kind") == "host-process" else {})


def _inspection(plan: dict[str, Any]) -> dict[str, Any]:
    return present(
        runtimeFamily=plan.get("runtime_family"),
        framework=plan.get("framework"),
        packageManager=plan.get("package_manager"),
        applicationShape=plan.get("application_shape"),
        runtimeVersion=plan.get("runtime_version"),
        projectName=plan.get("project_name"),
        detectedFiles=list(plan["detected_files"]) if plan.get("detected_files") else None,
        detectedScripts=list(plan["detected_scripts"]) if plan.get("detected_scripts") else None,
        dockerfilePath=plan.get("dockerfile_path"),
        composeFile=plan.get("compose_file"),
        jarPath=plan.get("jar_path"),
    )


def _execution(deployment: Deployment, plan: dict[str, Any], names: Names) -> dict[str, Any]:
    commands = {command["kind"]: command["command"] for command in plan.get("commands") or ()}
    route, server = deployment.route, names.row(Server, deployment.server_id)
    port = (deployment.runtime or {}).get("port") or plan.get("internal_port")
    snapshot = deployment.snapshot
    metadata = {
        "deployment.number": str(deployment.number),
        "resource.slug": str((snapshot.get("resource") or {}).get("slug", "")),
        "context.serverName": server.name,
        "context.environmentKind": str((snapshot.get("environment") or {}).get("kind", "")),
    }
    access_routes = None
    if route is not None:
        hostnames = [str(name) for name in route["hostnames"]]
        metadata |= {
            "access.hostname": hostnames[0],
            "access.scheme": "http",
            "access.routeSource": str(route.get("source") or "generated-default"),
        }
        access_routes = [
            present(
                proxyKind="caddy" if server.proxy_kind == "none" else server.proxy_kind,
                domains=hostnames,
                pathPrefix=str(route.get("pathPrefix") or "/"),
                tlsMode="disabled",
                targetPort=port,
            )
        ]
    if deployment.error_code:
        metadata["errorCode"] = deployment.error_code
        metadata["errorMessage"] = deployment.error_message or ""
        if deployment.error_hint:
            metadata["errorHint"] = deployment.error_hint
    health = snapshot.get("health")
    return present(
        kind=plan.get("execution_kind", "docker-container"),
        installCommand=commands.get("install"),
        buildCommand=commands.get("build"),
        startCommand=commands.get("start"),
        healthCheckPath=(health or {}).get("http", {}).get("path"),
        healthCheck=health,
        port=port,
        image=(deployment.artifact or {}).get("image"),
        dockerfilePath=plan.get("dockerfile_path"),
        accessRoutes=access_routes,
        verificationSteps=[
            {"kind": "internal-http", "label": "Verify internal health"},
            *([{"kind": "public-http", "label": "Verify public access"}] if route else []),
        ],
        metadata=metadata,
    )


def environment_snapshot(names: Names, deployment: Deployment) -> dict[str, Any]:
    """The variables of the attempt; secret values are masked."""
    values = snapshot_variables(names._tx, deployment)  # noqa: SLF001 - same room
    return {
        "id": deployment.snapshot_ref,
        "environmentId": names.ref(Environment, deployment.environment_id),
        "createdAt": wire_time(deployment.created_at),
        "precedence": list(PRECEDENCE),
        "variables": [
            {
                "key": value["key"],
                "value": MASK if value["secret"] else value["value"],
                "scope": value["scope"],
                "exposure": value["exposure"],
                "isSecret": value["secret"],
                "kind": value["kind"],
            }
            for value in values
        ],
    }


def related(names: Names, deployment: Deployment) -> dict[str, Any]:
    project: Project = names.row(Project, deployment.project_id)
    environment: Environment = names.row(Environment, deployment.environment_id)
    resource: Resource = names.row(Resource, deployment.resource_id)
    server: Server = names.row(Server, deployment.server_id)
    return {
        "project": {"id": project.ref, "name": project.name, "slug": project.slug},
        "environment": {"id": environment.ref, "name": environment.name, "kind": environment.kind},
        "resource": {"id": resource.ref, "name": resource.name, "slug": resource.slug, "kind": resource.kind},
        "server": {
            "id": server.ref,
            "name": server.name,
            "host": server.host,
            "port": server.port,
            "providerKey": server.provider,
        },
        "destination": {"id": names.ref(Destination, deployment.destination_id)},
    }


def latest_failure(deployment: Deployment) -> dict[str, Any] | None:
    if deployment.error_code is None:
        return None
    return {
        "timestamp": wire_time(deployment.finished_at or deployment.created_at),
        "source": "appaloft",
        "phase": phase_word(deployment.error_phase),
        "level": "error",
        "message": " ".join(text for text in (deployment.error_message, deployment.error_hint) if text),
    }


def next_actions(deployment: Deployment) -> list[str]:
    if deployment.status not in TERMINAL:
        return ["logs"]
    if deployment.status == "succeeded":
        return ["resource-health", "logs", "resource-detail"]
    return ["logs", "resource-detail"]


def reasons(codes: list[str], *, phase: str = "recovery") -> list[dict[str, Any]]:
    """Reason codes as the documented objects."""
    return [
        {
            "code": code,
            "category": "blocked",
            "phase": phase,
            "retriable": code in {"attempt-not-terminal", "resource-runtime-busy"},
            "recommendation": RECOMMENDATIONS.get(code, "Read the deployment's detail."),
        }
        for code in codes
    ]


RECOMMENDATIONS = {
    "attempt-not-terminal": "Wait until the attempt has ended, or cancel it.",
    "attempt-status-not-recoverable": "Only failed or canceled attempts are retried; redeploy instead.",
    "runtime-artifact-missing": "Nothing earlier is retained; redeploy from the source.",
    "resource-profile-invalid": "Configure the resource's source, and make sure that it is not archived.",
    "rollback-candidate-expired": "Choose a newer deployment.",
    "rollback-candidate-not-successful": "Choose a deployment that succeeded.",
    "rollback-candidate-target-mismatch": "Choose a deployment of the same resource and server.",
}
