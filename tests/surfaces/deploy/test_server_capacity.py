"""How full servers are, over the API."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.kernel import audit
from quarterdeck.kernel.errors import Unavailable
from real.sshd import new_key, sshd
from support.notes import notes
from support.served import SOURCE, deployed

pytestmark = pytest.mark.sshd


async def test_this_machine_is_measured_and_its_workspaces_are_known(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    deployment = await deployed(deck, resource, server)
    runtime = deck.instance.data.runtime
    for name in (deployment, "dep_000000000000"):
        (runtime / "deployments" / name).mkdir(parents=True)
    found = await deck.do("servers.capacity.inspect", serverId=server)
    assert found["server"]["id"] == server
    assert found["disk"][0]["size"] > found["disk"][0]["available"] > 0
    assert found["memory"]["total"] > found["memory"]["used"] > 0
    assert found["cpu"]["loadAverage1m"] is not None
    assert found["appaloftRuntime"]["runtimeRoot"] | {"size": 0} == {
        "path": str(runtime),
        "size": 0,
        "detectable": True,
    }
    marks = {one["deploymentId"]: one["activeMarker"] for one in found["appaloftWorkspaces"]}
    assert marks == {deployment: True, "dep_000000000000": False}
    estimate = found["safeReclaimableEstimate"]
    assert estimate["total"] == sum(value for key, value in estimate.items() if key != "total")
    await deck.refused(404, "not_found", "servers.capacity.inspect", serverId="srv_000000000000")


async def test_a_server_behind_ssh_is_measured_over_one_connection(deck, tmp_path):
    public = new_key(tmp_path / "key")
    with sshd(authorized=[public]) as there:
        body = {"name": "There", "host": "127.0.0.1", "port": there.port, "providerKey": "generic-ssh"}
        server = (await deck.do("servers.register", body))["id"]
        unsaid = await deck.do("servers.capacity.inspect", serverId=server)
        assert (unsaid["partial"], unsaid["disk"]) == (True, [])
        key = (tmp_path / "key").read_text()
        way = {"kind": "ssh-private-key", "username": there.username, "privateKey": key}
        await deck.do("servers.configure-credential", {"credential": way}, serverId=server)
        first = await deck.do("servers.capacity.inspect", serverId=server)
        assert first["disk"]
        assert first["memory"]["total"]
        await deck.do("servers.capacity.inspect", serverId=server)
        await deck.do("servers.capacity.inspect", serverId=server)
        # The first one pinned the host key; from then on one connection does.
        assert (there.directory / "log").read_text().count("Accepted publickey") <= 2
        there.cut()
        while not all(kept.host.closed for kept in deck.instance.looking.connections._kept.values()):
            await asyncio.sleep(0.01)
        there.renew_host_key()
        changed = await deck.do("servers.capacity.inspect", serverId=server)
        assert changed["partial"]
        assert "qd server trust" in changed["warnings"][0]["message"]


async def test_nothing_is_removed_unless_it_is_asked_for(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    active = await deployed(deck, resource, server)
    work = deck.instance.data.runtime / "deployments"
    for name in (active, "dep_000000000000"):
        (work / name).mkdir(parents=True)
    old = await deployed_and_over(deck, server, work)
    body = {"before": "2100-01-01T00:00:00Z", "categories": ["source-workspaces", "source-workspaces"]}
    looked = await deck.do("servers.capacity.prune", body, serverId=server)
    assert (looked["dryRun"], looked["categories"], looked["summary"]["matchedCount"]) == (
        True,
        ["source-workspaces"],
        1,
    )
    told = {one["id"]: (one["action"], one.get("skippedReason")) for one in looked["candidates"]}
    assert told == {
        active: ("skipped", "active-runtime"),
        "dep_000000000000": ("excluded", "ownership-unproven"),
        old: ("matched", None),
    }
    assert (work / old).exists()
    early = {**body, "before": "2020-01-01T00:00:00+01:00", "dryRun": False}
    assert (await deck.do("servers.capacity.prune", early, serverId=server))["summary"]["prunedCount"] == 0
    done = await deck.do("servers.capacity.prune", {**body, "dryRun": False}, serverId=server)
    assert done["summary"]["prunedCount"] == 1
    assert done["summary"]["reclaimedBytes"] > 0
    assert sorted(path.name for path in work.iterdir()) == sorted([active, "dep_000000000000"])
    audited, said = await notes(deck, f"server:{server}")
    assert audited[-2:] == ["server.capacity-pruning", "server.capacity-pruned"]
    assert said[-2:] == ["server-capacity-pruning", "server-capacity-pruned"]
    assert [word for word in audited if "prun" in word] == audited[-2:]
    await deck.malformed("servers.capacity.prune", {}, serverId=server)
    await deck.malformed("servers.capacity.prune", {**body, "categories": ["volumes"]}, serverId=server)
    wrong = {**body, "before": "2026-13-01T00:00:00Z"}
    await deck.refused(400, "validation_error", "servers.capacity.prune", wrong, serverId=server)
    there = (await deck.do("servers.register", {"name": "T", "host": "127.0.0.1", "providerKey": "generic-ssh"}))["id"]
    await deck.refused(502, "runtime_target_unsupported", "servers.capacity.prune", body, serverId=there)


async def test_nothing_goes_that_cannot_be_written_down_before(deck, monkeypatch):
    server = await deck.server()
    work = deck.instance.data.runtime / "deployments"
    work.mkdir(parents=True)
    old = await deployed_and_over(deck, server, work)
    body = {"before": "2100-01-01T00:00:00Z", "categories": ["source-workspaces"], "dryRun": False}
    failing: list[str] = ["server.capacity-pruning"]
    record = audit.record

    def refusing(tx, action, **more):
        if action in failing:
            raise Unavailable("The audit trail cannot be written.", code="audit_away")
        return record(tx, action, **more)

    monkeypatch.setattr(audit, "record", refusing)
    await deck.refused(503, "audit_away", "servers.capacity.prune", body, serverId=server)
    assert (work / old).exists()
    failing[:] = ["server.capacity-pruned"]
    done = await deck.do("servers.capacity.prune", body, serverId=server)
    assert not (work / old).exists()
    assert [one["code"] for one in done["warnings"]] == ["audit-record-failed"]
    audited, _ = await notes(deck, f"server:{server}")
    assert audited[-1] == "server.capacity-pruning"


async def deployed_and_over(deck, server, work):
    """A deployment that failed long ago, and left its work directory."""
    deployment = await deployed(deck, await deck.resource(await deck.place("Other"), source=SOURCE), server)

    def end(tx):
        row = tx.first(select(Deployment).where(Deployment.ref == deployment))
        row.status = "failed"

    await deck.instance.db.write(end)
    (work / deployment).mkdir()
    (work / deployment / "file").write_text("x" * 5000)
    return deployment
