"""Agent tasks for their pages: read in one unit each, and changed by the domain's own commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec

from quarterdeck.access import Access
from quarterdeck.console.domain.live import line_views
from quarterdeck.console.views.deployments import LogView
from quarterdeck.console.views.diffs import TaskDiffView, files_of
from quarterdeck.console.views.pipelines import EXAMPLE
from quarterdeck.console.views.tasks import (
    Board,
    Column,
    EventRow,
    GateView,
    MessageRow,
    NewTask,
    NewTaskChoices,
    Spent,
    StageRow,
    TaskLog,
    TaskRow,
    TaskView,
)
from quarterdeck.console.words import counted
from quarterdeck.fleet.terminals import rows as terminals
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid
from quarterdeck.kernel.principal import Principal
from quarterdeck.tasks import machines
from quarterdeck.tasks.projects import listing
from quarterdeck.tasks.work import acting, answering, budgeting, creating, finding, gates, history, messages, reading
from quarterdeck.tasks.work.happenings import stream
from quarterdeck.tasks.work.model import Gate, StageRun, Task
from quarterdeck.tasks.work.transitions import (
    ASSIGNED,
    ENDED,
    FAILED,
    LIVE,
    QUEUED,
    RUNNING,
    STAGE_GATE,
    SUSPENDED,
)
from quarterdeck.tasks.work.visibility import may, visible_projects
from quarterdeck.tasks.workspaces import diffs, keeping

MOST, MOST_EVENTS, MOST_MESSAGES = 50, 500, 20
"""Rows of a column, events of a page, messages beside a task."""
TITLE = 90
COLUMNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Waiting", (QUEUED,)),
    ("Working", (ASSIGNED, RUNNING, SUSPENDED)),
    ("Ended", ENDED),
)
AGENTS = ("claude", "codex", "cursor", "gemini", "custom")


class Tasks:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def board(self, who: Principal, *, project: str, mine: bool) -> Board:
        found: Board = await self.instance.db.read(_board, self.instance.access, project, mine)
        return found

    async def task(self, who: Principal, number: int) -> TaskView:
        found: TaskView = await self.instance.db.read(_view, self.instance.access, number)
        return found

    async def task_events(self, who: Principal, number: int) -> tuple[EventRow, ...]:
        found: tuple[EventRow, ...] = await self.instance.db.read(_events, self.instance.access, number)
        return found

    async def task_diff(self, who: Principal, number: int) -> TaskDiffView | None:
        found: TaskDiffView | None = await self.instance.db.read(_diff, self.instance.access, number)
        return found

    async def task_log(self, who: Principal, number: int, limit: int) -> TaskLog:
        row: TaskRow = await self.instance.db.read(_row_of, self.instance.access, number)
        name, logs = stream(number), self.instance.logs
        head = (await logs.state(name)).head
        after = max(head - limit, 0)
        lines = line_views(await logs.read(name, after=after, limit=limit))
        last = lines[-1].number if lines else after
        return TaskLog(row, LogView(name, lines, last, after, row.state[0] in ENDED))

    async def task_choices(self, who: Principal) -> NewTaskChoices:
        found: NewTaskChoices = await self.instance.db.read(_choices, self.instance.access)
        return found

    async def create_task(self, who: Principal, wanted: NewTask) -> int:
        asked = creating.Wanted(
            project_key=wanted.project,
            description=wanted.description,
            machine=wanted.machine or None,
            agent_type=wanted.agent or None,
            branch=wanted.branch or None,
            budget_usd=amount(wanted.budget),
            pipeline=stages_of(wanted.pipeline),
            source="web",
        )
        made: int = await self.instance.db.write(lambda tx: creating.create(tx, self.instance.access, asked).id)
        return made

    async def cancel_task(self, who: Principal, number: int) -> None:
        await self.instance.db.write(acting.cancel, self.instance.access, number)

    async def retry_task(self, who: Principal, number: int, from_stage: int) -> None:
        await self.instance.db.write(acting.retry, self.instance.access, number, from_stage=from_stage)

    async def change_budget(self, who: Principal, number: int, dollars: str) -> None:
        await self.instance.db.write(budgeting.change, self.instance.access, number, amount(dollars))

    async def answer_gate(self, who: Principal, number: int, index: int, *, result: str | None) -> None:
        given = answering.Answer(index=index, result=result, approved=False if result is None else None, channel="web")
        await self.instance.db.write(answering.answer, self.instance.access, number, given)

    async def say(self, who: Principal, number: int, text: str) -> None:
        await self.instance.db.write(messages.send, self.instance.access, number, text)


def stages_of(text: str) -> list[dict[str, Any]] | None:
    """Stages typed as JSON. Raises `Invalid` at the field of the form."""
    if not text.strip():
        return None
    from quarterdeck.surfaces.tasks.wire.settings import Stage

    try:
        read = msgspec.json.decode(text, type=list[Stage])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Invalid(
            f"The stages are no list of stages: {error}",
            code="pipeline_invalid",
            hint=f"Write them as in {EXAMPLE}",
            field="pipeline",
        ) from None
    return [msgspec.to_builtins(stage) for stage in read]


def amount(text: str) -> float | None:
    """Dollars as typed. Raises `Invalid` at the field of the form."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise Invalid(
            f"{text[:20]!r} is no amount.", hint="Write it as in 2.50.", code="validation_error", field="budgetUsd"
        ) from None


def row(one: reading.Described) -> TaskRow:
    """A task as a list has it."""
    task, current = one.task, one.task.current_stage
    first = task.description.strip().partition("\n")[0]
    stage = task.pipeline[current]["name"] if current is not None and current < len(task.pipeline) else ""
    reason = task.suspend_reason if task.status == SUSPENDED else None
    return TaskRow(
        id=task.id,
        title=first if len(first) <= TITLE else f"{first[: TITLE - 1]}…",
        project=one.project_key or "no project",
        state=(task.status, reason),
        agent=task.agent_type,
        machine=one.machine.name if one.machine is not None else "",
        by=one.developer or "somebody who is gone",
        at=task.created_at,
        stage=stage if task.status in LIVE else "",
        note=(task.queued_reason or "") if task.status == QUEUED else (task.error_message or ""),
    )


def rows(tx: Tx, tasks: Iterable[Task]) -> tuple[TaskRow, ...]:
    return tuple(row(one) for one in reading.described(tx, list(tasks)))


def _board(tx: Tx, access: Access, project: str, mine: bool) -> Board:
    wanted = finding.Filter(project_key=project or None, mine=mine, limit=MOST + 1)

    def of(*statuses: str) -> list[Task]:
        return finding.listed(tx, access, replace(wanted, statuses=statuses))

    asking, columns = [one for one in of(SUSPENDED) if one.suspend_reason == STAGE_GATE], []
    asked = {one.id for one in asking}
    for name, statuses in COLUMNS:
        found = [one for one in of(*statuses) if one.id not in asked]
        columns.append(Column(name, rows(tx, found[:MOST]), len(found) > MOST))
    columns.insert(0, Column("Wait for an answer", rows(tx, asking[:MOST]), len(asking) > MOST))
    return Board(tuple(columns), _projects(tx, access))


def _projects(tx: Tx, access: Access) -> tuple[tuple[str, str], ...]:
    found = listing.page(tx, visible_projects(tx, access, tx.principal))
    return tuple((one.part.key, f"{one.part.key}, {one.whole.name}") for one in found)


def _row_of(tx: Tx, access: Access, number: int) -> TaskRow:
    return row(reading.described(tx, [finding.find(tx, access, number)])[0])


def _allowed(tx: Tx, access: Access, task: Task, rule: Any, *more: Any, **named: Any) -> str:
    """Empty where the rule lets the caller, else what it says."""
    try:
        rule(tx, access, task, *more, **named)
    except Forbidden as refused:
        return f"{refused.message} {refused.hint or ''}".strip()
    return ""


def link(address: str | None) -> str:
    """Where a browser may be led, over http or https alone; empty for anything else: a machine has told it."""
    return address if address is not None and address.lower().startswith(("http://", "https://")) else ""


def _view(tx: Tx, access: Access, number: int) -> TaskView:
    task = finding.find(tx, access, number)
    one = reading.described(tx, [task])[0]
    gate = gates.open_gate(tx, task)
    why_not = _allowed(tx, access, task, finding.require_answerer, "answer")
    mine = not _allowed(tx, access, task, finding.require_owner, "act on")
    said, _ = messages.listed(tx, access, number, None, MOST_MESSAGES)
    failed = task.status == FAILED or (task.status in ENDED and task.error_code is not None)
    return TaskView(
        row=row(one),
        description=task.description,
        branch=task.branch,
        base=task.base_branch,
        commit=task.commit_sha or "",
        merge_request=link(task.merge_request_url),
        attempt=task.attempt,
        stages=tuple(_stage(stage) for stage in one.stages),
        gate=_gate(gate, len(one.stages), why_not) if gate is not None else None,
        messages=tuple(
            MessageRow(one.text, messages.author(tx, one.author_id) or "somebody", one.created_at, one.delivered_at)
            for one in reversed(said)
        ),
        spent=_spent(task),
        error=(task.error_code or "", task.error_message or "It failed.") if failed else None,
        queued_for=(task.queued_reason or "") if task.status == QUEUED else "",
        active=task.status in LIVE,
        live=_has_terminal(task),
        may_act=not why_not,
        may_spend=mine and (task.status in LIVE or task.status == FAILED),
        may_retry=task.status == FAILED and mine and one.project_key is not None,
        may_take=mine or may(tx, access, task.project_id, "manage"),
        stream=stream(task.id),
        finished=task.finished_at,
        recording=_recording(tx, task),
        files=_changed(tx, task),
    )


def _recording(tx: Tx, task: Task) -> str:
    """Of an ended task, where what its last terminal showed is told."""
    found = [] if task.status in LIVE else terminals.of_subject(tx, stream(task.id))
    return next((f"/api/web/tasks/{task.id}/recordings/{one.uid}" for one in found if one.size), "")


def _has_terminal(task: Task) -> bool:
    return task.status in {RUNNING, SUSPENDED} and task.started_at is not None


def _stage(stage: StageRun) -> StageRow:
    began, ended = stage.started_at, stage.finished_at
    seconds = (ended - began).total_seconds() if began and ended else None
    return StageRow(stage.name, stage.status, seconds, began if stage.status == "running" else None, stage.error or "")


def _gate(gate: Gate, of: int, why_not: str) -> GateView:
    return GateView(
        index=gate.position,
        of=of,
        stage=gate.stage_name,
        kind=gate.kind,
        question=gate.prompt,
        choices=tuple(gate.choices),
        closes=gate.expires_at,
        why_not=why_not,
    )


def _spent(task: Task) -> Spent | None:
    tokens = task.input_tokens + task.output_tokens
    if task.cost_usd is None and task.budget_usd is None and not tokens:
        return None
    share = min(round(100 * (task.cost_usd or 0) / task.budget_usd), 100) if task.budget_usd else None
    return Spent(task.cost_usd, task.budget_usd, tokens, share)


def _diff(tx: Tx, access: Access, number: int) -> TaskDiffView | None:
    task = finding.find(tx, access, number)
    row = diffs.found(tx, task)
    if row is None:
        return None
    files, left = files_of(row.patch)
    before = task.pipeline[row.stage]["name"] if row.stage is not None and row.stage < len(task.pipeline) else ""
    return TaskDiffView(
        of=f"Delivered as {row.commit_sha[:12]}"
        if row.commit_sha
        else f"Before {before}"
        if before
        else "As it was left",
        at=row.told_at,
        base=row.base_commit,
        files_changed=row.files_changed,
        insertions=row.insertions,
        deletions=row.deletions,
        files=files,
        cut=row.cut,
        left=left,
    )


def _changed(tx: Tx, task: Task) -> str:
    """As in "3 files, +184 -12"; empty where nothing is known."""
    row = keeping.found(tx, task)
    if row is None or row.statistics is None:
        return ""
    figures = row.statistics
    return f"{counted(figures['filesChanged'], 'file')}, +{figures['insertions']} \N{MINUS SIGN}{figures['deletions']}"


def _events(tx: Tx, access: Access, number: int) -> tuple[EventRow, ...]:
    task = finding.find(tx, access, number)
    _, total = history.page(tx, task, limit=1)
    found, _ = history.page(tx, task, offset=max(total - MOST_EVENTS, 0), limit=MOST_EVENTS)
    return tuple(
        EventRow(
            at=one.at,
            type=one.type,
            message=str(one.data.get("message", "")),
            level=str(one.data.get("level", "info")),
            by=str(one.data.get("actor") or ""),
        )
        for one in reversed(found)
    )


def _choices(tx: Tx, access: Access) -> NewTaskChoices:
    seen = listing.page(tx, visible_projects(tx, access, tx.principal))
    mine = [one for one in seen if may(tx, access, one.part.project_id, "create")]
    seats = machines.in_service(tx) if machines.may_see(tx, access) else []
    return NewTaskChoices(
        projects=tuple((one.part.key, f"{one.part.key}, {one.whole.name}") for one in mine),
        machines=tuple((one.uid, f"{one.name} ({machines.status(tx, one)})") for one in seats),
        agents=tuple((name, name) for name in AGENTS),
    )
