"""The way that everybody goes, with the server's own worker: plan, read, apply, change, drift, destroy."""

from __future__ import annotations

import json

import pytest

from e2e.infra.estate import CONFIGURATIONS, MADE, Estate, attributes

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge]
QUEUES = [{"name": "mails"}, {"name": "work"}]


def told(estate: Estate, *words: str) -> dict:
    return json.loads(estate.qd(*words, "-o", "json"))


def test_from_a_zone_to_the_last_resource_over_the_command_line(estate):
    zone, name = estate.name("payments"), estate.name("ledger")
    estate.qd("zone", "create", zone)
    estate.qd("spec", "create", name, "--template", "local", "--zone-id", zone)
    spec = told(estate, "spec", "show", name)["configuration"]["id"]
    assert estate.kept(spec) is None

    estate.qd("plan", name, "--wait")
    planned = estate.newest(spec)
    shown = told(estate, "plan", "show", planned)
    assert shown["summary"]["create"] == len(shown["changes"]) == len(MADE)
    assert (estate.kept(spec), estate.status(spec)) == (None, "DRAFT"), "a plan changes nothing"

    estate.qd("apply", name, "--plan-job-id", planned, "--wait")
    assert estate.resources(spec) == MADE
    assert (estate.status(spec), estate.kept(spec)["lock"]) == ("ACTIVE", None)
    first = estate.state(spec)

    estate.qd("spec", "edit", name, "--set", "network.cidr_block=10.9.0.0/16", "--set", "region=there")
    estate.qd("plan", name, "--wait")
    assert estate.counted(estate.newest(spec)) == {"create": 0, "update": 1, "delete": 0, "replace": 1}
    estate.qd("apply", name, "--confirm", name, "--wait")
    second = estate.state(spec)
    assert (second["lineage"], second["serial"] > first["serial"]) == (first["lineage"], True)
    assert attributes(second, "project")["output"]["value"]["region"] == "there"

    estate.qd("destroy", name, "--confirm", name, "--wait")
    assert (estate.status(spec), estate.resources(spec), estate.kept(spec)["lock"]) == ("DESTROYED", [], None)
    assert estate.state(spec)["lineage"] == first["lineage"]


def test_what_was_changed_behind_its_back_is_found_told_and_mended(estate):
    spec = estate.spec(queues=QUEUES)
    estate.applied(spec)
    assert estate.drift(spec)["drifted"] is False
    state = estate.state(spec)
    attributes(state, "project")["input"]["value"]["region"] = "elsewhere"
    state["resources"] = [one for one in state["resources"] if one["name"] != "network"]
    estate.push(spec, {**state, "serial": state["serial"] + 1})

    found = estate.drift(spec)
    assert found["drifted"] is True
    assert {(one["address"], one["action"]) for one in found["changes"]} == {
        ("terraform_data.project", "update"), ("terraform_data.network[0]", "create"),
    }  # fmt: skip
    assert estate.versions(spec)[0]["cause"] == "push", "a look writes nothing"
    estate.applied(spec)
    assert attributes(estate.state(spec), "project")["output"]["value"]["region"] == "here"
    estate.until(
        lambda: estate.ok("GET", f"{CONFIGURATIONS}/{spec}/drift")["drift"] is None, lambda: estate.drift(spec)
    )
    assert estate.drift(spec)["drifted"] is False


def test_what_was_changed_in_the_configuration_and_not_applied_is_no_drift(estate):
    spec = estate.spec(queues=QUEUES)
    estate.applied(spec)
    estate.change(spec, queues=QUEUES[:1])
    assert estate.drift(spec)["drifted"] is False


def test_a_plan_counts_once_for_the_state_and_the_configuration_that_it_was_made_for(estate):
    spec = estate.spec(queues=QUEUES)
    first, same = (estate.done("PLAN", spec) for _ in range(2))
    estate.done("DEPLOY", spec, plan_job_id=first)
    refused = {
        "plan_applied": first,
        "plan_state_moved": same,
    }
    for code, plan in refused.items():
        answer = estate.call("POST", "/api/jobs", {"job_type": "DEPLOY", "configuration_id": spec, "plan_job_id": plan})
        assert answer.status_code == 409, answer.text
        assert estate.plan(plan)["applicable"]["code"] == code
    before = estate.versions(spec)
    outdated = estate.done("PLAN", spec)
    estate.change(spec, queues=[*QUEUES, {"name": "more"}])
    assert estate.plan(outdated)["applicable"]["code"] == "plan_outdated"
    answer = estate.call("POST", "/api/jobs", {"job_type": "DEPLOY", "configuration_id": spec, "plan_job_id": outdated})
    assert answer.status_code == 409
    assert estate.versions(spec) == before
