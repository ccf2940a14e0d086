"""What the pages about agent tasks ask of the rest of the program: see `ports`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from quarterdeck.console.views.tasks import (
    Board,
    EventRow,
    MachineView,
    NewTask,
    NewTaskChoices,
    Notice,
    TaskLog,
    TaskProjectView,
    TaskView,
)

Principal = Any


class Tasks(Protocol):
    """Tasks by their number, projects by their key, machines by their uid."""

    async def board(self, who: Principal, *, project: str, mine: bool) -> Board: ...

    async def task(self, who: Principal, number: int) -> TaskView: ...

    async def task_events(self, who: Principal, number: int) -> tuple[EventRow, ...]: ...

    async def task_log(self, who: Principal, number: int, limit: int) -> TaskLog: ...

    async def task_choices(self, who: Principal) -> NewTaskChoices: ...

    async def create_task(self, who: Principal, wanted: NewTask) -> int: ...

    async def cancel_task(self, who: Principal, number: int) -> None: ...

    async def retry_task(self, who: Principal, number: int, from_stage: int) -> None: ...

    async def answer_gate(self, who: Principal, number: int, index: int, *, result: str | None) -> None:
        """Without a result the question is refused, which ends the task."""
        ...

    async def say(self, who: Principal, number: int, text: str) -> None: ...

    async def machines(self, who: Principal) -> tuple[MachineView, ...]: ...

    async def machine(self, who: Principal, uid: str) -> MachineView: ...

    async def drain_machine(self, who: Principal, uid: str, *, drain: bool) -> None: ...

    async def task_projects(self, who: Principal) -> tuple[TaskProjectView, ...]: ...

    async def task_project(self, who: Principal, key: str) -> TaskProjectView: ...

    async def create_task_project(self, who: Principal, values: Mapping[str, str]) -> str: ...

    async def change_task_project(self, who: Principal, key: str, values: Mapping[str, str]) -> None: ...

    async def put_into_project(self, who: Principal, key: str, user_id: str, role: str) -> None: ...

    async def take_out_of_project(self, who: Principal, key: str, user_id: str) -> None: ...

    async def notices(self, who: Principal, *, every: bool) -> tuple[Notice, ...]: ...

    async def read_notices(self, who: Principal, number: int | None) -> None:
        """One, or all of them."""
        ...
