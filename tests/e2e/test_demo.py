"""What a newcomer types first: it ends with an address that answers, and a second run finds it again."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from e2e.server import environment

pytestmark = [pytest.mark.edge, pytest.mark.root]
PROGRAM = Path(__file__).resolve().parents[2] / "script" / "demonstration.py"
DEMO_SECONDS = 180


def stop(home: Path) -> int:
    return subprocess.run(
        [sys.executable, str(PROGRAM), "--stop"],
        env=environment(None, QUARTERDECK_DEMO=str(home)), check=False, timeout=60,
    ).returncode  # fmt: skip


@pytest.fixture
def home() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="qd-demo-"))
    made.chmod(0o711)
    yield made
    assert stop(made) == 0
    shutil.rmtree(made, ignore_errors=True)


@contextlib.contextmanager
def demo(home: Path, end: signal.Signals = signal.SIGINT) -> Iterator[dict[str, str]]:
    """The demo until it has told its addresses; ended as Ctrl-C ends it, unless it has ended meanwhile."""
    log = home / "said"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=environment(None, QUARTERDECK_DEMO=str(home)),
        )  # fmt: skip
    try:
        deadline = time.monotonic() + DEMO_SECONDS
        while "Ctrl-C" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        told = dict(re.findall(r"^  (Application|Console|Login) +(.+)$", log.read_text(), re.MULTILINE))
        yield told | {"all": log.read_text()}
    finally:
        process.send_signal(end)
        assert process.wait(60) == 0, log.read_text()


def visit(url: str) -> str:
    parts = urlsplit(url)
    address = f"http://127.0.0.1:{parts.port}/"
    answer = httpx.get(address, headers={"Host": parts.hostname or ""}, trust_env=False, timeout=10)
    assert answer.status_code == 200
    return answer.text


def test_the_demo_deploys_once_and_finds_its_data_again(home: Path) -> None:
    with demo(home) as first:
        assert visit(first["Application"]) == "flask 1\n"
        assert httpx.get(first["Console"], trust_env=False, follow_redirects=True).status_code == 200
        email, password = first["Login"].split()
        origin = first["Console"].removesuffix("/console/")
        answer = httpx.post(f"{origin}/api/auth/login", json={"email": email, "password": password}, trust_env=False)
        assert answer.status_code == 200
        assert stat.S_IMODE((home / "demo.json").stat().st_mode) == 0o600
    assert visit(first["Application"]) == "flask 1\n"
    with demo(home) as second:
        assert "deploying" not in second["all"]
        assert (second["Application"], second["Login"]) == (first["Application"], first["Login"])
        assert visit(second["Application"]) == "flask 1\n"
        assert stop(home) == 0, "it ends a server that runs, too"
        with pytest.raises(httpx.HTTPError):
            visit(second["Application"])
    with demo(home) as third:
        assert "deploying" not in third["all"], "the server starts again what ran"
        assert third["Application"] == second["Application"]
        assert visit(third["Application"]) == "flask 1\n"
    assert (home / "repository" / ".git").is_dir()


def test_a_second_demo_tells_of_the_first_and_changes_nothing(home: Path) -> None:
    with demo(home) as first:
        state = (home / "demo.json").read_text()
        again = subprocess.run(
            [sys.executable, str(PROGRAM)], env=environment(None, QUARTERDECK_DEMO=str(home)),
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert again.returncode == 0
        assert "already running" in again.stdout
        assert first["Console"] in again.stdout
        assert first["Login"] in again.stdout
        assert (home / "demo.json").read_text() == state


def test_the_demo_takes_its_server_along_when_its_terminal_closes(home: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what a run under nohup ignores, its programs would too
    try:
        with demo(home, end=signal.SIGHUP) as first:
            console = first["Console"]
    finally:
        signal.signal(signal.SIGHUP, before)
    with pytest.raises(httpx.HTTPError):
        httpx.get(console, trust_env=False)


def test_an_interrupted_demo_ends_quietly_and_the_next_one_gets_to_its_end(home: Path) -> None:
    log = home / "interrupted"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=environment(None, QUARTERDECK_DEMO=str(home)), process_group=0,
        )  # fmt: skip
    deadline = time.monotonic() + DEMO_SECONDS
    while "package" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.wait(60) == 0, log.read_text()
    said = log.read_text()
    assert "stopping the server" in said
    assert "Traceback" not in said
    assert "qd attach" not in said
    with demo(home) as second:
        assert visit(second["Application"]) == "flask 1\n"
