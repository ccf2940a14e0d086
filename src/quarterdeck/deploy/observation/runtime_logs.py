"""What a resource's runtime has written, and what it writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources import resources
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.logs import Batch, Gap, Line, Logs
from quarterdeck.kernel.vault import MASK

PAGE = 1000
HEARTBEAT = 15.0  # seconds of silence after which a follower is told that the stream lives
KINDS = {"container": "docker-container", "process": "host-process"}


def runtime_kind(runtime: Mapping[str, Any]) -> str | None:
    """What a runtime is, in a word of the contract; None for files."""
    return "docker-compose-stack" if "services" in runtime else KINDS.get(str(runtime.get("kind")))


def spoken_by(number: int, deployment: str, service: str | None = None) -> str:
    """What stands in the place of a phase in a runtime's stream: which version, and which service of it, wrote the
    line.
    """
    return f"v{number} {deployment}" + (f" {service}" if service else "")


def speaker(line: Line) -> str | None:
    """The deployment whose runtime wrote a line; None for a line from before versions were noted."""
    deployment = [*(line.phase or "").split(" "), ""][1]
    return deployment if deployment.startswith("dep_") else None


def service_of(line: Line) -> str | None:
    """The service of a stack that wrote a line."""
    return [*(line.phase or "").split(" "), "", ""][2] or None


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of which stream: the whole runtime's, or that of one deployment (`since` to `until`).

    `only` says that the lines of other versions are left out, which overlap in time; `service` that those of other
    services are.
    """

    resource: str
    stream: str
    deployment: str | None
    only: bool
    runtime_kind: str | None
    instance: str | None
    since: datetime | None
    until: datetime | None
    service: str | None = None


def window(tx: Tx, ref: str, deployment_ref: str | None, service: str | None, since: str | None) -> Window:
    """Raises `NotFound`, or `resource_runtime_logs_context_mismatch` for a deployment or service of something else."""
    resource = resources.find(tx, ref)
    deployment = tx.get(Deployment, resource.serving_id) if resource.serving_id else None
    start, end = moment(since) if since else None, None
    if deployment_ref is not None:
        deployment = tx.first(
            select(Deployment).where(
                Deployment.ref == deployment_ref, Deployment.organization_id == resource.organization_id
            )
        )
        if deployment is None:
            raise NotFound(f"There is no deployment {deployment_ref[:60]}, or you may not see it.")
        if deployment.resource_id != resource.id:
            raise _mismatch(
                f"{deployment.ref} is a deployment of another resource.", f"Ask for logs of {resource.ref}."
            )
        start = max(start or deployment.created_at, deployment.created_at)
        end = deployment.retired_at
    runtime = (deployment.runtime or {}) if deployment else {}
    containers = services(runtime)
    known = {str(one["name"]) for one in resource.services} | set(containers)
    if service is not None and service not in known:
        named = f"Use one of {', '.join(sorted(known))}." if known else "Leave serviceName out."
        raise _mismatch(f"{resource.name} has no service {service[:60]}.", named)
    instance = containers.get(service or "") or runtime.get("container") or runtime.get("instance")
    return Window(
        resource.ref,
        f"runtime:{resource.ref}",
        deployment.ref if deployment else None,
        deployment_ref is not None,
        runtime_kind(runtime),
        str(instance or "")[:64] or None,
        start,
        end,
        service,
    )


def services(runtime: Mapping[str, Any]) -> dict[str, str]:
    """The container of each service of a stack, the one that receives the requests first."""
    main = {str(runtime["target"]): str(runtime["container"])} if runtime.get("target") else {}
    return main | {str(one["service"]): str(one["container"]) for one in runtime.get("services") or ()}


def _mismatch(message: str, hint: str) -> Invalid:
    return Invalid(message, code="resource_runtime_logs_context_mismatch", hint=hint)


def moment(text: str) -> datetime:
    """An instant as the wire writes it. Raises `Invalid`; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{text[:60]!r} is no time to read a log from.",
            hint="Write it like 2026-01-31T12:00:00.000Z.",
            field="since",
        ) from None


def position(cursor: str | None) -> int | None:
    """The number of the last line that a reader has. Raises `Invalid`."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 15):
        raise Invalid("The cursor is none of this stream.", hint="Leave it out to start anew.", field="cursor")
    return int(cursor)


def told(asked: Window, one: Line) -> dict[str, Any]:
    """A line as the contract has it, with the version that wrote it; what is known of the runtime of another version is
    not claimed of it.
    """
    spoken = speaker(one) or asked.deployment
    own = spoken == asked.deployment
    fields = {
        "resourceId": asked.resource,
        "deploymentId": spoken,
        "serviceName": service_of(one),
        "runtimeKind": asked.runtime_kind if own else None,
        "runtimeInstanceId": asked.instance if own and service_of(one) == asked.service else None,
        "stream": one.stream if one.stream in {"stdout", "stderr"} else "unknown",
        "timestamp": wire_time(one.time),
        "sequence": one.number,
        "cursor": str(one.number),
        "message": one.message,
        "masked": MASK in one.message,
    }
    return {name: value for name, value in fields.items() if value is not None}


async def tail(logs: Logs, asked: Window, count: int, after: int | None) -> list[Line]:
    """The newest `count` lines of the window; the first ones behind `after` when that is given."""
    found: list[Line] = []
    before: int | None = None
    while len(found) < count:
        # Other versions write into the same stream: what is not wanted is passed over, however much it is.
        if after is not None:
            page = await logs.read(asked.stream, after, PAGE, since=asked.since, until=asked.until)
        else:
            page = await logs.read(asked.stream, tail=PAGE, since=asked.since, until=asked.until, before=before)
        wanted = [line for line in page if _wanted(asked, line)]
        if after is not None:
            found += wanted
        else:
            found = wanted + found
        if len(page) < PAGE:
            break
        if after is not None:
            after = page[-1].number
        else:
            before = page[0].number
    if count == 0:
        return []
    return found[:count] if after is not None else found[-count:]


def _wanted(asked: Window, line: Line) -> bool:
    if (asked.since is not None and line.time < asked.since) or (asked.until is not None and line.time > asked.until):
        return False
    if asked.service is not None and service_of(line) != asked.service:
        return False
    return not asked.only or speaker(line) in {None, asked.deployment}


async def follow(
    logs: Logs, asked: Window, count: int, after: int | None, *, heartbeat: float = HEARTBEAT
) -> AsyncIterator[Line | None]:
    """The tail, then every new line; None stands for a sign of life. Ends when the stream is closed.

    A follower that was passed over because it lagged reads what it missed from the store.
    """
    head = (await logs.state(asked.stream)).head
    if after is None:
        for line in await tail(logs, asked, count, None):
            if line.number <= head:
                yield line
    source = logs.follow(asked.stream, head if after is None else after)
    waiting: asyncio.Future[Batch | Gap] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(source))
            finished, _ = await asyncio.wait({waiting}, timeout=heartbeat)
            if not finished:
                yield None
                continue
            try:
                item = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            for line in await _missed(logs, asked, item) if isinstance(item, Gap) else item.lines:
                if _wanted(asked, line):
                    yield line
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await source.aclose()  # type: ignore[attr-defined]


async def _missed(logs: Logs, asked: Window, gap: Gap) -> list[Line]:
    if gap.reason == "pruned":
        return []
    return await logs.read(asked.stream, gap.first - 1, gap.last - gap.first + 1)
