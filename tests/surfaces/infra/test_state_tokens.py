"""A foreign runner gets the credential of a state while it holds the job, and no other way."""

from __future__ import annotations

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
