"""Shapes below /api/web/tasks."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.tasks.wire.lists import Paging
from quarterdeck.surfaces.tasks.wire.settings import Agent, Stage
from quarterdeck.surfaces.tasks.wire.task_shapes import Task

Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Key = Annotated[str, Meta(min_length=1, max_length=64)]
Uid = Annotated[str, Meta(max_length=64)]
Branch = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[str, Meta(max_length=200)]


class Tasks(Struct, kw_only=True, rename="camel"):
    items: list[Task]
    next_cursor: str | None
    total: int


class MachineTasksQuery(Paging, kw_only=True, rename="camel"):
    """`status` may be repeated, or be several words with commas, in any case."""

    status: list[Words] = field(default_factory=list)


class TasksQuery(Paging, kw_only=True, rename="camel"):
    """`project` is another name of `projectKey`, `workerId` of `machineId`; `cursor` wins over `page`, which counts
    from 1. `mine`: those that the caller asked for or that are theirs. `q` is looked for in descriptions and branches.
    """

    status: list[Words] = field(default_factory=list)
    project_key: Words | UnsetType = UNSET
    project: Words | UnsetType = UNSET
    machine_id: Uid | UnsetType = UNSET
    worker_id: Uid | UnsetType = UNSET
    developer_id: Number | UnsetType = UNSET
    mine: bool = False
    q: Words = ""
    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class TaskCreate(Struct, kw_only=True, rename="camel"):
    """`workerId` is another name of `machineId`; null leaves the choice to the server. Without `pipeline` that of the
    project is meant, else that of the settings. `priority`: higher goes first.
    """

    project_key: Key
    description: Annotated[str, Meta(max_length=100_000)]
    machine_id: Uid | UnsetType | None = UNSET
    worker_id: Uid | UnsetType | None = UNSET
    developer_id: Number | UnsetType | None = UNSET
    agent_type: Agent | UnsetType | None = UNSET
    branch: Branch | UnsetType | None = UNSET
    base_branch: Branch | UnsetType | None = UNSET
    pipeline: Annotated[list[Stage], Meta(max_length=100)] | UnsetType | None = UNSET
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    depends_on: Annotated[list[Number], Meta(max_length=50)] | UnsetType | None = UNSET
    budget_usd: Annotated[float, Meta(gt=0, le=1_000_000)] | UnsetType | None = UNSET


class TaskRetry(Struct, kw_only=True, rename="camel"):
    """`fromStage` counts from 0."""

    from_stage: Annotated[int, Meta(ge=0, le=1000)] | UnsetType | None = UNSET
    machine_id: Uid | UnsetType | None = UNSET
    worker_id: Uid | UnsetType | None = UNSET


class TaskBudget(Struct, kw_only=True, rename="camel"):
    """More than the task has cost; null: without a limit."""

    budget_usd: Annotated[float, Meta(gt=0, le=1_000_000)] | None
