"""`qd audit`: what was done, by whom, and what is kept of it."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter, validators

from quarterdeck.cli.client import Api
from quarterdeck.cli.commands.maintenance import audit
from quarterdeck.cli.commands.work import instant
from quarterdeck.cli.failure import Failure, usage
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.phases import moment
from quarterdeck.cli.session import session
from quarterdeck.kernel.clock import SystemClock, wire_time

Row = dict[str, Any]
COMMON, CHANGING = Common(), Changing()
PAGE = 500
BEGINNING = "2000-01-01T00:00:00Z"
COLUMNS = ("auditEventId", "createdAt", "actor", "eventType", "aggregateId", "outcome", "payload")


def _window(of: str | None, action: str | None, since: str, until: str | None) -> Row:
    end = instant(until) if until is not None else wire_time(SystemClock().now())
    return {"aggregateId": of, "eventType": action, "from": instant(since), "to": end}


def list_events(
    *,
    of: str | None = None,
    action: str | None = None,
    since: str = "30d",
    until: str | None = None,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=500))] = 20,
    common: Common = COMMON,
) -> None:
    """List what was done, newest first.

    qd audit list
    qd audit list --of prj_4k2m9x0q7c1z
    qd audit list --action project.deleted --since 365d

    Parameters
    ----------
    of
        Only about this thing, by its id.
    action
        Only this action, whole (project.deleted).
    since
        An age (30d, 12h) or an instant; older events are not listed.
    until
        An age or an instant; newer events are not listed.
    limit
        How many, at most 500.
    """
    with session(common) as opened:
        query = {**_window(of, action, since, until), "limit": limit}
        answer = opened.api.read("audit-events.export-global", query)
        items: list[Row] = answer["items"]
        rows = [
            [
                one["createdAt"],
                str(one["payload"].get("actor", "")),
                one["eventType"],
                one["aggregateId"],
                str(one["payload"].get("outcome", "")),
                one["auditEventId"],
            ]
            for one in items
        ]
        columns = ["WHEN", "WHO", "DID", "ABOUT", "OUTCOME", "EVENT"]
        opened.terminal.table(items, columns, rows, names=[one["auditEventId"] for one in items], document=answer)
        if not items:
            what = f"of the action {action}" if action else "of these"
            opened.terminal.say(
                f"There are no events {what} since {since}. An action is written whole: project.deleted."
            )
        if answer["truncated"]:
            opened.terminal.say("There are older ones: --limit, --since and --until lead there.")


def show(event: str, /, *, of: str, common: Common = COMMON) -> None:
    """Show one event with all that was written down.

    qd audit show aud_4k2m9x0q7c1z --of prj_4k2m9x0q7c1z

    Parameters
    ----------
    event
        Its id (aud_…), as `qd audit list` gives it.
    of
        What it is about: the id that the list shows beside it.
    """
    with session(common) as opened:
        found = opened.api.read("audit-events.show", {"aggregateId": of}, auditEventId=event)["event"]
        lines = [f"{found['createdAt']}  {found['eventType']}  {found['aggregateId']}"]
        lines += [f"  {name:<24} {_text(value)}" for name, value in found["payload"].items()]
        opened.terminal.answer(found, name=event, text="\n".join(lines))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def export(
    *,
    since: str = "3650d",
    until: str | None = None,
    of: str | None = None,
    action: str | None = None,
    form: Annotated[Literal["csv", "jsonl"], Parameter(name="--form")] = "jsonl",
    to: Path | None = None,
    common: Common = COMMON,
) -> None:
    """Write every event of a span, newest first, as a table or as one JSON object a line.

    qd audit export --since 90d --form csv --to audit.csv
    qd audit export --of prj_4k2m9x0q7c1z

    Parameters
    ----------
    since
        An age (90d, 12h) or an instant.
    until
        An age or an instant; without it everything up to now.
    of
        Only about this thing, by its id.
    action
        Only this action, whole.
    form
        csv or jsonl.
    to
        The file, which may not be there yet; without it, standard output.
    """
    with session(common) as opened:
        window = _window(of, action, since, until)
        count = 0
        out = sys.stdout if to is None else os.fdopen(_made(to), "w", encoding="utf-8", newline="")
        try:
            if form == "csv":
                out.write(_csv(COLUMNS))
            for item in everything(opened.api, window):
                out.write(_csv(_cells(item)) if form == "csv" else json.dumps(item, ensure_ascii=False) + "\n")
                count += 1
        finally:
            if to is not None:
                out.close()
        opened.terminal.say(f"Exported {count} {'event' if count == 1 else 'events'}.")


def everything(api: Api, window: Row) -> Iterator[Row]:
    """Page by page: each begins at the millisecond at which the one before ended, and what was given is left out."""
    end, given = window["to"], set[str]()
    while True:
        answer = api.read("audit-events.export-global", {**window, "to": end, "limit": PAGE})
        items: list[Row] = answer["items"]
        fresh = [one for one in items if one["auditEventId"] not in given]
        yield from fresh
        if not answer["truncated"]:
            return
        if not fresh:
            raise Failure(
                f"More than {PAGE} events were written in one millisecond, at {end}.",
                code="audit_export_stuck",
                hint="Narrow it with --action or --of, or take GET /api/audit/export.",
            )
        last = items[-1]["createdAt"]
        given = {one["auditEventId"] for one in items if one["createdAt"] == last}
        end = _after(last)


def _after(stamp: str) -> str:
    from datetime import timedelta

    return wire_time(moment(stamp) + timedelta(milliseconds=1))


def _made(file: Path) -> int:
    try:
        return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Failure(f"{file} is there already.", code="file_exists", hint="Name another file.") from None


def _cells(item: Row) -> list[str]:
    payload = item["payload"]
    return [
        str(item["auditEventId"]), item["createdAt"], str(payload.get("actor", "")), item["eventType"],
        item["aggregateId"], str(payload.get("outcome", "")), json.dumps(payload, ensure_ascii=False),
    ]  # fmt: skip


def _csv(values: Any) -> str:
    line = io.StringIO()
    # What a spreadsheet would calculate is text.
    csv.writer(line).writerow([f"'{one}" if one.startswith(("=", "+", "-", "@")) else one for one in values])
    return line.getvalue()


def hold(
    *,
    reason: str,
    of: str | None = None,
    action: str | None = None,
    since: str | None = None,
    until: str | None = None,
    requested_by: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Keep events from being pruned until the hold is released.

    qd audit hold --of prj_4k2m9x0q7c1z --reason "case 12/2026"
    qd audit hold --since 2026-01-01T00:00:00Z --until 2026-04-01T00:00:00Z --reason "the audit of spring"

    Parameters
    ----------
    reason
        Why.
    of
        Events about this thing, by its id.
    action
        Of these only this action.
    since
        Events from here on: an age or an instant.
    until
        Events before this.
    requested_by
        Who asked for it, if not you.
    """
    if of is None and since is None and until is None:
        raise usage("Say what is to be held: --of, or --since or --until or both.", "qd audit hold --help")
    asked = {
        "reason": reason,
        "aggregateId": of,
        "eventType": action,
        "from": None if since is None else instant(since),
        "to": None if until is None else instant(until),
        "requestedBy": requested_by,
    }
    with session(changing) as opened:
        body = {name: value for name, value in asked.items() if value is not None}
        answer = opened.api.change("audit-events.legal-holds.configure", body)
        opened.sent()
        ref = answer["hold"]["holdId"]
        opened.terminal.answer(
            answer["hold"], name=ref, text=f"Held: {ref}. To end it: qd audit release {ref} --reason …"
        )
        window = _window(of, action, since or BEGINNING, until)
        if not opened.api.read("audit-events.export-global", {**window, "limit": 1})["items"]:
            opened.terminal.say(
                "No event matches it so far; what is written from now on and matches is held. Ids stand in "
                "qd audit list, under ABOUT."
            )


def holds(*, status: Literal["active", "released"] | None = None, common: Common = COMMON) -> None:
    """List legal holds, newest first.

    qd audit holds
    qd audit holds --status active

    Parameters
    ----------
    status
        Only those that are active, or released.
    """
    with session(common) as opened:
        items: list[Row] = opened.api.read("audit-events.legal-holds.list", {"status": status, "limit": 100})["items"]
        rows = [
            [
                one["holdId"],
                one["status"],
                _scope(one),
                one["createdAt"],
                str(one.get("requestedBy", "")),
                one["reason"],
            ]
            for one in items
        ]
        columns = ["HOLD", "STATE", "WHAT", "SINCE", "BY", "REASON"]
        opened.terminal.table(items, columns, rows, names=[one["holdId"] for one in items])


def _scope(held: Row) -> str:
    scope = held["scope"]
    words = [scope.get("aggregateId", ""), held.get("eventType", "")]
    if "from" in scope or "to" in scope:
        words.append(f"{scope.get('from', '')}…{scope.get('to', '')}")
    return " ".join(word for word in words if word)


def release(hold_id: str, /, *, reason: str, changing: Changing = CHANGING) -> None:
    """End a legal hold.

    qd audit release ahl_4k2m9x0q7c1z --reason "settled"

    Parameters
    ----------
    hold_id
        Its id (ahl_…).
    reason
        Why it is over.
    """
    with session(changing) as opened:
        answer = opened.api.change("audit-events.legal-holds.release", {"releaseReason": reason}, holdId=hold_id)
        opened.sent()
        opened.terminal.answer(answer["hold"], name=hold_id, text=f"Released {hold_id}.")


def prune(*, before: str, of: str | None = None, action: str | None = None, changing: Changing = CHANGING) -> None:
    """Delete old events. Without --yes it only says how many. What is held or archived with its events stays.

    qd audit prune --before 730d
    qd audit prune --before 730d --action session.signed-in --yes

    Parameters
    ----------
    before
        An age (730d) or an instant; what was done before it goes.
    of
        Only about this thing, by its id.
    action
        Only this action, whole.
    """
    asked = {"before": instant(before), "aggregateId": of, "eventType": action, "dryRun": not changing.yes}
    with session(changing) as opened:
        body = {name: value for name, value in asked.items() if value is not None}
        answer = opened.api.change("audit-events.prune", body)
        opened.sent()
        going = sum(answer["countsByEventType"].values())
        kept = f"{answer['heldCount']:.0f} held, {answer['archiveRetainedCount']:.0f} kept by archives"
        text = (
            f"Would delete {going:.0f} ({kept}). Add --yes to delete."
            if answer["dryRun"]
            else f"Deleted {going:.0f} ({kept})."
        )
        opened.terminal.answer(answer, name=f"{answer['prunedCount']:.0f}", text=text)


audit.command(list_events, name="list")
for _command in (show, export, hold, holds, release, prune):
    audit.command(_command)
