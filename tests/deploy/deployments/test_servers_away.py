"""Attempts that wait for a server out of reach: what is written down, what is told of it, and who takes over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quarterdeck import providers
from quarterdeck.deploy.deployments import admission
from quarterdeck.deploy.deployments.following import RETIRE, follow_up
from quarterdeck.deploy.deployments.records import record
from quarterdeck.deploy.observation import observations
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.work import work
from quarterdeck.fleet.servers import sightings
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from support.harbour import Harbour

AWAY = {"seconds": 10.0, "code": "ssh_unreachable", "message": "Nothing answers at 192.0.2.1 on port 22."}


async def seen(harbour: Harbour, kind: str, ref: str) -> work.Seen:
    job = await harbour.job(kind, ref)
    (found,) = await harbour.instance.db.read(lambda tx: work.seen(tx, [job], ()))
    return found


async def test_what_waits_for_its_server_says_since_when_and_until_when(harbour: Harbour) -> None:
    harbour.server = await harbour.far_away()
    deployment = await harbour.create()
    await harbour.claim()
    assert (await seen(harbour, admission.EXECUTE, deployment.ref)).waiting is None
    await harbour.write(record, deployment.id, "away", AWAY)
    waits = (await seen(harbour, admission.EXECUTE, deployment.ref)).waiting
    assert waits is not None
    assert waits.reason == "server-away"
    now = harbour.instance.db.clock.now()
    assert waits.message.startswith(f"The server far away does not answer since {now:%H:}")
    assert waits.message.endswith(" s.")
    assert "qd server test 'far away'" in (waits.hint or "")
    assert waits.until is not None
    assert now - timedelta(seconds=60) < waits.until < now + timedelta(seconds=11)
    await harbour.write(record, deployment.id, "back", {})
    assert (await seen(harbour, admission.EXECUTE, deployment.ref)).waiting is None

    def reached(tx: Tx) -> bool:
        (one,) = sightings.known(tx)
        return one.seen is not None and one.seen.reached_at is not None and one.seen.missed_at is None

    assert await harbour.instance.db.read(reached)


async def test_who_takes_over_from_an_attempt_at_work_there_waits_for_the_server_too(harbour: Harbour) -> None:
    here = harbour.server
    harbour.server = await harbour.far_away()
    first = await harbour.create()
    assert not (await harbour.order(first.ref)).patient
    # One that had not begun there leaves nobody to wait.
    second = await harbour.create()
    assert not (await harbour.order(second.ref)).patient
    await harbour.claim()
    await harbour.write(record, second.id, "away", AWAY)
    assert (await harbour.order(second.ref)).patient  # also where its worker has died meanwhile
    third = await harbour.create()
    assert (await harbour.order(third.ref)).patient
    waits = (await seen(harbour, admission.EXECUTE, third.ref)).waiting
    assert waits is not None
    assert (waits.reason, "The server far away does not answer" in waits.message) == ("behind-other-work", True)
    ended = await harbour.end(second, "canceled", error_message="superseded")
    assert (ended.status, ended.next_try_at) == ("canceled", None)
    harbour.server = here
    assert not (await harbour.order((await harbour.create()).ref)).patient  # it goes somewhere else


async def test_clearing_whose_last_try_did_not_reach_the_server_says_so(harbour: Harbour) -> None:
    harbour.server = await harbour.far_away()
    deployment = await harbour.end(await harbour.create())
    await harbour.write(follow_up, deployment, "retire")
    await harbour.claim("background")
    job = await harbour.job(RETIRE, deployment.ref)
    gone = jobs.Outcome("failed", error_code="ssh_unreachable", error_message="Nothing answers.", retriable=True)
    await harbour.told(job, gone)
    waits = (await seen(harbour, RETIRE, deployment.ref)).waiting
    assert waits is not None
    assert (waits.reason, waits.message.startswith("The server far away does not answer; it is tried again in")) == (
        "server-away", True
    )  # fmt: skip


async def test_servers_that_are_too_many_to_be_watched_are_named(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another(tx: Tx) -> str:
        source = {"kind": "docker-image", "locator": "nginx"}
        return resources.create(
            tx, project_ref=harbour.project, environment_ref=harbour.environment, name="other", source=source
        ).ref

    harbour.server = await harbour.far_away("watched")
    await harbour.end(await harbour.create())
    harbour.server = await harbour.far_away("one too many", "192.0.2.2")
    harbour.resource = await harbour.write(another)
    await harbour.end(await harbour.create())
    assert await harbour.instance.db.read(providers._unwatched) == []
    monkeypatch.setattr(observations, "MOST_SERVERS", 1)
    (found,) = await harbour.instance.db.read(providers._unwatched)
    assert (found.code, found.severity) == ("servers_not_watched", "warning")
    assert found.message.startswith("Only 1 servers are watched, the oldest first; one too many not:")
