"""`qd machine token`: which machines may dial in to work on agent tasks, while the server runs."""

from __future__ import annotations

import re
from typing import Any

from cyclopts import App

from quarterdeck.cli import names, states, tasks
from quarterdeck.cli.client import Api, loopback
from quarterdeck.cli.commands import machines
from quarterdeck.cli.commands.personal_tokens import shown_once
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.session import session
from quarterdeck.cli.tasks import Row, about
from quarterdeck.fleet.workers import starting

COMMON, CHANGING, DESTROYING = Common(), Changing(), Destroying()
SPAN = re.compile(r"(\d{1,4})([hd])")
LONGEST = 8760
"""Hours of a year."""
machine = machines.machine
"""With the verbs about tokens."""
token = App(name="token", help="Make, list and revoke tokens that each enrol one machine.")


def _about() -> Any:
    return about(
        not_found="qd machine token list",
        conflict="qd machine token list",
        not_allowed="An administrator makes them, signed in with a session: qd login",
    )


def hours(text: str | None) -> int | None:
    """`24h` and `7d` in hours, at most a year. Raises `Failure`."""
    if text is None:
        return None
    span = SPAN.fullmatch(text)
    found = int(span[1]) * (24 if span[2] == "d" else 1) if span else 0
    if not 1 <= found <= LONGEST:
        raise usage(f"{text} is no time within a year.", "--expires 24h, or --expires 7d")
    return found


def create(label: str | None = None, /, *, expires: str | None = None, changing: Changing = CHANGING) -> None:
    """Make a token that enrols one machine, once. It is the only thing on stdout.

    qd machine token create forge --expires 24h > worker.token

    Parameters
    ----------
    label
        What it is called in the list, such as the machine's name.
    expires
        After how long it is worth nothing: 24h or 7d. Default: never.
    """
    life = hours(expires)
    body: Row = ({"label": label} if label else {}) | ({"expiresInHours": life} if life else {})
    with session(changing) as opened, _about():
        made: Row = opened.api.change("machine-tokens.create", body, what="token")
        opened.sent()
        shown_once(opened, made, name=str(made["id"]), text=f"Made token {made['id']}.")
        address = str(made.get("serverUrl") or opened.api.profile.url)
        opened.terminal.say(f"On the machine, with the token in a file there:\n  {starting.line(address)}")
        if loopback(address):
            opened.terminal.say(
                f"Only this machine reaches {address}. For another one the server needs a public address "
                "(--public-url), or name one by which it is reached there."
            )


def ls(*, common: Common = COMMON) -> None:
    """List the tokens with what has become of each.

    qd machine token list
    """
    with session(common) as opened, _about():
        rows = _all(opened.api)
        if not rows and opened.terminal.format == "text":
            opened.terminal.say("There is no token yet.\nTry:   qd machine token create forge --expires 24h")
            return
        known: dict[str, str] = {}
        if any(row["machineId"] for row in rows):
            query = {"includeDecommissioned": True}
            known = {str(one["id"]): str(one["name"]) for one in opened.api.pages("machines.all", query, 1000)}
        cells = [
            [
                str(row["id"]),
                str(row["label"] or ""),
                opened.terminal.state(states.enrolment(str(row["status"]))),
                known.get(str(row["machineId"]), str(row["machineId"] or "")),
                tasks.local(row["expiresAt"]),
                str(row["createdByName"] or ""),
            ]
            for row in rows
        ]
        columns = ["ID", "TOKEN", "STATE", "MACHINE", "UNTIL", "MADE BY"]
        opened.terminal.table(rows, columns, cells, names=[str(row["id"]) for row in rows])


def show(name: str, /, *, common: Common = COMMON) -> None:
    """Show whether a token was used, and by which machine.

    qd machine token show forge

    Parameters
    ----------
    name
        Its label or number.
    """
    with session(common) as opened, _about():
        found = _find(opened.api, name)
        row: Row = opened.api.read("machine-tokens.status", tokenId=str(found["id"]))
        by = row.get("machine")
        used = f"   {opened.terminal.plain(by['name'])}  {by['id']}" if by else ""
        state = opened.terminal.state(states.enrolment(str(row["status"])))
        opened.terminal.answer(row, name=str(row["id"]), text=f"{row['id']}   {state}{used}")


def revoke(name: str, /, *, changing: Changing = CHANGING) -> None:
    """End a token. A machine that it has enrolled stays: qd machine decommission

    qd machine token revoke forge --yes

    Parameters
    ----------
    name
        Its label or number.
    """
    with session(changing) as opened, _about():
        found = _find(opened.api, name)
        label = f" ({found['name']})" if found["name"] else ""
        opened.terminal.confirm(f"Revoke token {found['id']}{label}?")
        answer: Row = opened.api.change("machine-tokens.revoke", tokenId=str(found["id"]))
        opened.done(answer, name=str(found["id"]), text=f"Token {found['id']} enrols nobody any more.")


def _all(api: Api) -> list[Row]:
    return api.pages("machine-tokens.list", {}, 1000)


def _find(api: Api, text: str) -> Row:
    """The one of this number or label; of several with one label that which can still be used."""
    rows = [{**row, "id": str(row["id"]), "name": str(row["label"] or "")} for row in _all(api)]
    found = names.pick([row for row in rows if row["status"] == "unused"], text) or names.pick(rows, text)
    if found is None:
        raise names.missing("token", text, [row["name"] for row in rows if row["name"]], "qd machine token list")
    return found


for _command in (create, show, revoke):
    token.command(_command)
token.command(ls, name="list")
machine.command(token)
