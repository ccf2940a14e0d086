"""What the jobs of deployments and runtimes are about, for whoever looks at work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from quarterdeck.deploy.deployments import deployments
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.deployments.records import STEP
from quarterdeck.deploy.resources.model import Resource, RuntimeControl
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.workspace.model import Project

SUBJECT = "deployment:"
STEPS = max(STEP.values())


def _refs(some: Sequence[jobs.Job]) -> list[str]:
    return sorted({ref(job) for job in some} - {""})


def ref(job: jobs.Job) -> str:
    """The deployment that a job is about; empty when it is about something else."""
    return (job.subject or "").removeprefix(SUBJECT) if (job.subject or "").startswith(SUBJECT) else ""


def _deployments(tx: Tx, refs: Sequence[str]) -> dict[str, Any]:
    """Rows (id, ref, trigger, status, number, project, resource, server) by deployment. Those that were pruned lack."""
    if not refs:
        return {}
    query = (
        select(
            Deployment.id,
            Deployment.ref,
            Deployment.trigger,
            Deployment.status,
            Deployment.number,
            Project.ref.label("project"),
            Resource.ref.label("resource"),
            Server.ref.label("server"),
        )
        .join(Project, Project.id == Deployment.project_id)
        .join(Resource, Resource.id == Deployment.resource_id)
        .join(Server, Server.id == Deployment.server_id)
        .where(Deployment.ref.in_(refs))
    )
    return {row.ref: row for row in tx.session.execute(query)}


def _links(deployment: str, row: Any) -> dict[str, str]:
    links = {"deploymentId": deployment}
    if row is not None:
        links |= {"projectId": row.project, "resourceId": row.resource, "serverId": row.server}
    return links


def attempts(tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    """Jobs that carry an attempt out."""
    rows = _deployments(tx, _refs(some))
    phases = {}
    ids = [row.id for row in rows.values()]
    if ids:
        told = select(Phase.deployment_id, Phase.phase).where(Phase.deployment_id.in_(ids)).order_by(Phase.id)
        phases = {row[0]: row[1] for row in tx.execute(told)}
    found = {}
    for job in some:
        row = rows.get(ref(job))
        phase = phases.get(row.id) if row is not None else None
        found[job.id] = jobs.About(
            operation=f"deployments.{row.trigger if row is not None else 'create'}",
            phase=phase,
            step=f"{STEP[phase]}/{STEPS}" if phase else None,
            links=_links(ref(job), row),
            details={"deploymentStatus": row.status, "deploymentNumber": row.number} if row is not None else {},
        )
    return found


def followers(tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    """Jobs that clear away after an attempt, or start again what it started."""
    rows = _deployments(tx, _refs(some))
    found = {}
    for job in some:
        wanted = msgspec.json.decode(job.payload).get("operation")
        found[job.id] = jobs.About(
            operation=job.kind,
            links=_links(ref(job), rows.get(ref(job))),
            details={"operation": wanted} if wanted else {},
        )
    return found


def controls(tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
    """Jobs that stop, start or restart what serves."""
    wanted = {job.id: int(msgspec.json.decode(job.payload).get("control") or 0) for job in some}
    query = (
        select(
            RuntimeControl.id,
            RuntimeControl.ref,
            RuntimeControl.operation,
            Resource.ref.label("resource"),
            Project.ref.label("project"),
            Deployment.ref.label("deployment"),
            Server.ref.label("server"),
        )
        .join(Resource, Resource.id == RuntimeControl.resource_id)
        .join(Project, Project.id == Resource.project_id)
        .outerjoin(Deployment, Deployment.id == RuntimeControl.deployment_id)
        .outerjoin(Server, Server.id == Deployment.server_id)
        .where(RuntimeControl.id.in_(sorted(set(wanted.values()))))
    )
    rows = {row.id: row for row in tx.session.execute(query)}
    found = {}
    for job in some:
        row = rows.get(wanted[job.id])
        if row is None:
            found[job.id] = jobs.About(job.kind)
            continue
        links = {"projectId": row.project, "resourceId": row.resource}
        if row.deployment is not None:
            links |= {"deploymentId": row.deployment, "serverId": row.server}
        found[job.id] = jobs.About(
            operation=f"resources.runtime.{row.operation}",
            phase=row.operation,
            links=links,
            details={"runtimeControlAttemptId": row.ref},
        )
    return found


def again(tx: Tx, job: jobs.Job) -> jobs.Job:
    """An attempt that has ended stays as it is: a retry is a new one with its snapshot."""
    made = deployments.retry(tx, ref(job))
    if made.job_id is None:
        raise NotFound(f"The deployment {made.ref} has no job.")
    return jobs.get(tx, made.job_id)


def follow_again(tx: Tx, job: jobs.Job) -> jobs.Job:
    """What follows a deployment can be done once more as long as the deployment is kept."""
    if tx.first(select(Deployment).where(Deployment.ref == ref(job))) is None:
        raise NotFound("Its deployment was pruned.", hint="Mark it as recovered, or give it up.")
    return jobs.same_again(tx, job)
