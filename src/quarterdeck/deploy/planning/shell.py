"""From the text of a command to an argument list, with a shell only where the text needs one."""

from __future__ import annotations

import re
import shlex

_SHELL = re.compile(r"[|&;<>()$`\\*?\[\]#~!{}\n]|^\s*\w+=")
_CONTROL = re.compile(r"[|&;<>()`\n#{}]")
_BUILTINS = frozenset(
    {"cd", "export", "exec", "set", "if", "for", "while", "until", "case", "eval", ".", "source", "trap"}
)


def command_argv(command: str) -> tuple[str, ...]:
    """Return the argument list that runs `command`.

    A command that needs expansions but no control flow replaces its shell, so that stop signals reach it.
    """
    text = command.strip()
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        words = ()
    if words and not _SHELL.search(text) and words[0] not in _BUILTINS:
        return words
    simple = bool(words) and not _CONTROL.search(text) and words[0] not in _BUILTINS
    # `A=1 program` is an assignment, which `exec` would take for a program's name; `env` understands it.
    prefix = "exec env " if simple and re.match(r"\s*\w+=", text) else "exec " if simple else ""
    return ("sh", "-c", prefix + text)


def programs(command: str) -> frozenset[str]:
    """Name the programs that a command seems to run: the first word of each part, and modules run by `python -m`."""
    found: set[str] = set()
    for part in re.split(r"[|&;\n()]+", command):
        words = [word for word in part.split() if not re.match(r"\w+=", word)]
        while words and words[0] in {"exec", "env", "sudo", "nohup"}:
            words = words[1:]
        if not words:
            continue
        found.add(words[0].rpartition("/")[2])
        if "-m" in words[:-1]:
            found.add(words[words.index("-m") + 1])
        if words[0] in {"uv", "poetry", "pipenv"} and "run" in words[:-1]:
            found.add(words[words.index("run") + 1])
    return frozenset(found)
