"""Runtimes that should run and are not there: after a restart of the host, or when somebody has taken them away,
nothing else starts them again.

An engine starts its containers again by itself, but not one whose port was taken while the engine was away. A host
process, and a container that was removed, need their variables, which are never on the disk, so all come back by a job
whose order carries them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import select

from quarterdeck.deploy.deployments import about
from quarterdeck.deploy.deployments.admission import target_capabilities
from quarterdeck.deploy.deployments.following import CHANGED
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.deployments.ordering import order as deployment_order
from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.execution.order import Retained, RuntimeOrder
from quarterdeck.deploy.observation.observations import Seen, Served
from quarterdeck.deploy.observation.parts import REMOVED
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.runtime import started_again
from quarterdeck.fleet.processes.hosted import HostProcesses
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.db import Tx

REVIVE = "runtime.revive"


class RevivePayload(msgspec.Struct):
    """Row id of the serving deployment."""

    deployment: int


async def gone(
    served: Sequence[Served], seen: Mapping[int, Seen], before: Mapping[int, Seen], processes: HostProcesses
) -> list[Served]:
    """Those that should run, and whose process was ended with its supervisor, whose record or container is gone, or
    whose container was found ended twice (`before` and now): its engine would have started it by then.
    """
    lost = []
    for one in served:
        if one.wanted != "running":
            continue
        if one.runtime.get("kind") == "container":
            now, then = seen.get(one.resource_id), before.get(one.resource_id)
            if now == REMOVED or (now and then and now.lost and then.lost):
                lost.append(one)
        if one.runtime.get("kind") != "process":
            continue
        status = await processes.find(str(one.runtime["instance"]))
        if status is None or status.phase == "lost":
            lost.append(one)
    return lost


def enqueue(tx: Tx, lost: Sequence[Served]) -> int:
    """Ask for each to be started again, once at a time. Answers how many were asked for."""
    asked = 0
    for one in lost:
        deployment, resource = tx.get(Deployment, one.deployment_id), tx.get(Resource, one.resource_id)
        server = tx.get(Server, deployment.server_id) if deployment is not None else None
        if deployment is None or resource is None or server is None:
            continue
        subject = f"deployment:{deployment.ref}"
        before = jobs.find(tx, subject=subject, kind=REVIVE)
        if (
            (before is not None and not before.ended)
            or resource.serving_id != deployment.id
            or resource.wanted != "running"
        ):
            continue
        asked += 1
        jobs.enqueue(
            tx,
            jobs.Enqueue(
                kind=REVIVE,
                payload=RevivePayload(deployment.id),
                organization_id=deployment.organization_id,
                subject=subject,
                capabilities=target_capabilities(server),
                concurrency_key=resources.turn_of(resource),
                max_attempts=5,
            ),
        )
    return asked


def kind(placement: Placement) -> jobs.JobKind:
    """Starting a runtime again as a job, for work orders of this instance."""

    def assign(tx: Tx, job: jobs.Job) -> RuntimeOrder:
        deployment = tx.get(Deployment, job.read(RevivePayload).deployment)
        assert deployment is not None  # noqa: S101 - jobs outlive no deployment
        resource = tx.get(Resource, deployment.resource_id)
        assert resource is not None  # noqa: S101 - the foreign key says so
        made = deployment_order(tx, placement, deployment)
        again = msgspec.structs.replace(
            made, retained=Retained(deployment.ref, deployment.artifact or {}, deployment.plan or {})
        )
        # Another version may serve, or somebody may have stopped it, since this was asked for.
        still = resource.serving_id == deployment.id and resource.wanted == "running"
        return RuntimeOrder(
            operation="revive" if still else "leave",
            deployment=deployment.ref,
            resource=resource.ref,
            target=made.target,
            runtime=deployment.runtime or {},
            route=made.route,
            again=again,
        )

    def finish(tx: Tx, job: jobs.Job, outcome: jobs.Outcome) -> None:
        deployment = tx.get(Deployment, job.read(RevivePayload).deployment)
        assert deployment is not None  # noqa: S101 - jobs outlive no deployment
        if outcome.state == "succeeded":
            started_again(deployment, outcome)
        ref = tx.execute(select(Resource.ref).where(Resource.id == deployment.resource_id)).scalar_one()
        events.append(
            tx,
            f"resource:{ref}",
            "resource-runtime-revived",
            {"resourceId": ref, "deploymentId": deployment.ref, "status": outcome.state},
            organization_id=deployment.organization_id,
        )
        tx.publish(CHANGED)

    return jobs.JobKind(
        name=REVIVE,
        payload=RevivePayload,
        assign=assign,
        finish=finish,
        lease_seconds=15,
        backoff_seconds=2,
        work=jobs.Work("runtime-maintenance", "Start a process again", about.followers, about.follow_again),
    )
