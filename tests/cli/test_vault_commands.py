"""`qd vault`: how data keys are wrapped, other keys for them, with the server running or not, and a power failure."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Result, failed
from cli.test_audit_heads import installed
from fakes.transit_server import OPERATOR, Key, transit_server
from quarterdeck.kernel.datadir import DataDirectory

Command = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return installed(tmp_path / "data")


@pytest.fixture
def transit(monkeypatch: pytest.MonkeyPatch):
    with transit_server() as found:
        monkeypatch.setenv("QUARTERDECK_KEY_BACKEND", "transit")
        monkeypatch.setenv("QUARTERDECK_TRANSIT_ADDRESS", found.url)
        monkeypatch.setenv("QUARTERDECK_TRANSIT_TOKEN", OPERATOR)
        yield found
        assert found.unknown == []


def told(qd: Command, *words: str) -> dict:
    result = qd(*words, "-o", "json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_keys_are_changed_while_the_server_has_the_directory(data: DataDirectory, qd: Command) -> None:
    places = ("--data-dir", str(data.path))
    before = data.master_key.read_text()
    data.lock()
    try:
        made = told(qd, "vault", "renew", *places)
        rotated = told(qd, "vault", "rotate", *places)
        status = told(qd, "vault", "status", *places)
    finally:
        data.release()
    assert data.master_key.read_text() != before
    assert (rotated["keyBackend"], rotated["dataKeys"]) == ("local", 2)
    assert [one["active"] for one in status["items"]] == [False, True]
    assert status["items"][1]["id"] == made["dataKey"]
    assert {one["masterKeyId"] for one in status["items"]} == {rotated["masterKeyId"]}
    assert qd("audit", "heads", *places).code == 0  # the installation's own key still opens
    assert "copy it to every server beside" in qd("vault", "rotate", *places).out


def test_the_way_to_another_backend_is_shown_and_proven(data: DataDirectory, qd: Command, transit) -> None:
    places = ("--data-dir", str(data.path))
    result = qd("vault", "status", *places)
    assert (result.code, "1 data key is not wrapped by transit" in result.err) == (0, True)
    result = qd("vault", "rotate", *places)
    assert (result.code, "transit/quarterdeck:v1" in result.out) == (0, True)
    assert "master.key is not needed any more" in result.out
    data.master_key.unlink()
    status = told(qd, "vault", "status", *places)
    assert (status["keyBackend"], status["elsewhere"]) == ("transit", 0)
    assert qd("audit", "heads", *places).code == 0


def test_what_does_not_open_ends_with_a_failure_that_says_what_to_do(data: DataDirectory, qd: Command, transit) -> None:
    places = ("--data-dir", str(data.path))
    assert qd("vault", "rotate", *places).code == 0
    transit.sealed = True
    result = qd("vault", "status", *places)
    assert (result.code, "does not open: key_backend_unavailable" in result.out) == (1, True)
    failed(qd("vault", "renew", *places), 1, "does not answer", "unsealed")
    transit.sealed = False
    transit.keys["transit/quarterdeck"] = Key()
    failed(qd("vault", "rotate", *places), 6, "does not open with the master key transit/quarterdeck:v1")
    assert OPERATOR not in result.out + result.err


def test_where_nothing_was_sealed_nothing_is_made(tmp_path: Path, qd: Command) -> None:
    from quarterdeck.kernel.db.migrate import migrate

    data = DataDirectory.open(tmp_path / "data")
    migrate(data.database)
    failed(qd("vault", "rotate", "--data-dir", str(data.path)), 5, "Nothing was sealed", "Start the server once")
    assert not data.master_key.exists()


@pytest.mark.parametrize("at", ["vault.staged", "vault.rewrapped", "vault.rewrapped.committed"])
@pytest.mark.usefixtures("transit")
def test_a_power_failure_during_a_rotation_loses_nothing(data, qd, monkeypatch, tmp_path, at) -> None:
    monkeypatch.setenv("QUARTERDECK_KEY_BACKEND", "local")
    places = ("--data-dir", str(data.path))
    cord = tmp_path / "cord"
    cord.mkdir()
    (cord / "armed").write_text(f"{at} 1")
    words = [sys.executable, "-m", "quarterdeck.cli.main", "vault", "rotate", *places]
    killed = subprocess.run(words, env={**os.environ, "QUARTERDECK_FAULTS": str(cord)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [one["opens"] for one in told(qd, "vault", "status", *places)["items"]] == [True]
    assert len(data.master_key.read_text().splitlines()) == 2
    assert qd("audit", "heads", *places).code == 0
    assert told(qd, "vault", "rotate", *places)["dataKeys"] == 1
    assert len(data.master_key.read_text().splitlines()) == 1
    assert qd("audit", "heads", *places).code == 0
