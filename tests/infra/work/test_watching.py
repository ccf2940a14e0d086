"""The look of each minute at jobs of which nothing is heard."""

from __future__ import annotations

from quarterdeck.infra.runners.demand import Demand, demand
from quarterdeck.infra.work import lines, requeueing, watching
from quarterdeck.kernel import jobs


async def test_a_job_that_still_writes_is_left_alone(yard):
    worker, uid, silent = yard.enrolled(), yard.ask("PLAN", yard.spec()), yard.ask("PLAN", yard.spec("b"))
    worker.claim()
    for one in (uid, silent):
        worker.phase(one, "prepare", "plan")
    yard.clock.advance(requeueing.STALLED.total_seconds())
    await lines.take(yard.logs, uid, "Still creating…\n", "STDOUT", yard.clock.now())
    assert await watching.look(yard.db, yard.logs) == [silent]
    assert (yard.job(uid).status, yard.job(silent).status) == ("PROCESSING", "QUEUED")
    assert await watching.look(yard.db, yard.logs) == []
    yard.clock.advance(requeueing.STALLED.total_seconds())
    assert await watching.look(yard.db, yard.logs) == [uid]


async def test_one_that_cannot_be_helped_keeps_no_other_waiting(yard, monkeypatch):
    worker, first, second = yard.enrolled(), yard.ask("PLAN", yard.spec()), yard.ask("PLAN", yard.spec("b"))
    worker.claim()
    broken = yard.job(first).id
    run = requeueing.run

    def fails(tx, job_id):
        if job_id == broken:
            raise RuntimeError("defect")
        return run(tx, job_id)

    monkeypatch.setattr(requeueing, "run", fails)
    yard.clock.advance(requeueing.STALLED.total_seconds())
    assert await watching.look(yard.db, yard.logs) == [second]


async def test_asking_how_much_waits_takes_no_apply_that_still_writes_from_its_runner(yard):
    runner, worker = yard.runner(), yard.enrolled()
    theirs, ours = yard.ask("DEPLOY", yard.spec()), yard.ask("DEPLOY", yard.spec("b"))
    assert runner.claim().uid == theirs
    worker.claim()
    runner.report(theirs, "PROCESSING")
    worker.phase(ours, "apply")
    silent = yard.ask("PLAN", yard.spec("c"))
    worker.claim()
    worker.phase(silent, "plan")
    for _ in range(10):  # half an hour, in which everybody lives
        yard.clock.advance(requeueing.STALLED.total_seconds() / 10)
        runner.beat()
        yard.db.write_sync(jobs.heartbeat, [tuple(one[:2]) for one in worker.held.values()], worker.owner)
    for one in (theirs, ours):
        await lines.take(yard.logs, one, "Still creating…\n", "STDOUT", yard.clock.now())
    assert await demand(yard.db, yard.logs) == Demand(recovered=1, queued=1)
    assert [yard.job(one).status for one in (theirs, ours, silent)] == ["PROCESSING", "PROCESSING", "QUEUED"]
