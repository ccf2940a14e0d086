"""The reference page of the command line, made from the commands themselves."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from cyclopts import Parameter

from quarterdeck.cli.catalogue import COMMANDS, GROUPS
from quarterdeck.cli.main import EXAMPLE

if TYPE_CHECKING:
    from cyclopts import App

MARK = "<!-- Everything below is written by script/generate_command_reference. -->"
SHARED = "Options of every command"
PLAIN = Parameter(negative="")


def commands() -> str:
    """Every command with its usage, examples, arguments and options, as Markdown."""
    from quarterdeck.cli.main import application

    app = application()
    lines: list[str] = []
    for group in GROUPS:
        lines += ["", f"## {group}"]
        for command in COMMANDS:
            if command.group == group:
                lines += _command(app[command.name], command.name)
    return "\n".join(lines) + "\n"


def page(before: str) -> str:
    """The page with everything below the mark made anew."""
    return before.split(MARK, maxsplit=1)[0].rstrip() + f"\n\n{MARK}\n" + commands()


def _command(app: App, name: str) -> list[str]:
    below = [child for child in app if not child.startswith("-")]
    verbs = [line for child in below for line in _command(app[child], f"{name} {child}")]
    function = app.default_command
    if below and function is None:
        return verbs
    text = inspect.cleandoc(inspect.getdoc(function) or "").split("Parameters\n---")[0].strip()
    prose = [line for line in text.splitlines() if not line.startswith(EXAMPLE)]
    examples = [line for line in text.splitlines() if line.startswith(EXAMPLE)]
    lines = ["", f"### {name}", "", "\n".join(prose).strip()]
    if examples:
        lines += ["", "```", *examples, "```"]
    rows, takes = [], []
    for argument in app.assemble_argument_collection(default_parameter=PLAIN, parse_docstring=True):
        if _shared(argument.parameter.group):
            takes += [option for option in argument.names if option.startswith("--")]
            continue
        if argument.show:
            rows.append(f"| {_names(argument)} | {' '.join((argument.parameter.help or '').split())} |")
    if rows:
        lines += ["", "| | |", "|---|---|", *rows]
    extra = [
        f"`{option}`"
        for option in takes
        if option in {"--yes", "--confirm", "--plan", "--wait", "--detach", "--timeout"}
    ]
    if extra:
        lines += ["", f"Also {', '.join(extra)}."]
    return lines + verbs


def _shared(group: Any) -> bool:
    groups = group if isinstance(group, tuple | list) else (group,)
    return any(getattr(one, "name", "") == SHARED for one in groups)


def _names(argument: Any) -> str:
    values = argument.get_choices() or ()
    choices = f" ({', '.join(values)})" if values else ""
    return ", ".join(f"`{name}`" for name in argument.names) + choices
