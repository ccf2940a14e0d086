"""The dashboard and the search over everything."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from quarterdeck.surfaces.tasks.wire.machine_shapes import Machine
from quarterdeck.surfaces.tasks.wire.projects import Project
from quarterdeck.surfaces.tasks.wire.task_shapes import Task


class Stats(Struct, kw_only=True, rename="camel"):
    """Tasks of the projects that the caller sees: `activeTasks` are assigned or running, and today began at midnight
    UTC. Machines of the organization: slots are those of connected ones; `onlineWorkers` is another word for
    `onlineMachines`.
    """

    active_tasks: int
    queued_tasks: int
    suspended_tasks: int
    online_machines: int
    online_workers: int
    total_machines: int
    draining_machines: int
    completed_today: int
    failed_today: int
    slots_used: int
    slots_total: int


class RecentQuery(Struct, kw_only=True, rename="camel"):
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class RecentTasks(Struct, kw_only=True, rename="camel"):
    """The newest alone: `nextCursor` is null, `total` the number of items."""

    items: list[Task]
    next_cursor: str | None
    total: int


class Activity(Struct, kw_only=True, rename="camel"):
    """`actor` is null for what the program or a machine did; `projectKey` for a project that tasks no longer have."""

    id: int
    type: str
    actor: str | None
    project_key: str | None
    task_id: int
    message: str
    created_at: str


class RecentActivity(Struct, kw_only=True, rename="camel"):
    """The newest alone: `nextCursor` is null, `total` the number of items."""

    items: list[Activity]
    next_cursor: str | None
    total: int


class SearchQuery(Struct, kw_only=True, rename="camel"):
    """`limit` counts for each kind of thing."""

    q: Annotated[str, Meta(max_length=200)] = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class Found(Struct, kw_only=True, rename="camel"):
    """`workers` are the machines by their later name."""

    tasks: list[Task]
    machines: list[Machine]
    workers: list[Machine]
    projects: list[Project]
