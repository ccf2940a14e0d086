"""Command lines of both generations that are not ours: they come in by a code, plan, apply, follow, cancel and list."""

from __future__ import annotations

import pytest

from e2e.infra.estate import Estate
from e2e.infra.old_client import OldClient, Printed

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge]


@pytest.fixture(scope="module", params=["worker", "runner"])
def old(request: pytest.FixtureRequest, estate: Estate) -> OldClient:
    made = OldClient(estate.deck.url, request.param)
    email = made.login(lambda code: estate.ok("POST", "/api/auth/cli/generate", {"device_code": code}))
    assert email == "ada@example.test"
    return made


def test_it_plans_applies_and_destroys_as_its_commands_do(estate, old):
    zone = old.make_zone(estate.name("payments"))
    name = estate.name("shop")
    estate.spec(name, zone_id=zone)
    spec = old.chosen(name)
    assert next(one for one in old.zones() if one["id"] == zone)["specs"][0]["id"] == spec
    plan = old.ask("PLAN", spec)
    printed = old.follow(plan)
    assert "terraform_data.project will be created" in printed
    assert printed.endswith("--- Job SUCCESS ---\n")
    assert old.job(plan)["execution_metadata"]["plan_completed"] is True

    apply = old.ask("DEPLOY", spec, plan)
    assert old.wait(apply) == (0, "SUCCESS")
    assert old.spec(name)["status"] == "ACTIVE"
    assert "terraform_data.project" in estate.resources(spec)
    with pytest.raises(Printed, match="plan"):
        old.ask("DEPLOY", spec, plan)

    assert old.wait(old.ask("DESTROY", spec)) == (0, "SUCCESS")
    assert (old.spec(name)["status"], estate.resources(spec)) == ("DESTROYED", [])
    old.drop_zone(zone)
    assert old.spec(name)["zone_id"] is None
    made, total = old.jobs()
    assert [one["id"] for one in made if one["spec_name"] == name] == [
        one["id"] for one in made if one["spec_id"] == spec
    ]
    assert total == len(made) >= 3
    assert len({one["id"] for one in made}) == total


def test_what_waits_for_a_runner_that_is_away_is_cancelled_once(estate, old):
    spec = estate.spec()
    runner, _ = old.register(estate.name("rack"))
    assert next(one for one in old.workers() if one["id"] == runner)["status"] == "OFFLINE"
    uid = old.ask("PLAN", spec, runner=runner)
    assert old.job(uid)["status"] == "QUEUED"
    assert [one["id"] for one in old.jobs(status="QUEUED")[0]] == [uid]
    old.cancel(uid)
    assert old.wait(uid)[0] == 1
    assert old.follow(uid).endswith("--- Job CANCELLED ---\n")
    with pytest.raises(Printed, match="CANCELLED"):
        old.cancel(uid)
    assert estate.status(spec) == "DRAFT"


def test_a_token_that_is_running_out_is_refreshed_by_the_same_one_again(old):
    for _ in range(2):
        old.refresh()
        assert old.seconds_left() > 3000
        old.specs()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("POST", "/jobs", {"job_type": "DEPLOY"}, 400, "configuration_id is required for DEPLOY and PLAN jobs"),
        ("POST", "/jobs", {"job_type": "SCAN", "configuration_id": "x"}, 400, "job_type must be one of"),
        ("POST", "/jobs", {}, 400, "job_type is required"),
        ("POST", "/jobs", {"job_type": "PLAN", "configuration_id": "x"}, 404, "Configuration not found"),
        ("GET", "/cli/jobs/none", ..., 404, "Job not found"),
        ("POST", "/cli/jobs/none/cancel", None, 404, "Job not found"),
        ("GET", "/cli/configurations/by-project-name/none", ..., 404, "Configuration not found"),
        ("POST", "/cli/zones", {"name": ""}, 400, "Name is required"),
    ],
)
def test_what_it_does_wrong_is_told_in_its_envelope(old, method, path, body, status, told):
    answer = old.send(method, path, body)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["error"]


def test_nobody_comes_in_without_a_token(estate):
    for kept in ({}, {"access_token": "a.b.c"}):
        answer = OldClient(estate.deck.url, kept=kept).send("GET", "/cli/zones")
        assert (answer.status_code, bool(answer.json()["error"])) == (401, True)
