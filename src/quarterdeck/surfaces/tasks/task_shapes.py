"""Tasks as lists of them answer: `task_shape` is the one place."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.surfaces.tasks.shapes import at
from quarterdeck.surfaces.tasks.wire import task_shapes as wire
from quarterdeck.surfaces.tasks.wire.settings import Stage
from quarterdeck.tasks.overview.about import About, about
from quarterdeck.tasks.work.model import StageRun, Task


def task_shape(tx: Tx, rows: Sequence[Task]) -> list[wire.Task]:
    """Many at once: what they name is read once."""
    known = about(tx, rows)
    return [_task(one, known) for one in rows]


def _task(task: Task, known: About) -> wire.Task:
    worker: Worker | None = known.workers.get(task.worker_id or 0)
    requested = known.workers.get(task.requested_worker_id or 0)
    developer = known.people.get(task.developer_id)
    uid, name = (worker.uid, worker.name) if worker is not None else (None, None)
    current, pipeline = task.current_stage, msgspec.convert(task.pipeline, list[Stage])
    return wire.Task(
        id=task.id,
        project_key=known.keys.get(task.project_id),
        description=task.description,
        status=task.status,
        suspend_reason=task.suspend_reason,
        queued_reason=task.queued_reason,
        agent_type=task.agent_type,
        machine_id=uid,
        worker_id=uid,
        machine_name=name,
        worker_name=name,
        requested_machine_id=requested.uid if requested is not None else None,
        developer_id=task.developer_id,
        developer_name=developer.username if developer is not None else None,
        source=task.source,
        branch=task.branch,
        base_branch=task.base_branch,
        commit_sha=task.commit_sha,
        mr_url=task.merge_request_url,
        pipeline=pipeline,
        current_stage=current,
        current_stage_name=pipeline[current].name if current is not None and 0 <= current < len(pipeline) else None,
        stages=[_stage(run) for run in known.stages.get(task.id, ())],
        attempt=task.attempt,
        error_code=task.error_code,
        error_message=task.error_message,
        created_at=wire_time(task.created_at),
        assigned_at=at(task.assigned_at),
        started_at=at(task.started_at),
        suspended_at=at(task.suspended_at),
        finished_at=at(task.finished_at),
        updated_at=wire_time(task.updated_at),
    )


def _stage(run: StageRun) -> wire.StageRun:
    return wire.StageRun(
        index=run.position,
        name=run.name,
        status=run.status,
        attempt=run.attempt,
        started_at=at(run.started_at),
        finished_at=at(run.finished_at),
        result=run.result,
        error=run.error,
    )
