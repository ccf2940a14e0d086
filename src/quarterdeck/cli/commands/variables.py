"""`qd variables`: what a resource gets, and from where."""

from __future__ import annotations

from typing import Any

from quarterdeck.cli import names
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import Session, session


def variables(resource: str | None = None, /, *, common: Common = Common()) -> None:
    """List the variables that a resource gets with its next deployment, and where each comes from.

    Values of secrets are shown nowhere. Change them with `qd set` and `qd unset`.

    qd variables shop
    qd variables shop -o name

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    """
    with session(common) as opened:
        found = names.resource(opened.api, resource)
        body = opened.api.read("resources.effective-config", resourceId=found.id)
        entries(opened, body, empty=f"{found.path} gets no variables.\nTry:   qd set {found.path} KEY=value")


def entries(opened: Session, body: dict[str, Any], *, empty: str) -> None:
    """The effective variables as a table; with -o json the whole answer."""
    listed: list[dict[str, Any]] = sorted(body["effectiveEntries"], key=lambda entry: str(entry["key"]))
    terminal = opened.terminal
    if not listed and terminal.format == "text":
        terminal.say(empty)
        return
    rows = [
        [
            str(entry["key"]),
            "secret" if entry["isSecret"] else "build" if entry["exposure"] == "build-time" else "",
            str(entry["scope"]),
            str(entry["value"]),
        ]
        for entry in listed
    ]
    columns = ["KEY", "KIND", "FROM", "VALUE"]
    terminal.table(listed, columns, rows, names=[str(entry["key"]) for entry in listed], document=body)
