"""`qd notifications`: what was told to you, and that you have read it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter, validators

from quarterdeck.cli import tasks
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.states import Shown
from quarterdeck.cli.tasks import Row, about

NEW, READ = Shown("ask", "new"), Shown("off", "read")


def notifications(
    act: Literal["read", "read-all"] | None = None,
    notification_id: str | None = None,
    /,
    *,
    all_: Annotated[bool, Parameter(name="--all")] = False,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1000))] = 20,
    changing: Changing = Changing(),
) -> None:
    """List what you have not read yet, newest first; mark one as read, or all.

    qd notifications
    qd notifications --all --json
    qd notifications read 17
    qd notifications read-all

    Parameters
    ----------
    act
        read or read-all.
    notification_id
        With read: the number of the one that you have read.
    all_
        Those that you have read, too.
    limit
        How many.
    """
    if (act == "read") != (notification_id is not None):
        raise usage("Say which one you have read: its number.", "qd notifications read 17")
    with session(changing) as opened, about(not_found="qd notifications --all"):
        if act == "read":
            ref = str(notification_id).removeprefix("#")
            answer: Row = opened.api.change("notifications.read", notificationId=ref)
            opened.done(answer, name=ref, text=f"Marked notification {ref} as read.")
        elif act == "read-all":
            answer = opened.api.change("notifications.read-all")
            count = answer.get("count", 0)
            opened.done(answer, name=str(count), text=f"Marked {count} as read.")
        else:
            _listed(opened, {"all": True} if all_ else {}, limit)


def _listed(opened: Session, query: dict[str, Any], limit: int) -> None:
    items = opened.api.pages("notifications.list", query, limit)
    terminal = opened.terminal
    if not items and terminal.format == "text":
        terminal.say(
            "There is nothing." if query else "You have read everything. Those of before: qd notifications --all"
        )
        return
    rows = [
        [
            str(one["id"]),
            terminal.state(READ if one.get("isRead") else NEW),
            tasks.ago(one["createdAt"]),
            f"#{one['taskId']}" if one.get("taskId") else str(one.get("projectKey") or ""),
            f"{one['title']}: {one['body']}" if one.get("body") else str(one["title"]),
        ]
        for one in items
    ]
    columns = ["ID", "STATE", "WHEN", "ABOUT", "WHAT"]
    terminal.table(items, columns, rows, names=[str(one["id"]) for one in items])
