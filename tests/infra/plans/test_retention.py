"""When saved plans go, and files that no plan knows."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from sqlalchemy import delete

from quarterdeck.infra.artefacts.artefacts import Artefacts
from quarterdeck.infra.artefacts.local import LocalStore
from quarterdeck.infra.plans import keeping, retention
from quarterdeck.infra.work.model import InfraJob


async def pieces(*some):
    for one in some:
        yield one


@pytest.fixture
def store(yard, tmp_path):
    made = LocalStore(tmp_path / "artefacts")
    yard.db.parts = (Artefacts(made, yard.db.vault),)
    return made


async def handed_in(yard) -> str:
    """A plan job that has succeeded, with a saved plan that lies there."""
    spec = yard.spec(f"spec-{yard.db.ids.text(6)}")
    worker, uid = yard.begin(spec)
    attempt = yard.attempt(worker, uid)
    kept = await keeping.take_in(yard.db, yard.db.parts[0], lambda tx: attempt, pieces(b"plan"))
    worker.say(uid, "plan", summary={}, changes=[], sha256=kept.sha256, size=4, serial=0, lineage="")
    worker.end(uid)
    return uid


def aged(yard, store) -> None:
    """Files are as old as the held clock says."""
    for one in store.listed():
        os.utime(store.root / one.key, (yard.clock.now().timestamp(),) * 2)


async def prune(yard) -> int:
    instance = SimpleNamespace(db=yard.db, artefacts=yard.db.parts[0])
    return await retention._prune(instance, yard.clock.now() - retention.KEEP)


async def test_a_saved_plan_lies_two_weeks_and_is_said_to_be_gone_then(yard, store):
    uid = await handed_in(yard)
    aged(yard, store)
    yard.clock.advance(retention.KEEP.total_seconds())
    assert await prune(yard) == 0
    yard.clock.advance(1)
    assert await prune(yard) == 1
    assert list(store.listed()) == []
    assert (yard.kept(uid).artefact_key, yard.kept(uid).artefact_sha256 is not None) == (None, True)
    assert await prune(yard) == 0


async def test_files_that_no_plan_knows_go_and_those_that_are_coming_in_stay(yard, store):
    uid, other = await handed_in(yard), await handed_in(yard)
    aged(yard, store)
    yard.db.write_sync(lambda tx: tx.execute(delete(InfraJob).where(InfraJob.uid == uid)))
    draft = store.incoming / "draft-of-one-that-was-cut-off"
    draft.write_bytes(b"x")
    os.utime(draft, (yard.clock.now().timestamp(),) * 2)
    (store.incoming / "something else").write_bytes(b"x")
    assert await prune(yard) == 0, "it may be on its way"
    yard.clock.advance(retention.YOUNG.total_seconds() + 1)
    assert await prune(yard) == 1
    assert [one.key.partition("/")[0] for one in store.listed()] == [other]
    assert [path.name for path in store.incoming.iterdir()] == ["something else"]
