"""What a newcomer types first: it ends with an address that answers, and a second run finds it again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from e2e.server import PROGRAM as QUARTERDECK
from e2e.server import environment
from quarterdeck.fleet.edge.ports import free_ports

pytestmark = [pytest.mark.edge, pytest.mark.root]
PROGRAM = Path(__file__).resolve().parents[2] / "script" / "demonstration.py"
DEMO_SECONDS = 180
PORTS = ("port", "edge_https_port", "edge_http_port")


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
def demo(home: Path, end: signal.Signals = signal.SIGINT, *, status: int = 0, **extra: str) -> Iterator[dict[str, str]]:
    """The demo until it has told its addresses; ended as Ctrl-C ends it, unless it has ended meanwhile."""
    log = home / "said"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)], stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=environment(None, QUARTERDECK_DEMO=str(home), **extra),
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
        if status:  # it ends by itself
            process.wait(60)
        process.send_signal(end)
        assert process.wait(60) == status, log.read_text()


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


def run(home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM)], env=environment(None, QUARTERDECK_DEMO=str(home)),
        capture_output=True, text=True, check=False, timeout=DEMO_SECONDS,
    )  # fmt: skip


def test_a_second_demo_tells_of_the_first_and_changes_nothing(home: Path) -> None:
    with demo(home) as first:
        state = (home / "demo.json").read_text()
        again = run(home)
        assert again.returncode == 0
        assert "already running" in again.stdout
        assert first["Console"] in again.stdout
        assert first["Login"] in again.stdout
        assert (home / "demo.json").read_text() == state
        assert "does not answer" not in again.stdout
        done = subprocess.run(
            [*QUARTERDECK, "stop", "hello", "--yes"], check=False, timeout=60,
            env=environment(None, XDG_CONFIG_HOME=str(home / "config")),
        )  # fmt: skip
        assert done.returncode == 0
        assert "the application does not answer through the demo's edge" in run(home).stdout


def test_the_demo_starts_when_its_password_is_no_longer_enough(home: Path) -> None:
    with demo(home) as first:
        kept = json.loads((home / "demo.json").read_text())
    (home / "demo.json").write_text(json.dumps(kept | {"password": "the-one-of-another-day"}))
    with demo(home) as second:
        assert visit(second["Application"]) == visit(first["Application"])
        assert "could not be signed in" not in second["all"], "the command line still is"
    shutil.rmtree(home / "config")
    with demo(home) as third:
        assert third["Application"] == first["Application"]
        assert f"XDG_CONFIG_HOME={home / 'config'}" in third["all"]
        assert f"qd login {first['Console'].removesuffix('/console/')} --username admin@demo.example" in third["all"]


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


def test_the_demo_says_who_answers_in_the_place_of_its_edge(home: Path) -> None:
    with demo(home) as first:
        port = urlsplit(first["Application"]).port
    assert stop(home) == 0
    with socket.create_server(("127.0.0.1", port or 0)):
        again = run(home)
    assert again.returncode == 1
    assert f"another program has port {port}" in again.stderr
    assert "Application " not in again.stdout
    with demo(home) as second:
        assert visit(second["Application"]) == "flask 1\n"


def test_a_taken_port_that_no_address_names_yet_is_changed(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        state = {"email": "admin@demo.example", "password": "a-long-password-for-it", "data": str(home / "data")}
        (home / "demo.json").write_text(
            json.dumps(state | dict(zip(PORTS, [*free_ports(2, "127.0.0.1"), port], strict=True)))
        )
        with demo(home) as first:
            assert visit(first["Application"]) == "flask 1\n"
            assert json.loads((home / "demo.json").read_text())["edge_http_port"] != port


def test_the_demo_says_that_its_server_was_killed(home: Path) -> None:
    with demo(home, status=1):
        os.kill(int((home / "data" / "lock").read_text().split()[0]), signal.SIGKILL)
    said = (home / "said").read_text()
    assert "the server was killed by signal 9" in said.splitlines()[-1]
    assert "script/demo" in said.splitlines()[-1]


@pytest.mark.engine
def test_an_engine_that_failed_once_is_tried_again_the_next_time(home: Path, docker_images: str) -> None:
    repository = home / "repository"
    framework(repository / "wheels")
    # In a container requirements.txt is copied first, alone, unless it refers to other files: the wheels are missing.
    (repository / "requirements.txt").write_text("--no-index\n--find-links wheels\nflask\n")
    (repository / "more.txt").touch()
    (repository / "app.py").write_text("app = None\n")
    git = ["git", "-C", str(repository), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run([*git, "init", "--quiet", "-b", "main"], check=True)
    commit(git)
    with demo(home, DOCKER_HOST=docker_images) as first:
        assert visit(first["Application"]) == "from a wheel"
        assert "as a container it failed: The deployment failed in package" in first["all"]
    (repository / "requirements.txt").write_text("--no-index\n--find-links wheels\nflask\n-r more.txt\n")
    commit(git)
    with demo(home, DOCKER_HOST=docker_images) as second:
        assert "last time the deployment as a container failed: The deployment failed in package" in second["all"]
        assert "trying it again with the Docker engine" in second["all"]
        assert "Runs as" not in second["all"]
        assert visit(second["Application"]) == "from a wheel"
        assert "engine_failed" not in (home / "demo.json").read_text()
    with demo(home, DOCKER_HOST=docker_images) as third:
        assert "deploying" not in third["all"]


def framework(directory: Path) -> None:
    """A wheel that pip installs without the Internet: enough of Flask to be started as it is."""
    server = (
        "import http.server, sys\n"
        "class Answer(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        "        self.end_headers()\n"
        "        self.wfile.write(b'from a wheel')\n"
        "host, port = (sys.argv[sys.argv.index(name) + 1] for name in ('--host', '--port'))\n"
        "http.server.ThreadingHTTPServer((host, int(port)), Answer).serve_forever()\n"
    )
    about = "flask-3.1.3.dist-info"
    files = {
        "flask/__init__.py": "",
        "flask/__main__.py": server,
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: flask\nVersion: 3.1.3\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"])
    directory.mkdir(parents=True)
    with zipfile.ZipFile(directory / "flask-3.1.3-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)


def commit(git: list[str]) -> None:
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "Change"], check=True)


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["--port", "1"], 2), (["--stop", "now"], 2)])
def test_the_demo_sets_nothing_up_to_say_how_it_is_used(tmp_path: Path, arguments: list[str], status: int) -> None:
    made = tmp_path / "made"
    said = subprocess.run(
        [str(PROGRAM.parent / "demo"), *arguments], capture_output=True, text=True, check=False, timeout=60,
        env=environment(None, QUARTERDECK_DEMO=str(made / "demo"), QUARTERDECK_VENV=str(made / "venv")),
    )  # fmt: skip
    assert said.returncode == status
    assert "Usage: script/demo [--stop]" in said.stdout + said.stderr
    assert not made.exists()
