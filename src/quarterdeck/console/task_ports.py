"""What the pages about agent tasks ask of the rest of the program: see `ports`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from quarterdeck.console.views.diffs import TaskDiffView
from quarterdeck.console.views.enrolling import EnrolmentRow, NewEnrolment
from quarterdeck.console.views.pipelines import Pipeline
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

    async def task_diff(self, who: Principal, number: int) -> TaskDiffView | None:
        """None where its machine has told nothing yet."""
        ...

    async def task_log(self, who: Principal, number: int, limit: int) -> TaskLog: ...

    async def task_choices(self, who: Principal) -> NewTaskChoices: ...

    async def create_task(self, who: Principal, wanted: NewTask) -> int: ...

    async def cancel_task(self, who: Principal, number: int) -> None: ...

    async def retry_task(self, who: Principal, number: int, from_stage: int) -> None: ...

    async def change_budget(self, who: Principal, number: int, dollars: str) -> None:
        """As it was typed; empty: without a limit."""
        ...

    async def answer_gate(self, who: Principal, number: int, index: int, *, result: str | None) -> None:
        """Without a result the question is refused, which ends the task."""
        ...

    async def say(self, who: Principal, number: int, text: str) -> None: ...

    async def machines(self, who: Principal) -> tuple[MachineView, ...]: ...

    async def machine(self, who: Principal, uid: str) -> MachineView: ...

    async def drain_machine(self, who: Principal, uid: str, *, drain: bool, reason: str = "") -> None: ...

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


class TaskAdministration(Protocol):
    """What administrators and maintainers decide about tasks."""

    async def enrolments(self, who: Principal) -> tuple[EnrolmentRow, ...]:
        """Newest first."""
        ...

    async def create_enrolment(self, who: Principal, *, label: str, hours: int | None) -> NewEnrolment: ...

    async def revoke_enrolment(self, who: Principal, number: int) -> None: ...

    async def change_machine(self, who: Principal, uid: str, *, name: str, slots: int) -> None: ...

    async def decommission_machine(self, who: Principal, uid: str) -> None: ...

    async def delete_task_project(self, who: Principal, key: str, *, force: bool) -> None:
        """By `force` its tasks that have not ended are cancelled; else they are in the way."""
        ...

    async def keep_git_token(self, who: Principal, key: str, token: str | None) -> None:
        """None forgets the one that there is."""
        ...

    async def pipeline(self, who: Principal, key: str) -> tuple[Pipeline, str]:
        """With its version."""
        ...

    async def save_pipeline(
        self, who: Principal, key: str, stages: Sequence[Mapping[str, Any]] | None, version: str
    ) -> None:
        """None takes a project's own away. Raises `Conflict` where it is another version now."""
        ...

    async def task_settings(self, who: Principal) -> Mapping[str, str]: ...

    async def change_task_settings(self, who: Principal, values: Mapping[str, str]) -> None: ...
