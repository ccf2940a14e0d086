"""Completion for shells: a short script that asks this program, which knows commands, options and live names."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from quarterdeck.cli.failure import Failure

if TYPE_CHECKING:
    from cyclopts import App

    from quarterdeck.cli.client import Api

SCRIPTS = {
    "bash": """_qd() {
  local IFS=$'\\n'
  COMPREPLY=($(COMP_WORDBREAKS= qd complete-words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  [ ${#COMPREPLY[@]} -eq 0 ] && compopt -o default
}
complete -F _qd qd quarterdeck
""",
    "zsh": """#compdef qd quarterdeck
_qd() {
  local -a found
  found=("${(@f)$(qd complete-words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found[1]" ]]; then compadd -- $found; else _files; fi
}
compdef _qd qd quarterdeck
""",
    "fish": """function __qd_complete
  set -l words (commandline -opc) (commandline -ct)
  qd complete-words -- $words[2..-1] 2>/dev/null
end
complete -c qd -a '(__qd_complete)'
complete -c quarterdeck -a '(__qd_complete)'
""",
}
NAMED = {
    "logs", "open", "rollback", "cancel", "redeploy", "attach", "history", "status", "set", "unset", "stop", "start",
    "restart", "variables", "archive", "delete",
}  # fmt: skip
AFTER = {"--server": "servers", "-s": "servers", "--project": "projects", "-p": "projects"}
NOUNS = {"project": "projects", "environment": "environments"}
TASKS = {"task": ("tasks", "create list"), "machine": ("machines", "list"), "project tasks": ("task projects", "list")}
"""Nouns around agent tasks: what their verbs take, but for those named."""
TASKS_AFTER = {"--on": "machines", "--project": "task projects", "-p": "task projects", "--depends-on": "tasks"}
INFRA = {
    "plan": "specs", "apply": "specs", "destroy": "specs", "spec": "specs", "state": "specs", "zone": "zones",
    "runner": "runners",
}  # fmt: skip
"""What commands about infrastructure take, but for verbs that make something."""
INFRA_AFTER = {
    "--spec-id": "specs", "--spec": "specs", "--zone-id": "zones", "--zone": "zones", "--runner-id": "runners",
    "--worker-id": "runners", "--runner": "runners", "--assigned-runner-id": "runners",
}  # fmt: skip
MAKING = {"create", "register", "deploy", "list", "start", "validate", "push", "approve", "reject"}
WORDS = {
    ("ls",): ("resources", "projects", "environments", "servers"),
    ("notifications",): ("read", "read-all"),
    ("config", "get"): ("server", "default-project"),
    ("config", "set"): ("default-project",),
    ("config", "unset"): ("default-project",),
}
CALLS = {
    "tasks": ("tasks.list", "id"),
    "machines": ("machines.list", "name"),
    "task projects": ("task-projects.list", "key"),
    "specs": ("specs.list", "project_name"),
    "zones": ("zones.list", "name"),
    "runners": ("runners.list", "name"),
}
ROWS = {"specs": "configurations", "zones": "zones", "runners": "workers"}
"""Lists that come whole, below this key."""


def completion(shell: Literal["bash", "zsh", "fish"], /) -> None:
    """Print the completion script of a shell. It completes commands, options, and the names of your resources.

    eval "$(qd completion bash)"                                in ~/.bashrc
    eval "$(qd completion zsh)"                                 in ~/.zshrc
    qd completion fish > ~/.config/fish/completions/qd.fish

    Parameters
    ----------
    shell
        bash, zsh or fish.
    """
    sys.stdout.write(SCRIPTS[shell])


def candidates(*words: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> None:
    """Print what the last word could become, one a line. Never fails and never asks."""
    for text in found(list(words)):
        print(text)


def found(words: list[str]) -> list[str]:
    """Everything that continues the last word."""
    from quarterdeck.cli.catalogue import BY_NAME, COMMANDS

    *before, last = words or [""]
    if not before:
        return [command.name for command in COMMANDS if command.name.startswith(last)]
    if before[0] not in BY_NAME:
        return []
    app, typed = _deepest(before)
    verbs = verbs_of(app)
    if verbs and len(typed) == len(before) and not last.startswith("-"):
        known = _live(before, typed) if app.default_command is not None else []
        return [word for word in (*verbs, *known) if word.startswith(last)]
    if last.startswith("-"):
        return sorted(option for option in options_of(app) if option.startswith(last))
    return sorted(name for name in _live(before, typed) if name.startswith(last))


def _deepest(before: list[str]) -> tuple[App, list[str]]:
    """The command that these words name, and those of them that do (`project tasks show WEB`: three)."""
    from quarterdeck.cli.main import application

    app, typed = application(before[0])[before[0]], [before[0]]
    for word in before[1:]:
        if word not in verbs_of(app):
            break
        app, typed = app[word], [*typed, word]
    return app, typed


def verbs_of(app: App) -> list[str]:
    """The verbs of a noun (`qd project …`); none for a command that is a verb itself."""
    return [verb for verb in app if not verb.startswith("-")]


def options_of(app: App) -> set[str]:
    """Every option of a command, long and short."""
    return {name for argument in app.assemble_argument_collection() for name in argument.names if name[:1] == "-"}


def _live(before: list[str], typed: list[str]) -> list[str]:
    from quarterdeck.cli import names, profiles

    around = _around_tasks(before, typed)
    if around is not None:
        return around
    if before[0] in INFRA or before[0] == "jobs":
        return _around_infrastructure(before, typed)
    what = AFTER.get(before[-1])
    if before[0] == "profiles":
        return sorted(profiles.load().profiles)
    if before[0] == "completion":
        return list(SCRIPTS)
    if tuple(before) in WORDS:
        return list(WORDS[tuple(before)])
    if what is None and len(before) == 2:
        what = NOUNS.get(before[0])
    if what is None and before[0] not in NAMED:
        return []
    from quarterdeck.cli.client import Api

    try:
        name, profile = profiles.chosen(None)
        api = Api(profile, name=name)
        try:
            if what is None:
                numbers = _asked(api, "tasks") if before[0] == "attach" else []
                return [*numbers, *(one.path for one in names.everything(api))]
            rows = api.items(f"{what}.list")
            if what != "environments":
                return [str(row.get("slug") or row["name"]) for row in rows]
            owners = {row["id"]: row["slug"] for row in api.items("projects.list")}
            return [f"{owners[row['projectId']]}/{row['name']}" for row in rows if row["projectId"] in owners]
        finally:
            api.close()
    except Failure:
        return []


def _around_tasks(before: list[str], typed: list[str]) -> list[str] | None:
    """What continues a command about agent tasks; None for other commands."""
    from quarterdeck.cli.tasks import STATUSES

    noun = " ".join(typed[:-1])
    if noun not in TASKS:
        return None
    what, others = TASKS[noun]
    if before[-1] == "--status":
        return list(STATUSES) if noun == "task" else ["online", "offline", "draining", "decommissioned"]
    chosen = TASKS_AFTER.get(before[-1])
    if chosen is None and len(before) == len(typed) and typed[-1] not in others.split():
        chosen = what
    return [] if chosen is None else _asking(chosen)


def _around_infrastructure(before: list[str], typed: list[str]) -> list[str]:
    """The names of specs, zones and runners."""
    from quarterdeck.cli.infra_states import STATUSES

    if before[-1] == "--status":
        return [status.lower() for status in STATUSES]
    chosen = INFRA_AFTER.get(before[-1])
    if chosen is None and before[-1].startswith("--"):
        return []
    if chosen is None and len(before) == len(typed) and typed[-1] not in MAKING:
        chosen = INFRA.get(before[0]) if typed[:2] != ["plan", "show"] else None
    return [] if chosen is None else _asking(chosen)


def _asking(what: str) -> list[str]:
    from quarterdeck.cli import profiles
    from quarterdeck.cli.client import Api

    try:
        name, profile = profiles.chosen(None)
        api = Api(profile, name=name)
        try:
            return _asked(api, what)
        finally:
            api.close()
    except Failure:
        return []


def _asked(api: Api, what: str) -> list[str]:
    """The names of tasks, machines or projects; none where they may not be seen."""
    key, field = CALLS[what]
    try:
        if what in ROWS:
            return [str(row[field]) for row in api.read(key)[ROWS[what]]]
        return [str(row[field]) for row in api.pages(key, {}, 100)]
    except Failure:
        return []
