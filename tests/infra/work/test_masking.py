"""The lines of a job show none of what its order holds, whoever has been started anew meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quarterdeck.infra.composition import Infrastructure
from quarterdeck.infra.specs.model import Spec
from quarterdeck.kernel import jobs
from quarterdeck.kernel.logs import Line, Logs

TOKEN = "ghp_not_a_real_token_0003"
MODULE = {"kind": "git", "url": "https://git.example.com/acme/net.git", "commit": "a" * 40}


@pytest.fixture
def held(yard):
    """A job of a private repository in the hands of an enrolled worker."""
    spec = yard.spec(module=MODULE, module_token=TOKEN)
    worker, uid = yard.enrolled(), yard.ask("PLAN", spec)
    assert worker.claim() == [uid]
    assert worker.order(uid)["module"]["token"] == TOKEN
    return worker, uid


async def shown(logs, uid, text):
    line = Line(datetime(2026, 1, 1, tzinfo=UTC), "terraform", "stdout", None, "info", text)
    await logs.store(f"infra-job:{uid}", [line])
    return (await logs.read(f"infra-job:{uid}", tail=1))[0].message


@pytest.fixture
async def restarted(yard, tmp_path):
    """Starts the server anew over the same stores: it knows nothing but them."""
    started = []

    async def anew():
        logs = Logs(tmp_path / f"lines-{len(started)}.db", clock=yard.clock)
        started.append(logs)
        await Infrastructure(yard.db, logs, tmp_path).ready()
        return logs

    yield anew
    for logs in started:
        await logs.shut()


async def test_a_server_that_starts_in_the_middle_of_a_job_goes_on_hiding_its_git_token(yard, held, restarted):
    worker, uid = held
    said = f"cloning with {TOKEN}"
    told = await shown(yard.logs, uid, said)
    assert TOKEN not in told
    assert await shown(await restarted(), uid, said) == told
    yard.cancel(uid)  # its worker goes on until it has stopped
    assert await shown(await restarted(), uid, said) == told
    worker.end(uid, "canceled")
    assert await yard.db.read(lambda tx: jobs.list_jobs(tx, jobs.Filter(states=(jobs.State.RUNNING,)))) == []
    assert await shown(await restarted(), uid, said) == said


async def test_a_start_hides_no_token_that_was_given_for_another_repository(yard, held, restarted):
    _, uid = held

    def moved(tx):
        spec = tx.get(Spec, yard.job(uid).spec_id)
        spec.module = {**spec.module, "url": "https://elsewhere.example.com/acme/net.git"}

    yard.act(moved)
    assert TOKEN in await shown(await restarted(), uid, TOKEN)
