"""Projects and machines of agent tasks for their pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from quarterdeck.access import Access
from quarterdeck.console.domain.tasks import amount, rows
from quarterdeck.console.views.tasks import MachineView, Member, TaskProjectView
from quarterdeck.fleet.workers import degradation, standing
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import conceal
from quarterdeck.tasks import developers, machines, settings
from quarterdeck.tasks.projects import listing, members, membership, projects
from quarterdeck.tasks.projects.listing import Listed
from quarterdeck.tasks.work import finding
from quarterdeck.tasks.work.ending import EndsTasksOfProjects

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

    async def delete_task_project(self, who: Principal, key: str, *, force: bool) -> None:
        ends = EndsTasksOfProjects() if force else None
        await self.instance.db.write(lambda tx: projects.delete(tx, self.instance.access, key, ends))

    async def keep_git_token(self, who: Principal, key: str, token: str | None) -> None:
        def verb(tx: Tx) -> None:
            membership.require(tx, self.instance.access, projects.find(tx, key), "manage")
            projects.set_git_token(tx, key, conceal(token))

        await self.instance.db.write(verb)

    async def machines(self, who: Principal) -> tuple[MachineView, ...]:
        found: tuple[MachineView, ...] = await self.instance.db.read(_machines, self.instance.access)
        return found

    async def machine(self, who: Principal, uid: str) -> MachineView:
        found: MachineView = await self.instance.db.read(_machine, self.instance.access, uid)
        return found

    async def drain_machine(self, who: Principal, uid: str, *, drain: bool, reason: str = "") -> None:
        def verb(tx: Tx) -> Worker:
            machines.require_visible(tx, self.instance.access)
            return machines.drain(tx, uid, reason or None) if drain else machines.undrain(tx, uid)

        await self.instance.workers.follow(await self.instance.db.write(verb))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _said(values: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a form by their names on the wire; an empty one takes the value away."""
    said: dict[str, Any] = {name: value or None for name, value in values.items() if name != "key"}
    if said.get("defaultBranch") is None:
        said.pop("defaultBranch", None)
    if "maxTasks" in said:
        said["maxTasks"] = _whole(values["maxTasks"] or "0", "maxTasks")
    if said.get("budgetUsd") is not None:
        said["budgetUsd"] = amount(values["budgetUsd"])
    if said.get("customAgent") is not None:
        said["customAgent"] = _program(values["customAgent"])
    return said


def _program(text: str) -> dict[str, Any] | None:
    """By the same shape that the API takes. Raises `Invalid` at the field."""
    from quarterdeck.surfaces.tasks.wire.projects import CustomAgent

    if not text.strip():
        return None
    try:
        said: dict[str, Any] = msgspec.to_builtins(msgspec.json.decode(text, type=CustomAgent))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        what, _, where = str(error).partition(" - at `$.")
        at = f"customAgent.{where.rstrip('`')}" if where else "customAgent"
        raise Invalid(
            f"{at}: {what.partition(' - at ')[0].replace('`', '').rstrip('.')}.",
            code="project_invalid",
            hint='Write it as in {"argv": ["my-agent"]}.',
            field="customAgent",
        ) from None
    return said


def _whole(text: str, field: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise Invalid(f"{text[:20]!r} is no whole number.", code="validation_error", hint="Give one.", field=field)
    return int(text)


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
    stages = part.pipeline or settings.shown(tx)["defaultPipeline"]
    return TaskProjectView(
        key=part.key,
        name=one.whole.name,
        repo_url=part.repo_url or "",
        ssh_url=part.ssh_url or "",
        branch=part.default_branch,
        agent=part.agent_type or "",
        stages=tuple((stage["name"], _waits(stage)) for stage in stages),
        own=bool(part.pipeline),
        setup=part.setup_command or "",
        cleanup=part.cleanup_command or "",
        has_token=part.git_token is not None,
        may_manage=membership.may(tx, access, part, "manage"),
        members=(),
        people=(),
        description=one.whole.description or "",
        most_tasks=part.most_tasks,
        budget=part.budget_usd,
        tasks=part.task_count,
        custom_agent=_json(part.custom_agent),
    )


def _json(told: Mapping[str, Any] | None) -> str:
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() if told else ""


def _waits(stage: Mapping[str, Any]) -> str:
    if stage.get("confirm"):
        return "after a confirmation"
    if stage.get("choices"):
        return f"after a choice: {', '.join(stage['choices'])}"
    return "after a text" if stage.get("input") else ""


def _machines(tx: Tx, access: Access) -> tuple[MachineView, ...]:
    if not machines.may_see(tx, access):
        return ()
    return tuple(_seat(tx, access, one) for one in machines.in_service(tx))


def _machine(tx: Tx, access: Access, uid: str) -> MachineView:
    machines.require_visible(tx, access)
    worker = machines.find(tx, uid)
    tasks = finding.listed(tx, access, finding.Filter(worker_id=worker.id, limit=NEWEST))
    return replace(_seat(tx, access, worker), tasks=rows(tx, tasks))


def _seat(tx: Tx, access: Access, worker: Worker) -> MachineView:
    status, lost = machines.status(tx, worker), degradation.degraded(worker, tx.now)
    return MachineView(
        uid=worker.uid,
        name=worker.name,
        state=(status, "degraded" if lost and status == "online" else None),
        agents=tuple(" ".join(filter(None, (one["type"], one.get("version")))) for one in worker.agents),
        slots=f"{worker.used_slots} of {standing.slots(worker)}",
        cpu=worker.cpu_percent,
        memory=worker.mem_percent,
        disk=worker.disk_percent,
        hardware=_hardware(worker.hardware),
        version=worker.version or "",
        seen=worker.last_seen_at,
        draining=worker.drain_requested_at is not None,
        may_drain=status != "decommissioned" and access.decide(tx.principal, DRAIN).allowed,
        degraded=tuple(f"{one.agent}: {one.reason.replace('_', ' ')}" for one in lost),
        at_most=standing.slots(worker),
        drain_reason=worker.drain_reason or "",
        gone=status == "decommissioned",
    )


def _hardware(made: Mapping[str, Any]) -> str:
    """As in "8 cores, 32 GB, Linux x86_64"; what is not known is left out."""
    cores, memory = made.get("cpuCores"), made.get("memoryMb")
    words = (
        f"{cores} cores" if cores else "",
        f"{round(memory / 1024)} GB" if memory else "",
        " ".join(filter(None, (made.get("os"), made.get("arch")))),
    )
    return ", ".join(filter(None, words))
