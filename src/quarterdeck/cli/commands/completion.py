"""Completion for shells: a short script that asks this program, which knows commands, options and live names."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from cyclopts import Parameter

from quarterdeck.cli.failure import Failure

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
    verbs = verbs_of(before[0])
    if verbs and len(before) == 1 and not last.startswith("-"):
        return [verb for verb in verbs if verb.startswith(last)]
    if last.startswith("-"):
        chosen = before[1] if verbs and len(before) > 1 and before[1] in verbs else None
        return sorted(option for option in options_of(before[0], chosen) if option.startswith(last))
    return sorted(name for name in _live(before) if name.startswith(last))


def verbs_of(command: str) -> list[str]:
    """The verbs of a noun (`qd project …`); none for a command that is a verb itself."""
    from quarterdeck.cli.main import application

    return [verb for verb in application(command)[command] if not verb.startswith("-")]


def options_of(command: str, verb: str | None = None) -> set[str]:
    """Every option of a command, long and short."""
    from quarterdeck.cli.main import application

    app = application(command)[command]
    if verb is not None:
        app = app[verb]
    return {name for argument in app.assemble_argument_collection() for name in argument.names if name[:1] == "-"}


def _live(before: list[str]) -> list[str]:
    from quarterdeck.cli import names, profiles

    what = AFTER.get(before[-1])
    if before[0] == "profiles":
        return sorted(profiles.load().profiles)
    if before[0] == "completion":
        return list(SCRIPTS)
    if before[0] == "ls" and len(before) == 1:
        return ["resources", "projects", "environments", "servers"]
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
                return [one.path for one in names.everything(api)]
            rows = api.items(f"{what}.list")
            if what != "environments":
                return [str(row.get("slug") or row["name"]) for row in rows]
            owners = {row["id"]: row["slug"] for row in api.items("projects.list")}
            return [f"{owners[row['projectId']]}/{row['name']}" for row in rows if row["projectId"] in owners]
        finally:
            api.close()
    except Failure:
        return []
