"""The whole way with a real server, a real edge and a real application: two commands, then the everyday ones."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from cli.conftest import Result
from e2e.server import Deck, deck, environment
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.kernel import audit
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.db.migrate import migrate
from real.sshd import sshd

pytestmark = [pytest.mark.edge]
Command = Callable[..., Result]
PROGRAM = [sys.executable, "-m", "quarterdeck.cli.main"]
START = "python3 main.py"
PASSWORD = "correct-horse-battery"
APPLICATION = """
import http.server, os, sys
print("the shop is open", flush=True)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{version}")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that applications of other users may pass through, with a short name for the edge's sockets."""
    made = Path(tempfile.mkdtemp(prefix="qd-cli-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def bare(place: Path) -> Iterator[Deck]:
    """An installation on a machine without an engine."""
    with deck(place) as made:
        yield made


@pytest.fixture
def signed_in(bare: Deck, qd: Command) -> Command:
    if httpx.get(f"{bare.url}/api/auth/status", trust_env=False).json()["setup_required"]:
        made = httpx.post(f"{bare.url}/api/auth/setup", json={"username": "ada", "password": PASSWORD}, trust_env=False)
        assert made.status_code < 300, made.text
    assert qd("login", bare.url, "--username", "ada", "--password", "-", stdin=PASSWORD + "\n").code == 0
    return qd


def shop(place: Path, version: str) -> Path:
    folder = place / "shop"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    (folder / "main.py").write_text(APPLICATION.replace("{version}", version))
    return folder


def visit(bare: Deck, url: str) -> str:
    """What answers at an application's address; names below localhost all mean this machine."""
    host = httpx.URL(url).host
    return httpx.get(f"http://127.0.0.1:{bare.edge_port}/", headers={"host": host}, trust_env=False).text


def test_deploy_change_redeploy_roll_back_stop_and_start(bare: Deck, place: Path, signed_in: Command) -> None:
    qd = signed_in
    words = ["--strategy", "workspace-commands", "--start-command", START]
    first = qd("deploy", str(shop(place, "one")), *words, "--install-command", "true", "-o", "json")
    assert first.code == 0, first.err + bare.log()
    answer = json.loads(first.out)
    assert answer["status"] == "succeeded"
    assert [line.split()[1] for line in first.err.splitlines()[1:]] == [
        "detect", "plan", "package", "deploy", "verify", "cut",
    ]  # fmt: skip
    assert visit(bare, answer["url"]) == "one"

    shop(place, "two")
    assert qd("redeploy", "shop").out == answer["url"] + "\n"
    assert visit(bare, answer["url"]) == "two"
    assert qd("rollback", "shop").code == 0
    assert visit(bare, answer["url"]) == "one"
    assert [json.loads(line)["number"] for line in qd("history", "shop", "-o", "jsonl").out.splitlines()] == [3, 2, 1]

    assert "the shop is open" in qd("logs", "shop").out
    assert qd("status", "shop").code == 0
    assert qd("stop", "shop", "--yes").code == 0
    assert qd("start", "shop", "--yes").code == 0
    assert qd("set", "shop", "GREETING=hello", "port=3000").code == 0
    assert qd("unset", "shop", "GREETING").code == 0
    assert qd("cancel", "shop", "--yes").code == 6
    assert qd("ls", "-o", "name").out.strip() == answer["resourceId"]


def test_a_failure_shows_the_reason_and_leaves_what_serves(bare: Deck, place: Path, signed_in: Command) -> None:
    folder = place / "broken"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "main.py").write_text("print('no port for me', flush=True); raise SystemExit(3)\n")
    words = ["--strategy", "workspace-commands", "--install-command", "true", "--port", "3000"]
    result = signed_in("deploy", str(folder), *words, "--start-command", START, "-o", "json")
    assert result.code == 1, result.err
    assert json.loads(result.out)["status"] == "failed"
    assert "✗" in result.err
    assert "Try:" in result.err


def test_doctor_and_status_answer(signed_in: Command, bare: Deck) -> None:
    assert signed_in("status", "-o", "json").code == 0
    result = signed_in("doctor", "-o", "json")
    assert json.loads(result.out)["readiness"]["checks"] == {"database": True, "migrations": True}


def test_serve_ends_at_sigterm_with_zero_and_its_data_is_found_again(tmp_path: Path, qd: Command) -> None:
    data = tmp_path / "data"
    for _ in range(2):
        assert _served(data) == 0
    said = qd("audit", "verify", "--data-dir", str(data)).out
    assert re.fullmatch(r"The audit trail is whole\. Sealed events: \d+, none pruned\.\n", said), said
    assert qd("migrate", "--data-dir", str(data)).out == "The database has this program's schema.\n"
    heads = json.loads(qd("audit", "verify", "--data-dir", str(data), "-o", "json").out)
    assert heads["ok"] is True
    assert (heads["pruned"], heads["prunings"]) == (0, 0)


def test_verify_says_how_many_events_were_pruned(tmp_path: Path, qd: Command) -> None:
    data = DataDirectory.open(tmp_path / "data")
    migrate(data.database)
    database = open_database(data.database)
    try:
        for number in range(3):
            what = {"resource_type": "thing", "resource_id": f"thg_{number}"}
            database.write_sync(audit.record, IdentityAction.SIGNED_IN, **what)
        database.write_sync(audit.seal)
        database.write_sync(audit.prune, database.clock.now() + timedelta(hours=1), dry_run=False, limit=2)
    finally:
        database.close_sync()
    said = qd("audit", "verify", "--data-dir", str(data.path)).out
    assert said == "The audit trail is whole. Sealed events: 4, 2 of them pruned (audit.pruned: 1).\n"
    answer = json.loads(qd("audit", "verify", "--data-dir", str(data.path), "-o", "json").out)
    assert (answer["ok"], answer["sealed"], answer["pruned"], answer["prunings"]) == (True, 4, 2, 1)


def _served(data: Path) -> int:
    program = [
        sys.executable,
        "-m",
        "quarterdeck.cli.main",
        "serve",
        "--port",
        "0",
        "--no-edge",
        "--data-dir",
        str(data),
    ]
    with subprocess.Popen(
        program, stderr=subprocess.PIPE, text=True, env=environment(None), cwd=data.parent
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        url = next(line.rsplit(" ", 1)[1].strip() for line in lines if " listens on http" in line)
        assert next(line for line in lines if line.startswith("Console: ")).strip() == f"Console: {url}/console/"
        deadline = time.monotonic() + 20
        while True:
            try:
                assert httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        return process.returncode


def test_a_port_in_use_is_told_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        program = [
            sys.executable,
            "-m",
            "quarterdeck.cli.main",
            "serve",
            "--no-edge",
            "--data-dir",
            str(tmp_path / "d"),
        ]
        done = subprocess.run(
            [*program, "--port", str(taken.getsockname()[1])],
            capture_output=True, text=True, check=False, env=environment(None), timeout=60,
        )  # fmt: skip
    assert done.returncode == 6
    assert "--port" in done.stderr


def test_the_openapi_document_needs_neither_data_nor_a_home(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "openapi"],
        capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60,
        env={**environment(None), "HOME": "/nonexistent", "QUARTERDECK_DATABASE_URL": "postgresql://nowhere/x"},
    )  # fmt: skip
    assert json.loads(done.stdout)["openapi"].startswith("3.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.sshd
def test_a_server_behind_ssh_is_added_tested_trusted_again_and_forgotten(signed_in: Command) -> None:
    made = json.loads(signed_in("credential", "add", "harbour", "--generate", "-o", "json").out)
    with sshd(authorized=[made["publicKey"]]) as there:
        way = ("--port", str(there.port), "--credential", "harbour", "--user", there.username)
        added = signed_in("server", "add", "there", "127.0.0.1", *way)
        assert f"{there.username} is let in." in added.out, added.err
        assert added.code == (1 if "is degraded" in added.err else 0)
        shown = json.loads(signed_in("server", "show", "there", "-o", "json").out)
        assert shown["server"]["credential"]["credentialName"] == "harbour"
        assert shown["capacity"]["memory"]["total"] > 0
        there.renew_host_key()
        changed = signed_in("server", "test", "there")
        assert (changed.code, "ssh-keygen -lf" in changed.out) == (1, True)
        assert f"qd server trust there {there.fingerprint}" in changed.out
        assert "unreachable" in signed_in("server", "ls").out
        assert signed_in("server", "trust", "there", there.fingerprint).code == 0
        assert f"{there.username} is let in." in signed_in("server", "test", "there").out
        assert "0 could be removed" in signed_in("server", "prune", "there").err
        assert signed_in("server", "address", "there", "localhost", "--port", str(there.port)).code == 0
        assert f"localhost:{there.port}" in signed_in("server", "ls").out
    assert signed_in("credential", "rm", "harbour", "--confirm", "harbour").code == 6
    assert signed_in("server", "rm", "there", "--confirm", "there").code == 6
    assert signed_in("server", "deactivate", "there", "--yes").code == 0
    assert signed_in("server", "rm", "there", "--confirm", "there").code == 0
    assert signed_in("credential", "rm", "harbour", "--confirm", "harbour").code == 0


def test_the_edge_of_the_machine_is_brought_up_by_a_job(signed_in: Command) -> None:
    assert signed_in("server", "add", "quay").code in {0, 1}
    assert signed_in("server", "edge", "quay").code == 0
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        edge = json.loads(signed_in("server", "show", "quay", "-o", "json").out)["server"]["edgeProxy"]
        if edge["status"] not in {"pending", "starting"}:
            break
        time.sleep(0.2)
    assert (edge["status"], "lastSucceededAt" in edge) == ("ready", True), edge
