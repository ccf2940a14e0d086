"""What has to be so before a server stands beside another one. Nothing here changes the database."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.kernel.db import Database
from quarterdeck.kernel.db.migrate import current, is_newest
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.presence import presence
from quarterdeck.kernel.settings import Settings
from quarterdeck.kernel.vault.vault import Vault

EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - compared, not listened on
KEYS = {"master_key_missing", "data_key_unreadable"}


def require_schema(address: str) -> None:
    """Only who works on the database migrates it. Raises `Conflict`: `no_server_to_stand_beside` for a database that
    nobody has worked on yet, `schema_older_than_program`, `schema_newer_than_program`.
    """
    here = current(address)
    if here is None:
        raise nobody("Nothing is in the database yet.")
    if not is_newest(here):
        raise Conflict(
            f"The database is at schema {here}, which is older than this program's.",
            code="schema_older_than_program",
            hint="Bring the server that works on it to this release first: it migrates the database at its start.",
        )


def nobody(why: str) -> Conflict:
    return Conflict(
        why,
        code="no_server_to_stand_beside",
        hint="Start one server without --beside first, and make the first administrator there.",
    )


def unlock(vault: Vault, db: Database, key: Path) -> None:
    """`vault.unlock`, where the keys have to be those of the server that works. Raises `Conflict` that says which file
    to copy where, if they lie in one.
    """
    try:
        vault.unlock(db)
    except Conflict as problem:
        if problem.code not in KEYS or problem.details.get("backend", "local") != "local":
            raise
        working = next((one for one in db.read_sync(presence.there) if one.working), None)
        where = f" ({working.name})" if working is not None else ""
        raise Conflict(
            f"The master key {key} is not the one that the secrets in this database are sealed with.",
            code=problem.code,
            hint=f"All servers on a database need the same one: copy master.key from the data directory of the server "
            f"that works on it{where} to {key}, with mode 0600.",
        ) from None


def advertised(settings: Settings, host: str, port: int) -> str:
    """Where the other servers reach one that listens on a port; `host` is this machine's name."""
    if settings.advertised_url is not None:
        return settings.advertised_url
    name = host if settings.host in EVERYWHERE else settings.host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"
