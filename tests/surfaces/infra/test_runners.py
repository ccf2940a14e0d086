"""Runners as people register, list, drain, choose and remove them, and the releases of their program."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from quarterdeck.fleet.workers import offering
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners.model import Runner
from support.deck import running
from support.enrolled import enrolled
from surfaces.infra.foreign_runner import ForeignRunner
from surfaces.infra.runner_yard import NOBODY, SECRET

WORKERS = "/api/cli/workers"
PIPELINE = {"authorization": f"Bearer {SECRET}"}


async def refused(crew, status, method, path, body=None, **options):
    """In the envelope of the surface, and nothing has happened."""
    before = await crew.told()
    answer = await crew.send(method, path, body, **options)
    assert answer.status_code == status, answer.text
    assert answer.json().keys() - {"hint"} == {"code", "error"}
    assert [one for one in (await crew.told())[len(before) :] if one["outcome"] == "success"] == []
    return answer.json()["error"]


async def registered(crew, name="rack-7", **more):
    body = {"name": name, "mode": "self-hosted", **more}
    return await crew.ok("POST", WORKERS, body, status=201)


def of(crew, made, generation="worker"):
    return ForeignRunner(crew.deck.client, made["worker_id"], made["worker_token"], generation)


async def row(crew, uid):
    def verb(tx):
        return tx.session.execute(
            select(Worker, Runner).join(Runner, Runner.worker_id == Worker.id).where(Worker.uid == uid)
        ).one()

    return await crew.db.read(verb)


async def test_a_runner_is_registered_once_told_its_token_and_kept_as_a_hash(crew):
    made = await crew.once("runner.registered", "POST", WORKERS, {"name": "rack-7", "mode": "self-hosted"}, status=201)
    assert made["worker"] == made["runner"]
    assert made["worker"].keys() == {"id", "name", "mode", "status", "created_at"}
    assert (made["worker"]["name"], made["worker"]["mode"], made["worker"]["status"]) == (
        "rack-7", "self-hosted", "OFFLINE",
    )  # fmt: skip
    token = made["worker_token"]
    assert len(token) == 64
    assert int(token, 16)
    assert (made["runner_id"], made["runner_token"]) == (made["worker_id"], token)
    worker, runner = await row(crew, made["worker_id"])
    assert runner.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert set(worker.capabilities) == {"infra", "infra:elsewhere", "infra:drift"}
    for text in (*map(str, await crew.told()), (await crew.send("GET", f"{WORKERS}/{worker.uid}")).text):
        assert token not in text


@pytest.mark.parametrize(
    "path", [WORKERS, "/api/cli/runners", "/api/cli/runners/register", "/api/cli/tendrils/register"]
)
async def test_every_documented_address_registers(crew, path):
    made = await crew.ok("POST", path, {"name": "rack-7", "mode": "self-hosted"}, status=201)
    assert await of(crew, made).heartbeat() == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "name and mode are required"),
        ({"name": "x"}, "name and mode are required"),
        ({"mode": "self-hosted"}, "name and mode are required"),
        ({"name": "", "mode": "self-hosted"}, "name and mode are required"),
        ({"name": None, "mode": None}, "name and mode are required"),
        ({"name": "x", "mode": "cloud-hosted"}, "mode must be self-hosted"),
        ({"name": "a\u202eb", "mode": "self-hosted"}, "cannot be seen"),
        ({"name": "x" * 201, "mode": "self-hosted"}, "more than 200"),
        ({"name": 7, "mode": "self-hosted"}, "name: Expected"),
        ({"name": "x", "mode": "self-hosted", "metadata": {"a": "x" * 300_000}}, "metadata has"),
    ],
)
async def test_what_cannot_be_registered_is_told_by_field(crew, body, told):
    assert told in await refused(crew, 400, "POST", WORKERS, body)
    assert (await crew.ok("GET", WORKERS))["workers"] == []


async def test_an_unknown_cloud_identity_registers_nothing(crew):
    body = {"name": "x", "mode": "self-hosted", "cloud_identity_id": NOBODY}
    await refused(crew, 404, "POST", WORKERS, body)
    assert (await crew.ok("GET", WORKERS))["workers"] == []


async def test_a_token_of_a_program_registers_no_runner(crew):
    made = await crew.ok("POST", "/api/web/profile/tokens", {"label": "ci"}, status=201)
    await refused(crew, 403, "POST", WORKERS, {"name": "x", "mode": "self-hosted"}, token=made["token"])


async def test_the_list_has_both_keys_the_default_first_then_the_newest(crew):
    first, second, third = [await registered(crew, f"rack-{number}") for number in range(3)]
    found = await crew.ok("GET", "/api/cli/runners")
    assert found["workers"] == found["runners"]
    assert [one["name"] for one in found["workers"]] == ["rack-2", "rack-1", "rack-0"]
    assert {"id", "name", "mode", "status", "last_heartbeat", "version", "is_default", "created_at"} <= found[
        "workers"
    ][0].keys()
    await crew.once("runner.chosen", "POST", f"{WORKERS}/{first['worker_id']}/default")
    await crew.once("runner.chosen", "POST", f"{WORKERS}/{second['worker_id']}/default")
    names = [(one["name"], one["is_default"]) for one in (await crew.ok("GET", WORKERS))["workers"]]
    assert names == [("rack-1", True), ("rack-2", False), ("rack-0", False)]
    page = await crew.ok("GET", WORKERS, params={"limit": 1})
    assert [one["name"] for one in page["workers"]] == ["rack-1", "rack-2"]  # the default is beside the page
    rest = await crew.ok("GET", WORKERS, params={"limit": 1, "before": page["next"]})
    assert ([one["name"] for one in rest["workers"]], rest["next"]) == (["rack-0"], None)
    assert third["worker_id"] == page["next"]


async def test_a_default_is_of_the_person_who_chose_it(crew):
    made = await registered(crew)
    _, other = await crew.person("bea", "organization:developer")
    await crew.ok("POST", f"{WORKERS}/{made['worker_id']}/default", token=other)
    assert [one["is_default"] for one in (await crew.ok("GET", WORKERS))["workers"]] == [False]
    assert [one["is_default"] for one in (await crew.ok("GET", WORKERS, token=other))["workers"]] == [True]


async def test_runners_of_another_organization_are_nobodys(crew):
    made = await registered(crew)
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    assert (await crew.ok("GET", WORKERS, token=eve))["workers"] == []
    path = f"{WORKERS}/{made['worker_id']}"
    assert await refused(crew, 404, "GET", path, token=eve) == "Worker not found"
    await refused(crew, 404, "DELETE", path, token=eve)
    for verb in ("drain", "default", "update"):
        await refused(crew, 404, "POST", f"{path}/{verb}", {}, token=eve)
    for wrong in (NOBODY, "not-an-id", "x" * 90, "%00"):
        await refused(crew, 404, "GET", f"{WORKERS}/{wrong}")


async def test_one_runner_is_shown_with_release_job_and_metadata_without_credentials(crew):
    said = {"rack": 7, "deploy_config": {"region": "eu-1", "worker_token": "f0" * 32}, "password": "hunter2"}
    made = await registered(crew, metadata=said)
    await of(crew, made).heartbeat()
    found = (await crew.ok("GET", f"{WORKERS}/{made['worker_id']}"))["worker"]
    assert found["metadata"] == {
        "rack": 7, "deploy_config": {"region": "eu-1", "worker_token": "****"}, "password": "****"
    }  # fmt: skip
    assert (found["current_job_id"], found["release"], found["version"], found["kind"]) == (
        None, None, "0.3.1", "runner"
    )  # fmt: skip


async def test_a_runner_is_online_for_sixty_seconds_after_each_sign_of_life(crew, monkeypatch):
    made = await registered(crew)

    async def status():
        return (await crew.ok("GET", f"{WORKERS}/{made['worker_id']}"))["worker"]["status"]

    assert await status() == "OFFLINE"
    await of(crew, made).heartbeat()
    assert await status() == "ONLINE"
    for seconds, expected in ((59, "ONLINE"), (61, "OFFLINE")):
        await crew.db.write(
            lambda tx, ago=seconds: tx.execute(update(Worker).values(last_seen_at=tx.now - timedelta(seconds=ago)))
        )
        assert await status() == expected


async def test_draining_shows_and_ends_by_hand(crew):
    made = await registered(crew)
    await of(crew, made).heartbeat()
    path = f"{WORKERS}/{made['worker_id']}/drain"
    found = await crew.once("worker.drained", "POST", path, {"reason": "new disk"})
    assert (found["worker"]["status"], found["worker"]["drain_reason"]) == ("DRAINING", "new disk")
    found = await crew.once("worker.undrained", "POST", path, {"draining": False})
    assert found["runner"]["status"] == "ONLINE"


async def test_a_removed_runner_is_gone_and_its_token_worth_nothing(crew):
    made = await registered(crew)
    runner = of(crew, made)
    await runner.heartbeat()
    assert await crew.once("worker.revoked", "DELETE", f"{WORKERS}/{made['worker_id']}") == {"success": True}
    assert (await crew.ok("GET", WORKERS))["workers"] == []
    await refused(crew, 404, "DELETE", f"{WORKERS}/{made['worker_id']}")
    answer = await runner.send("POST", "/api/workers/heartbeat")
    assert (answer.status_code, answer.json()["error"]) == (401, "Invalid worker ID or token")


async def test_an_enrolled_worker_is_a_runner_and_keeps_its_other_work_when_it_is_removed(crew):
    here = (await crew.db.read(lambda tx: tx.principal)).organization_id

    def enrol(tx):
        tokens = crew.deck.instance.worker_tokens
        one = enrolled(tx, ["infra", "tasks"], organization_id=here or 1, tokens=tokens, name="shed")
        return one.uid

    uid = await crew.db.write(enrol)
    found = (await crew.ok("GET", WORKERS))["workers"]
    assert [(one["id"], one["kind"], one["mode"], one["outdated"], one["due_version"]) for one in found] == [
        (uid, "worker", "self-hosted", False, None)
    ]
    await crew.ok("POST", "/api/releases/runner", {"version": "99.0"}, token=None, headers=PIPELINE)
    for version, due in (("0.0.9", offering.release()), (offering.release(), None), ("98.0", None)):
        told = update(Worker).where(Worker.uid == uid).values(version=version)
        await crew.db.write(lambda tx, told=told: tx.execute(told))
        (one,) = (await crew.ok("GET", WORKERS))["workers"]
        shown = (await crew.ok("GET", f"{WORKERS}/{uid}"))["worker"]
        assert (one["outdated"], one["due_version"]) == (shown["outdated"], shown["due_version"]) == (bool(due), due)
    await crew.ok("POST", f"{WORKERS}/{uid}/default")
    await crew.once("runner.removed", "DELETE", f"{WORKERS}/{uid}")
    assert (await crew.ok("GET", WORKERS))["workers"] == []

    def still(tx):
        worker = tx.first(select(Worker).where(Worker.uid == uid))
        return worker.capabilities, worker.revoked_at, tx.first(select(Runner).where(Runner.worker_id == worker.id))

    assert await crew.db.read(still) == (["tasks"], None, None)


# -- by the secret of releases


async def test_a_cloud_hosted_runner_keeps_its_id_and_gets_another_token(crew):
    one = await crew.ok("POST", "/api/runners/register", {"name": "pool-eu-1"}, token=None, headers=PIPELINE)
    assert {"runner_id", "runner_token"} <= one.keys()
    two = await crew.ok("POST", "/api/runners/register", {"name": "pool-eu-1"}, token=None, headers=PIPELINE)
    assert one["runner_id"] == two["runner_id"]
    assert one["runner_token"] != two["runner_token"]
    answer = await of(crew, one).send("POST", "/api/runners/heartbeat")
    assert answer.status_code == 401
    assert await of(crew, two, "runner").heartbeat() == []
    _, eve = await crew.person("eve", "organization:owner", organization="org_elsewhere")
    for token in ("", eve):
        found = (await crew.ok("GET", WORKERS, token=token))["workers"]
        assert [(one["name"], one["mode"], one["user_id"]) for one in found] == [("pool-eu-1", "cloud-hosted", None)]
    path = f"{WORKERS}/{one['runner_id']}"
    assert await refused(crew, 403, "DELETE", path, token=eve) == "You can only change your own workers"
    await refused(crew, 403, "POST", f"{path}/drain", {}, token=eve)
    assert await crew.ok("DELETE", path) == {"success": True}


async def test_registering_one_cloud_runner_twice_at_once_makes_one(crew):
    sent = [
        crew.send("POST", "/api/runners/register", {"name": "pool"}, token=None, headers=PIPELINE) for _ in range(4)
    ]
    answers = await asyncio.gather(*sent)
    assert {one.status_code for one in answers} == {200}
    assert len({one.json()["runner_id"] for one in answers}) == 1
    alive = [await of(crew, one.json()).send("POST", "/api/workers/heartbeat") for one in answers]
    assert sorted(one.status_code for one in alive) == [200, 401, 401, 401]


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer wrong"}, {"authorization": SECRET}, {"authorization": f"Bearer {SECRET} "}],
)
@pytest.mark.parametrize("path", ["/api/releases/worker", "/api/runners/register", "/api/platform/queue"])
async def test_without_the_secret_a_pipeline_is_not_let_in(crew, path, headers):
    body = {"version": "9", "name": "x"}
    assert await refused(crew, 401, "POST", path, body, token=None, headers=headers) == "Unauthorized"
    assert await refused(crew, 401, "POST", path, body) == "Unauthorized"  # nor is the administrator


async def test_without_a_secret_that_was_set_nobody_is_let_in(tmp_path, database_address):
    async with running(tmp_path, database_address) as deck:
        for header in ("Bearer ", "Bearer None", ""):
            answer = await deck.send(
                "POST", "/api/releases/worker", {"version": "1"}, token=None, headers={"authorization": header}
            )
            assert (answer.status_code, answer.json()["error"]) == (401, "Unauthorized")


async def test_the_secret_opens_no_other_route(crew):
    for method, path in (("GET", WORKERS), ("GET", "/api/projects"), ("POST", "/api/jobs/claim")):
        answer = await crew.send(method, path, None, token=None, headers=PIPELINE)
        assert answer.status_code == 401, path


async def test_a_release_is_published_once_and_marks_the_others_outdated(crew):
    old = await registered(crew, "old")
    new = await registered(crew, "new")
    await of(crew, old).heartbeat()
    runner = of(crew, new)
    runner.version = "0.4.0"
    await runner.heartbeat()
    body = {"version": "0.4.0", "release_notes": "faster\nsafer", "is_breaking": True, "commit_sha": "ab" * 20}
    made = await crew.once(
        "runner-release.published", "POST", "/api/releases/runner", body,
        token=None, headers=PIPELINE, actor="release secret",
    )  # fmt: skip
    assert made["success"] is True
    assert len(made["id"]) == 36
    told = await refused(crew, 409, "POST", "/api/releases/worker", body, token=None, headers=PIPELINE)
    assert told == "Version 0.4.0 already exists"
    told = await refused(crew, 400, "POST", "/api/releases/worker", {}, token=None, headers=PIPELINE)
    assert told == "Missing required field: version"
    found = {one["name"]: (one["outdated"], one["due_version"]) for one in (await crew.ok("GET", WORKERS))["workers"]}
    assert found == {"old": (True, "0.4.0"), "new": (False, None)}
    shown = (await crew.ok("GET", f"{WORKERS}/{new['worker_id']}"))["worker"]
    assert (shown["release"]["version"], shown["release"]["is_breaking"]) == ("0.4.0", True)
    listed = await crew.ok("GET", "/api/cli/releases")
    assert [one["version"] for one in listed["releases"]] == ["0.4.0"]
    assert listed["latest"]["release_notes"] == "faster\nsafer"


async def test_an_unreadable_release_is_refused(crew):
    answer = await crew.send(
        "POST", "/api/releases/worker", None, token=None,
        headers=PIPELINE | {"content-type": "application/json"}, content=b"{not json",
    )  # fmt: skip
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]
    for body in ({"version": "1", "github_release_url": "javascript:alert(1)"}, {"version": "x" * 101}):
        await refused(crew, 400, "POST", "/api/releases/worker", body, token=None, headers=PIPELINE)


# -- one address for three


async def test_the_shared_address_enrols_machines_registers_cloud_runners_and_ones_own(crew):
    path = "/api/workers/register"
    answer = await crew.send("POST", path, {"name": "pool"}, token=None, headers=PIPELINE)
    assert answer.status_code == 200, answer.text
    assert {"runner_id", "runner_token"} <= answer.json().keys()
    own = await crew.ok("POST", path, {"name": "rack", "mode": "self-hosted"}, status=201)
    assert {"worker", "worker_token", "worker_id"} <= own.keys()
    made = await crew.ok("POST", "/api/admin/worker-tokens", {"label": "shed"}, status=201)
    machine = await crew.ok("POST", path, {"token": made["token"], "name": "shed"}, status=201, token=None)
    assert {"machineId", "workerJwt", "recoverySecret"} <= machine.keys()
    names = {one["name"] for one in (await crew.ok("GET", WORKERS))["workers"]}
    assert names == {"pool", "rack"}


async def test_refusals_of_the_shared_address_are_told_in_every_key(crew):
    path = "/api/workers/register"
    answer = await crew.send("POST", path, {"name": "x"})
    assert answer.status_code == 400
    assert answer.json()["error"] == answer.json()["detail"] == "name and mode are required"
    answer = await crew.send("POST", path, {"name": "x", "mode": "self-hosted"}, token="wrong")
    assert answer.status_code == 401
    answer = await crew.send("POST", path, {"name": "x", "mode": "self-hosted"}, token=None)
    assert (answer.status_code, answer.json()["message"]) == (400, "token: Required")
    _, bea = await crew.person("bea", "organization:developer")
    answer = await crew.send("POST", path, {"name": "x", "mode": "self-hosted"}, token=bea)
    assert answer.status_code == 403
    assert (await crew.ok("GET", WORKERS))["workers"] == []


# -- one-time tokens


async def test_a_one_time_token_is_swapped_once_for_id_and_token(crew):
    made = await crew.once(
        "worker-token.created", "POST", f"{WORKERS}/enrolment-tokens", {"label": "rack 9"}, status=201
    )
    body = {"token": made["token"], "version": "0.3.1", "metadata": {"rack": 9}}
    sent = [crew.send("POST", "/api/runners/bootstrap", body, token=None) for _ in range(3)]
    answers = await asyncio.gather(*sent)
    assert sorted(one.status_code for one in answers) == [201, 409, 409]
    told = next(one.json() for one in answers if one.status_code == 201)
    assert await of(crew, told, "runner").heartbeat() == []
    found = (await crew.ok("GET", f"{WORKERS}/{told['worker_id']}"))["worker"]
    assert (found["name"], found["metadata"]) == ("rack 9", {"rack": 9})
    assert [one["action"] for one in await crew.told()][-1] == "runner.bootstrapped"


async def test_a_token_of_tasks_swaps_for_no_runner_and_is_not_used_up(crew):
    made = await crew.ok("POST", "/api/admin/worker-tokens", {"label": "shed"}, status=201)
    told = await refused(crew, 401, "POST", "/api/runners/bootstrap", {"token": made["token"]}, token=None)
    assert told == "The enrolment token is not for runners."
    for wrong in ("", "ovw_1_abc", "ovw_9999999999_x", "x" * 3000):
        await refused(crew, 401, "POST", "/api/runners/bootstrap", {"token": wrong}, token=None)
    machine = {"token": made["token"], "name": "shed"}
    await crew.ok("POST", "/api/workers/register", machine, status=201, token=None)
