"""Foreign runners of both generations work on jobs by the documented calls, and reach nothing that is not theirs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid

import httpx
import pytest
from sqlalchemy import inspect

from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.kernel.db import Base
from quarterdeck.kernel.http.doorkeeper import Patience
from support.crew import Crew
from support.deck import running, signed_in
from support.doors import behind_the_door
from surfaces.infra.foreign_runner import PLAN_BYTES, ForeignRunner, Unexpected

SECRET = "a secret of releases"
NOBODY = "00000000-0000-7000-8000-000000000000"
DOCUMENT = {
    "project_name": "ledger",
    "environment_stage": "staging",
    "region": "here",
    "provider": "local",
    "terraform_version": "1.11.4",
}
GENERATIONS = pytest.mark.parametrize("generation", ["worker", "runner"])


@pytest.fixture
async def crew(tmp_path, database_address):
    async with running(tmp_path, database_address, release_secret=SECRET) as deck:
        yield Crew(await signed_in(deck))


async def runner(crew, name="rack-7", generation="worker", token=""):
    body = {"name": name, "mode": "self-hosted"}
    made = await crew.ok("POST", "/api/cli/workers", body, status=201, token=token)
    return ForeignRunner(crew.deck.client, made["worker_id"], made["worker_token"], generation)


async def cloud_runner(crew, name="pool"):
    headers = {"authorization": f"Bearer {SECRET}"}
    made = await crew.ok("POST", "/api/runners/register", {"name": name}, token=None, headers=headers)
    return ForeignRunner(crew.deck.client, made["runner_id"], made["runner_token"], "runner")


async def configured(crew, name="ledger", token=""):
    made = await crew.ok("POST", "/api/cli/configurations", {**DOCUMENT, "project_name": name}, status=201, token=token)
    return made["configuration"]["id"]


async def asked(crew, job_type="PLAN", spec=None, token="", **more):
    body = {"job_type": job_type, "configuration_id": spec, "zone_id": "", **more}
    return (await crew.ok("POST", "/api/jobs", body, status=201, token=token))["job"]


async def job(crew, uid):
    return await crew.ok("GET", f"/api/cli/jobs/{uid}")


async def logs(crew, uid):
    found = (await crew.ok("GET", f"/api/cli/jobs/{uid}/logs"))["logs"]
    return [(one["stream_type"], one["log_chunk"]) for one in found]


# -- who comes in


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "Missing X-Worker-ID or X-Worker-Token"),
        ({"X-Worker-ID": "ID"}, "Missing X-Worker-ID or X-Worker-Token"),
        ({"X-Worker-Token": "TOKEN"}, "Missing X-Worker-ID or X-Worker-Token"),
        ({"X-Worker-ID": "", "X-Worker-Token": ""}, "Missing X-Worker-ID or X-Worker-Token"),
        ({"X-Worker-ID": "ID", "X-Worker-Token": "wrong"}, "Invalid worker ID or token"),
        ({"X-Worker-ID": NOBODY, "X-Worker-Token": "TOKEN"}, "Invalid worker ID or token"),
        ({"X-Worker-ID": "no id", "X-Worker-Token": "TOKEN"}, "Invalid worker ID or token"),
        ({"X-Runner-ID": "ID", "X-Runner-Token": "TOKENx"}, "Invalid worker ID or token"),
    ],
)
async def test_who_shows_no_id_and_token_that_belong_together_is_not_let_in(crew, headers, told):
    made = await runner(crew)
    shown = {key: value.replace("ID", made.id).replace("TOKEN", made.token) for key, value in headers.items()}
    for method, path in (
        ("POST", "/api/workers/heartbeat"), ("POST", "/api/jobs/claim"), ("PUT", f"/api/jobs/{NOBODY}/status"),
        ("POST", f"/api/jobs/{NOBODY}/logs"), ("POST", f"/api/jobs/{NOBODY}/git-token"), ("GET", "/api/runners/wake"),
        ("PATCH", f"/api/workers/{made.id}/metadata"), ("DELETE", f"/api/workers/{made.id}"),
    ):  # fmt: skip
        answer = await crew.send(method, path, None, token=None, headers=shown)
        assert (answer.status_code, answer.json()) == (401, {"error": told}), (method, path)


async def test_a_person_is_no_runner_and_a_runner_no_person(crew):
    made = await runner(crew)
    answer = await crew.send("POST", "/api/jobs/claim")
    assert (answer.status_code, answer.json()["error"]) == (401, "Missing X-Worker-ID or X-Worker-Token")
    for method, path in (
        ("GET", "/api/cli/workers"), ("GET", "/api/jobs"), ("POST", "/api/jobs"), ("GET", "/api/projects"),
        ("GET", "/api/cli/configurations"), ("GET", "/api/v1/session"), ("GET", "/api/web/machines"),
        ("POST", "/api/workers/refresh-token"), ("GET", f"/api/jobs/{NOBODY}/state"),
    ):  # fmt: skip
        answer = await made.send(method, path)
        assert answer.status_code in {401, 404, 405}, (method, path, answer.text)


async def test_a_token_does_not_open_the_control_channel_of_workers(crew):
    made = await runner(crew)
    body = {"machineId": made.id, "recoverySecret": made.token}
    answer = await crew.send("POST", "/api/workers/recover", body, token=None)
    assert answer.status_code == 401


async def test_who_guesses_tokens_is_sent_away_and_the_runner_itself_is_not(crew):
    made = await runner(crew)
    await made.heartbeat()
    transport = crew.deck.client._transport
    transport.client = ("203.0.113.9", 4711)
    await made.heartbeat()
    for number in range(40):
        guess = ForeignRunner(crew.deck.client, made.id, f"{number:064x}")
        answer = await guess.send("POST", "/api/workers/heartbeat")
    assert answer.status_code == 429
    assert answer.json().keys() == {"error"}
    assert await made.heartbeat() == []


# -- the loop


@GENERATIONS
async def test_an_idle_claim_is_answered_200_with_no_job_and_is_a_sign_of_life(crew, generation):
    made = await runner(crew, generation=generation)
    answer = await made.send("POST", "/api/jobs/claim", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (200, {"job": None, "cloud_identity": None})
    found = (await crew.ok("GET", f"/api/cli/workers/{made.id}"))["worker"]
    assert found["status"] == "ONLINE"


@GENERATIONS
async def test_a_plan_is_made_by_the_documented_calls(crew, generation):
    made, spec = await runner(crew, generation=generation), await configured(crew)
    await made.heartbeat()
    queued = await asked(crew, "PLAN", spec)
    claimed = await made.claim()
    assert (claimed["id"], claimed["status"], claimed["worker_id"], claimed["runner_id"]) == (
        queued["id"], "CLAIMED", made.id, made.id
    )  # fmt: skip
    assert claimed["cloud"] is None
    assert {"vineyard_id", "zone_id", "network", "cluster"} <= claimed["config_snapshot"].keys()
    assert (await crew.ok("GET", f"/api/cli/workers/{made.id}"))["worker"]["current_job_id"] == queued["id"]
    change = {"address": "x.y", "type": "x", "name": "y", "change": {"actions": ["create"], "after": {}}}
    await made.plan(claimed, [change])
    found = await job(crew, queued["id"])
    assert found["status"] == "SUCCESS"
    assert found["execution_metadata"]["plan_summary"]["create"] == 1
    assert found["execution_metadata"]["phase"] == "terraform_plan"
    told = await logs(crew, queued["id"])
    assert told[0] == ("STDOUT", "Initializing the backend...\n")
    assert ("STDERR", "a warning\n") in told
    assert told[-1] == ("STDOUT", "the last lines come after the end\n")
    assert not [line for line in made.log if "dropped" in line]
    assert await made.claim() is None


async def test_a_job_is_given_once_to_however_many_ask_at_once(crew):
    several = [await runner(crew, f"rack-{number}") for number in range(6)]
    queued = await asked(crew, "PLAN", await configured(crew))
    claimed = await asyncio.gather(*(one.claim() for one in several))
    assert [one["id"] for one in claimed if one] == [queued["id"]]


async def test_a_draining_runner_gets_nothing_until_it_is_undrained(crew):
    made = await runner(crew)
    await asked(crew, "PLAN", await configured(crew))
    await crew.ok("POST", f"/api/cli/workers/{made.id}/drain", {})
    assert await made.claim() is None
    await crew.ok("POST", f"/api/cli/workers/{made.id}/drain", {"draining": False})
    assert await made.claim() is not None


async def test_jobs_pinned_elsewhere_and_of_another_organization_are_never_given(crew):
    mine, other = await runner(crew), await runner(crew, "rack-8")
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    spec = await configured(crew, token=eve)
    await asked(crew, "PLAN", spec, token=eve)
    pinned = await asked(crew, "PLAN", await configured(crew), assigned_runner_id=other.id)
    assert await mine.claim() is None
    assert (await other.claim())["id"] == pinned["id"]
    assert (await (await cloud_runner(crew)).claim())["user_id"] != pinned["user_id"]


async def test_a_runner_reaches_no_job_but_its_own(crew):
    mine, other = await runner(crew), await runner(crew, "rack-8")
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    stranger = await runner(crew, "rack-9", token=eve)
    queued = await asked(crew, "PLAN", await configured(crew))
    assert await mine.claim() is not None
    before = await job(crew, queued["id"])
    path = f"/api/jobs/{queued['id']}"
    for who, code in ((other, 409), (stranger, 404)):
        for status in ("PROCESSING", "SUCCESS", "FAILED", "CANCELLED"):
            answer = await who.send("PUT", f"{path}/status", json={"status": status})
            assert answer.status_code == code, answer.text
        answer = await who.send("POST", f"{path}/logs", json={"log_chunk": "forged\n"})
        assert answer.status_code == code
        for method, rest in (("GET", ""), ("GET", "/logs")):
            assert (await who.send(method, path + rest)).status_code == 404
        assert (await who.send("POST", f"{path}/git-token")).status_code == (403 if code == 409 else 404)
    assert await job(crew, queued["id"]) == before
    assert await logs(crew, queued["id"]) == []


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 400, "status is required"),
        ({"status": ""}, 400, "status is required"),
        ({"status": None}, 400, "status is required"),
        ({"status": "QUEUED"}, 400, "status must be one of"),
        ({"status": "success"}, 400, "status must be one of"),
        ({"status": 7}, 400, "status"),
        ({"status": "PROCESSING", "execution_metadata": []}, 400, "execution_metadata"),
        ({"status": "PROCESSING", "execution_metadata": {"a": "x" * 300_000}}, 400, "256 KiB"),
    ],
)
async def test_a_wrong_report_is_refused_and_changes_nothing(crew, body, status, told):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    before = await job(crew, queued["id"])
    answer = await made.send("PUT", f"/api/jobs/{queued['id']}/status", json=body)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["error"]
    assert await job(crew, queued["id"]) == before


async def test_jobs_that_are_not_there_are_404_whatever_the_form_of_the_id(crew):
    made = await runner(crew)
    for uid in (NOBODY, "not-an-id", "1", "x" * 300):
        for method, rest, body in (
            ("PUT", "/status", {"status": "SUCCESS"}), ("POST", "/logs", {"log_chunk": "x"}), ("GET", "", None),
            ("GET", "/logs", None), ("POST", "/git-token", None),
        ):  # fmt: skip
            answer = await made.send(method, f"/api/jobs/{uid}{rest}", json=body)
            assert answer.status_code == 404, (method, uid, rest, answer.text)
            assert answer.json().keys() <= {"error", "detail"}


async def test_metadata_is_merged_shallowly_and_without_credentials(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    await made.status(queued["id"], "PROCESSING", metadata={"a": {"x": 1}, "b": 1})
    await made.status(queued["id"], "PROCESSING", metadata={"a": {"y": 2}, "argocd_admin_password": "hunter2"})
    found = (await job(crew, queued["id"]))["execution_metadata"]
    assert (found["a"], found["b"], found["argocd_admin_password"]) == ({"y": 2}, 1, "****")


@pytest.mark.parametrize("body", [{}, {"log_chunk": ""}, {"log_chunk": None}])
async def test_an_empty_chunk_is_refused(crew, body):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    answer = await made.send("POST", f"/api/jobs/{queued['id']}/logs", json=body)
    assert (answer.status_code, answer.json()) == (400, {"error": "log_chunk is required"})


async def test_a_cancelled_job_is_told_with_the_heartbeat_and_its_late_end_changes_nothing(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    await made.status(queued["id"], "PROCESSING")
    await crew.ok("POST", f"/api/cli/jobs/{queued['id']}/cancel", None)
    assert await made.heartbeat() == [queued["id"]]
    said = await made.status(queued["id"], "SUCCESS")
    assert said == {"success": True, "applied": False}
    found = await job(crew, queued["id"])
    assert (found["status"], found["execution_metadata"]["late_report"]["status"]) == ("CANCELLED", "SUCCESS")
    await made.lines(queued["id"], "stopped\n")
    assert made.log[-1].startswith("claimed")


async def test_the_job_of_a_runner_that_is_removed_waits_for_another_one(crew):
    first, second = await runner(crew), await runner(crew, "rack-8")
    queued = await asked(crew, "PLAN", await configured(crew))
    pinned = await asked(crew, "PLAN", await configured(crew, "other"), assigned_worker_id=first.id)
    assert (await first.claim())["id"] == pinned["id"]
    assert (await first.claim())["id"] == queued["id"]
    await crew.ok("DELETE", f"/api/cli/workers/{first.id}")
    for uid in (queued["id"], pinned["id"]):
        found = await job(crew, uid)
        assert (found["status"], found["worker_id"], found["assigned_worker_id"]) == ("QUEUED", None, None)
    assert {(await second.claim())["id"] for _ in range(2)} == {queued["id"], pinned["id"]}


async def test_a_silent_runner_keeps_its_job_while_it_beats_and_loses_it_afterwards(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    headers = {"authorization": f"Bearer {SECRET}"}

    async def depth():
        return await crew.ok("POST", "/api/platform/queue", None, token=None, headers=headers)

    assert await depth() == {"recovered": 0, "queued": 0}

    def lapse(tx):
        tx.execute("UPDATE jobs SET lease_until = 1 WHERE lease_until IS NOT NULL AND owner LIKE 'runner:%'")

    await crew.db.write(lapse)
    await made.heartbeat()
    assert await depth() == {"recovered": 0, "queued": 0}
    await crew.db.write(lapse)
    found = await depth()
    assert found["queued"] == 1
    assert (await job(crew, queued["id"]))["status"] == "QUEUED"
    answer = await made.send("PUT", f"/api/jobs/{queued['id']}/status", json={"status": "SUCCESS"})
    assert answer.status_code == 409


async def test_a_git_token_is_only_for_who_holds_the_job_and_its_reading_is_told(crew):
    made = await runner(crew)
    module = {
        "kind": "git", "url": "https://git.example.com/acme/infra.git", "commit": "a" * 40, "path": "aws",
    }  # fmt: skip
    body = {**DOCUMENT, "module": module, "module_token": "ghp_secret"}
    answer = await crew.send("POST", "/api/cli/configurations", body)
    assert answer.status_code == 201, answer.text
    spec = answer.json()["configuration"]["id"]
    queued = await asked(crew, "PLAN", spec)
    claimed = await made.claim()
    assert "ghp_secret" not in json.dumps(claimed)
    assert await made.git_token(queued["id"]) == "ghp_secret"
    assert [one["action"] for one in await crew.told()][-1] == "runner.git-token-read"
    await made.status(queued["id"], "SUCCESS")
    answer = await made.send("POST", f"/api/jobs/{queued['id']}/git-token")
    assert answer.status_code == 403
    bundled = await asked(crew, "PLAN", await configured(crew, "other"))
    await made.claim()
    assert await made.git_token(bundled["id"]) is None


async def test_a_person_reads_a_job_at_the_runners_address_too(crew):
    queued = await asked(crew, "PLAN", await configured(crew))
    found = await crew.ok("GET", f"/api/jobs/{queued['id']}")
    assert found == await job(crew, queued["id"])
    assert (await crew.ok("GET", f"/api/jobs/{queued['id']}/logs"))["logs"] == []
    _, bill = await crew.person("bill", "organization:billing")
    assert (await crew.send("GET", f"/api/jobs/{queued['id']}", token=bill)).status_code == 403
    assert (await crew.send("GET", f"/api/jobs/{queued['id']}", token=None)).status_code == 401


# -- saved plans


async def test_a_saved_plan_is_applied_by_another_runner_byte_for_byte(crew):
    first, second, third = [await runner(crew, f"rack-{number}") for number in range(3)]
    spec = await configured(crew)
    planned = await asked(crew, "PLAN", spec)
    await first.plan(await first.claim())
    applied = await asked(crew, "DEPLOY", spec, plan_job_id=planned["id"])
    claimed = await second.claim()
    assert claimed["id"] == applied["id"]
    assert (await third.send("GET", f"/api/jobs/{planned['id']}")).status_code == 404
    assert (await third.send("GET", f"/api/jobs/{planned['id']}/plan-artifact")).status_code == 404
    assert await second.deploy(claimed, {"endpoint": "https://x"}) == PLAN_BYTES
    found = await job(crew, applied["id"])
    assert (found["status"], found["execution_metadata"]["outputs"]) == ("SUCCESS", {"endpoint": "https://x"})
    assert (await second.send("GET", f"/api/jobs/{planned['id']}/plan-artifact")).status_code == 404


async def test_a_saved_plan_comes_as_an_attachment_of_its_size(crew):
    made = await runner(crew)
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    path = f"/api/jobs/{queued['id']}/plan-artifact"
    answer = await made.send("GET", path)
    assert (answer.status_code, answer.json()) == (404, {"error": "Plan artifact not found"})
    assert await made.upload(queued["id"], b"first") == f"{queued['id']}/terraform.plan.out"
    answer = await made.send("PUT", path, content=b"second", headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 201
    answer = await made.send("GET", path)
    assert (answer.content, answer.headers["content-length"]) == (b"second", "6")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_only_the_attempt_that_holds_the_plan_job_hands_a_plan_in(crew):
    made, other = await runner(crew), await runner(crew, "rack-8")
    queued = await asked(crew, "PLAN", await configured(crew))
    await made.claim()
    path, headers = f"/api/jobs/{queued['id']}/plan-artifact", {"Content-Type": "application/octet-stream"}
    await made.upload(queued["id"], b"mine")
    answer = await other.send("POST", path, content=b"forged", headers=headers)
    assert answer.status_code == 409
    answer = await made.send("POST", path, content=b"", headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"error": "Empty body"})
    answer = await made.send("POST", path, content=b"x" * ((50 << 20) + 1), headers=headers)
    assert answer.status_code == 413
    assert answer.json().keys() == {"error"}
    assert await made.download(queued["id"]) == b"mine"
    await made.status(queued["id"], "SUCCESS")
    answer = await made.send("POST", path, content=b"later", headers=headers)
    assert answer.status_code == 409
    assert await made.download(queued["id"]) == b"mine"


async def test_a_deploy_job_hands_no_plan_in(crew):
    made = await runner(crew)
    queued = await asked(crew, "DEPLOY", await configured(crew))
    await made.claim()
    answer = await made.send(
        "POST", f"/api/jobs/{queued['id']}/plan-artifact", content=b"x",
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    assert answer.status_code == 403


# -- wake-ups


@pytest.fixture
async def wide(crew):
    """The same application on a socket: streams come as they are written."""
    application = crew.deck.client._transport.app
    async with (
        behind_the_door(application, Patience()) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


class Listening:
    """A runner's open stream, read in the background."""

    def __init__(self, made, client):
        self.heard = asyncio.Queue()
        self._task = asyncio.create_task(self._read(ForeignRunner(client, made.id, made.token, made.generation)))

    async def _read(self, made):
        async for told in made.wake():
            await self.heard.put(told)

    async def next(self, seconds=5.0):
        async with asyncio.timeout(seconds):
            return await self.heard.get()

    async def close(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@contextlib.asynccontextmanager
async def listening(made, client):
    one = Listening(made, client)
    try:
        yield one
    finally:
        await one.close()


@GENERATIONS
async def test_a_runner_that_listens_hears_of_work_and_of_cancellation_and_is_online(crew, wide, generation):
    made, spec = await runner(crew, generation=generation), await configured(crew)
    first = await asked(crew, "PLAN", spec)
    async with listening(made, wide) as stream:
        assert await stream.next() == {"type": "wake"}
        assert (await crew.ok("GET", f"/api/cli/workers/{made.id}"))["worker"]["status"] == "ONLINE"
        await made.claim()
        await crew.ok("POST", f"/api/cli/jobs/{first['id']}/cancel", None)
        while (told := await stream.next())["type"] == "wake":
            pass
        assert told == {"type": "cancel", "job_id": first["id"]}


async def test_a_wake_up_comes_within_a_tenth_of_a_second(crew, wide):
    made = await runner(crew)
    async with listening(made, wide) as stream:
        await asyncio.sleep(0.3)

        async def once():
            await asyncio.sleep(0.3)
            queued = await asked(crew, "PLAN", await configured(crew, f"spec-{uuid.uuid4().hex[:8]}"))
            began = asyncio.get_running_loop().time()
            assert await stream.next() == {"type": "wake"}
            taken = asyncio.get_running_loop().time() - began
            await crew.ok("POST", f"/api/cli/jobs/{queued['id']}/cancel", None)
            while not stream.heard.empty():
                stream.heard.get_nowait()
            return taken

        assert sorted([await once() for _ in range(9)])[4] <= 0.1


async def test_nobody_is_woken_for_what_is_not_theirs(crew, wide):
    made, other = await runner(crew), await runner(crew, "rack-8")
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    await crew.ok("POST", f"/api/cli/workers/{other.id}/drain", {})
    async with listening(made, wide) as mine, listening(other, wide) as drained:
        await asked(crew, "PLAN", await configured(crew, token=eve), token=eve)
        await asked(crew, "PLAN", await configured(crew), assigned_worker_id=other.id)
        own = await asked(crew, "PLAN", await configured(crew, "own"))
        assert await mine.next() == {"type": "wake"}
        assert (await made.claim())["id"] == own["id"]
        assert drained.heard.empty()


async def test_a_runner_has_two_streams_at_most_and_gets_a_place_back(crew, wide):
    made = await runner(crew)
    await asked(crew, "PLAN", await configured(crew))

    async def third():
        async with wide.stream("GET", "/api/workers/wake", headers=made.headers) as answer:
            return answer.status_code

    async with listening(made, wide) as one, listening(made, wide) as two:
        await one.next()
        await two.next()
        assert await third() == 429
        await two.close()
        async with asyncio.timeout(5):
            while await third() != 200:
                await asyncio.sleep(0.05)


async def test_a_stream_ends_with_its_registration(crew, wide):
    made = await runner(crew)
    async with wide.stream("GET", "/api/workers/wake", headers=made.headers, timeout=20) as answer:
        assert answer.status_code == 200
        await crew.ok("DELETE", f"/api/cli/workers/{made.id}")
        told = b"".join([part async for part in answer.aiter_raw()])
    assert b"Invalid worker ID or token" in told


# -- stacks of runners


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
    assert answer.json().keys() == {"error"}
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


async def test_floods_of_one_runner_are_bounded_and_others_go_on(crew):
    made, other = await runner(crew), await runner(crew, "rack-8")
    answers = [await made.send("POST", "/api/workers/heartbeat") for _ in range(70)]
    assert answers[-1].status_code == 429
    assert answers[-1].json().keys() == {"error"}
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert await other.heartbeat() == []
    assert await made.claim() is None
