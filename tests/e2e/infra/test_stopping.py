"""The server is told to stop while its own worker applies: Terraform ends as it wants to, and its state is kept."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from e2e.client import signed_in
from e2e.infra.estate import Estate
from e2e.infra.slow import SLOW, WAITS
from e2e.server import deck
from e2e.truth import running_with

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge]
PROGRAM = """#!/bin/sh
if [ "$1" = init ]; then cp %(place)s/slow.tf .; fi
if [ "$1" != apply ]; then exec %(terraform)s "$@"; fi
%(terraform)s "$@" &
trap 'sleep 8; touch %(place)s/interrupted; kill -INT $!' INT
wait $!
status=$?
while kill -0 $! 2>/dev/null; do wait $!; status=$?; done
exit $status
"""
"""It ends as one does that has to await the answer of a cloud first: later than other work is given to end."""
NOTHING = {"create": 0, "update": 0, "delete": 0, "replace": 0}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whose Terraform is the machine's own, with something slow beside what the bundled template makes."""
    made = tmp_path_factory.mktemp("workshop")
    terraform = shutil.which("terraform")
    assert terraform is not None
    program = made / "terraform"
    program.write_text(PROGRAM % {"place": made, "terraform": terraform})
    program.chmod(0o755)
    return made


@pytest.fixture(scope="module")
def estate(place: Path, module_database: str | None, workshop: Path) -> Iterator[Estate]:
    path = {"PATH": f"{workshop}:{os.environ['PATH']}"}
    with deck(place / "deck", database_url=module_database, extra=path) as made, signed_in(made) as client:
        yield Estate(made, client)


@pytest.fixture
def applying(estate: Estate, workshop: Path) -> Iterator[tuple[str, str]]:
    """A specification whose apply has made the first of its things and is at the second, and that job."""
    for left in ("begun", "go", "interrupted"):
        (workshop / left).unlink(missing_ok=True)
    command = WAITS % {"place": workshop}
    (workshop / "slow.tf").write_text(SLOW % {"command": command})
    spec = estate.spec()
    uid = estate.ask("DEPLOY", spec, plan_job_id=estate.done("PLAN", spec))
    estate.until((workshop / "begun").exists, lambda: estate.told(uid))
    yield spec, uid
    (workshop / "go").touch()


def test_a_stop_in_the_middle_of_an_apply_lets_terraform_write_its_state(estate, workshop, applying):
    spec, uid = applying
    server = estate.deck.server
    assert server is not None
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    estate.until(lambda: "stopping" in estate.deck.log(), estate.deck.log)
    assert httpx.get(f"{estate.deck.url}/healthz", trust_env=False).status_code == 200, "it serves its own Terraform"
    queued = estate.ask("PLAN", other := estate.spec())
    assert server.wait(60) == 0, estate.deck.log()
    assert time.monotonic() - began < 50
    estate.deck.server = None
    assert (workshop / "interrupted").exists()
    assert "stop_forced" not in estate.deck.log()
    assert not running_with(str(workshop))
    (workshop / "go").touch()
    estate.deck.start()
    failed = estate.ended(uid, "FAILED")
    assert (failed["error_code"], failed["orphan_risk"]) == ("infra_job_orphaned", True), failed
    assert "was stopped while it applied" in failed["error_message"]
    assert failed["execution_metadata"]["stopped"]["reason"] == "canceled"
    assert "The state (serial" in estate.lines(uid)
    assert {"terraform_data.first", "terraform_data.slow"} <= {*estate.resources(spec)}
    kept = estate.kept(spec)
    assert kept is not None
    assert kept["lock"] is None, "it has given its lock back"
    assert estate.ended(queued)["attempts"] == 1, "what came meanwhile was not begun"
    assert estate.status(other) == "DRAFT"
    again = estate.done("PLAN", spec)
    counted = estate.counted(again)
    assert (counted["replace"], counted["create"], counted["delete"]) == (1, 1, 0), "the failed one, and the last one"
    estate.done("DEPLOY", spec, plan_job_id=again)
    assert estate.status(spec) == "ACTIVE"
    assert estate.counted(estate.done("PLAN", spec)) == NOTHING


def test_a_server_that_has_no_job_to_end_stops_at_once(estate):
    server = estate.deck.server
    assert server is not None
    began = time.monotonic()
    estate.deck.stop()
    took = time.monotonic() - began
    estate.deck.start()
    assert took < 5, took
