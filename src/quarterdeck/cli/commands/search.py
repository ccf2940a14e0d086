"""`qd search`: tasks, machines and projects by words."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter, validators

from quarterdeck.cli import states, tasks
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import session


def search(
    *words: str,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=100))] = 20,
    common: Common = Common(),
) -> None:
    """Find tasks, machines and projects by what they are called or by what they say.

    qd search dark theme
    qd search ant-1 --json

    Parameters
    ----------
    words
        What to look for.
    limit
        How many of each kind.
    """
    text = " ".join(words).strip()
    if not text:
        raise usage("Say what to look for.", "qd search dark theme")
    with session(common) as opened:
        terminal = opened.terminal
        found: dict[str, Any] = opened.api.read("search", {"q": text, "limit": limit})
        rows, items = [], []
        for one in found.get("tasks") or []:
            rows.append(["task", f"#{one['id']}", terminal.state(tasks.shown(one)), str(one["description"])])
            items.append({"kind": "task", **one})
        for one in found.get("machines") or []:
            rows.append(["machine", str(one["name"]), terminal.state(states.machine(one["status"])), str(one["id"])])
            items.append({"kind": "machine", **one})
        for one in found.get("projects") or []:
            rows.append(["project", str(one["key"]), "", str(one["name"])])
            items.append({"kind": "project", **one})
        if not rows and terminal.format == "text":
            terminal.say(f"Nothing is found for {text}.")
            return
        names = [str(one.get("key") or one["id"]) for one in items]
        terminal.table(items, ["KIND", "NAME", "STATE", "WHAT"], rows, names=names, document=found)
