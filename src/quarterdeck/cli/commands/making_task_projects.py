"""`qd project tasks create` and `delete`: projects that take agent tasks, for administrators."""

from __future__ import annotations

import shlex
from typing import Any

from quarterdeck.cli import custom_agents, task_files
from quarterdeck.cli.commands import task_projects
from quarterdeck.cli.commands.task_projects import stages_in
from quarterdeck.cli.options import Changing, Destroying
from quarterdeck.cli.session import session
from quarterdeck.cli.tasks import Row, about

CHANGING, DESTROYING = Changing(), Destroying()
project = task_projects.project
"""With all verbs about tasks."""
LIST = "qd project tasks list"


def _about() -> Any:
    asked = "An administrator makes and deletes them: qd user ls"
    return about(not_found=LIST, not_allowed=asked, conflict=LIST)


def create(
    key: str,
    /,
    *,
    repo: str,
    name: str | None = None,
    ssh: str | None = None,
    branch: str | None = None,
    agent: str | None = None,
    custom_agent: str | None = None,
    description: str | None = None,
    pipeline: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Make a project that takes tasks. One of that name that deploys applications takes tasks from then on, too.

    qd project tasks create WEB --name "Web shop" --repo https://git.example.com/shop.git --agent claude
    qd project tasks create WEB --repo https://git.example.com/shop.git --pipeline pipeline.yaml
    qd project tasks create WEB --repo https://git.example.com/shop.git --agent custom --custom-agent agent.yaml

    Parameters
    ----------
    key
        1 to 64 letters, digits, _ and -, such as WEB. It stays for good.
    repo
        The address of the repository.
    name
        What it is called. Default: its key.
    ssh
        The repository's address over SSH, for machines that have a key.
    branch
        The branch that tasks begin from. Default: main.
    agent
        claude, codex, cursor, gemini or custom. Default: as the settings say.
    custom_agent
        A YAML or JSON file that says what custom is, at the least argv: [my-agent]; - reads stdin.
    description
        What it is for.
    pipeline
        A YAML or JSON list of stages; - reads stdin. Default: as the settings say.
    """
    given = {
        "sshUrl": ssh,
        "defaultBranch": branch,
        "agentType": agent,
        "customAgent": custom_agents.described(custom_agent) if custom_agent else None,
        "description": description,
        "pipeline": stages_in(task_files.document(pipeline, what="pipeline"), pipeline) if pipeline else None,
    }
    body: Row = {"key": key, "name": name or key, "repoUrl": repo}
    body |= {field: value for field, value in given.items() if value}
    again = shlex.join(("qd", "project", "tasks", "create", key, "--repo", repo, "--agent", custom_agents.AGENT))
    with session(changing) as opened, _about(), custom_agents.required(again):
        made: Row = opened.api.change("task-projects.create", body, what="project")
        opened.sent()
        opened.done(made, name=str(made["key"]), text=f"Made {made['key']}.")
        opened.terminal.say(
            f"  Let somebody in:     qd project tasks add-member {made['key']} NAME\n"
            f"  Let branches out:    qd project tasks git-token {made['key']} @token.txt"
        )


def delete(key: str, /, *, force: bool = False, destroying: Destroying = DESTROYING) -> None:
    """Take tasks from a project: its repository, pipeline, git token and memberships. What it deploys stays.

    qd project tasks delete WEB --confirm WEB
    qd project tasks delete WEB --force --confirm WEB

    Parameters
    ----------
    key
        The key of the project.
    force
        Cancel the tasks that have not ended. Without it they are in the way.
    """
    with session(destroying) as opened, _about():
        row: Row = opened.api.read("task-projects.show", projectKey=key)
        known = str(row["key"])
        tasks = f"its tasks ({row.get('taskCount', 0)}) are out of sight until it takes tasks again"
        lost = f"{known} loses its repository, pipeline, git token and members, and {tasks}."
        opened.terminal.confirm_typed(lost, known, destroying.confirm)
        operation = "task-projects.force-delete" if force else "task-projects.delete"
        with about(conflict=f"qd project tasks delete {known} --force"):
            answer = opened.api.change(operation, projectKey=known)
        opened.done(answer or {"success": True}, name=known, text=f"{known} takes no tasks any more.")


for _command in (create, delete):
    task_projects.noun.command(_command)
