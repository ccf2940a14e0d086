"""Renaming, deactivating and deleting servers, and their edge."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import select

from quarterdeck.deploy.deployments import ordering
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.fleet.edge.bootstrap import BOOTSTRAP
from quarterdeck.fleet.servers import proxies
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.servers.transitions import ATTEMPT_MOVES, EDGE_MOVES, move_edge
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.jobs import Outcome
from real.sshd import new_key
from support.deck import contract, operations
from support.notes import notes
from support.served import SOURCE, deployed


async def kinds(deck, server):
    found = await deck.do("servers.delete-check", serverId=server)
    assert found["eligible"] == (not found["blockers"])
    return {one["kind"]: one["count"] for one in found["blockers"]}


async def test_a_name_is_changed_once(deck):
    server = await deck.server()
    assert await deck.do("servers.rename", {"name": " Anchor "}, serverId=server) == {"id": server}
    await deck.do("servers.rename", {"name": "Anchor"}, serverId=server)
    assert (await deck.do("servers.show", serverId=server))["server"]["name"] == "Anchor"
    assert await notes(deck, f"server:{server}") == (
        ["server.registered", "server.renamed"],
        ["deployment_target.registered", "server-renamed"],
    )
    await deck.refused(400, "validation_error", "servers.rename", {"name": "a\nb"}, serverId=server)
    await deck.refused(404, "not_found", "servers.rename", {"name": "x"}, serverId="srv_000000000000")
    key = {"name": "Bow", "idempotencyKey": "k"}
    await deck.do("servers.rename", key, serverId=server)
    await deck.refused(409, "conflict", "servers.rename", {**key, "name": "Stern"}, serverId=server)


async def test_a_deactivated_server_takes_no_new_work_and_stays_so(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    await deck.do("servers.deactivate", {"reason": "moving house"}, serverId=server)
    await deck.do("servers.deactivate", {"reason": "again"}, serverId=server)
    shown = (await deck.do("servers.show", serverId=server))["server"]
    assert (shown["lifecycleStatus"], shown["deactivationReason"]) == ("inactive", "moving house")
    assert shown["deactivatedAt"]
    audited, told = await notes(deck, f"server:{server}")
    assert (audited[1:], told[1:]) == (["server.deactivated"], ["server-deactivated"])
    at = (await deck.do("resources.show", resourceId=resource))["resource"]
    body = {"projectId": at["projectId"], "environmentId": at["environmentId"], "resourceId": resource}
    await deck.refused(409, "server_inactive", "deployments.create", {**body, "serverId": server})
    proxy = {"proxyKind": "none"}
    await deck.refused(409, "server_inactive", "servers.configure-edge-proxy", proxy, serverId=server)
    await deck.refused(409, "server_inactive", "servers.bootstrap-proxy", {}, serverId=server)
    await deck.refused(400, "validation_error", "servers.deactivate", {"reason": "x" * 300}, serverId=server)


async def test_a_server_goes_when_it_is_inactive_and_nothing_refers_to_it(deck):
    server = await deck.server()
    agent = {"credential": {"kind": "local-ssh-agent"}}
    await deck.do("servers.configure-credential", agent, serverId=server)
    scope = {"kind": "deployment-target", "serverId": server}
    await deck.do("default-access-domain-policies.configure", {"scope": scope, "mode": "disabled"})
    assert await kinds(deck, server) == {"active-server": 1, "default-access-policy": 1}
    other = await deck.server(name="Other")
    await deck.do("servers.configure-credential", agent, serverId=other)
    body = {"confirmation": {"serverId": other}}
    await deck.refused(409, "server_delete_blocked", "servers.delete", body, serverId=other)
    await deck.do("servers.deactivate", {}, serverId=other)
    wrong = {"confirmation": {"serverId": server}}
    await deck.refused(400, "validation_error", "servers.delete", wrong, serverId=other)
    assert await kinds(deck, other) == {}
    once = {**body, "idempotencyKey": "gone"}
    assert await deck.do("servers.delete", once, serverId=other) == {"id": other}
    assert await deck.do("servers.delete", once, serverId=other) == {"id": other}
    await deck.refused(404, "not_found", "servers.show", serverId=other)
    assert await deck.do("servers.count") == {"count": 1}
    audited, told = await notes(deck, f"server:{other}")
    assert (audited[-1], told[-1]) == ("server.deleted", "server-deleted")


async def test_what_was_deployed_to_a_server_keeps_it(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    await deployed(deck, resource, server)
    await deck.do("servers.deactivate", {}, serverId=server)
    found = await kinds(deck, server)
    assert (found["deployment-history"], found["active-deployment"]) == (1, 1)
    body = {"confirmation": {"serverId": server}}
    refused = await deck.refused(409, "server_delete_blocked", "servers.delete", body, serverId=server)
    assert "1 deployment is kept as its history" in refused["message"]


async def test_another_kind_of_edge_is_pending_and_the_same_kind_nothing(deck):
    server = await deck.server()
    for _ in range(2):
        found = await deck.do("servers.configure-edge-proxy", {"proxyKind": "traefik"}, serverId=server)
        assert found["edgeProxy"] == {"kind": "traefik", "status": "pending"}
    none = await deck.do("servers.configure-edge-proxy", {"proxyKind": "none"}, serverId=server)
    assert none["edgeProxy"] == {"kind": "none", "status": "disabled"}
    await deck.refused(400, "validation_error", "servers.bootstrap-proxy", {}, serverId=server)
    audited, told = await notes(deck, f"server:{server}")
    assert audited[1:] == ["server.edge-proxy-configured"] * 2
    assert told[1:] == ["server-edge-proxy-configured"] * 2
    await deck.malformed("servers.configure-edge-proxy", {"proxyKind": "nginx"}, serverId=server)


@pytest.mark.parametrize("good", [True, False])
async def test_an_attempt_to_bring_up_the_edge_ends_in_the_servers_record(deck, good):
    server = await deck.server()
    made = await deck.do("servers.bootstrap-proxy", {"reason": "retry"}, serverId=server)
    assert made["attemptId"].startswith("pxy_")
    same = await deck.do("servers.bootstrap-proxy", {"attemptId": made["attemptId"]}, serverId=server)
    assert same == made
    other = await deck.server(name="Other")
    again = {"attemptId": made["attemptId"]}
    await deck.refused(409, "conflict", "servers.bootstrap-proxy", again, serverId=other)
    for wrong in ({"attemptId": "x"}, {"edgeProxyProviderKey": "traefik"}):
        await deck.refused(400, "validation_error", "servers.bootstrap-proxy", wrong, serverId=server)
    assert (await kinds(deck, server))["runtime-task"] == 1

    kind = jobs.kinds.get(BOOTSTRAP)

    def carry_out(tx):
        (job,) = jobs.list_jobs(tx, jobs.Filter(kind=BOOTSTRAP))
        order = kind.assign(tx, job)
        if good:
            outcome = Outcome("succeeded", result='{"http_port": 8080, "https_port": 8443}')
        else:
            outcome = Outcome("failed", error_code="edge_proxy_host_port_conflict", error_message="Port 80 is taken.")
        kind.finish(tx, job, outcome)
        return order

    order = await deck.instance.db.write(carry_out)
    assert not order.enabled  # these tests run without an edge
    edge = (await deck.do("servers.show", serverId=server))["server"]["edgeProxy"]
    assert edge["status"] == ("ready" if good else "failed")
    assert ("lastErrorCode" in edge, "lastSucceededAt" in edge) == (not good, good)
    assert "runtime-task" not in await kinds(deck, server)
    audited, told = await notes(deck, f"server:{server}")
    assert audited[1:] == ["server.edge-proxy-bootstrap-requested"]
    assert told[1:] == ["edge-proxy-bootstrap-requested", "edge-proxy-observed"]


async def test_an_attempt_that_was_lost_is_taken_up_again_and_one_that_has_ended_stays_so(deck):
    server = await deck.server()
    await deck.do("servers.bootstrap-proxy", {}, serverId=server)
    kind = jobs.kinds.get(BOOTSTRAP)

    def job(tx):
        (found,) = jobs.list_jobs(tx, jobs.Filter(kind=BOOTSTRAP))
        return found

    def record(tx):
        row = tx.one(select(Server).where(Server.ref == server), what=server)
        return proxies.latest(tx, row)[0].status, row.proxy_status, row.proxy_attempted_at is not None

    write = deck.instance.db.write
    assert await write(record) == ("accepted", "pending", False)
    for _ in range(2):
        await write(lambda tx: kind.assign(tx, job(tx)))
        assert await write(record) == ("running", "starting", True)
    await write(lambda tx: kind.finish(tx, job(tx), Outcome("canceled")))
    assert await write(record) == ("canceled", "failed", True)
    for after in (
        lambda tx: kind.assign(tx, job(tx)),
        lambda tx: kind.finish(tx, job(tx), Outcome("succeeded", result='{"http_port": 1, "https_port": 2}')),
    ):
        with pytest.raises(Invalid, match="is canceled and cannot become") as refused:
            await write(after)
        assert refused.value.code == "invariant_violation"
        assert await write(record) == ("canceled", "failed", True)


async def test_a_server_without_an_edge_is_not_said_to_have_one(deck):
    server = await deck.server()
    await deck.do("servers.configure-edge-proxy", {"proxyKind": "none"}, serverId=server)

    def start(tx):
        move_edge(tx, tx.one(select(Server).where(Server.ref == server), what=server), "starting")

    with pytest.raises(Invalid, match="is disabled and cannot become starting"):
        await deck.instance.db.write(start)
    assert (await deck.do("servers.show", serverId=server))["server"]["edgeProxy"]["status"] == "disabled"


def test_every_state_can_be_left_or_is_an_end_and_is_a_word_of_the_contract():
    assert {status for status, onwards in ATTEMPT_MOVES.items() if not onwards} == {"succeeded", "failed", "canceled"}
    for moves in (ATTEMPT_MOVES, EDGE_MOVES):
        assert set().union(*moves.values()) <= set(moves)
    documented = json.dumps(operations()["servers.show"]["response"]) + json.dumps(contract()["$defs"])
    assert all(f'"{status}"' in documented for status in EDGE_MOVES)


async def test_a_server_that_nothing_says_how_to_sign_in_to_takes_no_deployment(deck):
    server = await deck.server(providerKey="generic-ssh", host="192.0.2.1")
    resource = await deck.resource(source=SOURCE)
    at = (await deck.do("resources.show", resourceId=resource))["resource"]
    body = {"projectId": at["projectId"], "environmentId": at["environmentId"], "resourceId": resource}
    wanted = {**body, "serverId": server}
    refused = await deck.refused(409, "ssh_credential_missing", "deployments.create", wanted)
    assert "sign in" in refused["message"]
    assert await deck.do("deployments.count") == {"count": 0}
    await deck.refused(409, "ssh_credential_missing", "servers.bootstrap-proxy", {}, serverId=server)
    assert (await deck.do("servers.show", serverId=server))["server"]["edgeProxy"]["status"] == "pending"


async def test_the_order_of_a_server_behind_ssh_carries_how_to_sign_in_and_is_kept_nowhere(deck):
    server = await deck.server(providerKey="generic-ssh", host="192.0.2.1")
    with tempfile.TemporaryDirectory() as made:
        new_key(Path(made) / "key")
        private = (Path(made) / "key").read_text()
    way = {"kind": "ssh-private-key", "username": "ada", "privateKey": private}
    await deck.do("servers.configure-credential", {"credential": way}, serverId=server)
    deployment = await deployed(deck, await deck.resource(source=SOURCE), server)

    def ordered(tx):
        row = tx.first(select(Deployment).where(Deployment.ref == deployment))
        job = jobs.get(tx, row.job_id)
        return job, ordering.order(tx, deck.instance.placement, row)

    job, order = await deck.instance.db.read(ordered)
    assert (order.target.kind, order.target.ssh.username, order.target.ssh.key) == ("ssh", "ada", private)
    secret = private.splitlines()[1]
    assert secret not in repr(order.target) + job.payload
    assert not any(secret in text for text in deck.heard)


async def test_only_a_server_that_can_be_signed_in_to_and_is_not_in_use_is_uninstalled(deck):
    here = await deck.server()
    path = "/api/servers/{}/uninstall"
    refused = await deck.send("POST", path.format(here), {})
    assert (refused.status_code, refused.json()["data"]["domainCode"]) == (400, "validation_error")
    there = await deck.server(providerKey="generic-ssh", host="192.0.2.1")
    refused = await deck.send("POST", path.format(there), {})
    assert (refused.status_code, refused.json()["data"]["domainCode"]) == (409, "ssh_credential_missing")
    way = {"kind": "local-ssh-agent", "username": "ada"}
    await deck.do("servers.configure-credential", {"credential": way}, serverId=there)
    deployment = await deployed(deck, await deck.resource(source=SOURCE), there)
    refused = await deck.send("POST", path.format(there), {"remove": True})
    assert (refused.status_code, refused.json()["data"]["domainCode"]) == (409, "server_in_use")
    assert deployment in refused.json()["message"]
    for token, status in ((await deck.member("viewer"), 403), (await deck.member("owner", "org_elsewhere"), 404)):
        answer = await deck.send("POST", path.format(there), {"remove": True}, token=token)
        assert answer.status_code == status
