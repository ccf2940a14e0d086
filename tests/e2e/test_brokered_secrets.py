"""A worker on another machine carries secrets to and from a Vault that only it can open."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from pathlib import Path

import pytest

from e2e.client import signed_in
from e2e.secret_people import approver, ok
from e2e.server import PROGRAM, Deck, environment
from fakes.loopback import serving
from fakes.vault_server import TOKEN, VaultServer
from support.canaries import forms

SECONDS = 60
SCOPE = ("secrets", "secrets:cluster:eu")
CANARIES = ("canary-Delta-4b1d", "canary-Epsilon-99e3")


@pytest.fixture(scope="module")
def vault():
    with serving(VaultServer()) as found:
        yield found
    assert found.refused == []


@pytest.fixture(scope="module")
def deck(place):
    """With a worker that was enrolled for the secrets of one cluster; it is started by the test."""
    made = Deck(place / "data", flags=["--log-level", "debug"])
    try:
        script = Path(__file__).with_name("enrolling.py")
        done = subprocess.run(
            [sys.executable, str(script), str(made.data), "", *SCOPE],
            capture_output=True,
            text=True,
            check=False,
            env=environment(None),
        )
        assert done.returncode == 0, done.stderr
        made.token_file.touch(mode=0o600)
        made.token_file.write_text(done.stdout.split()[-1])
        made.start()
        yield made
    finally:
        made.destroy()


@pytest.fixture(scope="module")
def ada(deck):
    with signed_in(deck) as client:
        yield client._http


@pytest.fixture(scope="module")
def paul(deck, ada):
    with approver(deck, ada) as client:
        yield client


@pytest.fixture(scope="module")
def worker(deck, vault):
    words = ["worker", "--server", deck.url, "--token", f"@{deck.token_file}", "--capability", ",".join(SCOPE)]
    words += ["--data-dir", str(deck.data.parent / "worker"), "--log-level", "debug"]
    with (deck.data.parent / "worker.log").open("ab") as output:
        process = subprocess.Popen(
            [*PROGRAM, *words],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment(None, VAULT_ADDR=vault.url, VAULT_TOKEN=TOKEN),
            cwd=deck.data.parent,
            start_new_session=True,
        )
    yield process
    process.terminate()
    process.wait(SECONDS)


def asked(ada, paul, path, **more):
    body = {"target_provider_type": "vault", "target_secret_ref": "apps/db", "justification": "the shop is down"}
    made = ok(ada.post(f"/api/v1/requests{path}", json={**body, **more}))
    ok(paul.post(f"/api/v1/requests/{made['id']}/approve", json={}))
    return f"/api/v1/requests/{made['id']}"


def ended(deck, ada, at):
    deadline = time.monotonic() + SECONDS
    while (found := ok(ada.get(at)))["status"] == "approved":
        assert time.monotonic() < deadline, deck.log("worker")
        time.sleep(0.05)
    assert found["status"] == "executed", (found, deck.log("worker"))
    return found


def test_an_enrolled_worker_carries_what_the_server_itself_cannot_open(deck, ada, paul, vault, worker):
    config = {"address": vault.url}
    body = {"name": "eu", "provider_type": "vault", "config": config, "agent_scope": {"cluster": "eu"}}
    ok(ada.post("/api/v1/provider-connections", json=body))
    one, other = CANARIES
    ended(deck, ada, asked(ada, paul, "", key_values={"A": one, "B": other}))
    assert vault.values("apps/db") == {"A": one, "B": other}
    at = asked(ada, paul, "/read", target_keys=["A"])
    ended(deck, ada, at)
    wraps = ok(ada.get(f"{at}/wraps"))
    assert [each["key_name"] for each in wraps] == ["A"]
    given = ok(ada.get(f"{at}/wraps/{wraps[0]['id']}"))
    assert base64.b64decode(given["value"]).decode() == one
    assert ada.get(f"{at}/wraps/{wraps[0]['id']}").status_code == 410
    ended(deck, ada, asked(ada, paul, "/rotate", target_keys=["B"]))
    made = vault.values("apps/db")["B"]
    assert made != other
    assert vault.values("apps/db")["A"] == one
    wanted = [each.encode() for each in forms((*CANARIES, made, TOKEN))]
    process = Path(f"/proc/{worker.pid}/cmdline").read_bytes()
    kept = [file for file in deck.data.parent.rglob("*") if file.is_file() and not file.is_symlink()]
    assert any(file.name == "worker.log" for file in kept)
    assert [str(file) for file in kept if any(each in file.read_bytes() for each in wanted)] == []
    assert [each for each in wanted if each in process] == []
