"""`quarterdeck enrol`: which machines may become workers, with the server stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators

from quarterdeck.cli.commands.serve import database_address
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Common
from quarterdeck.cli.terminal import Terminal

if TYPE_CHECKING:
    from quarterdeck.kernel.db import Database
    from quarterdeck.kernel.settings import Settings


@contextlib.contextmanager
def _organization(settings: Settings) -> Iterator[tuple[Database, int]]:
    """The database, and the organization that workers are enrolled for. Raises `Conflict` while a server runs on it."""
    from quarterdeck.identity import setup
    from quarterdeck.instance import Instance
    from quarterdeck.kernel import telemetry

    telemetry.configure("warning")  # records go to stderr: stdout is the token
    instance = Instance.open(settings)
    try:
        yield instance.db, instance.db.write_sync(setup.default_organization).id
    finally:
        instance.close_sync()


def enrol(
    label: str | None = None,
    *,
    capability: str = "deploy,local",
    expires: Annotated[int | None, Parameter(validator=validators.Number(gte=1, lte=8760))] = None,
    listed: Annotated[bool, Parameter(name="--list", negative="")] = False,
    revoke: str | None = None,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Make a token that enrols one machine, with the server stopped, and print it this once. Or list, or revoke.

    A worker that is revoked is decommissioned: it is refused for ever, and ends when it is told so; what it was doing
    goes to another one. A token that is revoked enrols nobody.

    quarterdeck enrol builder-1 --data-dir ./data > worker.token
    quarterdeck enrol builder-1 --capability deploy,tasks --expires 24
    quarterdeck enrol --list
    quarterdeck enrol --revoke 0198c0ff-ee00-7000-8000-000000000000

    Parameters
    ----------
    label
        What the token is called in lists.
    capability
        What the worker may do, separated by commas. With `local` it also works for servers that are its own machine:
        the first machine that uses the token.
    expires
        After how many hours the token is worth nothing. Default: never.
    listed
        Show the workers that were enrolled, the revoked ones too, and the tokens that nobody has used.
    revoke
        The id of the worker that is to be sent away, or the number of a token.
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    """
    if sum((label is not None, listed, revoke is not None)) != 1:
        raise usage("Give a label for a new token, or --list, or --revoke.", "quarterdeck enrol builder-1")
    from quarterdeck.kernel.settings_reading import load

    terminal = Terminal(common)
    settings = load({"data_dir": data_dir, "database_url": database_address(database_url)}, config=config)
    if listed:
        _list(terminal, settings)
    elif revoke is not None:
        _revoke(terminal, settings, revoke)
    else:
        life = None if expires is None else timedelta(hours=expires)
        _enrol(terminal, settings, str(label), capability, life)


def _enrol(terminal: Terminal, settings: Settings, label: str, capability: str, life: timedelta | None) -> None:
    capabilities = [part.strip() for part in capability.split(",") if part.strip()]
    if not capabilities:
        raise usage("A worker needs a capability.", "--capability deploy,local")

    from quarterdeck.fleet.workers import enrolment

    with _organization(settings) as (db, organization_id):
        row, token = db.write_sync(
            lambda tx: enrolment.create(tx, organization_id, capabilities, label=label, life=life)
        )
    value = token.reveal()
    terminal.answer(
        {"tokenId": row.id, "label": row.label, "capabilities": capabilities, "token": value}, name=value, text=value
    )


def _list(terminal: Terminal, settings: Settings) -> None:
    from quarterdeck.fleet.workers import enrolment, roster
    from quarterdeck.kernel.clock import wire_time

    def stamp(moment: datetime | None) -> str | None:
        return None if moment is None else wire_time(moment)

    with _organization(settings) as (db, organization_id):
        workers = db.read_sync(roster.all_of, organization_id)
        unused = db.read_sync(enrolment.unused, organization_id)
    items: list[dict[str, object]] = [
        {
            "workerId": one.uid,
            "name": one.name,
            "capabilities": one.capabilities,
            "enrolledAt": stamp(one.created_at),
            "lastSeenAt": stamp(one.last_seen_at),
            "revokedAt": stamp(one.revoked_at),
        }
        for one in workers
    ]
    items += [
        {
            "tokenId": one.id,
            "label": one.label,
            "capabilities": one.capabilities,
            "createdAt": stamp(one.created_at),
            "expiresAt": stamp(one.expires_at),
        }
        for one in unused
    ]
    rows = [
        (
            one.uid,
            one.name,
            ",".join(one.capabilities),
            stamp(one.last_seen_at) or "never",
            f"revoked {stamp(one.revoked_at)}" if one.revoked_at else "enrolled",
        )
        for one in workers
    ]
    rows += [(str(one.id), one.label or "", ",".join(one.capabilities), "", "unused token") for one in unused]
    terminal.table(items, ("id", "name", "capabilities", "last seen", "state"), rows, names=[row[0] for row in rows])


def _revoke(terminal: Terminal, settings: Settings, which: str) -> None:
    from quarterdeck.fleet.workers import draining, enrolment, roster
    from quarterdeck.fleet.workers.model import EnrolmentToken, Worker
    from quarterdeck.kernel.db import Tx

    def verb(tx: Tx, organization_id: int) -> Worker | EnrolmentToken:
        if which.isascii() and which.isdigit() and len(which) <= 18:
            return enrolment.revoke(tx, organization_id, int(which))
        return draining.decommission(tx, roster.locked(tx, organization_id, which))

    with _organization(settings) as (db, organization_id):
        found = db.write_sync(verb, organization_id)
    if isinstance(found, Worker):
        told = {"workerId": found.uid, "name": found.name, "revoked": True}
        terminal.answer(told, name=found.uid, text=f"{found.name} is sent away: it is worth nothing any more.")
        return
    terminal.answer(
        {"tokenId": found.id, "label": found.label, "revoked": True},
        name=str(found.id),
        text=f"The token {found.id} is worth nothing any more.",
    )
