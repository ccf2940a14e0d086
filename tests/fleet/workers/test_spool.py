"""Ends of attempts on disk, by a thread of their own."""

from __future__ import annotations

import asyncio
import os
import threading

from quarterdeck.fleet.workers.spool import FileSpool
from quarterdeck.kernel.jobs import frames
from quarterdeck.kernel.jobs.job import Outcome


def end(job_id):
    return frames.JobResult(id=f"r{job_id}", job_id=job_id, fence=1, outcome=Outcome("succeeded"))


async def test_a_slow_disk_holds_up_nobody_else(tmp_path, monkeypatch):
    slow, sync = threading.Event(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (slow.wait(5), sync(descriptor)))
    spool = FileSpool(tmp_path)
    keeping = asyncio.create_task(spool.keep(end(1)))
    for _ in range(10):  # the loop goes on
        await asyncio.sleep(0.01)
    assert not keeping.done()
    assert spool.load() == []
    slow.set()
    await keeping
    assert [one.job_id for one in FileSpool(tmp_path).load()] == [1]


async def test_what_was_dropped_while_it_was_written_is_gone(tmp_path, monkeypatch):
    slow, sync = threading.Event(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (slow.wait(5), sync(descriptor)))
    spool = FileSpool(tmp_path)
    keeping = asyncio.create_task(spool.keep(end(1)))
    await asyncio.sleep(0.01)
    spool.drop(end(1))
    slow.set()
    await keeping
    await spool.keep(end(2))
    assert [one.job_id for one in FileSpool(tmp_path).load()] == [2]
