"""`qd token personal`: tokens that act as you, for your own programs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from cyclopts import App

from quarterdeck.cli import names
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.session import Session, session
from quarterdeck.kernel.clock import SystemClock, wire_time

COMMON, CHANGING, DESTROYING = Common(), Changing(), Destroying()
Row = dict[str, Any]
OWN = "/api/web/profile/tokens"
ONCE = "It is shown this once: store it where your program reads its secrets."
SPAN = re.compile(r"(\d{1,5})([hd])")
personal = App(name="personal", help="Tokens that act as you, for your own programs.")


def until(text: str | None) -> str | None:
    """`90d` and `12h` from now on, or a date. Raises `Failure`."""
    if text is None:
        return None
    if span := SPAN.fullmatch(text):
        hours = int(span[1]) * (24 if span[2] == "d" else 1)
        moment = SystemClock().now() + timedelta(hours=hours)
    else:
        try:
            moment = datetime.fromisoformat(text).astimezone(UTC)
        except ValueError:
            raise usage(f"{text} is no span and no date.", "--expires 90d, or --expires 2030-01-31") from None
    return wire_time(moment)


def shown_once(opened: Session, answer: Row, *, name: str, text: str) -> None:
    """Print a new secret alone on stdout, so that it can be piped to where it belongs."""
    opened.sent()
    opened.done(answer, name=name, text=answer["token"])
    opened.terminal.say(f"{text} {ONCE}")


def create(
    label: str, /, *, expires: str | None = None, scope: tuple[str, ...] = (), changing: Changing = CHANGING
) -> None:
    """Make a token that acts as you. It makes no further credentials.

    qd token personal create laptop --expires 90d
    qd token personal create backups --scope deploy:read --scope runbooks

    Parameters
    ----------
    label
        What it is for.
    expires
        When it ends: 90d, 12h or a date. Default: never.
    scope
        What it is narrowed to; more than once for several. Default: everything that you may.
    """
    body: Row = {"label": label} | ({"expiresAt": end} if (end := until(expires)) else {})
    if scope:
        body["scopes"] = list(scope)
    with session(changing) as opened:
        try:
            made = opened.api.ours("personal-tokens.create", "POST", OWN, body)
        except Failure as failure:
            if scope and failure.exit is Exit.USAGE and not failure.hint:  # this envelope carries no hints
                from quarterdeck.access.scopes import SCOPES

                failure.hint = f"Scopes: {', '.join(SCOPES)}."
            raise
        opened.sent()
        shown_once(opened, made, name=str(made["id"]), text=f"Made {label}.")


def ls(*, common: Common = COMMON) -> None:
    """List your own tokens.

    qd token personal ls
    """
    with session(common) as opened:
        rows = _own(opened.api)
        cells = [
            [
                str(row["id"]),
                str(row.get("label") or ""),
                str(row.get("lastUsedAt") or "never used"),
                str(row.get("expiresAt") or ""),
                "revoked" if row.get("revokedAt") else "",
            ]
            for row in rows
        ]
        columns = ["ID", "TOKEN", "LAST USED", "UNTIL", ""]
        opened.terminal.table(rows, columns, cells, names=[str(row["id"]) for row in rows])


def revoke(name: str, /, *, destroying: Destroying = DESTROYING) -> None:
    """End one of your own tokens for good.

    qd token personal revoke laptop --confirm laptop

    Parameters
    ----------
    name
        Its label or id.
    """
    with session(destroying) as opened:
        rows = [{**row, "id": str(row["id"]), "name": str(row.get("label") or "")} for row in _own(opened.api)]
        live = [row for row in rows if not row.get("revokedAt")]
        found = names.pick(live, name) or names.pick(rows, name)
        if found is None:
            raise names.missing("token", name, [row["name"] for row in rows], "qd token personal ls")
        lost = f"Programs with {found['name']} are shut out. This cannot be undone."
        opened.terminal.confirm_typed(lost, found["name"], destroying.confirm)
        answer = opened.api.ours("personal-tokens.revoke", "POST", f"{OWN}/{found['id']}/revoke", {})
        opened.done(answer, name=found["id"], text=f"Revoked {found['name']}.")


def _own(api: Api) -> list[Row]:
    """All of them, newest first, however many pages that are."""
    rows: list[Row] = []
    cursor: str | None = None
    while True:
        page = api.call("GET", OWN, query={"cursor": cursor})
        rows += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return rows


for command in (create, ls, revoke):
    personal.command(command)
