"""Server, worker, engine, connection and disk fail in the middle of work on a server behind SSH, by schedules of the
seed: nothing is lost, doubled or stuck, and doctor and audit trail are in order after each.

A schedule draws a piece of work, something that happens, and the passage of a point at which it does. Before a piece of
work is disturbed for the first time it is done once undisturbed, which tells the points that it passes.
"""

from __future__ import annotations

import random
import time
from collections import Counter

import httpx
import pytest
import structlog

from e2e.truth import sound, unfinished_jobs, until
from faults.schedules import EVENTS, PIECES, PLACES, SMALL, Event, Yard, happening
from support.run import ALL, HAPPENED, SEED

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]

log = structlog.get_logger("quarterdeck.tests")
RUNS = 10 if ALL else 2
"""Schedules of each kind, database and kind of worker: 120 with `--all`, of which 12 are deaths of a process of ours; 6
otherwise. Kill points have 104 and 8 deaths more.
"""


def rehearsed(yard: Yard, work: str) -> Counter[str]:
    """How often which point is passed by a piece of work."""
    piece = PIECES[work](yard)
    yard.forget()
    piece.ask()
    piece.finish(may_fail=False)
    return yard.passed()


@pytest.mark.parametrize("yard", PLACES, indirect=True, ids="-".join, scope="package")
def test_whatever_happens_one_version_serves_and_nothing_else_is_left(yard: Yard) -> None:
    """The kinds of work and of events take turns, so that each comes before any comes again."""
    passed = {"redeployment": rehearsed(yard, "redeployment")}  # a rollback wants what served before
    draw = random.Random(f"{SEED}-{yard.name}")  # noqa: S311 - to be repeated, not to be secret
    events, works = drawn_events(draw, yard), draw.sample(list(PIECES), len(PIECES))
    done, misses = Counter[str](), 0
    while sum(done.values()) < RUNS:
        event, work = events.pop(0), works.pop(0)
        if work not in passed:
            passed[work] = rehearsed(yard, work)
        point, number = drawn(draw, passed[work])
        told = f"{event.name} at passage {number} of {point} in a {work} (seed {SEED})"
        began = time.monotonic()
        try:
            happened = disturbed(yard, work, event, point, number)
        except (AssertionError, httpx.HTTPError) as error:
            raise AssertionError(f"{told}: {error}") from error
        log.info("schedule", told=told, happened=happened, seconds=round(time.monotonic() - began))
        misses += not happened
        assert misses <= RUNS, "the points are not reached"
        if happened:
            done[event.name] += 1
            HAPPENED[event.name] += 1
            events.append(event)
            works.append(work)
        else:
            events.insert(0, event)
            works.append(work)


def drawn_events(draw: random.Random, yard: Yard) -> list[Event]:
    """What happens in a yard, in an order of the seed. Of our processes one dies, and in a whole run but once: kill
    points have those deaths, and what this run comes to twice shall be something else.
    """
    dying = draw.choice([one for one in EVENTS if yard.has(one.dies)])
    events = [one for one in EVENTS if one.dies is None or one is dying]
    events = draw.sample(events, len(events))
    while ALL and events.index(dying) < RUNS - len(events):
        events.append(events.pop(0))
    return events


def drawn(draw: random.Random, counts: Counter[str]) -> tuple[str, int]:
    point = draw.choice(sorted(counts))
    return point, draw.randint(1, counts[point])


def disturbed(yard: Yard, work: str, event: Event, point: str, number: int) -> bool:
    """Ask for the work, have the event at its moment, wait, check everything. Answers whether the moment came."""
    piece = PIECES[work](yard)
    yard.forget()
    with happening(yard, event, point, number) as begun:
        try:
            piece.ask()
        except (AssertionError, httpx.HTTPError):
            if not begun.wait(1):  # nobody disturbed it: that is a failure of its own
                raise
        until(lambda: begun.is_set() or unfinished_jobs(yard.deck) == [], lambda: unfinished_jobs(yard.deck), 240)
    piece.finish(may_fail=event.may_fail)
    sound(yard.deck, yard.client, SMALL)
    return begun.is_set()
