"""An installation with something of everything in it, on either database, to be backed up and restored."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from quarterdeck.backups.restoring import Wanted
from quarterdeck.identity import setup
from quarterdeck.instance import Instance
from quarterdeck.kernel import audit, events, jobs
from quarterdeck.kernel.clock import SystemClock
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.logs import Line
from quarterdeck.kernel.settings_reading import load
from support.databases import empty_database, fresh_database

SECRET = "the launch code is 0000"


class Numbered(msgspec.Struct):
    number: int = 0


for _kind in ("thing.do", "twin.left", "twin.right"):
    jobs.kinds.register(jobs.JobKind(_kind, Numbered))


class Marked(audit.Action):
    SEEN = "backup-test.seen"


@dataclass
class House:
    """`url` is PostgreSQL's address, None for SQLite in the directory; `fresh` an empty database of the same kind."""

    directory: Path
    url: str | None
    fresh: str | None
    sealed: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    """More settings: those of a key backend."""

    @property
    def data(self) -> DataDirectory:
        return DataDirectory.open(self.directory)

    @property
    def address(self) -> str | Path:
        return self.url or self.directory / "quarterdeck.db"

    def wanted(self, **more: Any) -> Wanted:
        return Wanted(address=self.fresh, **more)

    @contextlib.contextmanager
    def opened(self, *, restored: bool = False) -> Iterator[Instance]:
        settings = load(
            {
                "data_dir": self.directory,
                "no_edge": True,
                "port": 0,
                "database_url": self.fresh if restored else self.url,
                **self.settings,
            }
        )
        instance = Instance.open(settings)
        try:
            yield instance
        finally:
            instance.close_sync()

    def rows(self, *, restored: bool = False) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, but for order."""
        url = self.fresh if restored else self.url
        if url:
            with psycopg.connect(url) as connection:
                query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                names = [row[0] for row in connection.execute(query)]
                return {
                    name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'.encode()))) for name in names
                }
        found: dict[str, list[tuple[Any, ...]]] = {}
        for file in ("quarterdeck.db", "logs.db"):
            with contextlib.closing(sqlite3.connect(self.directory / file)) as connection:
                names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
                found |= {
                    f"{file}:{name}": sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in names
                }
        return found

    def wipe(self) -> Path:
        """Lose the data directory, as a machine that burns; only the key was kept apart. Answers where it is."""
        apart = self.directory.parent / "apart.key"
        shutil.copy(self.directory / "master.key", apart)
        shutil.rmtree(self.directory)
        return apart


@pytest.fixture
def house(database_kind, tmp_path, request) -> Iterator[House]:
    server = request.getfixturevalue("postgresql") if database_kind == "postgresql" else None
    with contextlib.ExitStack() as undo:
        url = fresh = None
        if server:
            url = str(undo.enter_context(fresh_database(database_kind, tmp_path, server)))
            fresh = str(undo.enter_context(empty_database(database_kind, tmp_path, server)))
        made = House(tmp_path / "data", url, fresh)
        furnish(made)
        yield made


def furnish(house: House) -> None:
    with house.opened() as instance:

        def fill(tx: Any) -> str:
            user, organization = setup.create_first_administrator(
                tx, instance.access, email="ada@example.com", username=None, display_name="Ada L\\N", password_hash="x"
            )
            for number in range(5):
                audit.record(tx, Marked.SEEN, resource_type="thing", resource_id=f"thing_{number}")
                events.append(tx, "thing:1", "thing-seen", {"text": f"line\nbreak\t\\ {number} \\N ü"})
                jobs.enqueue(tx, jobs.Enqueue("thing.do", Numbered(number), organization.id))
            return tx.vault.seal("things", user.uid, "code", SECRET) + " " + user.uid

        house.sealed = instance.db.write_sync(fill)
        line = Line(SystemClock().now(), "application", "stdout", None, "info", "said\tsomething")
        asyncio.run(instance.logs.store("runtime:res_1", [line] * 3))
    release = house.directory / "runtime" / "releases" / "unneeded"
    release.mkdir(parents=True)
    (release / "file").write_text("nobody asks it back")


def opens(instance: Instance, house: House) -> str:
    sealed, uid = house.sealed.split()
    return instance.vault.open("things", uid, "code", sealed).reveal()
