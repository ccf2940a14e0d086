"""What is written down of a change of a server, in the unit of the change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import audit, events, jobs
from quarterdeck.kernel.db import Tx


def about(operation: str) -> Callable[[Tx, Sequence[jobs.Job]], Mapping[int, jobs.About]]:
    """What operator work says of jobs whose subject is a server (`server:srv_…`)."""

    def describe(_tx: Tx, some: Sequence[jobs.Job]) -> Mapping[int, jobs.About]:
        links = {job.id: {"serverId": (job.subject or "").removeprefix("server:")} for job in some}
        return {job.id: jobs.About(operation, links=links[job.id]) for job in some}

    return describe


def note(
    tx: Tx,
    server: Server,
    action: audit.Action,
    data: Mapping[str, object],
    *,
    event: str | None = None,
    outcome: audit.Outcome = "success",
) -> None:
    """The audit event and the domain event, with what is known of `data`. Without an `event` it is called as the action
    is.
    """
    known = {key: value for key, value in data.items() if value is not None}
    audit.record(
        tx,
        action,
        resource_type="server",
        resource_id=server.ref,
        organization_id=server.organization_id,
        outcome=outcome,
        detail=known,
    )
    events.append(
        tx,
        f"server:{server.ref}",
        event or action.replace(".", "-"),
        {"serverId": server.ref, **known},
        organization_id=server.organization_id,
    )
