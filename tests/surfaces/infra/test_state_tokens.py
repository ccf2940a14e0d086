"""A foreign runner gets the credential of a state while it holds the job, and no other way."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity.model import Organization
from support import infra_rows as rows
from support.infra_yard import Attempted
from surfaces.infra.runner_yard import NOBODY, asked, configured, runner

JSON = {"content-type": "application/json"}


async def test_who_holds_a_job_gets_the_credential_of_its_state(crew):
    made = await runner(crew)
    queued = await asked(crew, "DEPLOY", await configured(crew))
    assert (await made.send("POST", f"/api/jobs/{queued['id']}/state-token")).status_code == 409, "not claimed yet"
    await made.claim()
    first = (await made.send("POST", f"/api/jobs/{queued['id']}/state-token")).json()
    assert first["username"] == queued["id"]
    assert first["path"] == f"/api/jobs/{queued['id']}/state"
    assert first["lock_path"] == f"{first['path']}/lock"
    second = (await made.send("POST", f"/api/jobs/{queued['id']}/state-token", json=None, headers=JSON)).json()
    old = Attempted(crew, queued["id"], first["password"], 0)
    one = Attempted(crew, queued["id"], second["token"], 0)
    assert (await old.send("GET")).status_code == 401, "another one takes its place"
    await one.lock()
    assert (await one.write(rows.state(1))).status_code == 200
    await made.status(queued["id"], "SUCCESS")
    assert (await one.send("GET")).status_code == 401
    assert (await made.send("POST", f"/api/jobs/{queued['id']}/state-token")).status_code == 409
    shown = (await crew.ok("GET", f"/api/cli/configurations/{queued['configuration_id']}/state"))["state"]
    assert (shown["version"], shown["lock"]) == (1, None), "its lock went with its attempt"


async def test_nobody_else_gets_one(crew):
    made, other = await runner(crew), await runner(crew, "rack-8")
    queued = await asked(crew, "DEPLOY", await configured(crew))
    await made.claim()
    path = f"/api/jobs/{queued['id']}/state-token"
    assert (await other.send("POST", path)).status_code == 409
    assert (await crew.send("POST", path)).status_code == 401
    assert (await crew.send("POST", path, token=None)).status_code == 401
    assert (await made.send("POST", f"/api/jobs/{NOBODY}/state-token")).status_code == 404


async def test_a_job_of_another_organization_is_not_there(crew):
    stranger = await runner(crew, "theirs")

    def leave(tx):
        uid = tx.ids.uid()
        place = tx.add(Organization(uid=uid, ref=f"org_{uid[:12]}", name="Other", slug=uid, created_at=tx.now))
        worker = tx.one(select(Worker).where(Worker.uid == stranger.id), what="the stranger")
        worker.organization_id = place.id

    await crew.db.write(leave)
    queued = await asked(crew, "DEPLOY", await configured(crew))
    answer = await stranger.send("POST", f"/api/jobs/{queued['id']}/state-token")
    assert (answer.status_code, answer.json()["code"]) == (404, "infra_job_not_found")
