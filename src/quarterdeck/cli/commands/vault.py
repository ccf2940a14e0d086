"""`quarterdeck vault`: how the data keys are wrapped, and other keys. The server may run meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from quarterdeck.cli.commands.maintenance import trail
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.options import Common
from quarterdeck.cli.terminal import Terminal

if TYPE_CHECKING:
    from quarterdeck.kernel.db import Database
    from quarterdeck.kernel.vault.vault import Vault
    from quarterdeck.kernel.vault.wrapping import Standing

vault = App(name="vault", help="See what opens the secrets, and change its keys.")


@contextmanager
def _opened(data_dir: Path | None, database_url: str | None, config: Path | None) -> Iterator[tuple[Vault, Database]]:
    """The vault of an installation that has secrets, locked still."""
    from quarterdeck.kernel.vault.choosing import vault_of
    from quarterdeck.kernel.vault.rows import data_keys

    with trail(data_dir, database_url, config, alone=False) as (settings, data, database):
        data.require_whole()
        if not database.read_sync(data_keys):
            raise Failure(
                f"Nothing was sealed in the installation of {data.path} yet.",
                exit=Exit.NOT_FOUND,
                code="database_missing",
                hint="Start the server once: it makes the first keys.",
            )
        yield vault_of(settings, data.master_key), database


def status(
    *,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """List the data keys, what each is wrapped by, and prove that all of them open.

    It ends with status 1 if one does not: secrets that are sealed with it could not be read after a restart.

    quarterdeck vault status --data-dir ./data
    quarterdeck vault status -o json

    Parameters
    ----------
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    """
    terminal = Terminal(common)
    with _opened(data_dir, database_url, config) as (opened, database):
        found = opened.standing(database)
        current = opened.backend
    items = [_facts(one) for one in found]
    elsewhere = sum(one.row.backend != current for one in found)
    terminal.table(
        items,
        ("data key", "backend", "master key", "made", "state"),
        [(one.row.id, one.row.backend, one.row.master_key_id, str(facts["createdAt"]), _state(one))
         for one, facts in zip(found, items, strict=True)],
        names=[one.row.id for one in found],
        document={"keyBackend": current, "elsewhere": elsewhere, "items": items},
    )  # fmt: skip
    if elsewhere:
        them = "1 data key is" if elsewhere == 1 else f"{elsewhere} data keys are"
        terminal.say(f"{them} not wrapped by {current}, which is configured. Next: quarterdeck vault rotate")
    wrong = [one.wrong for one in found if one.wrong is not None]
    if wrong:
        raise Failure(wrong[0].message, code=wrong[0].code, hint=wrong[0].hint)


def _facts(one: Standing) -> dict[str, object]:
    from quarterdeck.kernel.clock import wire_time

    return {
        "id": one.row.id,
        "backend": one.row.backend,
        "masterKeyId": one.row.master_key_id,
        "createdAt": wire_time(one.row.created_at),
        "active": one.row.active,
        "opens": one.wrong is None,
        "problem": None if one.wrong is None else one.wrong.code,
    }


def _state(one: Standing) -> str:
    if one.wrong is not None:
        return f"does not open: {one.wrong.code}"
    return "seals and opens" if one.row.active else "opens"


def rotate(
    *,
    keep_master_key: Annotated[bool, Parameter(negative="")] = False,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Wrap every data key anew, under a new master key of the key backend that is configured.

    Nothing that is sealed changes, and the server may run meanwhile. Where the data keys are wrapped by another backend
    than the one that is configured, this is what moves them. Cut off, it is run again: everything opens at any time.

    quarterdeck vault rotate --data-dir ./data
    quarterdeck vault rotate --keep-master-key

    Parameters
    ----------
    keep_master_key
        Make no new master key: only wrap under the newest one there is, because the operator of the backend rotates it.
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    """
    from quarterdeck.kernel.vault.rows import data_keys

    terminal = Terminal(common)
    with _opened(data_dir, database_url, config) as (opened, database):
        before = {row.backend for row in database.read_sync(data_keys)}
        count = opened.rotate(database, stage=not keep_master_key)
        backend, master = opened.backend, opened.master_key_id
    keys = "1 data key" if count == 1 else f"{count} data keys"
    text = f"Wrapped {keys} under {master} of the key backend {backend}."
    if backend == "local":
        text += "\nThe file master.key is another one now: keep a copy of it apart, and copy it to every server beside."
    elif "local" in before:
        text += "\nThe file master.key is not needed any more, but by backups that were made before."
    terminal.answer({"keyBackend": backend, "masterKeyId": master, "dataKeys": count}, name=master, text=text)


def renew(
    *,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Make a new data key, with which everything is sealed from now on. What is sealed still opens with the older ones.

    A server that runs takes it up within a minute.

    quarterdeck vault renew --data-dir ./data

    Parameters
    ----------
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    """
    terminal = Terminal(common)
    with _opened(data_dir, database_url, config) as (opened, database):
        key_id = opened.renew_data_key(database)
        backend, master = opened.backend, opened.master_key_id
    text = f"Made the data key {key_id}, wrapped under {master} of the key backend {backend}."
    terminal.answer({"dataKey": key_id, "keyBackend": backend, "masterKeyId": master}, name=key_id, text=text)


vault.command(status)
vault.command(rotate)
vault.command(renew)
