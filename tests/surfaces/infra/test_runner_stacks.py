"""Stacks of runners are put up, moved and taken down by jobs; their tokens are kept nowhere."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import inspect

from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Base
from surfaces.infra.foreign_runner import ForeignRunner, Unexpected
from surfaces.infra.runner_yard import GENERATIONS, NOBODY, SECRET, job, runner


@pytest.fixture
async def cloud(crew):
    """A verified identity of AWS."""

    def verb(tx):
        return tx.add(
            CloudIdentity(
                uid=tx.ids.uid(), organization_id=1, owner_id=1, provider="aws", name="acme", sealed=None,
                credentials={"role_arn": "arn:aws:iam::123456789012:role/deck", "account_id": "123456789012"},
                cached_resources={}, cached_at=None, verified_at=tx.now, check_job_id=None, created_at=tx.now,
            )
        ).uid  # fmt: skip

    return await crew.db.write(verb)


async def deployed(crew, by, cloud, name="pool-eu-1"):
    """A runner whose stack was put up by another one; answers it with its token."""
    body = {"name": name, "cloud_identity_id": cloud, "region": "eu-west-1", "assigned_worker_id": by.id}
    made = await crew.ok("POST", "/api/cli/runners/deploy", body, status=201)
    claimed = await by.claim()
    assert claimed["id"] == made["job"]["id"]
    return ForeignRunner(crew.deck.client, made["runner"]["id"], await by.lift(claimed), by.generation)


async def everywhere(crew, secret):
    """Whether a secret stands anywhere in the database."""

    def verb(tx):
        there = set(inspect(tx.connection).get_table_names())
        tables = [table for table in Base.metadata.sorted_tables if table.name in there]
        return any(secret in str(row) for table in tables for row in tx.execute(table.select()).all())

    return await crew.db.read(verb)


async def issued(crew):
    """The runners that were given tokens by jobs, and by which ones."""
    found = await crew.db.read(audit.page, organization_id=1, limit=200)
    return [(one.resource_id, one.detail["job"]) for one in found.events if one.action == "runner.token-issued"]


@GENERATIONS
async def test_a_runner_is_put_up_moved_and_taken_down_by_jobs_and_its_token_is_kept_nowhere(crew, cloud, generation):
    by = await runner(crew, "rack-7", generation)
    body = {"name": "pool", "cloud_identity_id": cloud, "region": "eu-west-1", "assigned_worker_id": by.id}
    made = await crew.ok("POST", "/api/cli/runners/deploy", body, status=201)
    assert made["runner"].keys() == {"id", "name"}
    assert made["job"].keys() == {"id", "status", "created_at"}
    uid = made["runner"]["id"]
    claimed = await by.claim()
    word = "RUNNER" if generation == "runner" else "WORKER"
    assert claimed["job_type"] == f"DEPLOY_{word}"
    said = claimed["config_snapshot"]
    assert (said["image_tag"], said["cpu"], said["memory"], said["region"]) == ("latest", 512, 1024, "eu-west-1")
    assert said["worker_id"] == said["runner_id"] == uid
    assert claimed["cloud"]["role_arn"] == "arn:aws:iam::123456789012:role/deck"
    token = await by.lift(claimed)
    lifted = ForeignRunner(crew.deck.client, uid, token, generation)
    assert await lifted.heartbeat() == []
    assert await issued(crew) == [(uid, made["job"]["id"])]
    assert not await everywhere(crew, token)
    assert token not in json.dumps(await job(crew, made["job"]["id"]))
    shown = (await crew.ok("GET", f"/api/cli/workers/{uid}"))["worker"]["metadata"]
    assert shown["deploy_config"]["image_tag"] == "latest"
    assert "worker_token" not in shown["deploy_config"]

    await crew.ok(
        "POST", "/api/releases/worker", {"version": "0.5.0"}, token=None,
        headers={"authorization": f"Bearer {SECRET}"},
    )  # fmt: skip
    moved = await crew.ok("POST", f"/api/cli/runners/{uid}/update", {"assigned_runner_id": by.id}, status=201)
    claimed = await by.claim()
    assert (claimed["id"], claimed["config_snapshot"]["image_tag"]) == (moved["job"]["id"], "0.5.0")
    assert await lifted.heartbeat() == []  # until the apply has succeeded, its own token counts
    fresh = await by.lift(claimed)
    assert (await lifted.send("POST", "/api/workers/heartbeat")).status_code == 401
    lifted.token = fresh
    assert await lifted.heartbeat() == []
    assert (await crew.ok("GET", f"/api/cli/workers/{uid}"))["worker"]["metadata"]["deploy_config"][
        "image_tag"
    ] == "0.5.0"

    body = {"job_type": f"DESTROY_{word}", "config_snapshot": {"worker_id": uid}, "assigned_worker_id": by.id}
    await crew.ok("POST", "/api/jobs", body, status=201)
    answer = await crew.send("POST", "/api/jobs", body)
    assert answer.status_code == 409
    claimed = await by.claim()
    assert claimed["config_snapshot"]["region"] == "eu-west-1"
    assert "worker_token" not in claimed["config_snapshot"]
    await by.take_down(claimed)
    await by.remove(uid)  # however often, and however late it is told
    assert (await crew.send("GET", f"/api/cli/workers/{uid}")).status_code == 404
    assert (await lifted.send("POST", "/api/workers/heartbeat")).status_code == 401


async def test_a_failed_move_leaves_the_runner_its_token(crew, cloud):
    by = await runner(crew)
    lifted = await deployed(crew, by, cloud)
    await crew.ok(
        "POST", "/api/releases/worker", {"version": "0.5.0"}, token=None,
        headers={"authorization": f"Bearer {SECRET}"},
    )  # fmt: skip
    await crew.ok("POST", f"/api/cli/workers/{lifted.id}/update", {"assigned_worker_id": by.id}, status=201)
    claimed = await by.claim()
    await by.status(claimed["id"], "PROCESSING")
    await by.status(claimed["id"], "FAILED", "no more addresses")
    assert await lifted.heartbeat() == []
    lifted.token = claimed["config_snapshot"]["worker_token"]
    assert (await lifted.send("POST", "/api/workers/heartbeat")).status_code == 401


async def test_a_runner_without_a_stack_or_without_a_release_is_not_moved(crew, cloud):
    made = await runner(crew)
    answer = await crew.send("POST", f"/api/cli/workers/{made.id}/update", {})
    assert answer.status_code == 409
    assert "no stack" in answer.json()["error"]
    lifted = await deployed(crew, made, cloud)
    answer = await crew.send("POST", f"/api/cli/workers/{lifted.id}/update", {})
    assert (answer.status_code, answer.json()["error"]) == (409, "No release of the runner has been published.")
    body = {"job_type": "DESTROY_WORKER", "config_snapshot": {"worker_id": made.id}}
    assert (await crew.send("POST", "/api/jobs", body)).status_code == 409


async def test_a_runner_is_not_forgotten_while_a_job_changes_its_stack(crew, cloud):
    by = await runner(crew)
    body = {"name": "pool", "cloud_identity_id": cloud, "region": "eu-west-1", "assigned_worker_id": by.id}
    made = await crew.ok("POST", "/api/cli/runners/deploy", body, status=201)
    answer = await crew.send("DELETE", f"/api/cli/workers/{made['runner']['id']}")
    assert (answer.status_code, "changes the runner pool" in answer.json()["error"]) == (409, True)
    await crew.ok("POST", f"/api/cli/jobs/{made['job']['id']}/cancel", None)
    await crew.ok("DELETE", f"/api/cli/workers/{made['runner']['id']}")


async def test_no_runner_is_given_the_job_that_takes_it_down(crew, cloud):
    by = await runner(crew)
    lifted = await deployed(crew, by, cloud)
    body = {"job_type": "DESTROY_WORKER", "config_snapshot": {"worker_id": lifted.id}}
    answer = await crew.send("POST", "/api/jobs", {**body, "assigned_worker_id": lifted.id})
    assert (answer.status_code, "cannot change its own stack" in answer.json()["error"]) == (409, True)
    queued = (await crew.ok("POST", "/api/jobs", {**body, "cloud_identity_id": cloud}, status=201))["job"]
    assert await lifted.claim() is None
    answer = await crew.send("POST", f"/api/cli/jobs/{queued['id']}/pin", {"assigned_worker_id": lifted.id})
    assert answer.status_code == 409
    assert (await by.claim())["id"] == queued["id"]


async def test_two_who_take_one_runner_down_at_once_queue_one_job(crew, cloud):
    by = await runner(crew)
    lifted = await deployed(crew, by, cloud)
    body = {"job_type": "DESTROY_WORKER", "config_snapshot": {"worker_id": lifted.id}}
    answers = await asyncio.gather(*(crew.send("POST", "/api/jobs", body) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"name": "x", "region": "eu"}, 400),
        ({"name": "x", "region": "eu", "cloud_identity_id": NOBODY}, 404),
        ({"name": "x", "region": "eu", "cloud_identity_id": "CLOUD", "assigned_worker_id": NOBODY}, 404),
        ({"name": "x", "region": "", "cloud_identity_id": "CLOUD"}, 400),
    ],
)
async def test_a_stack_that_cannot_be_put_up_registers_no_runner(crew, cloud, body, status):
    sent = {key: cloud if value == "CLOUD" else value for key, value in body.items()}
    answer = await crew.send("POST", "/api/cli/runners/deploy", sent)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() - {"hint"} == {"code", "error"}
    assert (await crew.ok("GET", "/api/cli/workers"))["workers"] == []


async def test_a_runner_changes_its_own_registration_alone(crew, cloud):
    by, other = await runner(crew), await runner(crew, "rack-8")
    lifted = await deployed(crew, by, cloud)
    for target in (other.id, NOBODY, "x"):
        assert (await by.send("PATCH", f"/api/workers/{target}/metadata", json={"a": 1})).status_code == 404
        assert (await by.send("DELETE", f"/api/workers/{target}")).status_code == 404
    await other.metadata(other.id, {"slots": 4, "api_token": "t0k3n", "deploy_config": {"region": "mine"}}, "POST")
    shown = (await crew.ok("GET", f"/api/cli/workers/{other.id}"))["worker"]["metadata"]
    assert shown == {"slots": 4, "api_token": "****"}
    await by.metadata(lifted.id, {"note": "fine"})  # it has put it up
    shown = (await crew.ok("GET", f"/api/cli/workers/{lifted.id}"))["worker"]["metadata"]
    assert (shown["note"], shown["deploy_config"]["region"]) == ("fine", "eu-west-1")
    with pytest.raises(Unexpected):
        await by.remove(lifted.id)  # putting it up is no reason to remove it
    for wrong in ([], "x", 7):
        assert (await by.send("PATCH", f"/api/workers/{by.id}/metadata", json=wrong)).status_code == 400
    await other.remove(other.id)
    assert (await other.send("POST", "/api/workers/heartbeat")).status_code == 401
