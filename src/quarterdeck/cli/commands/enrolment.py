"""`quarterdeck enrol`: which workers may dial in, with the server stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Common
from quarterdeck.cli.terminal import Terminal

if TYPE_CHECKING:
    from quarterdeck.kernel.db import Database


@contextlib.contextmanager
def _organization(data_dir: Path | None, config: Path | None) -> Iterator[tuple[Database, int]]:
    """The database, and the organization that workers are enrolled for. Raises `Conflict` while a server runs on it."""
    from quarterdeck.identity import setup
    from quarterdeck.instance import Instance
    from quarterdeck.kernel import telemetry
    from quarterdeck.kernel.settings import load

    telemetry.configure("warning")  # records go to stderr: stdout is the token
    instance = Instance.open(load({"data_dir": data_dir}, config=config))
    try:
        yield instance.db, instance.db.write_sync(setup.default_organization).id
    finally:
        instance.close_sync()


def enrol(
    name: str | None = None,
    *,
    capability: str = "deploy,local",
    listed: Annotated[bool, Parameter(name="--list", negative="")] = False,
    revoke: str | None = None,
    data_dir: Path | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Make a worker known, with the server stopped, and print its token this once. Or list workers, or revoke one.

    A revoked worker is refused for ever, and ends when it is told so; what it was doing goes to another one.

    quarterdeck enrol builder-1 --data-dir ./data > worker.token
    quarterdeck enrol builder-1 --capability deploy
    quarterdeck enrol --list
    quarterdeck enrol --revoke 0198c0ffee

    Parameters
    ----------
    name
        What the worker is called.
    capability
        What it may do, separated by commas. With `local` it also works for servers that are its own machine: the
        first machine that uses the token.
    listed
        Show the workers that were enrolled, the revoked ones too.
    revoke
        The id of the worker whose token is to be worth nothing any more.
    data_dir
        The data directory, as for serve.
    config
        The TOML file, as for serve.
    """
    if sum((name is not None, listed, revoke is not None)) != 1:
        raise usage("Give the name of a new worker, or --list, or --revoke.", "quarterdeck enrol builder-1")
    terminal = Terminal(common)
    if listed:
        _list(terminal, data_dir, config)
    elif revoke is not None:
        _revoke(terminal, revoke, data_dir, config)
    else:
        _enrol(terminal, str(name), capability, data_dir, config)


def _enrol(terminal: Terminal, name: str, capability: str, data_dir: Path | None, config: Path | None) -> None:
    capabilities = [part.strip() for part in capability.split(",") if part.strip()]
    if not capabilities:
        raise usage("A worker needs a capability.", "--capability deploy,local")

    from quarterdeck.fleet.workers import enrolment

    with _organization(data_dir, config) as (db, organization_id):
        worker, token = db.write_sync(enrolment.enrol, organization_id, name, capabilities)
    value = token.reveal()
    terminal.answer(
        {"workerId": worker.uid, "name": name, "capabilities": capabilities, "token": value}, name=value, text=value
    )


def _list(terminal: Terminal, data_dir: Path | None, config: Path | None) -> None:
    from quarterdeck.fleet.workers import enrolment
    from quarterdeck.kernel.clock import wire_time

    with _organization(data_dir, config) as (db, organization_id):
        workers = db.read_sync(enrolment.all_of, organization_id)
    items = [
        {
            "workerId": one.uid,
            "name": one.name,
            "capabilities": one.capabilities,
            "enrolledAt": wire_time(one.created_at),
            "lastSeenAt": wire_time(one.last_seen_at) if one.last_seen_at else None,
            "revokedAt": wire_time(one.revoked_at) if one.revoked_at else None,
        }
        for one in workers
    ]
    rows = [
        (
            str(one["workerId"]),
            str(one["name"]),
            ",".join(worker.capabilities),
            str(one["lastSeenAt"] or "never"),
            f"revoked {one['revokedAt']}" if one["revokedAt"] else "holds",
        )
        for one, worker in zip(items, workers, strict=True)
    ]
    terminal.table(
        items, ("id", "name", "capabilities", "last seen", "token"), rows, names=[worker.uid for worker in workers]
    )


def _revoke(terminal: Terminal, uid: str, data_dir: Path | None, config: Path | None) -> None:
    from quarterdeck.fleet.workers import enrolment
    from quarterdeck.fleet.workers.model import Worker
    from quarterdeck.kernel.db import Tx

    def verb(tx: Tx, organization_id: int) -> Worker:
        return enrolment.revoke(tx, enrolment.find(tx, organization_id, uid).id)

    with _organization(data_dir, config) as (db, organization_id):
        worker = db.write_sync(verb, organization_id)
    terminal.answer(
        {"workerId": worker.uid, "name": worker.name, "revoked": True},
        name=worker.uid,
        text=f"{worker.name} is revoked: its token is worth nothing any more.",
    )
