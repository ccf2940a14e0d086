"""What is done with the server stopped: `migrate`, `audit verify`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Common
from quarterdeck.cli.terminal import Terminal

if TYPE_CHECKING:
    from quarterdeck.kernel.audit.verify import Report
    from quarterdeck.kernel.datadir import DataDirectory
    from quarterdeck.kernel.settings import Settings

audit = App(name="audit", help="See, export, keep and prove what was done.")


def stores(data_dir: Path | None, config: Path | None) -> tuple[Settings, DataDirectory, str | Path]:
    """The settings, the data directory that has to be there, and the address of the database; nothing is locked."""
    from quarterdeck.kernel.datadir import DataDirectory
    from quarterdeck.kernel.settings import load

    settings = load({"data_dir": data_dir}, config=config)
    if not settings.data_dir.is_dir():
        raise Failure(
            f"There is no data directory {settings.data_dir}.",
            exit=Exit.NOT_FOUND,
            code="data_directory_missing",
            hint="Name it with --data-dir.",
        )
    data = DataDirectory.open(settings.data_dir)
    return settings, data, settings.database_url.reveal() if settings.database_url else data.database


def _open(data_dir: Path | None, config: Path | None) -> tuple[DataDirectory, str | Path]:
    """The locked data directory and the address of the database. Raises `Conflict` while a server runs on it."""
    _, data, address = stores(data_dir, config)
    data.lock()
    return data, address


def migrate(
    *,
    data_dir: Path | None = None,
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
    config
        The TOML file, as for serve.
    plan
        Only say what would be applied.
    """
    from quarterdeck.kernel.db import migrate as schema

    terminal = Terminal(common)
    data, address = _open(data_dir, config)
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
    config: Path | None = None,
    anchors: Path | None = None,
    common: Common = Common(),
) -> None:
    """Prove that no audit event was changed, removed or slipped in, with the server stopped.

    The answer names the end of each chain. Kept elsewhere, it proves later that the chain was not made anew. It also
    says how many events were pruned, and by how many prunings that stand in the trail.

    quarterdeck audit verify --data-dir ./data
    quarterdeck audit verify -o json > heads.json
    quarterdeck audit verify --anchors heads.json

    Parameters
    ----------
    data_dir
        The data directory, as for serve.
    config
        The TOML file, as for serve.
    anchors
        An earlier answer (-o json); its chain ends must still be there.
    """
    import msgspec

    from quarterdeck.kernel.audit.verify import Head
    from quarterdeck.kernel.audit.verify import verify as prove
    from quarterdeck.kernel.db import open_database

    known = None
    if anchors is not None:
        heads = json.loads(anchors.read_text(encoding="utf-8"))["heads"]
        known = {int(key): msgspec.convert(value, Head) for key, value in heads.items()}
    data, address = _open(data_dir, config)
    try:
        database = open_database(address)
        try:
            report = database.read_sync(prove, known)
        finally:
            database.close_sync()
    finally:
        data.release()
    facts = msgspec.to_builtins(report, str_keys=True)
    terminal = Terminal(common)
    if report.ok:
        terminal.answer({"ok": True, **facts}, name="ok", text=_whole(report))
        return
    for finding in report.findings:
        terminal.say(f"  {finding.kind}: {finding.message}")
    raise Failure(
        f"The audit trail is not whole: {len(report.findings)} findings.",
        code="audit_trail_broken",
        hint="Keep a copy of the data directory before anything else is done.",
        facts={"ok": False, **facts},
    )


def _whole(report: Report) -> str:
    gone = f"{report.pruned} of them pruned (audit.pruned: {report.prunings})" if report.pruned else "none pruned"
    return f"The audit trail is whole. Sealed events: {report.sealed}, {gone}."


audit.command(verify)
