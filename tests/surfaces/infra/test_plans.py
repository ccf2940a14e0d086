"""Plans as people read them, and what they say of them."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, update

from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.zones.model import Zone
from support import infra_rows as rows
from support.infra_yard import attempted, spec_uid
from surfaces.infra.foreign_runner import PLAN_BYTES
from surfaces.infra.runner_yard import NOBODY, asked, configured, runner

CHANGES = [
    {"address": "aws_vpc.new", "change": {"actions": ["create"], "before": None, "after": {"cidr": "10.0.0.0/16"},
                                          "after_unknown": {"id": True}}},
    {"address": "aws_db.main", "action_reason": "replace_because_cannot_update",
                               "change": {"actions": ["delete", "create"], "before": {"password": "hunter2", "size": 1},
                                          "replace_paths": [["size"], ["password"]],
                                          "after": {"password": "hunter3", "size": 2},
                                          "before_sensitive": {"password": True},
                                          "after_sensitive": {"password": True}}},
    {"address": "aws_s3.old", "change": {"actions": ["delete"], "before": {"name": "x"}, "after": None}},
]  # fmt: skip

DRIFT = [{"address": "aws_sg.edge", "change": {"actions": ["update"], "before": {"open": False, "token": "hunter4"},
                                               "after": {"open": True, "token": "hunter5"}}}]  # fmt: skip


async def said_no(crew, status: int, method: str, path: str, body=None, **options) -> str:
    before = len(await crew.told())
    answer = await crew.send(method, path, body, **options)
    assert (answer.status_code, answer.json().keys() - {"hint"}) == (status, {"code", "error"}), answer.text
    assert [one for one in (await crew.told())[before:] if one["outcome"] == "success"] == []
    return answer.json()["error"]


async def planned(crew, spec: str, *, token: str = "") -> str:
    """A plan of a foreign runner, with changes of every kind."""
    made = await runner(crew, f"rack-{crew.db.ids.text(6)}")
    queued = await asked(crew, "PLAN", spec, token=token)
    await made.claim()
    await made.upload(queued["id"], PLAN_BYTES)
    await made.status(
        queued["id"],
        "PROCESSING",
        metadata={"plan_completed": True, "plan_result": {"resource_changes": CHANGES, "resource_drift": DRIFT},
                            "cost_summary": {"total_monthly": 12.5}},
    )  # fmt: skip
    await made.status(queued["id"], "SUCCESS")
    return queued["id"]


async def policy(crew, spec: str, **values: int) -> None:
    """The configuration is in a zone that asks for so many."""

    def verb(tx) -> None:
        zone = rows.zone(tx, "strict", **values)
        tx.execute(update(Spec).where(Spec.uid == spec).values(zone_id=zone.id))

    await crew.db.write(verb)


async def test_a_plan_is_shown_by_risk_and_without_secrets(crew):
    spec = await configured(crew)
    uid = await planned(crew, spec)
    answer = await crew.send("GET", f"/api/cli/jobs/{uid}/plan")
    assert "hunter" not in answer.text
    found = answer.json()
    assert [(one["action"], one["address"]) for one in found["changes"]] == [
        ("delete", "aws_s3.old"), ("replace", "aws_db.main"), ("create", "aws_vpc.new"),
    ]  # fmt: skip
    assert {name: found["summary"][name] for name in ("create", "replace", "delete", "update")} == {
        "create": 1, "replace": 1, "delete": 1, "update": 0,
    }  # fmt: skip
    by_path = {one["path"]: one for one in found["changes"][1]["attributes"]}
    assert by_path["password"]["sensitive"] is True
    assert (by_path["size"]["before"], by_path["size"]["after"], by_path["size"]["sensitive"]) == (1, 2, False)
    assert (by_path["size"]["forces_replacement"], by_path["password"]["forces_replacement"]) == (True, True)
    assert found["changes"][1]["reason"] == "What changes of it cannot be changed in place."
    assert found["changes"][1]["forced_by"] == ["size", "password"]
    assert (found["changes"][0]["reason"], found["changes"][0]["forced_by"]) == (None, [])
    (drifted,) = found["drift"]
    assert (drifted["address"], drifted["action"]) == ("aws_sg.edge", "update")
    assert [(one["path"], one["after"]) for one in drifted["attributes"]] == [("open", True), ("token", "****")]
    unknown = {one["path"]: one for one in found["changes"][2]["attributes"]}["id"]
    assert (unknown["unknown"], unknown["after"]) == (True, None)
    assert found["cost"] == {"total_monthly": 12.5}
    assert (found["artifact"]["size"], found["artifact"]["here"]) == (len(PLAN_BYTES), True)
    assert found["applicable"] == {"ok": True, "code": None, "reason": None, "hint": None}
    assert (found["configuration_id"], found["applied_by"]) == (spec, None)
    assert (found["approvals"]["required"], found["approvals"]["votes"]) == (0, [])


async def test_why_a_plan_may_not_be_applied_is_said_with_what_to_do(crew):
    spec = await configured(crew)
    uid = await planned(crew, spec)
    deploy = await asked(crew, "DEPLOY", spec, plan_job_id=uid)
    await crew.ok("POST", f"/api/cli/jobs/{deploy['id']}/cancel", {})
    await crew.db.write(lambda tx: tx.execute(update(Spec).values(configuration_hash="0" * 64)))
    found = (await crew.ok("GET", f"/api/cli/jobs/{uid}/plan"))["applicable"]
    assert (found["ok"], found["code"]) == (False, "plan_outdated")
    refused = await said_no(
        crew, 409, "POST", "/api/jobs", {"job_type": "DEPLOY", "configuration_id": spec, "plan_job_id": uid}
    )
    assert found["reason"] in refused
    assert found["hint"] in refused


async def test_a_plan_whose_file_was_altered_is_applied_by_nobody(crew):
    spec = await configured(crew)
    uid = await planned(crew, spec)
    key = await crew.db.read(lambda tx: tx.one(select(Plan), what="plan").artefact_key)
    root = crew.deck.instance.data.path / "artefacts"
    assert PLAN_BYTES not in (root / key).read_bytes()
    (root / key).write_bytes(b"forged")
    taker = await runner(crew, "taker")
    await asked(crew, "DEPLOY", spec, plan_job_id=uid)
    await taker.claim()
    answer = await taker.send("GET", f"/api/jobs/{uid}/plan-artifact")
    assert answer.status_code == 409
    (root / key).unlink()
    found = await crew.ok("GET", f"/api/cli/jobs/{uid}/plan")
    assert (found["artifact"]["here"], found["applicable"]["code"]) == (False, "plan_artefact_missing")


async def test_people_agree_and_refuse_and_every_word_is_told(crew):
    spec = await configured(crew)
    await policy(crew, spec, approvals=2)
    uid = await planned(crew, spec)
    bob_id, bob = await crew.person("bob", "organization:developer")
    _, cy = await crew.person("cy", "organization:developer")
    at = f"/api/cli/jobs/{uid}"
    assert "Nobody agrees" in await said_no(crew, 403, "POST", f"{at}/approve", {})
    found = await crew.once("infra-plan.approved", "POST", f"{at}/approve", {"comment": " fine \n so "}, token=bob,
                            actor="bob")  # fmt: skip
    assert (found["required"], found["given"], found["missing"], found["yours"]) == (2, 1, 1, False)
    assert (found["votes"][0]["user_name"], found["votes"][0]["decision"]) == ("bob", "approved")
    shown = await crew.ok("GET", f"{at}/plan", token=cy)
    assert (shown["approvals"]["yours"], shown["applicable"]["code"]) == (True, "approvals_missing")
    await said_no(crew, 409, "POST", f"{at}/approve", {}, token=bob)
    await crew.once("infra-plan.rejected", "POST", f"{at}/reject", token=cy, actor="cy")
    shown = await crew.ok("GET", f"{at}/plan")
    assert (shown["approvals"]["rejected"], shown["applicable"]["code"]) == (True, "plan_rejected")
    assert bob_id


@pytest.mark.parametrize("body", [{"comment": 7}, {"comment": "x" * 8001}, [], "text"])
async def test_nonsense_for_a_comment_is_400(crew, body):
    spec = await configured(crew)
    uid = await planned(crew, spec)
    await said_no(crew, 400, "POST", f"/api/cli/jobs/{uid}/reject", body)


async def test_who_may_not_or_is_somebody_else_says_nothing(crew):
    spec = await configured(crew)
    uid = await planned(crew, spec)
    _, viewer = await crew.person("vic", "organization:viewer")
    _, stranger = await crew.person("eve", "organization:owner", organization="org_other")
    assert (await crew.send("GET", f"/api/cli/jobs/{uid}/plan", token=viewer)).status_code == 200
    for act in ("approve", "reject"):
        await said_no(crew, 403, "POST", f"/api/cli/jobs/{uid}/{act}", {}, token=viewer)
        await said_no(crew, 404, "POST", f"/api/cli/jobs/{uid}/{act}", {}, token=stranger)
        await said_no(crew, 404, "POST", f"/api/cli/jobs/{NOBODY}/{act}", {})
    await said_no(crew, 404, "GET", f"/api/cli/jobs/{uid}/plan", token=stranger)
    deploy = await asked(crew, "DEPLOY", spec)
    await said_no(crew, 404, "GET", f"/api/cli/jobs/{deploy['id']}/plan")


async def test_a_destruction_waits_and_is_let_go_by_the_last_who_agrees(crew):
    spec = await configured(crew)
    await policy(crew, spec, destroy_approvals=1)
    _, bob = await crew.person("bob", "organization:developer")
    made = await runner(crew)
    queued = await asked(crew, "DESTROY", spec)
    assert queued["waits_for"] == "approval"
    shown = await crew.ok("GET", f"/api/cli/jobs/{queued['id']}/plan", token=bob)
    assert (shown["summary"], shown["approvals"]["missing"], shown["approvals"]["yours"]) == (None, 1, True)
    assert shown["applicable"]["code"] == "approvals_missing"
    assert await made.claim() is None
    await crew.ok("POST", f"/api/cli/jobs/{queued['id']}/approve", None, token=bob)
    assert (await made.claim())["id"] == queued["id"]


async def test_who_agrees_to_a_destruction_reads_what_the_state_holds(crew):
    one = await attempted(crew)
    spec = await spec_uid(crew)
    volumes = rows.resource("volume", count=2) | {"module": "module.disks"}
    await one.wrote(1, resources=[rows.resource("a"), volumes])
    await crew.db.write(lambda tx: tx.execute(update(InfraJob).values(status="SUCCESS", completed_at=tx.now)))
    document = {"project_name": "ledger", "environment_stage": "staging", "region": "here", "provider": "local"}
    await crew.ok("PUT", f"/api/cli/configurations/{spec}", document)
    queued = await asked(crew, "DESTROY", spec)
    holds = (await crew.ok("GET", f"/api/cli/jobs/{queued['id']}/plan"))["holds"]
    named = ["module.disks.terraform_data.volume[0]", "module.disks.terraform_data.volume[1]", "terraform_data.a"]
    assert holds == {"serial": 1, "resources": 3, "addresses": named, "left_out": 0, "moved": False}
    state = (await crew.ok("GET", f"/api/cli/configurations/{spec}/state"))["state"]
    assert (state["resources"], state["addresses"]) == (3, named)
    other = await attempted(crew)
    await other.wrote(2, resources=[rows.resource("b")])
    holds = (await crew.ok("GET", f"/api/cli/jobs/{queued['id']}/plan"))["holds"]
    assert (holds["addresses"], holds["moved"]) == (["terraform_data.b"], True)


async def test_drift_is_looked_at_when_somebody_asks_and_shown(crew):
    one = await attempted(crew)
    at = f"/api/cli/configurations/{await spec_uid(crew)}/drift"
    nothing = {"drift": None, "failing": None, "minutes": None, "due_at": None, "checked_at": None}
    assert await crew.ok("GET", at) == nothing
    await said_no(crew, 409, "POST", at)
    await one.wrote(1, resources=[rows.resource("a")])
    await said_no(crew, 409, "POST", at)
    await crew.db.write(lambda tx: tx.execute(update(InfraJob).values(status="SUCCESS", completed_at=tx.now)))
    asked_for = (await crew.ok("POST", at, status=201))["job"]
    assert (asked_for["job_type"], asked_for["read_only"]) == ("PLAN", True)
    made = await runner(crew)
    await made.claim()
    change = {"actions": ["update"], "before": {"token": "t1"}, "after": {"token": "t2"}}
    drifted = [{"address": "aws_vpc.main", "change": change}]
    told = {"plan_completed": True, "plan_result": {"resource_changes": [], "resource_drift": drifted}}
    await made.status(asked_for["id"], "PROCESSING", metadata=told)
    await made.status(asked_for["id"], "SUCCESS")
    answer = await crew.send("GET", at)
    found = answer.json()["drift"]
    assert (found["drifted"], found["job_id"], found["changes"][0]["address"]) == (
        True,
        asked_for["id"],
        "aws_vpc.main",
    )
    assert "t1" not in answer.text
    _, stranger = await crew.person("eve", "organization:owner", organization="org_other")
    await said_no(crew, 404, "GET", at, token=stranger)
    await said_no(crew, 404, "POST", at, token=stranger)
    assert json.dumps(found)
    assert await crew.db.read(lambda tx: tx.first(select(Zone))) is None


async def test_looks_that_fail_in_a_row_are_shown(crew):
    one = await attempted(crew)
    at = f"/api/cli/configurations/{await spec_uid(crew)}/drift"
    await one.wrote(1, resources=[rows.resource("a")])
    await crew.db.write(lambda tx: tx.execute(update(InfraJob).values(status="SUCCESS", completed_at=tx.now)))
    made = await runner(crew)
    for _ in range(2):
        assert (await crew.ok("GET", at))["failing"] is None
        asked_for = (await crew.ok("POST", at, status=201))["job"]
        await made.claim()
        await made.status(asked_for["id"], "PROCESSING")
        await made.status(asked_for["id"], "FAILED", error="no network")
    found = (await crew.ok("GET", at))["failing"]
    assert (found["job_id"], found["code"], found["message"]) == (asked_for["id"], "infra_runner_failed", "no network")
    assert found["at"]
