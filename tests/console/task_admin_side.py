"""Enrolment, pipelines and settings of tasks, as they stand on the portside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from console.task_side import MACHINES
from quarterdeck.console.views.bots import BotRow, BotsView, ChatRow
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

BOTS = BotsView(
    (
        BotRow(1, "slack", "A0123", "Deck <bot>", True, "/webhook/slack/events",
               (ChatRow(5, "C0123", "#shop", "WEB"), ChatRow(6, "C0456", "", "WEB"))),
        BotRow(2, "lark", "cli_1", "Deck in Lark", False, "/webhook/lark"),
    ),
    (("WEB", "WEB, Storefront"),),
)  # fmt: skip


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

    async def bots(self, who: Any) -> BotsView:
        return BotsView((), ()) if self.empty else BOTS

    async def register_bot(self, who: Any, values: Mapping[str, str]) -> None:
        self._did("register-bot", dict(values))

    async def switch_bot(self, who: Any, number: int, *, enabled: bool) -> None:
        self._did("switch-bot", number, enabled)

    async def remove_bot(self, who: Any, number: int) -> None:
        self._did("remove-bot", number)

    async def bind_chat(self, who: Any, number: int, chat: str, project: str, name: str) -> None:
        self._did("bind-chat", number, chat, project, name)

    async def unbind_chat(self, who: Any, number: int, binding: int) -> None:
        self._did("unbind-chat", number, binding)

    async def test_chat(self, who: Any, number: int, binding: int) -> None:
        self._did("test-chat", number, binding)
