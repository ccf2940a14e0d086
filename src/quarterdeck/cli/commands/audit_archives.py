"""`qd audit archive`: copies of events that never change."""

from __future__ import annotations

import json
from typing import Annotated, Any

from cyclopts import App, Parameter, validators

from quarterdeck.cli.commands import auditing as _auditing  # noqa: F401 - adds its verbs
from quarterdeck.cli.commands import maintenance
from quarterdeck.cli.commands.work import instant
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import session

Row = dict[str, Any]
COMMON, CHANGING = Common(), Changing()

audit = maintenance.audit
"""With all verbs of the other modules: `auditing` adds its own when it is imported."""
archive = App(name="archive", help="Copy events into archives that never change.")


def make(
    *,
    reason: str,
    of: str | None = None,
    action: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=500))] = 500,
    keep_events: bool = False,
    changing: Changing = CHANGING,
) -> None:
    """Copy events of one thing, or of a span, into a new archive.

    qd audit archive make --of prj_4k2m9x0q7c1z --reason "end of the contract"
    qd audit archive make --since 90d --until 60d --reason "the audit of spring" --keep-events

    Parameters
    ----------
    reason
        Why.
    of
        Events about this thing, by its id.
    action
        Of these only this action, whole.
    since
        Events from here on: an age or an instant. With --until it says the span.
    until
        Events before this.
    limit
        How many at most, the newest first.
    keep_events
        The events themselves are not pruned either, as long as the archive is there.
    """
    if of is None and (since is None or until is None):
        raise usage("Say what is copied: --of, or --since and --until.", "qd audit archive make --help")
    asked = {
        "reason": reason,
        "aggregateId": of,
        "eventType": action,
        "from": None if since is None else instant(since),
        "to": None if until is None else instant(until),
        "limit": limit,
        "retainSourceRows": keep_events,
    }
    with session(changing) as opened:
        body = {name: value for name, value in asked.items() if value is not None}
        made: Row = opened.api.change("audit-events.archives.create", body)["archive"]
        opened.sent()
        ref = made["archiveId"]
        text = f"{ref}: {_counted(made)}, {made['contentDigest']}"
        opened.terminal.answer(made, name=ref, text=text)
        if made["truncated"]:
            opened.terminal.say(f"There are more than {limit}: make further archives of what was before.")
        if not made["itemCount"]:
            opened.terminal.say("No event matches, so it is empty. Ids stand in qd audit list, under ABOUT.")


def ls(*, of: str | None = None, common: Common = COMMON) -> None:
    """List archives, newest first.

    qd audit archive ls
    qd audit archive ls --of prj_4k2m9x0q7c1z

    Parameters
    ----------
    of
        Only of this thing, by its id.
    """
    with session(common) as opened:
        items: list[Row] = opened.api.read("audit-events.archives.list", {"aggregateId": of, "limit": 100})["items"]
        rows = [
            [
                one["archiveId"],
                _counted(one),
                _source(one["source"]),
                "kept" if one["retainSourceRows"] else "may go",
                one["createdAt"],
                one["reason"],
            ]
            for one in items
        ]
        columns = ["ARCHIVE", "HOLDS", "OF", "EVENTS", "MADE", "REASON"]
        opened.terminal.table(items, columns, rows, names=[one["archiveId"] for one in items])


def show(archive_id: str, /, *, common: Common = COMMON) -> None:
    """Show an archive with its events, one JSON object a line.

    qd audit archive show aar_4k2m9x0q7c1z

    Parameters
    ----------
    archive_id
        Its id, as `qd audit archive ls` gives it.
    """
    with session(common) as opened:
        found: Row = opened.api.read("audit-events.archives.show", archiveId=archive_id)["archive"]
        events = "\n".join(json.dumps(one, ensure_ascii=False) for one in found["items"])
        opened.terminal.answer(found, name=archive_id, text=events or "It holds no events.")
        opened.terminal.say(f"{_counted(found)}, {found['contentDigest']}")


def prune(*, before: str, of: str | None = None, changing: Changing = CHANGING) -> None:
    """Delete old archives. Without --yes it only says how many.

    qd audit archive prune --before 3650d
    qd audit archive prune --before 3650d --yes

    Parameters
    ----------
    before
        An age (3650d) or an instant; what was made before it goes.
    of
        Only of this thing, by its id.
    """
    body = {"before": instant(before), "dryRun": not changing.yes, **({"aggregateId": of} if of else {})}
    with session(changing) as opened:
        answer = opened.api.change("audit-events.archives.prune", body)
        opened.sent()
        text = (
            f"Would delete {answer['matchedCount']:.0f}. Add --yes to delete."
            if answer["dryRun"]
            else f"Deleted {answer['prunedCount']:.0f}."
        )
        opened.terminal.answer(answer, name=f"{answer['prunedCount']:.0f}", text=text)


def _counted(one: Row) -> str:
    count = int(one["itemCount"])
    return "1 event" if count == 1 else f"{count} events"


def _source(source: Row) -> str:
    span = f"{source.get('from', '')}…{source.get('to', '')}" if "from" in source or "to" in source else ""
    return " ".join(word for word in (source.get("aggregateId", ""), span) if word)


for _command in (make, ls, show, prune):
    archive.command(_command)
audit.command(archive)
