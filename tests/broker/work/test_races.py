"""What happens at the same time: of many at once one wins, and nothing is half done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from quarterdeck.broker.work import cancelling
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel.errors import Gone, Problem


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Answers or refusals, in the order of the acts."""
    found: list[Any] = [None] * len(acts)
    ready = threading.Barrier(len(acts))

    def run(number: int, act: Callable[[], Any]) -> None:
        ready.wait()
        try:
            found[number] = act()
        except Problem as problem:
            found[number] = problem

    threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert not any(one.is_alive() for one in threads)
    return found


@pytest.mark.parametrize("_", range(3))
def test_of_claims_at_once_one_wins(yard, _):
    agents = [yard.agent(f"agent-{number}") for number in range(4)]
    request = yard.request()
    won = [one for one in at_once(*(agent.claim for agent in agents)) if one is not None]
    assert [one.correlation_uid for one in won] == [request]
    assert (yard.job(request).attempts, len(yard.told("job.claim"))) == (1, 1)


@pytest.mark.parametrize("_", range(3))
def test_of_six_who_take_a_value_at_once_one_gets_it(yard, _):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    wrap = yard.wrap(request)
    found = at_once(*(lambda: agent.take(wrap) for _ in range(6)))
    assert [one for one in found if isinstance(one, bytes)] == [b"s3cr3t-DB-pass!"]
    refused = [one for one in found if not isinstance(one, bytes)]
    assert [(type(one), one.code) for one in refused] == [(Gone, "wrap_consumed")] * 5
    assert [one["outcome"] for one in yard.told("wrap.retrieve")] == ["success"]


@pytest.mark.parametrize("_", range(3))
def test_of_six_requesters_tabs_one_gets_the_value(yard, _):
    agent, request = yard.agent(), yard.request("read")
    agent.claim()
    wrap = agent.deliver(request, "DB_PASSWORD", b"found").uid
    found = at_once(*(lambda: yard.read(request, wrap) for _ in range(6)))
    assert [one for one in found if isinstance(one, bytes)] == [b"found"]
    assert [one.code for one in found if not isinstance(one, bytes)] == ["wrap_consumed"] * 5


@pytest.mark.parametrize("_", range(3))
def test_a_data_key_that_is_used_six_times_at_once_counts_once(yard, _):
    agent, request = yard.agent(), yard.request("read", keys=[])
    agent.claim()
    key = agent.data_key()
    sent = [agent.envelope(b"found", key) for _ in range(6)]
    found = at_once(*(lambda n=n, one=one: agent.deliver(request, f"K{n}", one) for n, one in enumerate(sent)))
    refused = [one.code for one in found if isinstance(one, Problem)]
    assert refused == ["data_key_invalid"] * 5
    assert len(yard.wraps(request)) == 1


@pytest.mark.parametrize("_", range(3))
def test_two_values_for_one_key_at_once_leave_one(yard, _):
    agent, request = yard.agent(), yard.request("read")
    agent.claim()
    sent = [agent.envelope(b"1"), agent.envelope(b"2")]
    found = at_once(*(lambda one=one: agent.deliver(request, "DB_PASSWORD", one) for one in sent))
    assert [one.code for one in found if isinstance(one, Problem)] == ["wrap_exists"]
    assert len(yard.wraps(request)) == 1


@pytest.mark.parametrize("_", range(3))
def test_an_end_and_a_cancel_at_once_leave_one_truth(yard, _):
    agent, request = yard.agent(), yard.request()
    job = agent.claim()
    done, cancelled = at_once(
        lambda: agent.complete(job.uid),
        lambda: yard.act(lambda tx: cancelling.cancel(tx, tx.get(BrokerJob, job.id), "over")),
    )
    status = yard.job(request).status
    assert (status, cancelled, isinstance(done, Problem)) in {
        ("succeeded", False, False),
        ("cancelled", True, True),
    }
    assert yard.wraps(request)[0].consumed_at is None


@pytest.mark.parametrize("_", range(3))
def test_a_taking_and_a_revocation_at_once_leave_one_truth(yard, _):
    agent, request = yard.agent(), yard.request()
    agent.claim()
    wrap = yard.wrap(request)
    got, _revoked = at_once(lambda: agent.take(wrap), lambda: yard.revoke(agent))
    kept = yard.wraps(request)[0]
    assert isinstance(got, bytes) is (kept.consumed_at is not None)
    assert yard.job(request).status == ("failed" if kept.consumed_at is not None else "queued")
