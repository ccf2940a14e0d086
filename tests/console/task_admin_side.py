"""Enrolment, pipelines and settings of tasks, as they stand on the portside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from console.task_side import MACHINES
from quarterdeck.console.views.enrolling import EnrolmentRow, NewEnrolment
from quarterdeck.console.views.pipelines import DEFAULT, Pipeline
from quarterdeck.kernel.errors import NotFound
from quarterdeck.tasks.settings import DEFAULTS

TOKENS = (
    EnrolmentRow(3, "forge", "unused", NOW, "mara", NOW + timedelta(hours=24)),
    EnrolmentRow(2, "", "used", NOW - timedelta(days=3), "jonas", None, (MACHINES[0].uid, MACHINES[0].name)),
    EnrolmentRow(1, "<b>old</b>", "expired", NOW - timedelta(days=9), "", NOW - timedelta(days=8)),
)
STAGES: tuple[Mapping[str, Any], ...] = (
    {"name": "plan", "command": "/plan {description}", "timeout": 900},
    {"name": "colour", "command": "/colour {choice}", "choices": ["red", "blue"], "onTimeout": "fallback",
     "fallbackResult": "red"},
    {"name": "build", "command": "/build", "confirm": True, "retries": 1},
)  # fmt: skip
PIPELINES = {
    "WEB": Pipeline("WEB", "Storefront", STAGES, own=True, may_change=True),
    "DOCS": Pipeline("DOCS", "Handbook", STAGES[:1], own=False, may_change=False),
    DEFAULT: Pipeline(DEFAULT, "Projects without one of their own", STAGES[:1], own=True, may_change=True),
}


class TaskAdminSide:
    """What administrators decide about tasks."""

    empty: bool
    _did: Callable[..., None]

    async def enrolments(self, who: Any) -> tuple[EnrolmentRow, ...]:
        return () if self.empty else TOKENS

    async def create_enrolment(self, who: Any, *, label: str, hours: int | None) -> NewEnrolment:
        self._did("create-enrolment", label, hours)
        return NewEnrolment(label or "Token 4", "ovw_4_0123456789abcdef")

    async def revoke_enrolment(self, who: Any, number: int) -> None:
        self._did("revoke-enrolment", number)

    async def change_machine(self, who: Any, uid: str, *, name: str, slots: int) -> None:
        self._did("change-machine", uid, name, slots)

    async def decommission_machine(self, who: Any, uid: str) -> None:
        self._did("decommission-machine", uid)

    async def delete_task_project(self, who: Any, key: str, *, force: bool) -> None:
        self._did("delete-task-project", key, force)

    async def keep_git_token(self, who: Any, key: str, token: str | None) -> None:
        self._did("keep-git-token", key, token)

    async def pipeline(self, who: Any, key: str) -> tuple[Pipeline, str]:
        if key not in PIPELINES:
            raise NotFound(f"There is no project {key}.", hint="Look at the list of projects.")
        return PIPELINES[key], "1"

    async def save_pipeline(self, who: Any, key: str, stages: Sequence[Mapping[str, Any]] | None, version: str) -> None:
        self._did("save-pipeline", key, stages, version)

    async def task_settings(self, who: Any) -> Mapping[str, str]:
        return {name: str(value) for name, value in DEFAULTS.items() if not isinstance(value, list | dict | bool)} | {
            "machinesVisibleToDevelopers": "yes", "webUrl": "",
        }  # fmt: skip

    async def change_task_settings(self, who: Any, values: Mapping[str, str]) -> None:
        self._did("change-task-settings", dict(values))
