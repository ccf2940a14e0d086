"""An installation on PostgreSQL whose directory still has the SQLite file of the one before it: every command takes the
database that it is told of, and none takes that file where it is told of none.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backups.house import House, furnish
from maintenance.commands import typed
from quarterdeck.backups.archive import header
from quarterdeck.cli.main import run
from quarterdeck.instance import Instance
from quarterdeck.kernel import kept_in
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.settings_reading import load
from support.databases import empty_database, fresh_database

Command = Callable[..., tuple[int, dict[str, Any]]]
PASSWORD = "secret7Qx"


@pytest.fixture
def house(postgresql: str, tmp_path: Path) -> Iterator[House]:
    with (
        fresh_database("postgresql", tmp_path, postgresql) as url,
        empty_database("postgresql", tmp_path, postgresql) as fresh,
    ):
        address = str(url).replace("quarterdeck@", f"quarterdeck:{PASSWORD}@")
        made = House(tmp_path / "data", address, str(fresh))
        furnish(made)
        before = House(tmp_path / "before", None, None)
        with before.opened():
            pass
        shutil.copy(before.directory / "quarterdeck.db", made.directory)
        (tmp_path / "database").write_text(address)
        yield made


@pytest.fixture
def at(house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    for name in ("DATABASE_URL", "DATA_DIR", "CONFIG"):
        monkeypatch.delenv(f"QUARTERDECK_{name}", raising=False)

    def call(*words: str, given: str = "") -> tuple[int, dict[str, Any]]:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        capsys.readouterr()
        status = run(("-o", "json", *words, "--data-dir", str(house.directory)))
        return status, json.loads(capsys.readouterr().out or "{}")

    return call


def commands(place: Path) -> list[tuple[str, ...]]:
    return [
        ("backup", str(place / "kept.tar.gz")),
        ("migrate",),
        ("audit", "verify"),
        ("audit", "heads"),
        ("admin", "reset-password", "ada"),
        ("admin", "grant", "ada"),
        ("doctor", "--bundle", str(place / "bundle.tar.gz")),
    ]


def test_a_command_that_is_told_of_no_database_takes_no_file_that_sqlite_left(house: House, tmp_path: Path, at) -> None:
    left = (house.directory / "quarterdeck.db").read_bytes()
    told = [at(*words) for words in commands(tmp_path)]
    for status, answer in told:
        assert (status, answer["error"]["code"]) == (6, "database_not_named"), answer
    refused = told[0][1]["error"]
    name = str(house.url).rsplit("/", 1)[1]
    assert f"{house.directory} is kept in PostgreSQL (the database {name} on 127.0.0.1:" in refused["message"]
    assert "quarterdeck.db is not the installation" in refused["message"]
    assert "--database-url @FILE" in refused["hint"]
    with pytest.raises(Problem) as raised:
        Instance.open(load({"data_dir": house.directory, "no_edge": True, "port": 0}))
    assert raised.value.code == "database_not_named"
    assert (house.directory / "quarterdeck.db").read_bytes() == left
    assert not [*tmp_path.glob("*.tar.gz")]


def test_every_command_takes_the_database_that_it_is_told_of(house: House, tmp_path: Path, at) -> None:
    named = ("--database-url", f"@{tmp_path / 'database'}")
    for words in commands(tmp_path):
        status, answer = at(*words, *named)
        assert status == 0, (words, answer)
    status, answer = typed("enrol", "builder", "--data-dir", str(house.directory), *named)
    assert (status, bool(answer.get("token"))) == (0, True)
    assert at("audit", "verify", "--database-url", "-", given=f"{house.url}\n")[0] == 0
    made = header(tmp_path / "kept.tar.gz")
    assert made.database == "postgresql"
    with house.opened() as instance:
        assert made.instance == instance.uid


def test_the_note_holds_no_password_and_comes_back_with_a_restore(house: House, tmp_path: Path, at) -> None:
    noted = house.directory / kept_in.NAME
    said = json.loads(noted.read_text())
    assert (said.pop("port").isdigit(), said) == (
        True,
        {"kind": "postgresql", "host": "127.0.0.1", "name": str(house.url).rsplit("/", 1)[1]},
    )
    assert (PASSWORD in noted.read_text(), noted.stat().st_mode & 0o777) == (False, 0o600)
    kept, fresh = tmp_path / "kept.tar.gz", tmp_path / "fresh"
    assert at("backup", str(kept), "--database-url", f"@{tmp_path / 'database'}")[0] == 0
    key = house.wipe()
    fresh.write_text(str(house.fresh))
    assert at("restore", str(kept), "--key", str(key), "--database-url", f"@{fresh}")[0] == 0
    assert json.loads(noted.read_text())["name"] == str(house.fresh).rsplit("/", 1)[1]
    assert at("backup", str(tmp_path / "again.tar.gz"))[1]["error"]["code"] == "database_not_named"
    assert at("backup", str(tmp_path / "again.tar.gz"), "--database-url", f"@{fresh}")[0] == 0


def test_only_one_secret_comes_from_stdin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ("backup", str(tmp_path / "kept.tar.gz"), "--passphrase", "-"),
        ("admin", "reset-password", "ada", "--password", "-"),
        ("restore", str(tmp_path / "kept.tar.gz"), "--passphrase", "-"),
    ):
        assert run((*words, "--database-url", "-", "--data-dir", str(tmp_path / "data"))) == 2
        assert "Only one of them can be read from stdin." in capsys.readouterr().err


def test_sqlite_is_noted_and_needs_no_name(tmp_path: Path) -> None:
    made = House(tmp_path / "data", None, None)
    for _ in range(2):
        with made.opened():
            assert json.loads((made.directory / kept_in.NAME).read_text()) == {"kind": "sqlite"}
    # A note that says nothing keeps nobody out.
    (made.directory / kept_in.NAME).write_text("{")
    kept_in.require_told(made.data, made.data.database)
