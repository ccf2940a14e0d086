"""How the organization wants its tasks run: one form over the settings, with their names on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import task_commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, read_form, status_of
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

MANAGE = "tasks:settings.manage"
HERE = "/console/tasks/settings"
NUMBER = {"inputmode": "numeric", "autocomplete": "off"}
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    ("Tasks", (
        ("defaultAgentType", "Agent of projects that name none", ""),
        ("maxTasksPerDeveloper", "Tasks of one person at a time", "0 is without a limit."),
        ("defaultStageTimeoutSec", "Time of a stage, seconds", "For stages that name none."),
        ("confirmTimeoutSec", "Time to answer, seconds", "For stages that name none."),
        ("logRetentionDays", "Lines of a log stay, days", ""),
        ("workspaceRetentionHours", "Worktrees stay, hours", "After the end of their task."),
    )),
    ("Machines", (
        (
            "heartbeatIntervalSec",
            "Heartbeat of foreign workers, seconds",
            "Told to them when they register. qd worker beats every 3 seconds while it works.",
        ),
        ("heartbeatTimeoutSec", "Silent until offline, seconds", ""),
        ("reconnectGraceSec", "Wait for a lost machine, seconds", "Then its tasks fail."),
        ("loadThresholdPercent", "Load that is too much, percent", "Of processors or memory: it gets nothing new."),
        ("diskDrainPercent", "Disk that is too full, percent", "It drains by itself."),
        ("degradeAfterFailures", "Failures until an agent rests", "In a row."),
    )),
    ("Terminals and tunnels", (
        ("ptyReplayBytes", "Replay of a terminal, bytes", ""),
        ("channelTokenTtlSec", "Time to open a terminal, seconds", ""),
        ("tunnelTtlHours", "A tunnel lasts, hours", "At most 24."),
        ("tunnelStartTimeoutSec", "Time for a tunnel to start, seconds", ""),
    )),
)  # fmt: skip
FLAG, BOOT, WEB, TEXTS = "machinesVisibleToDevelopers", "bootReconcile", "webUrl", {"defaultAgentType"}
BOOTS = (("grace", "Wait for machines"), ("strict", "Fail what is away"))
NAMES = (*(name for _, some in GROUPS for name, _, _ in some), FLAG, BOOT, WEB)


@get("/tasks/settings", opt=needs(MANAGE))
async def task_settings(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request)


@post("/tasks/settings", opt=needs(MANAGE))
async def change_task_settings(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    typed = {name: form.get(name, "") for name in NAMES}
    deed = desk.ports.change_task_settings(desk.who, typed)
    return await act(deed, HERE, "saved", partial(_page, request, typed=typed))


async def _page(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    values = typed or await desk.ports.task_settings(desk.who)
    wrong = str(problem.details.get("field", "")) if problem else ""

    def field(name: str, label: str, hint: str = "", kind: str = "text", **more: Any) -> Field:
        told = problem.message if problem and wrong == name else ""
        return Field(name, label, values.get(name, ""), kind, hint=hint, error=told, **more)

    groups = [
        (title, [field(name, label, hint, required=True, attributes={} if name in TEXTS else NUMBER)
                 for name, label, hint in some])
        for title, some in GROUPS
    ]  # fmt: skip
    groups[1][1].extend((
        field(BOOT, "When the server starts", kind="select", choices=BOOTS),
        field(FLAG, "Developers see machines", kind="check"),
    ))  # fmt: skip
    groups[0][1].append(
        field(WEB, "Address in messages", "Where links of chats and mails lead.", placeholder="https://")
    )
    return desk.page(
        "pages/task_settings.html",
        here="tasks",
        crumbs=(Crumb("Tasks", "/console/tasks"), Crumb("Settings")),
        problem=None if wrong in NAMES else problem,
        status=status_of(problem) if problem else 200,
        groups=groups,
        command=task_commands.settings(),
    )


HANDLERS: tuple[Any, ...] = (task_settings, change_task_settings)
