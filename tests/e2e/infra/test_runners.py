"""Runners beside the server: an enrolled one as a process of its own, foreign ones of both generations, each with the
real Terraform; what a second person has to agree to; modules of repositories.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from e2e.infra.estate import Estate, addresses
from e2e.infra.workshop import Workshop
from quarterdeck.infra.artefacts.artefacts import LARGEST

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge]
QUEUES = [{"name": "mails"}, {"name": "work"}]
GENERATIONS = pytest.mark.parametrize("generation", ["worker", "runner"])
MAIN = """
terraform {
  required_version = ">= 1.4"
}

variable "project_name" {
  type = string
}

resource "terraform_data" "said" {
  input = "${var.project_name} says %s"
}

output "said" {
  value = terraform_data.said.output
}
"""


@pytest.fixture
async def origin(estate: Estate) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=estate.deck.url, timeout=60, trust_env=False) as client:
        yield client


def runner(estate: Estate, origin: httpx.AsyncClient, directory: Path, generation: str = "worker") -> Workshop:
    made = estate.ok("POST", "/api/cli/workers", {"name": estate.name("rack"), "mode": "self-hosted"})
    return Workshop(
        origin, made["worker_id"], made["worker_token"], generation,  # type: ignore[arg-type]
        directory=directory, base=estate.deck.url,
    )  # fmt: skip


# -- foreign ones


@GENERATIONS
async def test_a_foreign_runner_plans_applies_and_destroys_with_its_own_terraform(estate, origin, tmp_path, generation):
    made = runner(estate, origin, tmp_path, generation)
    await made.heartbeat()
    spec, pinned = estate.spec(queues=QUEUES), {f"assigned_{generation}_id": made.id}
    planned = estate.ask("PLAN", spec, **pinned)
    await made.work()
    estate.ended(planned)
    assert estate.counted(planned) == {"create": 2, "update": 0, "delete": 0, "replace": 0}
    assert estate.plan(planned)["applicable"]["ok"] is True

    applied = estate.ask("DEPLOY", spec, plan_job_id=planned, **pinned)
    await made.work()
    assert estate.ended(applied)["execution_metadata"]["outputs"] == {"names": ["mails", "work"]}
    assert estate.resources(spec) == ["terraform_data.queue['mails']", "terraform_data.queue['work']"]
    assert estate.status(spec) == "ACTIVE"

    estate.change(spec, queues=[{"name": "mails", "fifo": True}])
    planned = estate.ask("PLAN", spec, **pinned)
    await made.work()
    assert estate.counted(planned) == {"create": 0, "update": 1, "delete": 1, "replace": 0}
    applied = estate.ask("DEPLOY", spec, plan_job_id=planned, **pinned)
    await made.work()
    estate.ended(applied)
    assert estate.resources(spec) == ["terraform_data.queue['mails']"]

    destroyed = estate.ask("DESTROY", spec, **pinned)
    await made.work()
    estate.ended(destroyed)
    assert (estate.status(spec), estate.resources(spec)) == ("DESTROYED", [])
    assert {one["job_id"] for one in estate.versions(spec)} >= {applied, destroyed}
    assert "Apply complete!" in estate.lines(applied)


async def test_of_runners_that_claim_at_once_one_gets_the_job_and_its_state(estate, origin, tmp_path):
    several = [runner(estate, origin, tmp_path / str(number)) for number in range(4)]
    module = {"kind": "git", "url": f"{estate.deck.url}/none.git", "commit": "a" * 40}  # nothing for the server's own
    spec = estate.spec(module=module)
    uid = estate.ask("PLAN", spec)
    claimed = await asyncio.gather(*(one.claim() for one in several))
    assert [one["id"] for one in claimed if one] == [uid]
    for one, found in zip(several, claimed, strict=True):
        answer = await one.send("POST", f"/api/jobs/{uid}/state-token")
        assert answer.status_code == (200 if found else 409), answer.text
    await next(one for one, found in zip(several, claimed, strict=True) if found).status(
        uid, "FAILED", "no such module"
    )


async def test_only_the_whole_plan_that_was_handed_in_is_ever_applied(estate, origin, tmp_path):
    made = runner(estate, origin, tmp_path)
    spec, pinned = estate.spec(queues=QUEUES), {"assigned_worker_id": made.id}
    planned = estate.ask("PLAN", spec, **pinned)
    job = await made.claim()
    assert job is not None
    for size, status, code in ((0, 400, "artefact_empty"), (LARGEST + (1 << 20), 413, "payload_too_large")):
        answer = await made.send(
            "POST", f"/api/jobs/{planned}/plan-artifact", content=b"x" * size,
            headers={"Content-Type": "application/octet-stream"},
        )  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    await made.plan(job)
    kept = list((estate.deck.data / "artefacts").glob(f"{planned}/*"))
    assert len(kept) == 1, "nothing is left of what was refused"

    sealed = kept[0].read_bytes()
    for wrong in (sealed[:-100], sealed[:-1] + bytes([sealed[-1] ^ 1]), b"forged"):
        kept[0].write_bytes(wrong)
        answer = await made.send("GET", f"/api/jobs/{planned}/plan-artifact")
        assert (answer.status_code, answer.json()["code"]) == (409, "artefact_damaged")
    kept[0].write_bytes(sealed)
    with_us = estate.ask("PLAN", spec)
    estate.ended(with_us)
    (ours,) = (estate.deck.data / "artefacts").glob(f"{with_us}/*")
    ours.write_bytes(b"forged")
    own = estate.ask("DEPLOY", spec, plan_job_id=with_us)
    failed = estate.ended(own, "FAILED")
    assert "saved plan" in failed["error_message"]
    assert estate.kept(spec) is None, "nothing was applied"
    kept[0].unlink()
    again = estate.call("POST", "/api/jobs", {"job_type": "DEPLOY", "configuration_id": spec, "plan_job_id": planned})
    assert again.status_code == 409


# -- enrolled ones


@pytest.fixture(scope="module")
def fabric(estate: Estate) -> str:
    """The id of the enrolled runner."""
    if estate.fabric is None:
        estate.start_fabric()
    return estate.fabric_id


def test_an_enrolled_runner_goes_the_same_way(estate, fabric):
    spec, pinned = estate.spec(queues=QUEUES), {"assigned_worker_id": fabric}
    deployed = estate.applied(spec, **pinned)
    assert estate.job(deployed)["worker_id"] == fabric
    assert "terraform_data.queue['mails']" in estate.resources(spec)
    estate.change(spec, queues=QUEUES[:1])
    estate.applied(spec, **pinned)
    assert "terraform_data.queue['work']" not in estate.resources(spec)
    estate.done("DESTROY", spec, **pinned)
    assert (estate.status(spec), estate.resources(spec)) == ("DESTROYED", [])
    left = [path for path in (estate.home / "fabric").rglob("*") if path.name.endswith((".tfstate", ".out", ".tf"))]
    assert left == []


def test_a_module_is_run_at_exactly_its_commit_by_a_runner_alone(estate, fabric, repositories):
    repository = repositories.add("infra", {"stacks/main/main.tf": MAIN % "one"})
    first = repository.head()
    repository.change({"stacks/main/main.tf": MAIN % "two"})
    module = {"kind": "git", "url": repository.url, "commit": first, "path": "stacks/main"}
    name = estate.name("modules")
    spec = estate.spec(name, module=module)
    deployed = estate.job(estate.applied(spec))
    assert deployed["worker_id"] == fabric, "the server's own worker takes no module of a repository"
    assert deployed["execution_metadata"]["outputs"] == {"said": f"{name} says one"}
    estate.change(spec, module={**module, "commit": repository.head()})
    assert estate.job(estate.applied(spec))["execution_metadata"]["outputs"] == {"said": f"{name} says two"}
    missing = estate.spec(module={**module, "commit": "b" * 40})
    failed = estate.ended(estate.ask("PLAN", missing), "FAILED")
    assert "b" * 40 in failed["error_message"]
    estate.done("DESTROY", spec)
    assert addresses(estate.state(spec)) == []


# -- people


def test_what_a_zone_asks_for_a_second_person_has_to_agree_to(estate):
    zone = estate.ok("POST", "/api/cli/zones", {"name": estate.name("guarded")})["zone"]["id"]
    estate.ok("PUT", f"/api/cli/zones/{zone}", {"approvals": 1, "destroy_approvals": 1})
    spec = estate.spec(zone_id=zone)
    bob = estate.person("bob", "developer")
    plan = estate.done("PLAN", spec)

    def deploy(token: str = "") -> httpx.Response:
        body = {"job_type": "DEPLOY", "configuration_id": spec, "plan_job_id": plan}
        return estate.call("POST", "/api/jobs", body, token=token)

    assert deploy().status_code == 409
    assert estate.call("POST", f"/api/cli/jobs/{plan}/approve", {}).status_code == 403, "nobody agrees to their own"
    estate.ok("POST", f"/api/cli/jobs/{plan}/approve", {"comment": "good"}, token=bob)
    assert deploy(bob).status_code == 409, "nor to what they apply"
    answer = deploy()
    assert answer.status_code == 201, answer.text
    estate.ended(answer.json()["job"]["id"])
    assert estate.status(spec) == "ACTIVE"

    uid = estate.ask("DESTROY", spec)
    assert (estate.job(uid)["status"], estate.kept(spec)["resources"] > 0) == ("QUEUED", True)
    estate.ok("POST", f"/api/cli/jobs/{uid}/approve", {}, token=bob)
    estate.ended(uid)
    assert estate.resources(spec) == []
