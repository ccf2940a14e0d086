"""`qd project tasks`: the part of a project that agent tasks need, and who may have tasks in it."""

from __future__ import annotations

import json
import shlex
import sys
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter, validators

from quarterdeck.cli import custom_agents, names, task_files
from quarterdeck.cli.client import Api
from quarterdeck.cli.commands import projects
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing, Common, Words
from quarterdeck.cli.session import session
from quarterdeck.cli.stages import require
from quarterdeck.cli.tasks import Row, about, ago, local

COMMON, CHANGING = Common(), Changing()
Role = Literal["member", "maintainer"]
project = projects.project
"""With the verbs about tasks."""
noun = App(name="tasks", help="Where the code of a project is, its pipeline for agent tasks, and its members.")


def _about(key: str) -> Any:
    members = f"qd project tasks members {key}"
    asked = f"Ask a maintainer or an administrator: {members}"
    return about(not_found="qd project tasks list", not_allowed=asked, conflict=members)


def ls(*, common: Common = COMMON) -> None:
    """List the projects that take tasks, as far as they are yours.

    qd project tasks list
    """
    with session(common) as opened:
        items = opened.api.pages("task-projects.list", {}, 1000)
        if not items and opened.terminal.format == "text":
            opened.terminal.say(
                "No project of yours takes tasks.\n"
                "Try:   qd project tasks create   (for administrators; others are added to one by them)"
            )
            return
        rows = [
            [
                str(row["key"]),
                str(row["name"]),
                str(row.get("agentType") or ""),
                str(row.get("taskCount", "")),
                ago(row.get("lastActivityAt")),
                str(row.get("repoUrl") or ""),
            ]
            for row in items
        ]
        columns = ["KEY", "NAME", "AGENT", "TASKS", "LAST", "REPOSITORY"]
        opened.terminal.table(items, columns, rows, names=[str(row["key"]) for row in items])


def show(key: str, /, *, common: Common = COMMON) -> None:
    """Show the repository, the agent and the pipeline of a project.

    qd project tasks show WEB

    Parameters
    ----------
    key
        The key of the project.
    """
    with session(common) as opened, _about(key):
        row: Row = opened.api.read("task-projects.show", projectKey=key)
        terminal = opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(row, name=str(row["key"]), text="")
            return
        facts = [
            ("repository", row.get("repoUrl")),
            ("ssh", row.get("sshUrl")),
            ("branch", row.get("defaultBranch")),
            ("git token", "kept" if row.get("hasGitToken") else "none"),
            ("agent", row.get("agentType")),
            ("custom", shlex.join((row.get("customAgent") or {}).get("argv") or ())),
            ("tasks", row.get("taskCount")),
            ("members", row.get("memberCount")),
            ("last", local(row.get("lastActivityAt"))),
        ]
        terminal.line(f"{row['key']}   {terminal.plain(row['name'])}")
        for label, value in facts:
            if value not in {None, ""}:
                terminal.line(f"  {label:<11} {terminal.plain(value)}")
        for index, stage in enumerate(row.get("pipeline") or []):
            terminal.line(
                f"  {index}  {terminal.plain(stage['name']):<14} {_gate(stage)}{terminal.plain(_told(stage))}"
            )


def _told(stage: Row) -> str:
    return str(stage.get("command") or "")


def _gate(stage: Row) -> str:
    if stage.get("confirm"):
        return "asks for a confirmation, then "
    if stage.get("choices"):
        return f"asks for one of {', '.join(stage['choices'])}, then "
    return "asks for a text, then " if stage.get("input") else ""


def change(
    key: str,
    /,
    *,
    name: str | None = None,
    repo: str | None = None,
    ssh: str | None = None,
    branch: str | None = None,
    agent: str | None = None,
    custom_agent: str | None = None,
    description: str | None = None,
    setup: str | None = None,
    cleanup: str | None = None,
    max_tasks: Annotated[int | None, Parameter(validator=validators.Number(gte=0, lte=1000))] = None,
    budget: Annotated[float | None, Parameter(validator=validators.Number(gte=0))] = None,
    changing: Changing = CHANGING,
) -> None:
    """Change what tasks of a project work with.

    qd project tasks set WEB --repo https://git.example.com/shop.git --branch main
    qd project tasks set WEB --agent codex --setup "npm ci" --budget 5
    qd project tasks set WEB --agent custom --custom-agent agent.yaml

    Parameters
    ----------
    key
        The key of the project.
    name
        What it is called.
    repo
        The address of the repository.
    ssh
        Its address over SSH, for machines that have a key.
    branch
        The branch that tasks begin from.
    agent
        claude, codex, cursor, gemini or custom.
    custom_agent
        A YAML or JSON file that says what custom is, at the least argv: [my-agent]; - reads stdin.
    description
        What the project is for.
    setup
        A command that runs before the first stage; an empty text removes it.
    cleanup
        A command that runs when an attempt has ended; an empty text removes it.
    max_tasks
        How many of its tasks run at a time; 0 for as many as there are places.
    budget
        US dollars after which a task is stopped that names no budget; 0 removes it.
    """
    given: Row = {
        "name": name, "repoUrl": repo, "sshUrl": ssh, "defaultBranch": branch, "agentType": agent,
        "description": description, "setupCommand": setup, "cleanupCommand": cleanup, "maxTasks": max_tasks,
        "budgetUsd": budget,
    }  # fmt: skip
    if custom_agent is not None:
        given["customAgent"] = custom_agents.described(custom_agent)
    body: Row = {field: value for field, value in given.items() if value is not None}
    body |= {field: None for field in ("setupCommand", "cleanupCommand", "budgetUsd") if body.get(field, 1) in {"", 0}}
    if not body:
        raise usage("Say what to change.", "qd project tasks set --help")
    again = f"qd project tasks set {key} --agent {custom_agents.AGENT}"
    with session(changing) as opened, _about(key), custom_agents.required(again):
        answer: Row = opened.api.change("task-projects.change", body, projectKey=key)
        opened.done(answer, name=key, text=f"Changed {key}: {', '.join(body)}.")


def pipeline(key: str, /, *, file: str | None = None, changing: Changing = CHANGING) -> None:
    """Print the stages of a project as YAML; with --file put others in their place. Tasks that exist keep theirs.

    qd project tasks pipeline WEB > pipeline.yaml
    qd project tasks pipeline WEB --file pipeline.yaml

    Parameters
    ----------
    key
        The key of the project.
    file
        A YAML or JSON list of stages; - reads stdin. An empty list takes the default pipeline again.
    """
    if file is None:
        _printed(key, changing)
        return
    stages = stages_in(task_files.document(file, what="pipeline"), file)
    with session(changing) as opened, _about(key):
        answer: Row = opened.api.change("task-projects.change", {"pipeline": stages or None}, projectKey=key)
        count = f"{len(stages)} {'stage' if len(stages) == 1 else 'stages'}"
        opened.done(answer, name=key, text=f"The pipeline of {key} has {count}.")


def stages_in(told: Any, file: str) -> list[Row]:
    """The stages of a file, alone or below `pipeline`. Raises `Failure`."""
    if isinstance(told, dict) and set(told) == {"pipeline"}:
        told = told["pipeline"]
    if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
        raise usage(f"{file} is no list of stages.", "qd project tasks pipeline WEB   prints one", code="pipeline")
    if told:
        require(told, file)
    return told


def _printed(key: str, common: Common) -> None:
    with session(common) as opened, _about(key):
        stages = opened.api.read("task-projects.show", projectKey=key).get("pipeline") or []
        if opened.terminal.structured:
            opened.terminal.document(stages)
            return
        import yaml

        # JSON first: what comes from the API is data, and nothing else of Python gets into the YAML.
        plain = json.loads(json.dumps(stages))
        opened.terminal.line(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=1000).rstrip())


def members(key: str, /, *, common: Common = COMMON) -> None:
    """List who may have tasks in a project.

    qd project tasks members WEB

    Parameters
    ----------
    key
        The key of the project.
    """
    with session(common) as opened, _about(key):
        items = opened.api.pages("task-projects.members", {}, 1000, projectKey=key)
        rows = [
            [str(one["name"]), str(one["role"]), local(one.get("addedAt")), str(one.get("gitEmail") or "")]
            for one in items
        ]
        columns = ["NAME", "ROLE", "SINCE", "COMMITS AS"]
        opened.terminal.table(items, columns, rows, names=[str(one["developerId"]) for one in items])


def add_member(key: str, who: str, /, *, role: Role = "member", changing: Changing = CHANGING) -> None:
    """Let somebody have tasks in a project; a maintainer changes it, too.

    qd project tasks add-member WEB bob
    qd project tasks add-member WEB carol --role maintainer

    Parameters
    ----------
    key
        The key of the project.
    who
        A name, an e-mail address or a number.
    role
        member or maintainer.
    """
    with session(changing) as opened, _about(key):
        person = _person(opened.api, who)
        body = {"developerId": person["id"], "role": role}
        answer: Row = opened.api.change("task-projects.add-member", body, what="member", projectKey=key)
        opened.done(answer, name=str(person["id"]), text=f"{person['name']} is {role} of {key}.")


def remove_member(key: str, who: str, /, *, changing: Changing = CHANGING) -> None:
    """Take somebody out of a project. Their tasks stay.

    qd project tasks remove-member WEB bob --yes

    Parameters
    ----------
    key
        The key of the project.
    who
        A name, an e-mail address or a number.
    """
    with session(changing) as opened, _about(key):
        known = opened.api.pages("task-projects.members", {}, 1000, projectKey=key)
        person = _pick([{**one, "id": one["developerId"]} for one in known], who, f"qd project tasks members {key}")
        opened.terminal.confirm(f"Take {person['name']} out of {key}?")
        ref = str(person["id"])
        answer = opened.api.change("task-projects.remove-member", projectKey=key, developerId=ref)
        opened.done(answer or {"success": True}, name=ref, text=f"{person['name']} is no member of {key} any more.")


def git_token(key: str, place: Words | None = None, /, *, remove: bool = False, changing: Changing = CHANGING) -> None:
    """Keep the token that branches of a project are pushed with, or remove it. It is never shown again.

    qd project tasks git-token WEB @token.txt
    qd project tasks git-token WEB - < token.txt
    qd project tasks git-token WEB --remove

    Parameters
    ----------
    key
        The key of the project.
    place
        @FILE that holds it, or - to read it from stdin: every user of a machine can read its command lines.
    remove
        Remove the one that is kept.
    """
    if remove == (place is not None):
        raise usage("Give the token by @FILE or -, or --remove.", f"qd project tasks git-token {key} @token.txt")
    with session(changing) as opened, _about(key):
        if remove:
            opened.terminal.confirm(f"Remove the git token of {key}?")
            answer = opened.api.change("task-projects.remove-git-token", projectKey=key)
            opened.done(answer or {"hasGitToken": False}, name=key, text=f"{key} has no git token any more.")
            return
        body = {"token": _secret(str(place), key)}
        answer = opened.api.change("task-projects.set-git-token", body, projectKey=key)
        opened.done(answer or {"hasGitToken": True}, name=key, text=f"Kept the git token of {key}.")


def _secret(place: str, key: str) -> str:
    if place == "-":
        text = sys.stdin.readline()
    elif place.startswith("@"):
        text = task_files.text_of(place[1:], what="token")
    else:
        raise usage(
            "The token is taken from a file or stdin, because every user of this machine can read command lines.",
            f"qd project tasks git-token {key} @token.txt",
        )
    if not text.strip():
        raise usage("The token is empty.", f"qd project tasks git-token {key} @token.txt")
    return text.strip()


def _person(api: Api, who: str) -> Row:
    return _pick(api.pages("task-projects.developers", {}, 1000), who, "qd user ls")


def _pick(rows: list[Row], who: str, hint: str) -> Row:
    """The one who goes by this number, name or address."""
    listed = [{**row, "slug": row.get("gitEmail") or "", "id": str(row["id"])} for row in rows]
    found = names.pick(listed, who)
    if found is None:
        raise names.missing("person", who, [str(row["name"]) for row in rows], hint)
    return {**found, "id": int(found["id"])}


for _command in (show, pipeline, members, add_member, remove_member, git_token):
    noun.command(_command)
noun.command(ls, name="list")
noun.command(change, name="set")
project.command(noun)
