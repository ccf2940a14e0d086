"""The look of each minute at jobs of which nothing is heard."""

from __future__ import annotations

from quarterdeck.infra.work import lines, requeueing, watching


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
