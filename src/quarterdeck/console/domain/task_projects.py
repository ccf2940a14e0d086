"""Projects and machines of agent tasks for their pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from quarterdeck.access import Access
from quarterdeck.console.domain.tasks import rows, stages_of
from quarterdeck.console.views.tasks import MachineView, Member, TaskProjectView
from quarterdeck.fleet.workers import enrolment
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.principal import Principal
from quarterdeck.tasks import developers
from quarterdeck.tasks.overview import machines
from quarterdeck.tasks.overview.machines import Machine
from quarterdeck.tasks.projects import listing, members, membership, projects
from quarterdeck.tasks.projects.listing import Listed
from quarterdeck.tasks.work import finding

NEWEST, MOST_PEOPLE = 20, 500
DRAIN = "tasks:machines.drain"


class TaskProjects:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def task_projects(self, who: Principal) -> tuple[TaskProjectView, ...]:
        found: tuple[TaskProjectView, ...] = await self.instance.db.read(_listed, self.instance.access)
        return found

    async def task_project(self, who: Principal, key: str) -> TaskProjectView:
        found: TaskProjectView = await self.instance.db.read(_project, self.instance.access, key)
        return found

    async def create_task_project(self, who: Principal, values: Mapping[str, str]) -> str:
        said = _said(values)
        key, name = values.get("key", ""), str(said.pop("name", None) or values.get("key", ""))
        kept = {field: value for field, value in said.items() if value is not None}
        made: str = await self.instance.db.write(lambda tx: projects.create(tx, key, name, kept).key)
        return made

    async def change_task_project(self, who: Principal, key: str, values: Mapping[str, str]) -> None:
        said = {"defaultBranch": "main", **_said(values)}

        def verb(tx: Tx) -> None:
            membership.require(tx, self.instance.access, projects.find(tx, key), "manage")
            projects.change(tx, key, {name: value for name, value in said.items() if name != "name" or value})

        await self.instance.db.write(verb)

    async def put_into_project(self, who: Principal, key: str, user_id: str, role: str) -> None:
        def verb(tx: Tx) -> None:
            project = projects.find(tx, key)
            membership.require(tx, self.instance.access, project, "manage")
            word: membership.Role = "maintainer" if role == "maintainer" else "member"
            members.add(tx, self.instance.access, project, _number(user_id), word)

        await self.instance.db.write(verb)

    async def take_out_of_project(self, who: Principal, key: str, user_id: str) -> None:
        def verb(tx: Tx) -> None:
            project = projects.find(tx, key)
            membership.require(tx, self.instance.access, project, "manage")
            members.remove(tx, self.instance.access, project, _number(user_id))

        await self.instance.db.write(verb)

    async def machines(self, who: Principal) -> tuple[MachineView, ...]:
        found: tuple[MachineView, ...] = await self.instance.db.read(_machines, self.instance.access)
        return found

    async def machine(self, who: Principal, uid: str) -> MachineView:
        found: MachineView = await self.instance.db.read(_machine, self.instance.access, uid)
        return found

    async def drain_machine(self, who: Principal, uid: str, *, drain: bool) -> None:
        def verb(tx: Tx) -> int:
            worker = _seen(tx, self.instance.access, uid).worker
            enrolment.request_drain(tx, worker.id, drain=drain)
            return worker.id

        await self.instance.workers.drain(await self.instance.db.write(verb), drain=drain)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _said(values: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a form by their names on the wire; an empty one takes the value away."""
    said: dict[str, Any] = {name: value or None for name, value in values.items() if name not in {"key", "pipeline"}}
    if said.get("defaultBranch") is None:
        said.pop("defaultBranch", None)
    return {**said, "pipeline": stages_of(values.get("pipeline", ""))}


def _listed(tx: Tx, access: Access) -> tuple[TaskProjectView, ...]:
    return tuple(
        _shown(tx, access, one) for one in listing.page(tx, membership.visible_projects(tx, access, tx.principal))
    )


def _project(tx: Tx, access: Access, key: str) -> TaskProjectView:
    part = projects.find(tx, key)
    membership.require(tx, access, part, "view")
    view = _shown(tx, access, listing.one(tx, part))
    if not view.may_manage:
        return view
    inside = members.page(tx, part, None, MOST_PEOPLE)
    known = {one.user.id for one in inside}
    others, _ = developers.page(tx, "", None, MOST_PEOPLE)
    return replace(
        view,
        members=tuple(Member(one.user.id, one.user.username, one.role) for one in inside),
        people=tuple(
            (str(one.user.id), one.user.username) for one in others if one.role is not None and one.user.id not in known
        ),
    )


def _shown(tx: Tx, access: Access, one: Listed) -> TaskProjectView:
    part = one.part
    stages = msgspec.json.format(msgspec.json.encode(part.pipeline), indent=2).decode() if part.pipeline else ""
    return TaskProjectView(
        key=part.key,
        name=one.whole.name,
        repo_url=part.repo_url or "",
        ssh_url=part.ssh_url or "",
        branch=part.default_branch,
        agent=part.agent_type or "",
        pipeline=stages,
        setup=part.setup_command or "",
        cleanup=part.cleanup_command or "",
        has_token=part.git_token is not None,
        may_manage=membership.may(tx, access, part, "manage"),
        members=(),
        people=(),
    )


def _machines(tx: Tx, access: Access) -> tuple[MachineView, ...]:
    if not machines.may_see(tx, access):
        return ()
    return tuple(_seat(tx, access, one) for one in machines.listed(tx))


def _seen(tx: Tx, access: Access, uid: str) -> Machine:
    found = machines.listed(tx) if machines.may_see(tx, access) else []
    for one in found:
        if one.worker.uid == uid:
            return one
    raise NotFound("There is no such machine.", code="machine_not_found", hint="Look at the list of machines.")


def _machine(tx: Tx, access: Access, uid: str) -> MachineView:
    one = _seen(tx, access, uid)
    tasks = finding.listed(tx, access, finding.Filter(worker_id=one.worker.id, limit=NEWEST))
    return replace(_seat(tx, access, one), tasks=rows(tx, tasks))


def _seat(tx: Tx, access: Access, one: Machine) -> MachineView:
    worker = one.worker
    return MachineView(
        uid=worker.uid,
        name=worker.name,
        state=(one.status, None),
        agents=tuple(word.removeprefix("agent:") for word in worker.offered if word.startswith("agent:")),
        slots=f"{worker.used_slots} of {worker.slots}",
        cpu=None,
        memory=None,
        disk=None,
        hardware="",
        version=worker.version or "",
        seen=worker.last_seen_at,
        draining=worker.drain_requested_at is not None,
        may_drain=access.decide(tx.principal, DRAIN).allowed,
    )
