"""The server dies at each step of a delivery: a value is given out once or not at all, and the trail says which."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quarterdeck.kernel.errors import Gone

TESTS = Path(__file__).parents[2]


@pytest.fixture
def dies(yard, database_address, tmp_path):
    """Has another process do something for an agent and die at a point."""

    def run(agent, act: str, point: str, **told: object) -> None:
        faults = tmp_path / "faults"
        faults.mkdir(exist_ok=True)
        (faults / "armed").write_text(f"{point} 1")
        said = {
            "address": str(database_address), "key": str(tmp_path / "master.key"), "now": yard.clock.now().isoformat(),
            "worker": agent.worker.id, "secret": agent.secret.reveal(), "act": act, **told,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "support.broker_dying"],
            input=json.dumps(said), capture_output=True, text=True, check=False, timeout=60, cwd=TESTS,
            env={**os.environ, "QUARTERDECK_FAULTS": str(faults), "PYTHONPATH": str(TESTS)},
        )  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr

    return run


def outcomes(yard, action):
    return [one["outcome"] for one in yard.told(action)]


@pytest.mark.parametrize("committed", [False, True])
def test_a_value_on_its_way_to_an_agent(yard, dies, committed):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    wrap = yard.wrap(request)
    dies(agent, "take", "broker.consume" + ".committed" * committed, wrap=wrap)
    if committed:
        assert outcomes(yard, "wrap.retrieve") == ["success"]
        with pytest.raises(Gone):
            agent.take(wrap)
        yard.lapse()
        assert (yard.job(request).status, yard.requested(request).status) == ("failed", "failed")
    else:
        assert outcomes(yard, "wrap.retrieve") == []
        assert agent.take(wrap) == b"s3cr3t-DB-pass!"


@pytest.mark.parametrize("committed", [False, True])
def test_a_value_on_its_way_from_an_agent(yard, dies, committed):
    agent, request = yard.agent(), yard.request("read")
    job = agent.claim()
    dies(agent, "deliver", "broker.deliver" + ".committed" * committed, request=request)
    assert len(yard.wraps(request)) == len(yard.told("wrap.create")) == int(committed)
    if not committed:
        agent.deliver(request, "DB_PASSWORD", b"found")
    agent.complete(job.uid)
    assert yard.read(request, yard.wrap(request)) == b"found"


@pytest.mark.parametrize("committed", [False, True])
def test_a_claim(yard, dies, committed):
    agent, request = yard.agent(), yard.request()
    dies(agent, "claim", "broker.claim" + ".committed" * committed)
    assert yard.job(request).status == ("claimed" if committed else "queued")
    assert len(yard.told("job.claim")) == int(committed)
    yard.lapse()
    assert agent.claim().attempts == 1 + int(committed)
    assert agent.take(yard.wrap(request)) == b"s3cr3t-DB-pass!"


@pytest.mark.parametrize("committed", [False, True])
def test_an_end(yard, dies, committed):
    agent, request = yard.agent(), yard.request()
    job = agent.claim()
    dies(agent, "complete", "broker.finish" + ".committed" * committed, job=job.uid)
    agent.complete(job.uid)
    assert (yard.job(request).status, yard.requested(request).status) == ("succeeded", "executed")
    assert [one["action"] for one in yard.told("job.complete")] == (
        ["job.complete", "job.complete.idempotent"] if committed else ["job.complete"]
    )
