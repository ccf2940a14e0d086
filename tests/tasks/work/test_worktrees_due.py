"""Whose worktree is removed next: what has to stay keeps no other from being found."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck.identity.model import Organization
from quarterdeck.kernel import jobs
from quarterdeck.tasks.settings.model import TaskSettings
from quarterdeck.tasks.tunnels.model import Tunnel
from quarterdeck.tasks.workspaces import retention
from quarterdeck.tasks.workspaces.cleaning import CLEAN
from support import kept_workspaces as made


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 3)


@pytest.fixture
def worktrees(yard):
    """Makes worktrees of tasks that ended so many hours ago, in an organization."""

    def make(number, hours, organization_id=None, name="web"):
        def verb(tx):
            here = organization_id or yard.organization.id
            project, machine = made.project(tx, here, name), made.worker(tx, here, name)
            ended = {"status": "completed", "finished_at": tx.now - timedelta(hours=hours)}
            return [made.task(tx, project, yard.ada.id, machine, **ended).id for _ in range(number)]

        return yard.act(verb)

    return make


def swept(yard):
    return yard.db.write_sync(retention.sweep)


def asked(yard):
    def verb(tx):
        found = jobs.list_jobs(tx, jobs.Filter(kind=CLEAN, limit=500))
        return [int(one.subject.removeprefix("workspace:")) for one in reversed(found)]

    return yard.db.read_sync(verb)


def fail(yard, task_id):
    def verb(tx):
        job = jobs.find(tx, subject=f"workspace:{task_id}", kind=CLEAN)
        words = "UPDATE jobs SET state = 'failed', finished_at = :now, due_at = NULL WHERE id = :id"
        tx.execute(words, {"now": int(tx.now.timestamp() * 1_000_000), "id": job.id})

    yard.act(verb)


def test_removals_that_wait_or_failed_keep_no_other_from_being_asked(yard, worktrees, few):
    """The machine of the oldest is away: its jobs wait, and two of them failed."""
    away = worktrees(4, 200, name="away")
    assert [swept(yard), swept(yard), swept(yard)] == [3, 1, 0]
    for one in away[:2]:
        fail(yard, one)
    here = worktrees(2, 100)
    assert swept(yard) == 2
    assert asked(yard) == [*away, *here]
    yard.clock.advance(12 * 3600 + 1)
    assert swept(yard) == 2, "those that failed, once more"
    assert asked(yard)[-2:] == away[:2]


def test_somebody_in_worktrees_keeps_no_other_from_being_asked(yard, worktrees, few):
    held = worktrees(4, 200, name="held")
    here = worktrees(1, 100)

    def open_(tx):
        for one in held:
            tx.add(Tunnel(task_id=one, kind="built-in", state="CONNECTED", updated_at=tx.now))

    yard.act(open_)
    assert swept(yard) == 1
    assert asked(yard) == here


def test_an_organization_that_keeps_them_longer_holds_up_no_other(yard, worktrees, few):
    def verb(tx):
        other = tx.add(
            Organization(uid=tx.ids.uid(), ref=tx.ids.ref("org"), name="Other", slug="other", created_at=tx.now)
        )
        tx.flush()
        tx.add(TaskSettings(organization_id=other.id, chosen={"workspaceRetentionHours": 400}, updated_at=tx.now))
        return other.id

    other = yard.act(verb)
    kept = worktrees(4, 399, other, "kept")
    here = worktrees(2, 73)
    assert swept(yard) == 2
    assert asked(yard) == here
    yard.clock.advance(2 * 3600)
    assert swept(yard) == 3
    assert asked(yard)[2:] == kept[:3]
