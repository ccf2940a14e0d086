"""A server that is killed and started again while tasks stand in every state: each goes on from where it was."""

from __future__ import annotations

import json

import pytest

from e2e.agency import agency
from e2e.conftest import own_database
from real.git_server import git

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge]
QUICK = {"settleSeconds": 0.05, "confirmSeconds": 0.3, "readySeconds": 60}
WORK = "do say work {description}\ndo await {description}\ndo done"
SLOTS = 5


@pytest.fixture(scope="module")
def database_url(database_kind, request):
    yield from own_database(database_kind, request)


@pytest.fixture(scope="module")
def there(place, database_url):
    with agency(place, database_url, slots=SLOTS) as made:
        yield made


def hold_pushes(there):
    """Pushes wait on the git server until the file is gone."""
    held = there.home / "held"
    held.touch()
    hook = there.origin / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {held}.reached\nwhile [ -e {held} ]; do sleep 0.1; done\n")
    hook.chmod(0o755)
    return held


def test_tasks_in_every_state_go_on_when_their_server_is_killed_and_started_again(there):
    gates = [
        {"name": "sure", "command": "do done", "confirm": True},
        {"name": "which", "command": "do say {choice}\ndo done", "choices": ["red", "blue"]},
        {"name": "what", "command": "do say {input}\ndo done", "input": True},
    ]
    plain = there.project([{"name": "work", "command": WORK}], agent=QUICK)
    asking = [there.project([stage, {"name": "work", "command": WORK}], agent=QUICK) for stage in gates]
    fakes = {key: there.home / f"fake-{key}" for key in (plain, *asking)}
    (fakes[plain] / "pushed").touch()
    held = hold_pushes(there)

    delivering = there.create(plain, "pushed")
    running = there.create(plain, "runs")
    waiting = [there.create(key, f"asks-{number}") for number, key in enumerate(asking)]
    behind = there.create(plain, "behind", dependsOn=[running])
    for number in waiting:
        there.await_task(number, "suspended", reason="stage_gate")
    there.until(held.with_suffix(".reached").exists, "a push is on its way", lambda: there.told(delivering))
    there.until(lambda: "work runs" in there.lines(running), "it is at work", lambda: there.told(running))
    full = there.create(plain, "queued")
    there.until(lambda: there.task(full)["queuedReason"], "it waits for a place", lambda: there.told(full))
    everybody = [delivering, running, *waiting, behind, full]
    before = {number: there.task(number) for number in everybody}
    assert [before[one]["status"] for one in everybody] == ["running"] * 2 + ["suspended"] * 3 + ["queued"] * 2

    there.deck.stop(graceful=False)
    there.deck.start()
    there.client.sign_in()
    for number in everybody:
        now = there.task(number)
        assert (now["status"], now["suspendReason"]) == (before[number]["status"], before[number]["suspendReason"])
    assert "depends" in there.task(behind)["queuedReason"] or "Waits" in there.task(behind)["queuedReason"]

    held.unlink()
    for place in fakes.values():
        for word in ("runs", "asks-0", "asks-1", "asks-2", "behind", "queued"):
            (place / word).touch()
    for number, result in zip(waiting, ("confirm", "blue", "Ada"), strict=True):
        there.answer(number, stageIndex=0, result=result)
    for number in everybody:
        task = there.await_task(number, "completed", "failed", "cancelled")
        assert (task["status"], task["attempt"]) == ("completed", 1), there.told(number)
        assert git(there.origin, "rev-parse", task["branch"]) == task["commitSha"]
    prompts = [
        said["prompt"].partition("\n")[0]
        for place in fakes.values()
        for line in (place / "told.jsonl").read_text().splitlines()
        if "prompt" in (said := json.loads(line)) and "do say work" in said["prompt"]
    ]
    assert sorted(prompts) == sorted(
        f"do say work {word}" for word in ("pushed", "runs", "asks-0", "asks-1", "asks-2", "behind", "queued")
    ), "each was done once"
