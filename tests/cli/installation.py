"""A small installation behind the contract server: it keeps what is created, and deploys by telling events."""

from __future__ import annotations

import json
from typing import Any

from cli.contract_server import NOW, ContractServer, Refusal

DEPLOYMENT = "dep_000000000001"
NETWORK = {"upstreamProtocol": "http", "exposureMode": "reverse-proxy"}
PHASES = ("detect", "plan", "package", "deploy", "verify")


def message(data: dict[str, Any], *, event: str = "message", cursor: str | None = None) -> str:
    stamp = f"id: {cursor}\n" if cursor else ""
    return f"event: {event}\n{stamp}data: {json.dumps(data)}\n\n"


def told(sequence: int, kind: str, *, second: float | None = None, **more: Any) -> str:
    at = f"2026-05-31T12:00:{(sequence if second is None else second):06.3f}Z"
    event = {
        "deploymentId": DEPLOYMENT, "sequence": sequence, "cursor": f"{sequence:032x}", "emittedAt": at,
        "source": "domain-event", "eventType": kind, **more,
    }  # fmt: skip
    return message(
        {"schemaVersion": "deployments.stream-events/v1", "kind": "event", "event": event}, cursor=event["cursor"]
    )


def progress(sequence: int, phase: str, words: str, **more: Any) -> str:
    return told(sequence, "deployment-progress", phase=phase, status="running", summary=words, **more)


def end(reason: str = "completed") -> list[str]:
    return [
        message({"schemaVersion": "deployments.stream-events/v1", "kind": "closed", "reason": reason}),
        message({"deploymentId": DEPLOYMENT}, event="done"),
    ]


def succeeding() -> list[str]:
    """The stream of a deployment that works out."""
    lines = [": open\n\n", told(1, "deployment-requested", status="created")]
    number = 2
    for phase in PHASES:
        lines.append(progress(number, phase, f"{phase.capitalize()}: running"))
        lines.append(progress(number + 1, phase, f"{phase.capitalize()}: {phase} is done"))
        number += 2
    lines.append(progress(number, "verify", "Cut over: shop.localhost"))
    lines.append(told(number + 1, "deployment-succeeded", status="succeeded"))
    return [*lines, *end()]


def failing() -> list[str]:
    return [
        progress(1, "detect", "Detect: 3 files"),
        progress(2, "verify", "Verify: running"),
        told(3, "deployment-failed", status="failed", phase="verify", summary="no answer on port 4321"),
        *end(),
    ]


class Installation:
    """Rows by kind, and the answers that make and show them."""

    def __init__(self, server: ContractServer) -> None:
        self.server = server
        self.projects: list[dict[str, Any]] = []
        self.environments: list[dict[str, Any]] = []
        self.servers: list[dict[str, Any]] = []
        self.resources: dict[str, dict[str, Any]] = {}
        self.deployments: list[dict[str, Any]] = []
        self.lifecycle = "active"
        self.runtime = "running"
        self.status = "succeeded"
        self.failure: dict[str, Any] | None = None
        self.metadata: dict[str, str] = {}
        self.logs: list[dict[str, Any]] = []
        server.outside["GET", "/api/auth/status"] = {"setup_required": False}
        server.outside["GET", "/api/version"] = {"version": "0.1.0"}
        server.answers.update(
            {
                "projects.list": lambda *_: {"items": self.projects},
                "projects.create": self._project,
                "environments.list": lambda _p, query, _b: {"items": self._of(self.environments, query)},
                "environments.create": self._environment,
                "servers.list": lambda *_: {"items": self.servers},
                "servers.register": self._server,
                "resources.list": lambda _p, query, _b: {
                    "items": self._of([row["resource"] for row in self.resources.values()], query)
                },
                "resources.create": self._resource,
                "resources.show": lambda parameters, *_: self._shown(parameters["resourceId"]),
                "deployments.create": self._deployment,
                "deployments.redeploy": self._deployment,
                "deployments.show": self._deployment_shown,
                "deployments.list": lambda *_: {"items": self.deployments},
                "deployments.logs": lambda *_: {"deploymentId": DEPLOYMENT, "logs": self.logs},
                "resources.configure-source": self._configure("source"),
                "resources.configure-runtime": self._configure("runtimeProfile"),
                "resources.configure-network": self._configure("networkProfile"),
                "resources.set-variable": None,
                "resources.health": lambda parameters, *_: self._health(parameters["resourceId"]),
                "resources.archive": self._archive,
                "resources.delete": lambda parameters, *_: {"id": parameters["resourceId"]},
            }
        )

    def log(self, *messages: str, phase: str = "verify") -> None:
        for text in messages:
            line = {"timestamp": NOW, "source": "application", "phase": phase, "level": "info", "message": text}
            self.logs.append(line)

    def exists(self, path: str, **parts: Any) -> str:
        """Make a resource with what it belongs to; answers its id."""
        project, environment, name = path.split("/")
        known = {row["slug"]: row["id"] for row in self.projects}
        made = known.get(project) or self._project({}, {}, {"name": project})["id"]
        places = {(row["projectId"], row["name"]): row["id"] for row in self.environments}
        place = (
            places.get((made, environment))
            or self._environment({}, {}, {"projectId": made, "name": environment, "kind": "custom"})["id"]
        )
        body = {"projectId": made, "environmentId": place, "name": name, **parts}
        return str(self._resource({}, {}, body)["id"])

    def deployed(self, resource: str, status: str = "succeeded") -> str:
        """An earlier deployment of a resource; answers its id."""
        identity = f"dep_{len(self.deployments) + 100:012d}"
        self.deployments.insert(0, self._row(identity, resource, status))
        row = self.resources[resource]["resource"]
        row |= {"lastDeploymentId": identity, "lastDeploymentStatus": status}
        row["deploymentCount"] += 1
        return identity

    @staticmethod
    def _of(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        keys = [key for key in ("projectId", "environmentId") if key in query]
        return [row for row in rows if all(row.get(key) == query[key] for key in keys)]

    def _project(self, _p: Any, _q: Any, body: dict[str, Any]) -> dict[str, Any]:
        identity = f"prj_{len(self.projects):012d}"
        row = {"id": identity, "name": body["name"], "slug": body["name"].lower(), "lifecycleStatus": "active"}
        self.projects.append({**row, "createdAt": NOW})
        return {"id": identity}

    def _environment(self, _p: Any, _q: Any, body: dict[str, Any]) -> dict[str, Any]:
        identity = f"env_{len(self.environments):012d}"
        row = {"id": identity, **body, "lifecycleStatus": "active", "createdAt": NOW, "maskedVariables": []}
        self.environments.append(row)
        return {"id": identity}

    def _server(self, _p: Any, _q: Any, body: dict[str, Any]) -> dict[str, Any]:
        identity = f"srv_{len(self.servers):012d}"
        self.servers.append(
            {
                "id": identity, "name": body["name"], "host": body["host"], "port": 22,
                "providerKey": body["providerKey"], "targetKind": "single-server", "lifecycleStatus": "active",
                "createdAt": NOW,
            }
        )  # fmt: skip
        return {"id": identity}

    def _resource(self, _p: Any, _q: Any, body: dict[str, Any]) -> dict[str, Any]:
        identity = f"res_{len(self.resources):012d}"
        resource = {key: body[key] for key in ("projectId", "environmentId", "name")}
        resource |= {"id": identity, "slug": body["name"], "kind": "application", "createdAt": NOW, "services": []}
        parts = {key: body[key] for key in ("runtimeProfile", "networkProfile") if key in body}
        if "networkProfile" in parts:
            parts["networkProfile"] = {**NETWORK, **parts["networkProfile"]}
        if "source" in body:
            parts["source"] = {"sourceBindingFingerprint": "srcfp_00000000", **body["source"]}
        self.resources[identity] = {"resource": resource | {"deploymentCount": 0}, **parts}
        return {"id": identity}

    def _configure(self, part: str) -> Any:
        def answer(parameters: dict[str, str], _query: Any, body: dict[str, Any]) -> dict[str, Any]:
            before = self.resources[parameters["resourceId"]].get(part, {})
            kept = {"sourceBindingFingerprint": "srcfp_00000001"} if part == "source" else {}
            self.resources[parameters["resourceId"]][part] = {**kept, **body[part]} if before is not None else body
            return {"id": parameters["resourceId"]}

        return answer

    def _shown(self, identity: str) -> dict[str, Any]:
        if identity not in self.resources:
            raise Refusal(404, "not_found", f"There is no resource {identity}.")
        row = self.resources[identity]
        slug = row["resource"]["slug"]
        route = {
            "url": f"http://{slug}.localhost/", "hostname": f"{slug}.localhost", "scheme": "http", "pathPrefix": "/",
            "proxyKind": "caddy", "targetPort": 3000,
        }  # fmt: skip
        return {
            "schemaVersion": "resources.show/v1", **row, "accessSummary": {"plannedGeneratedAccessRoute": route},
            "lifecycle": {"status": self.lifecycle}, "diagnostics": [], "generatedAt": NOW,
        }  # fmt: skip

    def _archive(self, parameters: dict[str, str], *_: Any) -> dict[str, Any]:
        self.lifecycle = "archived"
        return {"id": parameters["resourceId"]}

    def _health(self, identity: str) -> dict[str, Any]:
        return {
            "schemaVersion": "resources.health/v1", "resourceId": identity, "generatedAt": NOW, "overall": "healthy",
            "runtime": {"lifecycle": self.runtime, "health": "not-configured"},
            "healthPolicy": {"status": "not-configured", "enabled": False}, "publicAccess": {"status": "ready"},
            "proxy": {"status": "ready"}, "checks": [], "sourceErrors": [],
        }  # fmt: skip

    def _deployment(self, parameters: dict[str, str], _q: Any, body: dict[str, Any]) -> dict[str, Any]:
        resource = parameters.get("resourceId") or body["resourceId"]
        self.deployments.insert(0, self._row(DEPLOYMENT, resource, self.status))
        return {"id": DEPLOYMENT}

    def _row(self, identity: str, resource: str, status: str) -> dict[str, Any]:
        row = self.resources[resource]["resource"]
        return {
            "id": identity, "projectId": row["projectId"], "environmentId": row["environmentId"],
            "resourceId": resource, "serverId": "srv_000000000000", "destinationId": "dst_000000000000",
            "status": status, "createdAt": NOW, "logs": [], "logCount": 0,
            "runtimePlan": {
                "id": "plan_000000000000",
                "source": {"kind": "local-folder", "locator": "/srv/shop", "displayName": "shop"},
                "buildStrategy": "dockerfile", "packagingMode": "all-in-one-docker",
                "execution": {"kind": "docker-container", "metadata": self.metadata},
                "target": {"kind": "single-server", "providerKey": "local-shell", "serverIds": ["srv_000000000000"]},
                "detectSummary": "", "steps": [], "generatedAt": NOW,
            },
            "environmentSnapshot": {
                "id": "snap_000000000000", "environmentId": row["environmentId"], "createdAt": NOW,
                "precedence": [], "variables": [],
            },
        }  # fmt: skip

    def _deployment_shown(self, parameters: dict[str, str], *_: Any) -> dict[str, Any]:
        row = next((row for row in self.deployments if row["id"] == parameters["deploymentId"]), None)
        if row is None:
            raise Refusal(404, "not_found", f"There is no deployment {parameters['deploymentId']}.")
        shown = {key: value for key, value in row.items() if key != "logs"}
        body = {
            "schemaVersion": "deployments.show/v1", "deployment": shown,
            "status": {"current": row["status"], "createdAt": NOW}, "nextActions": [], "sectionErrors": [],
            "generatedAt": NOW,
        }  # fmt: skip
        return {**body, "latestFailure": self.failure} if self.failure else body
