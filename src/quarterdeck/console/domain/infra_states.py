"""States of specifications for their pages, and what people do with them."""

from __future__ import annotations

import asyncio
from typing import Any

from quarterdeck.access import Access
from quarterdeck.console.domain import infra_spec_views as specifications
from quarterdeck.console.domain.confirming import require_typed
from quarterdeck.console.views.infra import JOBS, File
from quarterdeck.console.views.infra_plans import Attribute, text_of
from quarterdeck.console.views.infra_states import LockView, StateChange, StateDiff, StateVersionRow, StateView
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import comparing, locks, rolling, showing, states, versions
from quarterdeck.infra.states.actions import StateAction
from quarterdeck.infra.states.model import State, StateVersion
from quarterdeck.infra.states.packing import HEAVY, unpacked
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal

READ = "infra:states.read"
CAUSES = {"write": "Written by a job", "rollback": "Gone back to", "push": "Pushed", "removed": "Removed"}
SIGNS = {"create": ("+", "good"), "update": ("~", "run"), "delete": ("\N{MINUS SIGN}", "bad")}
WORDS = {"create": "created", "update": "changed", "delete": "gone"}


class InfraStates:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def infra_state(self, who: Principal, spec: str, before: int | None, limit: int) -> StateView:
        found: StateView = await self.instance.db.read(lambda tx: _view(tx, specs.meant(tx, spec), before, limit))
        return found

    async def infra_state_diff(self, who: Principal, spec: str, since: int, to: int, *, values: bool) -> StateDiff:
        def chosen(tx: Tx, access: Access) -> tuple[Spec, StateVersion, StateVersion]:
            found = specs.meant(tx, spec)
            before, after = versions.found(tx, found, since), versions.found(tx, found, to)
            if values:
                access.require(tx.principal, READ)
                versions.audited(tx, found, StateAction.COMPARED, **{"from": since, "to": to})
            return found, before, after

        unit = self.instance.db.write if values else self.instance.db.read
        found, before, after = await unit(chosen, self.instance.access)
        contents = [await unpacked(self.instance.vault, one) for one in (before, after)]
        loop = asyncio.get_running_loop()
        told = await loop.run_in_executor(HEAVY, lambda: comparing.compare(*contents, values=values))
        row = (await self.instance.db.read(lambda tx: specifications.spec_rows(tx, [specs.find(tx, found.uid)])))[0]
        changes = tuple(_change(one, values=values) for one in told.changes)
        return StateDiff(row, since, to, changes, told.left_out, values)

    async def infra_state_file(self, who: Principal, spec: str, number: int | None) -> File:
        """Written down as the reading of a secret."""
        found: StateVersion = await self.instance.db.write(lambda tx: versions.read(tx, specs.meant(tx, spec), number))
        data = await unpacked(self.instance.vault, found)
        return File(f"version-{found.number}.tfstate", data, "application/json")

    async def roll_infra_state_back(
        self, who: Principal, spec: str, number: int, reason: str, confirmation: str
    ) -> None:
        def named(tx: Tx) -> str:
            found = specs.meant(tx, spec)
            require_typed(confirmation, found.project_name)
            return found.uid

        uid = await self.instance.db.read(named)
        await rolling.back(self.instance.db, self.instance.vault, uid, number, reason)

    async def unlock_infra_state(self, who: Principal, spec: str, reason: str, lock: str) -> None:
        await self.instance.db.write(lambda tx: versions.unlock(tx, specs.meant(tx, spec), reason, lock))


def _view(tx: Tx, spec: Spec, before: int | None, limit: int) -> StateView:
    state = states.find(tx, states.subject_of_spec(spec))
    found = versions.page(tx, state, before, limit + 1) if state is not None else ()
    rows = found[:limit]
    jobs, people = showing.jobs(tx, (one.job_id for one in rows)), showing.people(tx, (one.author_id for one in rows))
    return StateView(
        row=specifications.spec_rows(tx, [spec])[0],
        exists=states.exists(state),
        version=state.version if state is not None else 0,
        serial=state.serial if state is not None else None,
        lineage=(state.lineage or "") if state is not None else "",
        resources=state.resources if state is not None else 0,
        lock=_lock(tx, state),
        versions=tuple(
            StateVersionRow(
                number=one.number,
                serial=one.serial,
                at=one.created_at,
                resources=one.resources,
                size=one.size,
                cause=CAUSES.get(one.cause, one.cause),
                reason=one.reason or "",
                by=people.get(one.author_id, ("", ""))[1],
                job=f"{JOBS}/{jobs[one.job_id]}" if one.job_id in jobs else "",
                current=state is not None and one.number == state.version,
                contents=one.cause != "removed",
            )
            for one in rows
        ),
        older=rows[-1].number if len(found) > limit else None,
    )


def _lock(tx: Tx, state: State | None) -> LockView | None:
    if state is None or state.lock_id is None:
        return None
    said = state.lock or {}
    job = showing.jobs(tx, [state.lock_job_id]).get(state.lock_job_id)
    return LockView(
        uid=state.lock_id,
        who=str(said.get("Who") or "somebody"),
        operation=str(said.get("Operation") or "").removeprefix("OperationType").lower(),
        since=state.locked_at,
        job=f"{JOBS}/{job}" if job else "",
        left=not locks.lives(tx, state),
    )


def _change(one: comparing.Change, *, values: bool) -> StateChange:
    sign, tone = SIGNS[one.action]
    return StateChange(
        one.address, sign, tone, WORDS[one.action], tuple(_attribute(each, values=values) for each in one.attributes)
    )


def _attribute(one: comparing.Attribute, *, values: bool) -> Attribute:
    if not values:
        return Attribute(one.path, None, None, one.sensitive)
    was, now = one.before, one.after
    return Attribute(
        one.path,
        None if was is None else text_of(was),
        None if now is None else text_of(now),
        one.sensitive,
    )
