"""The same deeds on the command line and over HTTP, for administering agent tasks: see `commands`."""

from __future__ import annotations

import shlex

from quarterdeck.console.views.bots import BotRow
from quarterdeck.console.views.enrolling import EnrolmentRow
from quarterdeck.console.views.pipelines import DEFAULT
from quarterdeck.console.views.shell import Command
from quarterdeck.console.views.tasks import MachineView, TaskProjectView, TaskView

TOKENS = "/api/admin/worker-tokens"


def _line(*words: str) -> str:
    return shlex.join(("qd", *words))


def create_enrolment() -> Command:
    return Command(_line("machine", "token", "create", "forge", "--expires", "24h"), f"POST {TOKENS}")


def revoke_enrolment(row: EnrolmentRow) -> Command:
    return Command(_line("machine", "token", "revoke", str(row.id), "--yes"), f"POST {TOKENS}/{row.id}/revoke")


def change_machine(view: MachineView) -> Command:
    words = ("machine", "set", view.uid, "--rename", view.name, "--slots", str(view.at_most))
    return Command(_line(*words), f"PUT /api/admin/machines/{view.uid}")


def decommission(view: MachineView) -> Command:
    words = ("machine", "decommission", view.uid, f"--confirm={view.name}")
    return Command(_line(*words), f"DELETE /api/admin/machines/{view.uid}")


def list_projects() -> Command:
    return Command(_line("project", "tasks", "list"), "GET /api/web/projects")


def create_project() -> Command:
    words = ("project", "tasks", "create", "WEB", "--repo", "https://git.example.com/shop.git")
    return Command(_line(*words), "POST /api/admin/projects")


def change_project(view: TaskProjectView) -> Command:
    words = ("project", "tasks", "set", view.key, "--branch", view.branch)
    return Command(_line(*words), f"PUT /api/web/projects/{view.key}")


def delete_project(view: TaskProjectView) -> Command:
    words = ("project", "tasks", "delete", view.key, f"--confirm={view.key}")
    return Command(_line(*words), f"DELETE /api/admin/projects/{view.key}")


def add_member(view: TaskProjectView) -> Command:
    words = ("project", "tasks", "add-member", view.key, "NAME")
    return Command(_line(*words), f"POST /api/web/projects/{view.key}/members")


def git_token(view: TaskProjectView) -> Command:
    words = ("project", "tasks", "git-token", view.key, "@token.txt")
    return Command(_line(*words), f"PUT /api/web/projects/{view.key}/git-token")


def pipeline(key: str) -> Command:
    if key == DEFAULT:
        return Command("", "PUT /api/admin/settings")
    words = ("project", "tasks", "pipeline", key, "--file", "pipeline.yaml")
    return Command(_line(*words), f"PUT /api/web/projects/{key}")


def settings() -> Command:
    return Command("", "PUT /api/admin/settings")


def diff(view: TaskView) -> Command:
    return Command(_line("task", "diff", str(view.row.id)), f"GET /api/web/tasks/{view.row.id}/diff")


def register_bot() -> Command:
    return Command("", "POST /api/admin/bots")


def remove_bot(row: BotRow) -> Command:
    return Command("", f"DELETE /api/admin/bots/{row.id}")
