"""What works on the data directory itself: `migrate`, `audit verify`, `audit heads`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from cyclopts import App

from quarterdeck.cli.commands.serve import database_address
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.options import Common
from quarterdeck.cli.terminal import Terminal

if TYPE_CHECKING:
    from quarterdeck.kernel.audit.verify import Head, Report
    from quarterdeck.kernel.datadir import DataDirectory
    from quarterdeck.kernel.db import Database
    from quarterdeck.kernel.instance import Identity
    from quarterdeck.kernel.settings import Settings

audit = App(name="audit", help="See, export, keep and prove what was done.")


def stores(
    data_dir: Path | None, database_url: str | None, config: Path | None
) -> tuple[Settings, DataDirectory, str | Path]:
    """The settings, the data directory that has to be there, and the address of the database; nothing is locked.

    Raises `Conflict` (`database_not_named`) where a server has noted another kind of database than is meant.
    """
    from quarterdeck.kernel import kept_in
    from quarterdeck.kernel.datadir import DataDirectory
    from quarterdeck.kernel.settings_reading import load

    settings = load({"data_dir": data_dir, "database_url": database_address(database_url)}, config=config)
    if not settings.data_dir.is_dir():
        raise Failure(
            f"There is no data directory {settings.data_dir}.",
            exit=Exit.NOT_FOUND,
            code="data_directory_missing",
            hint="Name it with --data-dir.",
        )
    data = DataDirectory.open(settings.data_dir)
    address = settings.database_url.reveal() if settings.database_url else data.database
    kept_in.require_told(data, address)
    return settings, data, address


def _open(data_dir: Path | None, database_url: str | None, config: Path | None) -> tuple[DataDirectory, str | Path]:
    """The locked data directory and the address of the database. Raises `Conflict` while a server runs on it."""
    _, data, address = stores(data_dir, database_url, config)
    data.lock()
    return data, address


@contextmanager
def trail(
    data_dir: Path | None, database_url: str | None, config: Path | None, *, alone: bool
) -> Iterator[tuple[Settings, DataDirectory, Database]]:
    """The database of an installation, with its schema as this program knows it; nothing is made where there is none.
    `alone` while no server runs on it.
    """
    from quarterdeck.kernel.db import migrate as schema
    from quarterdeck.kernel.db import open_database
    from quarterdeck.kernel.errors import Conflict

    settings, data, address = stores(data_dir, database_url, config)
    if isinstance(address, Path) and not address.is_file():
        raise _missing(f"There is no database in {settings.data_dir}")
    if alone:
        try:
            data.lock()
        except Conflict as problem:
            raise Failure(
                problem.message,
                exit=Exit.CONFLICT,
                code=problem.code,
                hint=f"{problem.hint} While the server runs, the console proves the trail: Audit, Verify now.",
            ) from None
    try:
        if schema.current(address) is None:
            raise _missing(f"The database of {settings.data_dir} is empty")
        waiting = schema.pending(address)
        if waiting:
            raise Failure(
                f"The database of {settings.data_dir} is not as this program needs it: pending migrations: "
                f"{', '.join(waiting)}.",
                exit=Exit.CONFLICT,
                code="schema_older_than_program",
                hint=f"With the server stopped: quarterdeck migrate --data-dir {quote(str(settings.data_dir))}",
            )
        database = open_database(address)
        try:
            yield settings, data, database
        finally:
            database.close_sync()
    finally:
        if alone:
            data.release()


def _missing(what: str) -> Failure:
    return Failure(
        f"{what}: no server was ever started on it, or somebody has removed what was there.",
        exit=Exit.NOT_FOUND,
        code="database_missing",
        hint="Name the data directory of the server with --data-dir. If this is it, restore a backup.",
    )


def _identity(settings: Settings, data: DataDirectory, database: Database) -> Identity:
    """Who the installation is, with its key; nobody is made where there is none."""
    from quarterdeck.kernel.instance import identity
    from quarterdeck.kernel.instance.model import Instance
    from quarterdeck.kernel.vault.choosing import vault_of

    if database.read_sync(lambda tx: tx.get(Instance, 1)) is None:
        raise _missing(f"The database of {data.path} belongs to no installation")
    vault = vault_of(settings, data.master_key)
    database.vault = vault
    vault.unlock(database)
    return database.write_sync(identity)


def migrate(
    *,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    plan: bool = False,
    common: Common = Common(),
) -> None:
    """Bring the database to this program's schema, with the server stopped. `serve` does the same at its start.

    quarterdeck migrate --data-dir ./data
    quarterdeck migrate --plan

    Parameters
    ----------
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    plan
        Only say what would be applied.
    """
    from quarterdeck.kernel.db import migrate as schema

    terminal = Terminal(common)
    data, address = _open(data_dir, database_url, config)
    try:
        revisions = schema.pending(address) if plan else schema.migrate(address)
    finally:
        data.release()
    if revisions:
        text = ("Would apply " if plan else "Applied ") + ", ".join(revisions) + "."
    else:
        text = "The database has this program's schema."
    terminal.answer({"pending" if plan else "applied": revisions}, name="\n".join(revisions), text=text)


def verify(
    *,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    heads: Path | None = None,
    anchors: Path | None = None,
    common: Common = Common(),
) -> None:
    """Prove that no audit event was changed, removed or slipped in, with the server stopped.

    A trail that was emptied, cut or made anew holds in itself: only the ends of its chains, signed by qd audit heads
    and kept elsewhere, prove that it is still the one. The answer also says how many events were pruned, and by how
    many prunings that stand in the trail.

    quarterdeck audit verify --data-dir ./data
    quarterdeck audit verify --data-dir ./data --heads heads.json

    Parameters
    ----------
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    heads
        What qd audit heads wrote: its signature has to be this installation's, and its chain ends still there.
    anchors
        An earlier answer of this command (-o json), which is not signed; its chain ends must still be there.
    """
    import msgspec

    from quarterdeck.kernel.audit import heads as ends
    from quarterdeck.kernel.audit.verify import verify as prove

    if heads is not None and anchors is not None:
        raise usage("--heads and --anchors exclude each other.", "quarterdeck audit verify --help")
    known = None if anchors is None else _anchors(anchors)
    signed = None if heads is None else _read(heads)
    said = ""
    with trail(data_dir, database_url, config, alone=True) as (settings, data, database):
        if heads is not None and signed is not None:
            who = _identity(settings, data, database)
            kept = ends.opened(signed, who.uid, who.key, file=str(heads))
            known, said = dict(kept.heads), f" It goes on from the ends that were signed at {kept.read_at}."
        report = database.read_sync(prove, known)
    facts = msgspec.to_builtins(report, str_keys=True)
    terminal = Terminal(common)
    if report.ok:
        terminal.answer({"ok": True, **facts}, name="ok", text=_whole(report) + said)
        return
    for finding in report.findings:
        terminal.say(f"  {finding.kind}: {finding.message}")
    raise Failure(
        f"The audit trail is not whole: {counted(len(report.findings))}.",
        code="audit_trail_broken",
        hint="Keep a copy of the data directory before anything else is done.",
        facts={"ok": False, **facts},
    )


def counted(findings: int) -> str:
    return "1 finding" if findings == 1 else f"{findings} findings"


def _anchors(file: Path) -> dict[int, Head]:
    import msgspec

    from quarterdeck.kernel.audit.verify import Head

    try:
        given = json.loads(_read(file))["heads"]
        return {int(key): msgspec.convert(value, Head) for key, value in given.items()}
    except (ValueError, KeyError, TypeError, AttributeError, msgspec.ValidationError):
        raise usage(
            f"{file} holds no chain ends.", "Give what qd audit verify -o json has answered, or qd audit heads: --heads"
        ) from None


def _read(file: Path) -> bytes:
    try:
        return file.expanduser().read_bytes()
    except OSError as error:
        raise usage(f"{file} cannot be read ({error.strerror}).", "Check the path.") from None


def heads(
    *,
    to: Path | None = None,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Write the ends of the audit trail's chains, signed by this installation, to be kept on another machine.

    The server may run meanwhile. Later, qd audit verify --heads FILE finds a trail that was emptied, cut or made anew.

    quarterdeck audit heads --data-dir ./data > heads.json
    quarterdeck audit heads --data-dir ./data --to heads-2026-05-31.json

    Parameters
    ----------
    to
        A file that is not there yet; without it, standard output.
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    """
    import msgspec

    from quarterdeck.kernel.audit import heads as ends

    with trail(data_dir, database_url, config, alone=False) as (settings, data, database):
        who = _identity(settings, data, database)
        signed = database.read_sync(ends.sign, who.uid, who.key)
    document = (
        msgspec.json.format(msgspec.json.encode(msgspec.to_builtins(signed, str_keys=True)), indent=2).decode() + "\n"
    )
    terminal = Terminal(common)
    if to is None:
        terminal.out.write(document)
    else:
        new_file(to, document)
    chains = "1 chain" if len(signed.heads) == 1 else f"{len(signed.heads)} chains"
    terminal.say(f"Signed the ends of {chains} with the key {ends.fingerprint(signed.public_key)}.")


def new_file(file: Path, text: str) -> None:
    """A file that only its owner reads, and that was not there before."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise Failure(f"{file} is there already.", code="file_exists", hint="Name another file.") from None
    except OSError as error:
        raise usage(
            f"{file} cannot be written ({error.strerror}).", "Name a file in a directory that is there."
        ) from None


def _whole(report: Report) -> str:
    gone = f"{report.pruned} of them pruned (audit.pruned: {report.prunings})" if report.pruned else "none pruned"
    return f"The audit trail is whole. Sealed events: {report.sealed}, {gone}."


audit.command(verify)
audit.command(heads)
