"""A command line in this process, with a home of its own, and an installation that answers it."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.contract_server import TOKEN, ContractServer
from cli.installation import Installation
from fakes import tasks_api
from fakes.tasks_api import TasksApi
from quarterdeck.cli.main import run as run_command
from quarterdeck.fleet.processes import accounts


@dataclass
class Result:
    code: int
    out: str
    err: str


def failed(result: Result, code: int, *parts: str) -> None:
    """Told in two lines: what happened to what, and something to do; lines of what was watched stand before."""
    assert result.code == code, result
    assert [line[:7] for line in result.err.splitlines() if not line.startswith("  ")] == ["Error: ", "Try:   "]
    for part in parts:
        assert part in result.err


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [*os.environ]:
        if (name.startswith("QUARTERDECK_") and name != accounts.VARIABLE) or name in {"NO_COLOR", "XDG_CONFIG_HOME"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def qd(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    def call(*words: str, stdin: str = "") -> Result:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = run_command(words)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ContractServer]:
    """Signed in by the environment. At the end nothing may have been asked or answered against the contract."""
    with ContractServer() as made:
        monkeypatch.setenv("QUARTERDECK_URL", made.url)
        monkeypatch.setenv("QUARTERDECK_TOKEN", TOKEN)
        yield made
        assert made.wrong == []


@pytest.fixture
def installation(server: ContractServer) -> Installation:
    return Installation(server)


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> Iterator[TasksApi]:
    """Signed in by the environment. At the end nothing may have been asked against the contract."""
    monkeypatch.setenv("TZ", "UTC")
    with TasksApi() as made:
        monkeypatch.setenv("QUARTERDECK_URL", made.url)
        monkeypatch.setenv("QUARTERDECK_TOKEN", tasks_api.TOKEN)
        yield made
        assert made.wrong == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    made.mkdir()
    (made / "index.html").write_text("hello")
    return made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries take no time."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
