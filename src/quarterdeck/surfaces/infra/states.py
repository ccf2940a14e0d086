"""States of specifications: versions, what differs, going back, pushing, taking a lock away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from quarterdeck.access import Access
from quarterdeck.infra.specs import specs
from quarterdeck.infra.states import backend, comparing, contents, rolling, showing, states, versions
from quarterdeck.infra.states.actions import StateAction
from quarterdeck.infra.states.model import State, StateVersion
from quarterdeck.infra.states.packing import HEAVY, drafted, unpacked
from quarterdeck.instance import Instance
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.surfaces.infra.configurations import ONE, UNKNOWN
from quarterdeck.surfaces.infra.large_bodies import BODIES
from quarterdeck.surfaces.infra.wire import states as wire
from quarterdeck.surfaces.shared.values import given

VIEW, READ, MANAGE = "infra:states.view", "infra:states.read", "infra:states.manage"
STATE = f"{ONE}/state"
CURRENT = "current"
AROUND = 8 << 10
"""Bytes of a request that pushes a state, beside the state."""
NONE = (404, "state_not_found")
NO_VERSION = (404, "state_version_not_found")
LOCKED = (409, "state_locked")
BEHIND = (409, "state_serial_behind")
OTHER_LINEAGE = (409, "state_lineage_changed")
NO_REASON = (400, "reason_required")


@route("GET", STATE, permission=VIEW, errors=UNKNOWN)
async def show(call: Call) -> wire.StateShown:
    """The state of a specification, without what is in it."""

    def verb(tx: Tx) -> wire.StateShown:
        found = states.find(tx, states.subject_of_spec(specs.meant(tx, call.path["name"])))
        if found is None or (found.version == 0 and found.lock_id is None):
            return wire.StateShown(state=None)
        return wire.StateShown(state=shape(tx, found))

    return await call.read(verb)


@route("GET", f"{STATE}/versions", permission=VIEW, errors=(*UNKNOWN, NONE))
async def listed(call: Call, query: wire.VersionsQuery) -> wire.StateVersions:
    """The versions of a state, newest first, without what is in them."""

    def verb(tx: Tx) -> wire.StateVersions:
        state = versions.of(tx, specs.meant(tx, call.path["name"]))
        rows = versions.page(tx, state, given(query.before), query.limit + 1)
        shown = rows[: query.limit]
        more = len(rows) > query.limit
        return wire.StateVersions(
            versions=told(tx, state, shown), next_before=shown[-1].number if more and shown else None
        )

    return await call.read(verb)


@route("GET", f"{STATE}/versions/{{version}}", permission=READ, errors=(*UNKNOWN, NONE, NO_VERSION))
async def pull(call: Call, instance: Instance) -> Answer[bytes]:
    """The contents of a version, `current` for the one that counts, as Terraform wrote them. Written down as the
    reading of a secret.
    """
    number = numbered(call.path["version"])
    found = await call.write(lambda tx: versions.read(tx, specs.meant(tx, call.path["name"]), number))
    data = await unpacked(instance.vault, found)
    headers = {
        "content-type": "application/json",
        "content-disposition": f'attachment; filename="version-{found.number}.tfstate"',
    }
    return Answer(data, headers=headers)


@route("GET", f"{STATE}/diff", permission=VIEW, errors=(*UNKNOWN, NONE, NO_VERSION))
async def diff(call: Call, query: wire.DiffQuery, instance: Instance, access: Access) -> wire.StateDiff:
    """What differs between two versions, by the address of each resource and the names of its attributes."""

    def verb(tx: Tx) -> tuple[StateVersion, StateVersion]:
        spec = specs.meant(tx, call.path["name"])
        after = versions.found(tx, spec, given(query.to))
        before = versions.found(tx, spec, given(query.since) or max(after.number - 1, 1))
        if query.values:
            access.require(tx.principal, READ)
            versions.audited(tx, spec, StateAction.COMPARED, **{"from": before.number, "to": after.number})
        return before, after

    before, after = await (call.write(verb) if query.values else call.read(verb))
    contents_of = [await unpacked(instance.vault, one) for one in (before, after)]
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(HEAVY, lambda: comparing.compare(*contents_of, values=query.values))
    return wire.StateDiff(
        since=before.number,
        to=after.number,
        summary=found.summary,
        changes=[
            wire.ResourceDiff(
                address=one.address,
                action=one.action,
                attributes=[
                    wire.AttributeDiff(path=each.path, sensitive=each.sensitive, before=each.before, after=each.after)
                    for each in one.attributes
                ],
            )
            for one in found.changes
        ],
        left_out=found.left_out,
    )


@route(
    "POST",
    f"{STATE}/rollback",
    permission=MANAGE,
    errors=(*UNKNOWN, NONE, NO_VERSION, NO_REASON, LOCKED, BEHIND, OTHER_LINEAGE, (409, "state_rollback_same")),
)
async def rollback(call: Call, body: wire.Rollback, instance: Instance) -> wire.StateVersionShown:
    """Make an earlier version count again, as a new one with a higher serial."""
    uid = await call.read(lambda tx: specs.meant(tx, call.path["name"]).uid)
    number = await rolling.back(instance.db, instance.vault, uid, body.version, _reason(body))

    def verb(tx: Tx) -> wire.StateVersionShown:
        state = versions.of(tx, specs.find(tx, uid))
        return _shown(tx, state, backend.version(tx, state, number))

    return await call.read(verb)


@route(
    "POST",
    f"{STATE}/unlock",
    permission=MANAGE,
    errors=(*UNKNOWN, NONE, NO_REASON, (409, "state_not_locked"), (409, "state_lock_other")),
)
async def unlock(call: Call, body: wire.Unlock) -> wire.StateShown:
    """Take the lock away from whoever holds it: what they write from then on is refused."""

    def verb(tx: Tx) -> wire.StateShown:
        spec = specs.meant(tx, call.path["name"])
        return wire.StateShown(state=shape(tx, versions.unlock(tx, spec, _reason(body), given(body.lock_id) or None)))

    return await call.write(verb)


@route(
    "POST",
    f"{STATE}/push",
    permission=MANAGE,
    body_limit=contents.LARGEST + AROUND,
    place=BODIES.place("id", contents.LARGEST + AROUND),
    body_required=True,
    errors=(*UNKNOWN, NO_REASON, LOCKED, BEHIND, OTHER_LINEAGE, (400, "state_invalid"), (409, "state_push_same")),
)
async def push(call: Call, body: wire.Push, instance: Instance) -> wire.StateVersionShown:
    """Replace the state, or bring one along: it has to follow the one that is kept, by lineage and serial."""
    uid = await call.read(lambda tx: specs.meant(tx, call.path["name"]).uid)
    draft = await drafted(instance.vault, instance.db.ids, bytes(body.state))

    def verb(tx: Tx) -> wire.StateVersionShown:
        spec = specs.find(tx, uid)
        made = versions.push(tx, spec, _reason(body), draft)
        return _shown(tx, versions.of(tx, spec), made)

    return await call.write(verb)


def shape(tx: Tx, state: State) -> wire.State:
    return wire.State(
        version=state.version,
        serial=state.serial,
        lineage=state.lineage,
        resources=state.resources,
        addresses=state.addresses,
        lock=_lock(tx, state),
        created_at=wire_time(state.created_at),
        updated_at=wire_time(state.updated_at),
    )


def _lock(tx: Tx, state: State) -> wire.StateLock | None:
    if state.lock_id is None:
        return None
    said = state.lock or {}
    return wire.StateLock(
        id=state.lock_id,
        who=said.get("Who"),
        operation=said.get("Operation"),
        info=said.get("Info"),
        version=said.get("Version"),
        created=said.get("Created"),
        job_id=showing.jobs(tx, [state.lock_job_id]).get(state.lock_job_id),
        locked_at=None if state.locked_at is None else wire_time(state.locked_at),
    )


def told(tx: Tx, state: State, rows: Sequence[StateVersion]) -> list[wire.StateVersion]:
    jobs = showing.jobs(tx, (one.job_id for one in rows))
    people = showing.people(tx, (one.author_id for one in rows))
    return [
        wire.StateVersion(
            number=one.number,
            serial=one.serial,
            lineage=one.lineage,
            sha256=one.sha256,
            size=one.size,
            resources=one.resources,
            cause=one.cause,
            reason=one.reason,
            job_id=jobs.get(one.job_id),
            author=people.get(one.author_id, (None, None))[1],
            current=one.number == state.version,
            created_at=wire_time(one.created_at),
        )
        for one in rows
    ]


def _shown(tx: Tx, state: State, version: StateVersion) -> wire.StateVersionShown:
    return wire.StateVersionShown(version=told(tx, state, [version])[0])


def numbered(text: str) -> int | None:
    """A version as the address names it; None for the one that counts. Raises `NotFound`."""
    if text == CURRENT:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound(
            "There is no such version of this state.",
            code="state_version_not_found",
            hint="Name its number, or `current`.",
        )
    return int(text)


def _reason(body: wire.Rollback | wire.Unlock | wire.Push) -> str:
    return given(body.reason) or ""
