"""The engine killed, the connection cut, the server rebooted: each in each phase of a deployment to one behind SSH.

The attempt is held at the moment, so that what happens does so in that phase and no other. Afterwards what it says of
itself is true: it succeeded, or it failed with what to do about it, and then the version before serves as it did.
"""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from e2e.truth import rows, sound, until
from faults.schedules import CUT, ENGINE_KILLED, PLACES, REBOOTED, SMALL, Event, Piece, Yard
from support.run import HAPPENED, sample

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]

MOMENTS = {
    "detect": ("detect.recorded", "source.fetched"),
    "plan": ("plan.recorded", "plan.done"),
    "package": ("package.recorded", "image.built"),
    "deploy": ("deploy.recorded", "container.created"),
    "verify": ("verify.recorded", "candidate.answers"),
    "cut-over": ("cut-over.recorded", "upstream.switched"),
    "drain": ("retire.drain", "retire.drained"),
}
"""When each phase has begun, and when something of it is done."""
FAILURES = {"engine": ENGINE_KILLED, "connection": CUT, "reboot": REBOOTED}
CELLS = sample(list(itertools.product(MOMENTS, FAILURES)), 3, "phases")
"""21 with `--all`, in each yard: the one has at its beginning what the other has in its middle."""
YARDS = [one for one in PLACES if one in {("container", "sqlite", "remote"), ("container", "postgresql", "in-process")}]


@pytest.mark.parametrize("yard", YARDS, indirect=True, ids="-".join, scope="package")
@pytest.mark.parametrize(("phase", "failure"), CELLS)
def test_a_failure_in_any_phase_ends_true_and_leaves_what_serves(yard: Yard, phase: str, failure: str) -> None:
    event = FAILURES[failure]
    odd = list(MOMENTS).index(phase) + list(FAILURES).index(failure) + yard.deck.remote_worker
    point = MOMENTS[phase][odd % 2]
    piece, serving = Piece(yard), yard.serving
    said, before = yard.versions[serving], yard.serving_containers()
    assert len(before) == 1
    strike(yard, piece, event, point, {said, str(yard.version)})
    piece.finish(may_fail=event.may_fail)
    made = yard.newest(yard.application)
    assert made is not None
    assert made != piece.before
    assert told_of(yard, made) == []
    if yard.serving == serving:
        assert yard.serving_containers() == before, "it was made anew"
    assert phase != "drain" or yard.serving == made
    sound(yard.deck, yard.client, SMALL)
    HAPPENED[event.name] += 1


def strike(yard: Yard, piece: Piece, event: Event, point: str, answers: set[str]) -> None:
    """Have it happen while the attempt stands at the point. A connection that is cut is none of a visitor's."""
    yard.forget()
    name = yard.client.hostname(yard.serving)  # nobody tells it while a server that is its own worker is held
    with ThreadPoolExecutor(1) as pool:
        with yard.held(point):
            asked = pool.submit(piece.ask)  # a server whose own worker is held answers nobody
            until(lambda: yard.passed()[point], lambda: (point, yard.passed(), yard.deck.log("server", 20)), 120)
            kept = event.begin(yard)
            if event is CUT:
                assert yard.answered(name) in answers
        time.sleep(event.seconds)
        event.end(yard, kept)
        asked.result(60)


def told_of(yard: Yard, made: str) -> list[Any]:
    """What is wrong with what an attempt says of itself now that it has ended."""
    columns = "d.status, d.error_code, d.error_phase, d.error_hint"
    query = f"SELECT {columns} FROM deploy_deployments d WHERE d.ref = '{made}'"
    status, code, failed_in, hint = rows(yard.deck, query)[0]
    phases = rows(
        yard.deck,
        "SELECT p.phase, p.status FROM deploy_phases p JOIN deploy_deployments d ON d.id = p.deployment_id "
        f"WHERE d.ref = '{made}'",
    )
    wrong: list[Any] = [one for one in phases if one[1] == "running"]
    if status == "succeeded":
        return [*wrong, *(one for one in phases if one[1] not in {"succeeded", "skipped"}), *filter(None, (code,))]
    shown = yard.client.show(made)["latestFailure"]["message"]
    if not (code and failed_in and hint and hint in shown):
        wrong.append((status, code, failed_in, hint, shown))
    return wrong
