"""Servers, how one signs in to them, and what is kept of them."""

from __future__ import annotations

from quarterdeck.fleet.credentials.keys import new_pair
from support.acts import Act, Stage, act
from surfaces.acts import making


@act("POST /api/servers")
async def register(stage: Stage) -> Act:
    return Act(body={"name": stage.name("server"), "host": "192.0.2.1", "providerKey": "generic-ssh"})


async def there(stage: Stage) -> dict[str, str]:
    return {"serverId": await making.server(stage)}


@act("POST /api/servers/{serverId}/rename")
async def rename(stage: Stage) -> Act:
    return Act(await there(stage), {"name": stage.name("server")})


@act("POST /api/servers/{serverId}/deactivate")
async def deactivate(stage: Stage) -> Act:
    return Act(await there(stage), {})


@act("DELETE /api/servers/{serverId}")
async def delete(stage: Stage) -> Act:
    where = await there(stage)
    await stage.ok("POST", f"/api/servers/{where['serverId']}/deactivate", {})
    return Act(where, {"confirmation": where})


@act("POST /api/servers/{serverId}/edge-proxy/configuration")
async def configure_edge(stage: Stage) -> Act:
    return Act(await there(stage), {"proxyKind": "caddy"})


@act("POST /api/servers/{serverId}/edge-proxy/bootstrap")
async def bootstrap(stage: Stage) -> Act:
    return Act({"serverId": await making.reachable(stage)}, {})


@act("POST /api/servers/capacity/policies")
async def policy(stage: Stage) -> Act:
    where = await there(stage)
    body = {"scope": "system", "retentionDays": 7, "categories": ["unused-images"], "policyId": stage.name("policy")}
    return Act(body={**body, **where})


@act("POST /api/default-access-domain-policies")
async def domain_policy(stage: Stage) -> Act:
    return Act(body={"scope": {"kind": "deployment-target", **(await there(stage))}, "mode": "disabled"})


# -- credentials


async def credential(stage: Stage) -> str:
    body = {"name": stage.name("key"), "kind": "ssh-private-key", "privateKey": new_pair().private.reveal()}
    made: str = (await stage.ok("POST", "/api/credentials/ssh", body))["id"]
    return made


@act("POST /api/credentials/ssh")
async def store(stage: Stage) -> Act:
    private = new_pair().private.reveal()
    return Act(body={"name": stage.name("key"), "kind": "ssh-private-key", "privateKey": private})


@act("POST /api/credentials/ssh/{credentialId}/rotate")
async def rotate(stage: Stage) -> Act:
    ref = await credential(stage)
    confirmation = {"credentialId": ref, "acknowledgeServerUsage": True}
    return Act({"credentialId": ref}, {"privateKey": new_pair().private.reveal(), "confirmation": confirmation})


@act("DELETE /api/credentials/ssh/{credentialId}")
async def forget(stage: Stage) -> Act:
    ref = await credential(stage)
    return Act({"credentialId": ref}, {"confirmation": {"credentialId": ref}})


@act("POST /api/servers/{serverId}/credentials")
async def sign_in_with(stage: Stage) -> Act:
    way = {"kind": "stored-ssh-private-key", "credentialId": await credential(stage), "username": "deploy"}
    return Act(await there(stage), {"credential": way})


@act("POST /api/servers/{serverId}/host-key")
async def pin(stage: Stage) -> Act:
    return Act(await there(stage), {"fingerprint": "SHA256:" + "A" * 43})


@act("POST /api/servers/{serverId}/address")
async def move(stage: Stage) -> Act:
    return Act(await there(stage), {"host": "192.0.2.77", "unseen": True})


@act("POST /api/servers/{serverId}/removal")
async def remove(stage: Stage) -> Act:
    where = await there(stage)
    await stage.ok("POST", f"/api/servers/{where['serverId']}/deactivate", {})
    return Act(where, {"confirmation": where, "withHistory": True})


@act("POST /api/servers/{serverId}/connectivity-tests")
async def test(stage: Stage) -> Act:
    return Act({"serverId": await making.server(stage, port=9)})


@act("POST /api/servers/connectivity-tests")
async def test_draft(stage: Stage) -> Act:
    way = {"kind": "ssh-private-key", "privateKey": new_pair().private.reveal(), "username": "deploy"}
    draft = {"host": "127.0.0.1", "port": 9, "providerKey": "generic-ssh", "credential": way}
    return Act(body={"server": draft})


@act("POST /api/servers/{serverId}/engine")
async def refuse_engine(stage: Stage) -> Act:
    return Act(await there(stage), {"decision": "refuse", "reason": stage.name("reason")})
