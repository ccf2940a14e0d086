"""Machines and enrolment tokens over the API: shapes, filters, pages, who sees what, what is refused."""

from __future__ import annotations

import asyncio
import uuid

from quarterdeck.fleet.workers.degradation import agent_failed
from quarterdeck.fleet.workers.model import Worker
from support.deck import HOME
from support.enrolled import enrolled


async def machine(crew, name="rack", *, seen=True, organization=HOME, capabilities=("tasks",)):
    from sqlalchemy import select

    from quarterdeck.identity.model import Organization

    def verb(tx):
        place = tx.first(select(Organization).where(Organization.ref == organization))
        made = enrolled(tx, capabilities, organization_id=place.id, tokens=crew.deck.instance.worker_tokens, name=name)
        made.worker.last_seen_at = tx.now if seen else None
        return made

    return await crew.db.write(verb)


async def names(crew, query, path="/api/web/machines", **options):
    return [one["name"] for one in (await crew.ok("GET", f"{path}{query}", **options))["items"]]


async def test_machines_are_listed_by_status_and_page_under_either_name(crew):
    await machine(crew, "away", seen=False)
    for name in ("one", "two", "three"):
        await machine(crew, name)
    await machine(crew, "builder", capabilities=("deploy",))  # no machine of this surface
    await crew.person("bea", "tasks:admin", organization="org_of_bea")
    await machine(crew, "theirs", organization="org_of_bea")
    assert await names(crew, "") == ["three", "two", "one", "away"]
    assert await names(crew, "?status=ONLINE", "/api/web/workers") == ["three", "two", "one"]
    assert await names(crew, "?status=Online,draining&status=OFFLINE") == ["three", "two", "one", "away"]
    await crew.refused(400, "VALIDATION_ERROR", "GET", "/api/web/machines?status=busy")
    first = await crew.ok("GET", "/api/web/machines?limit=3")
    assert (len(first["items"]), first["total"]) == (3, 4)
    assert await names(crew, f"?limit=3&cursor={first['nextCursor']}&page=7") == ["away"]
    assert await names(crew, "?limit=3&page=2", "/api/admin/workers") == ["away"]
    await crew.refused(400, "VALIDATION_ERROR", "GET", "/api/web/machines?cursor=x")


async def test_a_machine_is_shown_drained_and_decommissioned(crew):
    made = await machine(crew)
    path = f"/api/web/workers/{made.uid.upper()}"

    def fails(tx):
        for _ in range(3):
            agent_failed(tx, tx.get(Worker, made.id), "claude", "binary_missing")

    await crew.db.write(fails)
    shown = await crew.ok("GET", path)
    assert shown["degraded"] == [{"agent": "claude", "reason": "binary_missing", "until": None}]
    _, developer = await crew.person("dev", "tasks:developer")
    _, lead = await crew.person("lead", "tasks:lead")
    await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "POST", f"{path}/drain", {}, token=developer)
    drained = await crew.once("worker.drained", "POST", f"{path}/drain", {"reason": "disk"}, token=lead, actor="lead")
    assert (drained["status"], drained["drainReason"]) == ("draining", "disk")
    assert (await crew.ok("POST", f"{path}/drain", {}))["drainReason"] == "disk"
    undrained = await crew.once("worker.undrained", "POST", f"{path}/undrain")
    assert (undrained["status"], undrained["drainReason"]) == ("online", None)
    admin = f"/api/admin/machines/{made.uid}"
    for wrong in ({"status": "offline"}, {"maxSlots": 65}, {"name": ""}, {"name": "a\nb"}):
        answer = await crew.send("PUT", admin, wrong)
        assert answer.status_code == 400, answer.text
    changed = await crew.once("worker.changed", "PUT", admin, {"name": "rack 4", "maxSlots": 0})
    assert (changed["name"], changed["maxSlots"]) == ("rack 4", 0)
    assert await crew.once("worker.revoked", "DELETE", admin) == {"success": True}
    assert await crew.ok("DELETE", admin) == {"success": True}
    assert (await names(crew, ""), await names(crew, "", "/api/admin/machines")) == ([], [])
    assert await names(crew, "?includeDecommissioned=true", "/api/admin/machines") == ["rack 4"]
    assert (await crew.ok("GET", path))["status"] == "decommissioned"
    for call in (("POST", f"{path}/drain", {}), ("POST", f"{path}/undrain", {}), ("PUT", admin, {"name": "x"})):
        await crew.refused(409, "WORKER_DECOMMISSIONED", *call)
    away = await machine(crew, "away", seen=False)
    await crew.refused(409, "MACHINE_OFFLINE", "POST", f"/api/web/machines/{away.uid}/drain", {})
    assert (await crew.ok("POST", f"/api/web/machines/{away.uid}/undrain"))["status"] == "offline"


async def test_machines_are_hidden_from_developers_where_the_settings_say_so(crew):
    made = await machine(crew)
    _, developer = await crew.person("dev", "tasks:developer")
    _, lead = await crew.person("lead", "tasks:lead")
    assert await names(crew, "", token=developer) == ["rack"]
    await crew.ok("PUT", "/api/admin/settings", {"machinesVisibleToDevelopers": False})
    for path in ("/api/web/machines", f"/api/web/machines/{made.uid}", f"/api/web/machines/{made.uid}/tasks"):
        await crew.refused(403, "MACHINES_HIDDEN", "GET", path, token=developer)
        await crew.ok("GET", path, token=lead)


async def test_a_machine_of_another_organization_is_nobodys(crew):
    _, bea = await crew.person("bea", "tasks:admin", organization="org_of_bea")
    made = await machine(crew)
    token = await crew.ok("POST", "/api/admin/worker-tokens", {}, status=201)
    missing = [
        ("GET", f"/api/web/machines/{made.uid}"), ("POST", f"/api/web/machines/{made.uid}/drain", {}),
        ("POST", f"/api/web/machines/{made.uid}/undrain"), ("PUT", f"/api/admin/machines/{made.uid}", {"name": "x"}),
        ("DELETE", f"/api/admin/machines/{made.uid}"),
    ]  # fmt: skip
    for call in missing:
        await crew.refused(404, "WORKER_NOT_FOUND", *call, token=bea)
    path = f"/api/admin/worker-tokens/{token['id']}"
    for call in (("POST", f"{path}/revoke"), ("GET", f"{path}/status")):
        await crew.refused(404, "WORKER_TOKEN_NOT_FOUND", *call, token=bea)
    assert (await crew.ok("GET", "/api/admin/worker-tokens", token=bea))["total"] == 0
    for strange in ("nobody", "1", "%00", str(uuid.uuid4())):
        answer = await crew.send("GET", f"/api/web/machines/{strange}")
        assert answer.status_code in {400, 404}, answer.text


async def test_a_token_is_shown_once_and_its_life_is_followed(crew):
    body = {"label": "rack", "expiresInHours": 24}
    made = await crew.once("worker-token.created", "POST", "/api/admin/worker-tokens", body, status=201)
    assert made["token"].startswith(f"ovw_{made['id']}_")
    assert (made["label"], made["status"], made["createdByName"]) == ("rack", "unused", "ada")
    listed = await crew.send("GET", "/api/admin/worker-tokens")
    assert made["token"].split("_")[2] not in listed.text
    assert listed.json()["items"] == [
        {name: value for name, value in made.items() if name not in {"token", "serverUrl"}}
    ]
    assert made["serverUrl"] is None
    said = {
        "token": made["token"],
        "machineId": str(uuid.uuid4()),
        "name": "rack-1",
        "capabilities": ["claude", "custom:x"],
    }
    said |= {"agents": [{"type": "claude", "version": "2"}], "maxSlots": 900, "hardware": {"cpuCores": 4, "other": 1}}
    admitted = await crew.once(
        "worker.enrolled", "POST", "/api/workers/register", said, status=201, token=None, actor="rack-1"
    )
    assert (admitted["machineId"], admitted["controlPath"]) == (said["machineId"], "/api/workers/control")
    assert (admitted["heartbeatIntervalSec"], admitted["token"]) == (30, admitted["workerJwt"])
    told = await crew.ok("GET", f"/api/admin/worker-tokens/{made['id']}/status")
    assert (told["status"], told["machine"]["capabilities"]) == ("used", ["claude", "custom:x"])
    assert (told["machine"]["maxSlots"], told["machine"]["status"]) == (64, "offline")
    revoked = await crew.once("worker-token.revoked", "POST", f"/api/admin/worker-tokens/{made['id']}/revoke")
    assert (revoked["status"], revoked["machineId"]) == ("revoked", said["machineId"])
    refreshed = await crew.ok("POST", "/api/workers/refresh-token", {}, token=admitted["workerJwt"])
    assert refreshed["machineId"] == said["machineId"]
    for wrong in ({"expiresInHours": 0}, {"label": "a\u202eb"}, {"label": "x" * 201}):
        answer = await crew.send("POST", "/api/admin/worker-tokens", wrong)
        assert answer.status_code == 400, answer.text


async def test_a_program_makes_no_enrolment_tokens(crew):
    pat = (await crew.ok("POST", "/api/web/profile/tokens", {"label": "ci"}, status=201))["token"]
    await crew.refused(403, "SESSION_REQUIRED", "POST", "/api/admin/worker-tokens", {}, token=pat)
    assert (await crew.ok("GET", "/api/admin/worker-tokens", token=pat))["total"] == 0


async def test_what_does_not_register_is_refused_in_the_envelope_of_its_route(crew):
    made = await crew.ok("POST", "/api/admin/worker-tokens", {}, status=201)
    path, body = "/api/workers/register", {"token": made["token"], "machineId": str(uuid.uuid4())}
    nobody = {"token": None}
    await crew.refused(401, "ENROLMENT_TOKEN_INVALID", "POST", path, {**body, "token": "ovw_1_x"}, **nobody)
    await crew.refused(426, "PROTOCOL_OUTDATED", "POST", path, {**body, "protocolVersion": 0}, **nobody)
    wrong = ({}, {"token": 5}, {**body, "machineId": "x"}, {**body, "maxSlots": 0}, {**body, "capabilities": ["a b"]})
    for one in wrong:
        await crew.refused(400, "VALIDATION_ERROR", "POST", path, one, **nobody)
    assert (await crew.ok("GET", f"/api/admin/worker-tokens/{made['id']}/status"))["status"] == "unused"
    first = await crew.ok("POST", path, body, status=201, **nobody)
    again = await crew.ok("POST", path, body, status=201, **nobody)
    assert again["machineId"] == first["machineId"]
    told = await crew.refused(409, "ENROLMENT_TOKEN_USED", "POST", path, {"token": made["token"]}, **nobody)
    assert told["detail"]
    other = await crew.ok("POST", "/api/admin/worker-tokens", {}, status=201)
    await crew.refused(409, "MACHINE_ID_TAKEN", "POST", path, {**body, "token": other["token"]}, **nobody)
    secret = {"machineId": again["machineId"], "recoverySecret": again["recoverySecret"]}
    for _ in range(2):  # the first answer may have got lost
        await crew.ok("POST", "/api/workers/recover", secret, **nobody)
    secret["recoverySecret"] = first["recoverySecret"]
    await crew.refused(401, "RECOVERY_SECRET_INVALID", "POST", "/api/workers/recover", secret, **nobody)
    for credential in (None, crew.deck.token, first["workerJwt"], "x.y.z"):
        await crew.refused(401, "WORKER_TOKEN_INVALID", "POST", "/api/workers/refresh-token", {}, token=credential)
    await crew.refused(401, "PRODUCT_AUTH_MISSING", "GET", "/api/web/profile", token=again["workerJwt"])


async def test_twenty_requests_with_one_token_make_one_machine(crew):
    made = await crew.ok("POST", "/api/admin/worker-tokens", {}, status=201)
    calls = [
        crew.send("POST", "/api/workers/register", {"token": made["token"], "machineId": str(uuid.uuid4())}, token=None)
        for _ in range(20)
    ]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*calls))
    assert statuses == [201, *[409] * 19]
    assert (await crew.ok("GET", "/api/admin/machines"))["total"] == 1
