"""`quarterdeck admin`: what the operator of the machine does to people, with the server stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from quarterdeck.cli.commands.backup import one_from_stdin, read_secret
from quarterdeck.cli.commands.maintenance import stores
from quarterdeck.cli.options import Common
from quarterdeck.cli.terminal import Terminal

if TYPE_CHECKING:
    from quarterdeck.kernel.db import Database

admin = App(name="admin", help="Help people in, with the server stopped.")


@contextlib.contextmanager
def _database(data_dir: Path | None, database_url: str | None, config: Path | None) -> Iterator[Database]:
    """The installation's database, this program's alone. Raises `Conflict` while a server runs on it."""
    from quarterdeck.kernel.db import migrate as schema
    from quarterdeck.kernel.db import open_database
    from quarterdeck.kernel.errors import Conflict

    _, data, address = stores(data_dir, database_url, config)
    data.lock()
    try:
        data.require_whole()
        if schema.pending(address):
            raise Conflict(
                "The database has not this program's schema yet.",
                code="schema_older_than_program",
                hint="quarterdeck migrate",
            )
        database = open_database(address)
        try:
            yield database
        finally:
            database.close_sync()
    finally:
        data.release()


def reset_password(
    name: str,
    *,
    password: str | None = None,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Give a user another password, with the server stopped. All their sessions end.

    Without --password one is drawn and printed this once.

    quarterdeck admin reset-password ada
    quarterdeck admin reset-password ada@example.com --password - < password.txt

    Parameters
    ----------
    name
        The user name or e-mail address.
    password
        The new password: @FILE that holds it, or - to read it from stdin.
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    """
    from quarterdeck.identity import administration, passwords
    from quarterdeck.kernel.ids import Ids
    from quarterdeck.kernel.vault import Secret

    one_from_stdin("admin reset-password", password, database_url)
    terminal = Terminal(common)
    given = read_secret("--password", password)
    chosen = given or Secret("-".join(Ids().text(6) for _ in range(4)))
    passwords.check_new(chosen)
    with _database(data_dir, database_url, config) as database:
        user, ended = database.write_sync(administration.reset_password, name, passwords.hashed(chosen))
        shown = user.username
    facts: dict[str, object] = {"username": shown, "sessionsEnded": ended}
    text = f"{shown} has another password; {ended} sessions have ended."
    if given is None:
        facts["password"] = chosen.reveal()
        text += f"\nPassword: {chosen.reveal()}"
    terminal.answer(facts, name=shown, text=text)


def grant(
    name: str,
    role: str = "organization:owner",
    *,
    data_dir: Path | None = None,
    database_url: str | None = None,
    config: Path | None = None,
    common: Common = Common(),
) -> None:
    """Give a user a role, with the server stopped; without a role, that of an owner.

    quarterdeck admin grant ada
    quarterdeck admin grant ada organization:admin

    Parameters
    ----------
    name
        The user name or e-mail address.
    role
        FAMILY:ROLE, such as organization:owner or runbooks:super-admin.
    data_dir
        The data directory, as for serve.
    database_url
        The PostgreSQL database, as for serve: @FILE that holds postgresql://…, or - to read it from stdin.
    config
        The TOML file, as for serve.
    """
    from quarterdeck.access import Access
    from quarterdeck.identity import administration

    terminal = Terminal(common)
    with _database(data_dir, database_url, config) as database:
        shown = database.write_sync(administration.grant, Access(), name, role).username
    terminal.answer({"username": shown, "role": role}, name=shown, text=f"{shown} is {role}.")


admin.command(reset_password)
admin.command(grant)
