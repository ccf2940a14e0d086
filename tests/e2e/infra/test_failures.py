"""What goes wrong on an enrolled runner: it is killed in each phase, its job is cancelled, its disk is full."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.client import signed_in
from e2e.infra.estate import Estate
from e2e.infra.slow import SLOW, WAITS
from e2e.repositories import Repositories, Repository
from e2e.server import deck
from e2e.truth import audit_problems, running_with
from support.run import sample

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge]
POINTS = ("infra.init.start", "infra.plan.ended", "infra.artefact.send", "infra.plan.told")


@pytest.fixture(scope="module")
def estate(place: Path, module_database: str | None) -> Iterator[Estate]:
    """Whose enrolled runner dies where it is told to."""
    cord = place / "cord"
    cord.mkdir()
    with deck(place / "deck", database_url=module_database) as made, signed_in(made) as client:
        found = Estate(made, client, {"fabric": cord})
        found.start_fabric()
        yield found
        found.stop_fabric()


@pytest.fixture
def slow(repositories: Repositories, estate: Estate, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A specification whose apply waits in the middle until `go` is there, and where that is."""
    repository: Repository = repositories.add(
        estate.name("slow"), {"main.tf": SLOW % {"command": WAITS % {"place": tmp_path}}}
    )
    module = {"kind": "git", "url": repository.url, "commit": repository.head(), "path": ""}
    yield estate.spec(module=module), tmp_path
    (tmp_path / "go").touch()


def die_at(estate: Estate, point: str) -> None:
    (estate.cords["fabric"] / "armed").write_text(f"{point} 1")


def revive(estate: Estate) -> None:
    assert estate.fabric is not None
    estate.fabric.wait(60)
    estate.fabric = None
    estate.start_fabric()


@pytest.mark.parametrize("point", sample(POINTS, 2, "infra-plan"))
def test_a_plan_whose_runner_was_killed_is_made_again_and_is_the_right_one(estate, point):
    spec = estate.spec(queues=[{"name": "mails"}])
    die_at(estate, point)
    uid = estate.ask("PLAN", spec, assigned_worker_id=estate.fabric_id)
    revive(estate)
    assert estate.ended(uid)["attempts"] == 2
    assert estate.counted(uid)["create"] == 6
    estate.done("DEPLOY", spec, plan_job_id=uid, assigned_worker_id=estate.fabric_id)
    assert "terraform_data.queue['mails']" in estate.resources(spec)


def test_an_apply_whose_runner_was_killed_before_it_changed_anything_is_done_by_the_next_attempt(estate):
    spec, pinned = estate.spec(), {"assigned_worker_id": estate.fabric_id}
    plan = estate.done("PLAN", spec, **pinned)
    die_at(estate, "infra.artefact.fetched")
    uid = estate.ask("DEPLOY", spec, plan_job_id=plan, **pinned)
    revive(estate)
    assert estate.ended(uid)["attempts"] == 2
    assert [one["job_id"] for one in estate.versions(spec)][-1:] == [uid]


def test_an_apply_whose_runner_was_killed_has_failed_and_its_state_has_what_was_made(estate, slow):
    spec, place = slow
    plan = estate.done("PLAN", spec)
    uid = estate.ask("DEPLOY", spec, plan_job_id=plan)
    estate.until((place / "begun").exists, lambda: estate.told(uid))
    estate.stop_fabric()
    estate.until(lambda: not running_with(str(place)), lambda: running_with(str(place)))
    estate.start_fabric()
    failed = estate.ended(uid, "FAILED")
    assert (failed["orphan_risk"], estate.status(spec)) == (True, "FAILED")
    assert failed["completed_at"]
    refused = estate.call("POST", "/api/jobs", {"job_type": "DEPLOY", "configuration_id": spec, "plan_job_id": plan})
    assert refused.status_code == 409, "a plan is used up by an apply that began"
    assert "terraform_data.first" in estate.resources(spec)
    (place / "go").touch()
    again = estate.done("PLAN", spec)
    assert estate.counted(again) in (
        {"create": 2, "update": 0, "delete": 0, "replace": 0}, {"create": 1, "update": 0, "delete": 0, "replace": 1},
    )  # fmt: skip
    estate.done("DEPLOY", spec, plan_job_id=again)
    assert (len(estate.resources(spec)), estate.status(spec)) == (3, "ACTIVE")
    assert estate.kept(spec)["lock"] is None


def test_an_apply_that_is_cancelled_stops_terraform_and_says_what_may_be_left(estate, slow):
    spec, place = slow
    uid = estate.ask("DEPLOY", spec, plan_job_id=estate.done("PLAN", spec))
    estate.until((place / "begun").exists, lambda: estate.told(uid))
    estate.ok("POST", f"/api/cli/jobs/{uid}/cancel", {"reason": "The wrong one."})
    job = estate.job(uid)
    assert (job["status"], job["orphan_risk"], estate.status(spec)) == ("CANCELLED", True, "FAILED")
    assert "The wrong one." in job["error_message"]
    estate.until(lambda: not running_with(str(place)), lambda: running_with(str(place)))
    estate.until(lambda: estate.kept(spec)["lock"] is None, lambda: estate.kept(spec))
    (place / "go").touch()
    estate.applied(spec)
    assert (len(estate.resources(spec)), estate.status(spec)) == (3, "ACTIVE")


def test_a_plan_that_is_cancelled_gives_the_specification_back_as_it_was(estate):
    spec = estate.spec()
    estate.applied(spec)
    (estate.cords["fabric"] / "held").write_text("infra.plan.start")
    uid = estate.ask("PLAN", spec, assigned_worker_id=estate.fabric_id)
    estate.until(lambda: estate.job(uid)["status"] == "PROCESSING", lambda: estate.told(uid))
    estate.ok("POST", f"/api/cli/jobs/{uid}/cancel", None)
    (estate.cords["fabric"] / "held").unlink()
    assert (estate.ended(uid, "CANCELLED")["orphan_risk"], estate.status(spec)) == (False, "ACTIVE")
    estate.done("PLAN", spec)


@pytest.fixture
def small(estate: Estate) -> Iterator[Path]:
    """The runner's directory, on a small disk."""
    estate.stop_fabric()
    data = estate.home / "fabric"
    kept = estate.home / "kept"
    shutil.copytree(data, kept, dirs_exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "none", data], check=True)
    try:
        shutil.copytree(kept, data, dirs_exist_ok=True)
        estate.start_fabric()
        yield data
    finally:
        estate.stop_fabric()
        subprocess.run(["umount", "--lazy", data], check=True)
        estate.start_fabric()


@pytest.mark.root
def test_a_full_disk_of_the_runner_fails_its_job_in_words_and_keeps_others_from_it_until_a_person_says_so(
    estate, small
):
    spec, fabric = estate.spec(queues=[{"name": "mails"}]), estate.fabric_id
    held = estate.cords["fabric"] / "held"
    held.write_text("infra.module.copy")
    uid = estate.ask("PLAN", spec, assigned_worker_id=fabric)
    estate.until(lambda: estate.job(uid)["status"] == "PROCESSING", lambda: estate.told(uid))
    filling = small / "filling"
    filling.write_bytes(b"x" * (shutil.disk_usage(small).free - 16_384))
    held.unlink()
    failed = estate.ended(uid, "FAILED")
    assert "disk of the runner is full" in failed["error_message"]
    assert (failed["orphan_risk"], estate.status(spec), estate.kept(spec)) == (False, "DRAFT", None)
    estate.until(lambda: estate.standing() == "DRAINING", estate.standing)
    filling.unlink()
    estate.until(estate.undrained, estate.standing)
    estate.applied(spec, assigned_worker_id=fabric)


def test_afterwards_the_audit_trail_is_whole(estate):
    assert audit_problems(estate.deck) == []
