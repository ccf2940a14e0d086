"""A task as the tasks surface writes it, and what its routes read alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.http.failures import Issue, Malformed
from quarterdeck.surfaces.tasks.shapes import at
from quarterdeck.surfaces.tasks.wire import settings
from quarterdeck.surfaces.tasks.wire import task_shapes as wire
from quarterdeck.tasks.work import reading
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import STATES

PROGRAMS = ("qd", "ov", "quarterdeck")
"""How the names of command-line programs begin in `User-Agent`."""


def task_shape(tx: Tx, rows: Sequence[Task]) -> list[wire.Task]:
    """Many at once: what they name is read once."""
    return [_shaped(one) for one in reading.described(tx, rows)]


def shown(tx: Tx, task: Task) -> wire.Task:
    return task_shape(tx, [task])[0]


def _shaped(one: reading.Described) -> wire.Task:
    task, machine, requested = one.task, one.machine, one.requested
    stage = task.current_stage
    uid = machine.uid if machine is not None else None
    name = machine.name if machine is not None else None
    wanted = requested.uid if requested is not None else None
    kept: dict[str, Any] = {
        field: getattr(task, field)
        for field in (
            "id", "description", "status", "suspend_reason", "queued_reason", "agent_type", "developer_id", "source",
            "priority", "branch", "base_branch", "commit_sha", "current_stage", "attempt", "input_tokens",
            "output_tokens", "cost_usd", "budget_usd", "error_code", "error_message",
        )
    }  # fmt: skip
    return wire.Task(
        **kept,
        project_key=one.project_key,
        machine_id=uid,
        worker_id=uid,
        machine_name=name,
        worker_name=name,
        requested_machine_id=wanted,
        requested_worker_id=wanted,
        developer_name=one.developer,
        depends_on=list(task.depends_on),
        mr_url=task.merge_request_url,
        pipeline=[msgspec.convert(stage, settings.Stage) for stage in task.pipeline],
        current_stage_name=task.pipeline[stage]["name"] if stage is not None and stage < len(task.pipeline) else None,
        stages=[
            wire.StageRun(
                index=row.position,
                name=row.name,
                status=row.status,  # type: ignore[arg-type]  # one of its words
                attempt=row.attempt,
                started_at=at(row.started_at),
                finished_at=at(row.finished_at),
                result=row.result,
                error=row.error,
            )
            for row in one.stages
        ],
        resume_at=at(task.resume_at),
        created_at=wire_time(task.created_at),
        assigned_at=at(task.assigned_at),
        started_at=at(task.started_at),
        suspended_at=at(task.suspended_at),
        finished_at=at(task.finished_at),
        updated_at=wire_time(task.updated_at),
    )


def statuses(words: Sequence[str]) -> tuple[str, ...]:
    """Statuses in any case. Raises `Malformed` for a word that is none."""
    found = tuple(word.strip().lower() for word in words)
    for word in found:
        if word not in STATES:
            told = f"{word!r} is none of: {', '.join(STATES)}"
            raise Malformed(Issue("invalid_value", ("status",), told, "query"))
    return found


def source(call: Call) -> Any:
    """Where a request comes from: a command-line program names itself, other programs come with a token."""
    agent = call.headers.get("user-agent", "").strip().lower()
    if agent.split("/")[0].split(" ")[0].split("-")[0] in PROGRAMS:
        return "cli"
    return "api" if call.principal.by_token else "web"
