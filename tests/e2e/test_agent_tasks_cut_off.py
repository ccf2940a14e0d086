"""A worker behind a cable that is cut and healed: every row of the reconciliation (contract: tasks §4.5)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

from e2e.agency import agency
from e2e.conftest import own_database

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.edge,
    pytest.mark.root,
    pytest.mark.full,  # silence is half a minute long
]
QUICK = {"settleSeconds": 0.05, "confirmSeconds": 0.3, "readySeconds": 60}
HERE, THERE = "10.79.1.1", "10.79.1.2"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Cable:
    """A network namespace that this machine is reached from over one cable."""

    def __init__(self) -> None:
        self.name = f"qdw{os.getpid()}"

    def __enter__(self) -> Self:
        ip("netns", "add", self.name)
        ip("link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        ip("address", "add", f"{HERE}/24", "dev", self.name)
        ip("link", "set", self.name, "up")
        for words in (("address", "add", f"{THERE}/24", "dev", "eth0"), ("link", "set", "lo", "up")):
            ip("-n", self.name, *words)
        self.heal()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "delete", self.name)
        ip("netns", "delete", self.name)

    def cut(self) -> None:
        ip("-n", self.name, "link", "set", "eth0", "down")

    def heal(self) -> None:
        ip("-n", self.name, "link", "set", "eth0", "up")


@pytest.fixture(scope="module")
def cable():
    with Cable() as made:
        yield made


@pytest.fixture(scope="module")
def database_url(database_kind, request):
    yield from own_database(database_kind, request)


@pytest.fixture(scope="module")
def there(place, database_url, cable):
    within = ("ip", "netns", "exec", cable.name)
    with agency(place, database_url, slots=6, within=within, dialled=HERE) as made:
        yield made


@pytest.fixture
def shop(there, cable):
    """A project whose agents wait for a file of their task's name, and whose clean-up waits for another."""
    cable.heal()
    there.until(lambda: there.machines_now()[0]["status"] == "online", "the machine is back")
    fake = there.home / f"fake-WEB{there.keys + 1}"
    return there.project(
        [{"name": "work", "command": "do say work {description}\ndo await {description}\ndo done"}],
        agent=QUICK,
        cleanupCommand=f'while [ ! -e "{fake}/clean-$(git branch --show-current | cut -d- -f2)" ]; do sleep 0.1; done',
    )


def home(there, key: str) -> Path:
    place: Path = there.home / f"fake-{key}"
    return place


def begun(there, key: str, word: str) -> int:
    number = there.create(key, word)
    there.until(lambda: f"work {word}" in there.lines(number), f"{word} is at work", lambda: there.told(number))
    return number


def delivered(there, key: str, word: str) -> int:
    """A task whose branch is delivered and told of, and whose attempt is still cleaning up."""
    number = begun(there, key, word)
    (home(there, key) / word).touch()
    there.until(lambda: there.task(number)["commitSha"], f"{word} is delivered", lambda: there.told(number))
    return number


def spooled(there) -> bool:
    """Whether an attempt has ended on the machine, and waits there to be told."""
    return bool(list((there.home / "worker" / "spool").glob("*.json")))


def agents(there, key: str) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(home(there, key)).encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def gone(there, key: str) -> None:
    there.until(lambda: not agents(there, key), "its agents are ended", lambda: str(agents(there, key)))


def test_a_line_that_is_healed_within_the_grace_costs_nothing(there, cable, shop):
    """suspended and running: back to running; suspended and completed: accepted; cancelled and anything: stopped. The
    server is killed and started again in between.
    """
    there.put("/api/admin/settings", {"reconnectGraceSec": 600})
    running, done = begun(there, shop, "runs"), delivered(there, shop, "ends")
    unwanted = begun(there, shop, "unwanted")
    cable.cut()
    for number in (running, done, unwanted):
        there.await_task(number, "suspended", reason="worker_disconnected")
    there.client.post(f"/api/web/tasks/{unwanted}/cancel")
    (home(there, shop) / "clean-ends").touch()
    there.until(lambda: spooled(there), "its end is kept on the machine", lambda: there.told(done))
    there.deck.stop(graceful=False)
    there.deck.start()
    there.client.sign_in()
    assert there.task(running)["status"] == "suspended"
    cable.heal()
    there.await_task(running, "running")
    task = there.await_task(done, "completed", "failed")
    assert (task["status"], task["attempt"]) == ("completed", 1), there.told(done)
    for word in ("runs", "clean-runs", "clean-unwanted"):
        (home(there, shop) / word).touch()
    task = there.await_task(running, "completed", "failed")
    assert (task["status"], task["attempt"]) == ("completed", 1), there.told(running)
    assert there.task(unwanted)["status"] == "cancelled"
    gone(there, shop)


def test_a_line_that_is_healed_after_the_grace_restores_what_was_completed_and_stops_the_rest(there, cable, shop):
    """failed and running: stopped; failed and completed: restored; live and not listed: failed."""
    there.put("/api/admin/settings", {"reconnectGraceSec": 30})
    running, done = begun(there, shop, "runs"), delivered(there, shop, "ends")
    cable.cut()
    for number in (running, done):
        task = there.await_task(number, "failed")
        assert task["errorCode"] == "worker_lost", there.told(number)
    (home(there, shop) / "clean-ends").touch()
    there.until(lambda: spooled(there), "its end is kept on the machine", lambda: there.told(done))
    assert agents(there, shop), "it knows nothing of that yet"
    cable.heal()
    there.await_task(done, "completed")
    gone(there, shop)
    assert there.task(running)["status"] == "failed"

    there.put("/api/admin/settings", {"reconnectGraceSec": 600})
    unlisted = begun(there, shop, "unlisted")
    cable.cut()
    there.kill_worker()
    there.await_task(unlisted, "suspended", reason="worker_disconnected")
    cable.heal()
    began = time.monotonic()
    there.start_worker()
    task = there.await_task(unlisted, "failed")
    assert task["errorCode"] == "worker_lost", there.told(unlisted)
    assert time.monotonic() - began < 120
    gone(there, shop)
