"""`qd log-archive`: lines of a runtime that are kept beyond their time."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter, validators

from quarterdeck.cli import names
from quarterdeck.cli.commands.work import instant
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import session

log_archive = App(name="log-archive", help="Keep lines of a runtime beyond their time.")


def keep(
    resource: str,
    /,
    *,
    tail: Annotated[int, Parameter(name=["--tail", "-t"], validator=validators.Number(gte=1, lte=1000))] = 1000,
    service: str | None = None,
    reason: str | None = None,
    changing: Changing = Changing(),
) -> None:
    """Keep the last lines that a resource has logged, until somebody prunes them.

    qd log-archive keep shop --reason "the failed sale"

    Parameters
    ----------
    resource
        project/environment/resource, a slug that is unique, or an id.
    tail
        How many of the last lines, 1 to 1000.
    service
        Only lines of this service of a stack.
    reason
        One line for those who look later.
    """
    body: dict[str, Any] = {"tailLines": tail}
    body |= {key: value for key, value in (("serviceName", service), ("reason", reason)) if value is not None}
    with session(changing) as opened:
        found = names.resource(opened.api, resource)
        answer = opened.api.change("resources.runtime-logs.archive", body, resourceId=found.id)
        opened.sent()
        made = answer["archive"]
        text = f"Kept {made['lineCount']:.0f} lines of {found.path}: qd log-archive show {made['archiveId']}"
        opened.terminal.answer(answer, name=str(made["archiveId"]), text=text)


def ls(resource: str | None = None, /, *, common: Common = Common()) -> None:
    """List what is kept, newest first.

    qd log-archive ls shop

    Parameters
    ----------
    resource
        Only of this resource. Default: all.
    """
    with session(common) as opened:
        query = {"limit": 100, "resourceId": names.resource(opened.api, resource).id if resource else None}
        items = opened.api.read("resources.runtime-log-archives.list", query)["items"]
        rows = [
            [one["archiveId"], one["resourceId"], one["capturedAt"], f"{one['lineCount']:.0f}", one.get("reason", "")]
            for one in items
        ]
        columns = ["ID", "RESOURCE", "KEPT AT", "LINES", "REASON"]
        opened.terminal.table(items, columns, rows, names=[row[0] for row in rows])


def show(archive: str, /, *, common: Common = Common()) -> None:
    """Print the lines of an archive.

    qd log-archive show rla_4k2m9x0q7c1z

    Parameters
    ----------
    archive
        Its id (rla_…).
    """
    with session(common) as opened:
        found = opened.api.read("resources.runtime-log-archives.show", archiveId=archive)["archive"]
        text = "\n".join(str(line["message"]) for line in found["lines"])
        opened.terminal.answer(found, name=archive, text=text)


def prune(*, before: str, resource: str | None = None, changing: Changing = Changing()) -> None:
    """Delete what was kept long ago. Without --yes it only says how much.

    qd log-archive prune --before 365d --yes

    Parameters
    ----------
    before
        An age (90d, 12h) or an instant; what was kept before it goes.
    resource
        Only of this resource.
    """
    body: dict[str, Any] = {"before": instant(before), "dryRun": not changing.yes}
    with session(changing) as opened:
        if resource is not None:
            body["resourceId"] = names.resource(opened.api, resource).id
        answer = opened.api.change("resources.runtime-log-archives.prune", body)
        opened.sent()
        count = answer["matchedCount" if answer["dryRun"] else "prunedCount"]
        text = f"Would delete {count:.0f}. Add --yes to delete." if answer["dryRun"] else f"Deleted {count:.0f}."
        opened.terminal.answer(answer, name=f"{answer['prunedCount']:.0f}", text=text)


for command in (keep, ls, show, prune):
    log_archive.command(command)
