"""`qd server` and `qd credential`: what is asked of the API, and what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer, Refusal
from cli.installation import Installation
from quarterdeck.fleet.credentials.keys import key_pair
from quarterdeck.kernel.vault import Secret

Command = Callable[..., Result]
SERVER, KEY = "srv_000000000001", "sshcred_000000000001"
USAGE = {"totalServers": 0, "activeServers": 0, "inactiveServers": 0, "servers": []}
USE = {
    "serverId": SERVER, "serverName": "berlin", "lifecycleStatus": "active", "providerKey": "generic-ssh", "host": "x",
}  # fmt: skip


def row(**more: Any) -> dict[str, Any]:
    return {
        "id": SERVER, "name": "berlin", "host": "203.0.113.10", "port": 2222, "providerKey": "generic-ssh",
        "targetKind": "single-server", "lifecycleStatus": "active", "createdAt": NOW,
        "edgeProxy": {"kind": "caddy", "status": "pending"}, **more,
    }  # fmt: skip


def answered(status: str, *checks: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "serverId": SERVER, "name": "berlin", "host": "203.0.113.10", "port": 2222, "providerKey": "generic-ssh",
        "checkedAt": NOW, "status": status,
        "checks": [{"name": name, "status": state, "message": text, "durationMs": 1} for name, state, text in checks],
    }  # fmt: skip


CAPACITY = {
    "schemaVersion": "servers.capacity.inspect/v1",
    "server": {key: row()[key] for key in ("id", "name", "host", "port", "providerKey", "targetKind")},
    "inspectedAt": NOW,
    "disk": [{"path": "/", "mount": "/", "size": 100 << 30, "used": 90 << 30, "available": 10 << 30, "usePercent": 90}],
    "inodes": [],
    "docker": dict.fromkeys(
        ("imagesSize", "reclaimableImagesSize", "buildCacheSize", "reclaimableBuildCacheSize", "containersSize",
         "volumesSize"), 0),
    "memory": {"total": 8 << 30, "available": 6 << 30, "used": 2 << 30, "usePercent": 25},
    "cpu": {"logicalCores": 4, "loadAverage1m": 0.5, "loadAverage5m": 0.4, "loadAverage15m": 0.3},
    "appaloftRuntime": {
        name: {"path": "", "size": None, "detectable": False}
        for name in ("runtimeRoot", "stateRoot", "sourceWorkspace")
    },
    "appaloftContainers": [], "appaloftWorkspaces": [],
    "safeReclaimableEstimate": dict.fromkeys(
        ("stoppedContainersSize", "danglingImagesSize", "oldBuildCacheSize", "oldPreviewWorkspaceCandidatesSize",
         "total"), 0),
    "warnings": [{"code": "high-disk-usage", "message": "/ is 90 % full."}], "partial": False,
}  # fmt: skip


@pytest.fixture
def fleet(server: ContractServer, installation: Installation) -> Installation:
    credential = {
        "id": KEY, "name": "deploy", "kind": "ssh-private-key", "publicKeyConfigured": True,
        "privateKeyConfigured": True, "createdAt": NOW,
    }  # fmt: skip
    installation.servers.append(row())
    server.answers.update(
        {
            "servers.register": {"id": SERVER},
            "servers.configure-credential": None,
            "servers.test-connectivity": answered("healthy", ("tcp", "passed", "It answers.")),
            "servers.show": {
                "schemaVersion": "servers.show/v1", "server": row(), "generatedAt": NOW,
                "rollups": {
                    "resources": {"total": 0, "deployedResourceIds": []},
                    "deployments": {"total": 3, "statusCounts": []}, "domains": {"total": 0, "statusCounts": []},
                },
            },
            "servers.capacity.inspect": CAPACITY,
            "servers.rename": {"id": SERVER},
            "servers.deactivate": {"id": SERVER},
            "servers.delete": {"id": SERVER},
            "servers.bootstrap-proxy": {"serverId": SERVER, "attemptId": "pxy_000000000001"},
            "servers.configure-edge-proxy": {"id": SERVER, "edgeProxy": {"kind": "none", "status": "disabled"}},
            "credentials.list-ssh": {"items": [credential]},
            "credentials.create-ssh": {"id": KEY},
            "credentials.delete-ssh": {"id": KEY},
            "credentials.show": {
                "schemaVersion": "credentials.show/v1", "credential": credential, "usage": USAGE, "generatedAt": NOW,
            },
            "credentials.rotate-ssh": {
                "schemaVersion": "credentials.rotate-ssh/v1", "affectedUsage": USAGE,
                "credential": {
                    "id": KEY, "kind": "ssh-private-key", "usernameConfigured": False, "publicKeyConfigured": True,
                    "privateKeyConfigured": True, "rotatedAt": NOW,
                },
            },
        }
    )  # fmt: skip
    return installation


def test_a_server_is_added_with_a_stored_key_and_answered(
    qd: Command, fleet: Installation, server: ContractServer
) -> None:
    result = qd("server", "add", "berlin", "203.0.113.10", "--port", "2222", "--credential", "deploy", "--user", "ada")
    assert result.code == 0, result.err
    assert "✓ tcp" in result.out
    assert server.called("servers.register") == [
        {
            "name": "berlin",
            "host": "203.0.113.10",
            "port": 2222,
            "providerKey": "generic-ssh",
            "proxyKind": "caddy",
        }
    ]
    way = {"kind": "stored-ssh-private-key", "credentialId": KEY, "username": "ada"}
    assert server.called("servers.configure-credential") == [{"credential": way}]


def test_without_a_host_it_is_the_machine_of_the_control_plane(
    qd: Command, fleet: Installation, server: ContractServer
) -> None:
    assert qd("server", "add", "here").code == 0
    assert server.called("servers.register")[0]["providerKey"] == "local-shell"
    assert server.called("servers.configure-credential") == []


def test_a_server_needs_exactly_one_way_to_sign_in(qd: Command, fleet: Installation, server: ContractServer) -> None:
    for wrong in ([], ["--agent", "--credential", "deploy"]):
        result = qd("server", "add", "berlin", "203.0.113.10", *wrong)
        assert (result.code, server.changes) == (2, [])
        assert "--credential NAME, --key FILE or --agent" in result.err
    result = qd("server", "add", "berlin", "x", "--key", "/no/such/key")
    assert (result.code, server.changes) == (2, [])


def test_a_server_that_lacks_something_ends_with_one_and_says_what(
    qd: Command, fleet: Installation, server: ContractServer
) -> None:
    server.answers["servers.test-connectivity"] = answered(
        "degraded", ("tcp", "passed", "It answers."), ("docker-engine", "failed", "Install Docker.")
    )
    result = qd("server", "test", "berlin")
    assert result.code == 1
    assert "✗ docker-engine   Install Docker." in result.out
    assert "berlin is degraded: docker-engine." in result.err
    told = json.loads(qd("server", "test", "berlin", "-o", "json").out.split("\n}\n")[0] + "\n}")
    assert told["status"] == "degraded"


def test_a_plan_shows_no_private_key(qd: Command, fleet: Installation, server: ContractServer, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("pear-tree-4711")
    result = qd("server", "add", "berlin", "x", "--key", str(tmp_path / "key"), "--plan")
    assert (result.code, server.changes) == (0, [])
    assert "servers.configure-credential" in result.out
    assert "pear-tree" not in result.out + result.err


def test_the_list_and_the_page_of_a_server(qd: Command, fleet: Installation, server: ContractServer) -> None:
    disk = {"mount": "/", "available": 10 << 30, "size": 40 << 30}
    health = {"serverId": SERVER, "status": "degraded", "message": "Its edge does not run.", "disk": disk}
    seen = {"items": [{**health, "watched": True}], "mostWatched": 500, "generatedAt": NOW}
    server.outside["GET", "/api/servers/health"] = lambda *_: seen
    result = qd("server", "ls")
    assert "berlin  203.0.113.10:2222  ✓ active  ▲ degraded  10 GiB of 40 GiB  ◌ pending" in result.out
    assert "berlin: Its edge does not run." in result.out + result.err
    assert "watched" not in result.out + result.err
    assert json.loads(qd("server", "ls", "-o", "json").out)["items"][0]["health"] == seen["items"][0]
    seen["items"] = [{"serverId": SERVER, "status": "unknown", "watched": False}]
    result = qd("server", "ls")
    assert "Only 500 servers are watched; not these" in result.out + result.err
    shown = qd("server", "show", "berlin").out
    for words in ("90 % of 100 GiB, 10 GiB free", "25 % of 8 GiB", "0.5 on 4 cores", "▲ / is 90 % full."):
        assert words in shown
    assert json.loads(qd("server", "show", "berlin", "-o", "json").out)["capacity"]["partial"] is False


def test_a_server_is_renamed_deactivated_and_forgotten(
    qd: Command, fleet: Installation, server: ContractServer
) -> None:
    assert qd("server", "rename", "berlin", "spree").code == 0
    assert server.called("servers.rename") == [{"name": "spree"}]
    assert qd("server", "deactivate", "berlin").code == 2
    assert qd("server", "deactivate", "berlin", "--yes", "--reason", "moved").code == 0
    assert server.called("servers.deactivate") == [{"reason": "moved"}]
    path = f"/api/servers/{SERVER}/removal"
    steps = [
        {
            "kind": "active-server", "count": 1, "message": "it is still active",
            "command": "qd server deactivate berlin",
        },
        {
            "kind": "deployment-history", "count": 11, "message": "11 deployments are kept as its history",
            "command": "qd server rm berlin --with-history",
        },
    ]  # fmt: skip
    told: dict[str, Any] = {"serverId": SERVER, "steps": steps, "resources": []}
    removed: list[Any] = []
    server.outside["GET", path] = lambda *_: told
    server.outside["POST", path] = lambda _parameters, _query, body: removed.append(body) or {"serverId": SERVER}
    result = qd("server", "rm", "berlin", "--yes")
    assert (result.code, server.called("servers.delete")) == (6, [])
    assert "berlin cannot be deleted yet: it is still active; 11 deployments are kept as its history." in result.err
    assert "qd server deactivate berlin" in result.err
    assert "qd server rm berlin --with-history" in result.err
    told["steps"] = steps[1:]
    assert qd("server", "rm", "berlin", "--confirm", "berlin").code == 6
    told["resources"] = ["shop"]
    result = qd("server", "rm", "berlin", "--with-history", "--confirm", "berlin")
    assert (result.code, "in use there: shop" in result.err, removed) == (6, True, [])
    told["resources"] = []
    assert qd("server", "rm", "berlin", "--with-history", "--confirm", "berlin").code == 0
    assert removed == [{"confirmation": {"serverId": SERVER}, "withHistory": True}]
    told["steps"] = []
    assert qd("server", "rm", "berlin", "--confirm", "berlin").code == 0
    assert server.called("servers.delete") == [{"confirmation": {"serverId": SERVER}}]


def test_a_server_gets_another_address(qd: Command, fleet: Installation, server: ContractServer) -> None:
    heard: list[Any] = []
    server.outside["POST", f"/api/servers/{SERVER}/address"] = lambda *asked: heard.append(asked[2]) or {}
    result = qd("server", "address", "berlin", "203.0.113.99")
    assert (result.code, "berlin is reached at 203.0.113.99." in result.out) == (0, True)
    assert qd("server", "address", "berlin", "b.example", "--port", "2222", "--trust", "SHA256:x", "--unseen").code == 0
    assert heard == [
        {"host": "203.0.113.99", "port": 22, "unseen": False},
        {"host": "b.example", "port": 2222, "unseen": True, "fingerprint": "SHA256:x"},
    ]


def test_the_edge_is_chosen_or_brought_up(qd: Command, fleet: Installation, server: ContractServer) -> None:
    assert "pxy_000000000001" in qd("server", "edge", "berlin").out
    assert server.called("servers.bootstrap-proxy") == [{"reason": "repair"}]
    assert qd("server", "edge", "berlin", "none").code == 0
    assert server.called("servers.configure-edge-proxy") == [{"proxyKind": "none"}]


def test_a_new_host_key_is_trusted_by_its_fingerprint(qd: Command, fleet: Installation, server: ContractServer) -> None:
    heard: list[Any] = []

    def accept(_parameters: Any, _query: Any, body: Any) -> dict[str, Any]:
        heard.append(body)
        return {"serverId": SERVER, "fingerprint": body["fingerprint"], "pinnedAt": NOW}

    server.outside["POST", f"/api/servers/{SERVER}/host-key"] = accept
    assert qd("server", "trust", "berlin", "SHA256:x", "--plan").code == 0
    assert heard == []
    assert qd("server", "trust", "berlin", "SHA256:x").code == 0
    assert heard == [{"fingerprint": "SHA256:x"}]


def test_what_was_left_on_a_server_is_said_and_removed_only_when_told(
    qd: Command, fleet: Installation, server: ContractServer
) -> None:
    asked: list[Any] = []

    def uninstall(*given: Any) -> dict[str, Any]:
        body = given[-1]
        asked.append(body)
        gone = {"kind": "edge", "name": "Caddy", "removed": body["remove"]}
        kept = {"kind": "volume", "name": "data", "removed": False, "kept": "Volumes hold data."}
        return {"serverId": SERVER, "items": [gone, kept]}

    server.outside["POST", f"/api/servers/{SERVER}/uninstall"] = uninstall
    assert qd("server", "uninstall", "berlin", "--plan").code == 0
    assert asked == []
    said = qd("server", "uninstall", "berlin")
    assert (said.code, asked) == (0, [{"remove": False}])
    assert "there" in said.out
    assert "stays: Volumes hold data." in said.out
    assert "add --remove" in said.out + said.err
    assert qd("server", "uninstall", "berlin", "--remove").code == 2
    assert len(asked) == 1
    done = qd("server", "uninstall", "berlin", "--remove", "--yes")
    assert (done.code, asked[-1]) == (0, {"remove": True})
    assert "Removed 1 of 2" in done.out + done.err
    assert qd("server", "uninstall", "berlin", "--remove", "--without-engine", "--yes").code == 0
    assert asked[-1] == {"remove": True, "withoutEngine": True}


def test_a_generated_key_is_sent_whole_and_only_its_public_half_is_shown(
    qd: Command, fleet: Installation, server: ContractServer
) -> None:
    result = qd("credential", "add", "deploy", "--generate", "--user", "ada", "-o", "json")
    assert result.code == 0, result.err
    (sent,) = server.called("credentials.create-ssh")
    assert json.loads(result.out)["publicKey"] == key_pair(Secret(sent["privateKey"])).public
    assert sent["username"] == "ada"
    assert "PRIVATE" not in result.out + result.err
    assert qd("credential", "add", "deploy").code == 2
    assert qd("credential", "add", "deploy", "--key", "-", stdin="KEY\n").code == 0
    assert server.called("credentials.create-ssh")[1]["privateKey"] == "KEY\n"


def test_a_key_in_use_is_replaced_only_after_a_question(
    qd: Command, fleet: Installation, server: ContractServer
) -> None:
    shown = dict(server.answers["credentials.show"])
    shown["usage"] = {"totalServers": 1, "activeServers": 1, "inactiveServers": 0, "servers": [USE]}
    server.answers["credentials.show"] = shown
    refused = qd("credential", "rotate", "deploy", "--generate")
    assert (refused.code, server.called("credentials.rotate-ssh")) == (2, [])
    assert "berlin" in refused.err
    assert qd("credential", "rotate", "deploy", "--generate", "--yes").code == 0
    (sent,) = server.called("credentials.rotate-ssh")
    assert sent["confirmation"] == {"credentialId": KEY, "acknowledgeServerUsage": True}
    assert "berlin (active)" in qd("credential", "show", "deploy").out


def test_a_credential_is_listed_and_deleted(qd: Command, fleet: Installation, server: ContractServer) -> None:
    assert "deploy" in qd("credential", "ls").out
    assert qd("credential", "rm", "deploy", "--confirm", "deploy").code == 0
    assert server.called("credentials.delete-ssh") == [{"confirmation": {"credentialId": KEY}}]
    assert qd("credential", "rm", "deploy", "--yes").code == 2
    assert qd("credential", "rm", "deplyo", "--yes").code == 5

    def refuse(*_: Any) -> Any:
        raise Refusal(409, "credential_in_use", "deploy is still used by berlin.")

    server.answers["credentials.delete-ssh"] = refuse
    assert qd("credential", "rm", "deploy", "--confirm", "deploy").code == 6


def test_pruning_lists_and_removes_only_when_told(qd: Command, fleet: Installation, server: ContractServer) -> None:
    def prune(_parameters: Any, _query: Any, body: dict[str, Any]) -> dict[str, Any]:
        gone = not body["dryRun"]
        counts = dict.fromkeys(("inspectedCount", "matchedCount", "skippedCount", "excludedCount"), 1)
        return {
            "schemaVersion": "servers.capacity.prune/v1", "server": CAPACITY["server"], "before": body["before"],
            "categories": body["categories"], "dryRun": body["dryRun"], "prunedAt": NOW, "warnings": [],
            "summary": {**counts, "prunedCount": int(gone), "reclaimedBytes": 2048 if gone else 0},
            "candidates": [{
                "id": "c1", "category": "stopped-containers", "target": "web", "updatedAt": NOW, "size": 2048,
                "action": "pruned" if gone else "matched",
            }],
        }  # fmt: skip

    server.answers["servers.capacity.prune"] = prune
    listed = qd("server", "prune", "berlin", "--days", "30")
    assert "stopped-containers  web   2 KiB  matched" in listed.out
    assert "add --remove" in listed.err
    assert qd("server", "prune", "berlin", "--remove").code == 2
    removed = qd("server", "prune", "berlin", "--remove", "--category", "unused-images", "--yes")
    assert "Removed 1, 2 KiB." in removed.err
    sent = server.called("servers.capacity.prune")
    assert [body["dryRun"] for body in sent] == [True, False]
    assert sent[1]["categories"] == ["unused-images"]


def test_a_server_is_found_by_the_address_that_a_message_calls_it_by(
    qd: Command, fleet: Installation, server: ContractServer
) -> None:
    """What a deployment says of a server behind SSH knows its address and not its name."""
    server.answers["servers.test-connectivity"] = answered("healthy", ("tcp", "passed", "It answers."))
    host = fleet.servers[0]["host"]
    assert qd("server", "test", host).code == 0
    assert qd("server", "test", f"{host}:{fleet.servers[0]['port']}").code == 0
    fleet.servers.append({**fleet.servers[0], "id": "srv_000000000009", "name": "bern", "port": 2223})
    twice = qd("server", "test", host)
    assert twice.code == 2
    assert f"2 servers have the address {host}: berlin, bern." in twice.err
    assert qd("server", "test", f"{host}:2223").code == 0
