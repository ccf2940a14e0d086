"""What is done with a resource that is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer
from cli.installation import DEPLOYMENT, Installation, end, message, succeeding
from quarterdeck.cli.commands.completion import found

Command = Callable[..., Result]


@pytest.fixture
def shop(installation: Installation) -> str:
    return installation.exists(
        "storefront/production/shop",
        source={"kind": "git-public", "locator": "https://host/shop.git", "displayName": "shop"},
        runtimeProfile={"strategy": "auto", "startCommand": "./run"},
        networkProfile={"internalPort": 3000},
    )


@pytest.mark.parametrize(
    "name", ["shop", "storefront/shop", "storefront/production/shop", "STOREFRONT/Production/shop"]
)
def test_a_resource_goes_by_path_or_slug_or_id(qd: Command, shop: str, name: str) -> None:
    assert qd("open", name).out == "http://shop.localhost/\n"
    assert qd("open", shop, "-o", "json").code == 0


def test_an_ambiguous_name_is_refused_with_a_whole_one(qd: Command, shop: str, installation: Installation) -> None:
    installation.exists("storefront/staging/shop")
    result = qd("open", "shop")
    assert result.code == 2
    assert "storefront/production/shop, storefront/staging/shop" in result.err


def test_an_unknown_name_ends_with_five_and_names_the_near_one(qd: Command, shop: str) -> None:
    result = qd("open", "shpo")
    assert result.code == 5
    assert "Did you mean shop?" in result.err


def test_the_list_has_states_as_mark_and_word_and_whole_addresses(
    qd: Command, shop: str, installation: Installation
) -> None:
    installation.deployed(shop)
    installation.deployed(shop, "rolled-back")
    result = qd("ls")
    assert "storefront/production/shop  ✓ running v1  ▲ rolled back v2" in result.out
    assert "! rolled back" in qd("ls", "--ascii").out
    assert qd("ls", "-o", "name").out == f"{shop}\n"
    assert json.loads(qd("ls", "-o", "jsonl").out)["path"] == "storefront/production/shop"
    assert json.loads(qd("ls", "--project", "nothing", "-o", "json").out) == {"items": []}


def test_fields_and_variables_are_told_apart(qd: Command, shop: str, server: ContractServer) -> None:
    assert (
        qd("set", "shop", "port=8080", "build-command=make", "start-command=", "branch=next", "LOG_LEVEL=debug").code
        == 0
    )
    network = {"internalPort": 8080, "upstreamProtocol": "http", "exposureMode": "reverse-proxy"}
    assert server.called("resources.configure-network") == [{"networkProfile": network}]
    runtime = {"strategy": "auto", "buildCommand": "make"}
    assert server.called("resources.configure-runtime") == [{"runtimeProfile": runtime}]
    assert server.called("resources.configure-source")[0]["source"]["gitRef"] == "next"
    assert server.called("resources.set-variable") == [
        {"key": "LOG_LEVEL", "value": "debug", "kind": "plain-config", "exposure": "runtime"}
    ]


def test_a_misspelt_field_is_not_kept_as_a_variable(qd: Command, shop: str, server: ContractServer) -> None:
    result = qd("set", "shop", "prot=8080")
    assert (result.code, server.changes) == (2, [])
    assert "Try:   port=8080" in result.err
    assert qd("set", "shop", "prot=8080", "--variable").code == 0


def test_a_secret_comes_from_stdin_and_is_shown_nowhere(qd: Command, shop: str, server: ContractServer) -> None:
    planned = qd("set", "shop", "--secret", "API_KEY", "--plan", "-o", "json", stdin="s3cr3t\n")
    assert server.changes == []
    result = qd("set", "shop", "--secret", "API_KEY", "-v", stdin="s3cr3t\n")
    assert "s3cr3t" not in planned.out + planned.err + result.out + result.err
    body = server.called("resources.set-variable")[0]
    assert (body["value"], body["isSecret"], body["kind"]) == ("s3cr3t", True, "secret")
    assert qd("set", "shop", "--secret", "API_KEY", stdin="").code == 2
    typed = qd("set", "shop", "--secret", "API_KEY=pear-tree", stdin="")
    assert typed.code == 2
    assert "never an argument" in typed.err
    assert "pear-tree" not in typed.out + typed.err


def test_a_rollback_takes_the_recommended_version_or_the_named_one(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    first, second, latest = (installation.deployed(shop) for _ in range(3))
    server.answers["deployments.rollback"] = lambda *_: installation._deployment({"resourceId": shop}, {}, {})
    server.answers["deployments.recovery-readiness"] = readiness(latest, shop, second)
    server.streams = [succeeding(), succeeding()]
    assert qd("rollback", "shop").code == 0
    installation.deployments.pop(0)
    assert qd("rollback", "shop", "--to", "v1").code == 0
    assert server.called("deployments.rollback") == [
        {"rollbackCandidateDeploymentId": second, "resourceId": shop},
        {"rollbackCandidateDeploymentId": first, "resourceId": shop},
    ]
    installation.deployments.pop(0)
    assert qd("rollback", "shop", "--to", "9").code == 5


def readiness(deployment: str, resource: str, candidate: str | None) -> dict[str, Any]:
    way = {"allowed": True, "commandActive": True, "reasons": []}
    rollback = {**way, "candidates": []} | ({"recommendedCandidateId": candidate} if candidate else {})
    return {
        "schemaVersion": "deployments.recovery-readiness/v1", "deploymentId": deployment, "resourceId": resource,
        "generatedAt": NOW, "stateVersion": "1", "recoverable": True, "retryable": False, "redeployable": True,
        "rollbackReady": bool(candidate), "rollbackCandidateCount": 1 if candidate else 0,
        "retry": {**way, "targetOperation": "deployments.retry"},
        "redeploy": {**way, "targetOperation": "deployments.redeploy"},
        "rollback": rollback, "recommendedActions": [],
    }  # fmt: skip


def test_without_an_earlier_version_a_rollback_is_a_conflict(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    latest = installation.deployed(shop)
    server.answers["deployments.recovery-readiness"] = readiness(latest, shop, None)
    assert qd("rollback", "shop").code == 6
    assert server.changes == []


def test_cancelling_asks_first_and_refuses_what_has_ended(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    running = installation.deployed(shop, "running")
    assert qd("cancel", "shop").code == 2
    assert server.changes == []

    def canceled(*_: Any) -> dict[str, Any]:
        installation.deployments[0]["status"] = "canceled"
        return {"id": running, "status": "canceled", "canceledAt": NOW}

    server.answers["deployments.cancel"] = canceled
    assert qd("cancel", "shop", "--yes").out == f"Canceled: {running}.\n"
    assert server.called("deployments.cancel") == [{"confirm": running}]
    assert qd("cancel", running, "--yes").code == 6


def test_attaching_tells_the_deployment_from_its_beginning(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    installation._deployment({"resourceId": shop}, {}, {})
    server.streams = [succeeding()]
    result = qd("attach", DEPLOYMENT)
    assert result.code == 0
    assert "✓ detect" in result.err


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("blocked", 6), ("failed", 1)])
def test_stopping_waits_for_its_end_and_tells_it(
    qd: Command, shop: str, server: ContractServer, status: str, code: int, impatient: None
) -> None:
    attempt = {
        "runtimeControlAttemptId": "rtc_1", "operation": "stop", "status": "accepted", "startedAt": NOW,
        "runtimeState": "stopping",
    }  # fmt: skip
    server.answers["resources.runtime.stop"] = attempt
    reason = {"blockedReason": "runtime-already-stopped"} if status == "blocked" else {}
    server.answers["resources.health"] = {
        "schemaVersion": "resources.health/v1", "resourceId": shop, "generatedAt": NOW, "overall": "stopped",
        "runtime": {"lifecycle": "stopped", "health": "unknown"},
        "latestRuntimeControl": {**attempt, "status": status, **reason},
        "healthPolicy": {"status": "not-configured", "enabled": False}, "publicAccess": {"status": "not-ready"},
        "proxy": {"status": "ready"}, "checks": [], "sourceErrors": [],
    }  # fmt: skip
    assert qd("stop", "shop").code == 2
    result = qd("stop", "shop", "--yes", "--reason", "maintenance")
    assert result.code == code, result.err
    assert server.called("resources.runtime.stop") == [{"reason": "maintenance"}]


def line(number: int, text: str) -> str:
    body = {"resourceId": "r", "stream": "stdout", "message": text, "masked": False, "sequence": number}
    return message({"kind": "line", "line": body})


def test_followed_lines_are_neither_lost_nor_doubled_when_the_connection_breaks(
    qd: Command, shop: str, server: ContractServer, impatient: None
) -> None:
    done = message({"resourceId": shop}, event="done")
    server.streams = [[line(1, "one"), line(2, "two")], [line(1, "one"), line(2, "two"), line(3, "three"), done]]
    assert qd("logs", "-f", "shop").out == "one\ntwo\nthree\n"


def test_the_log_of_a_deployment_is_its_last_lines(qd: Command, shop: str, installation: Installation) -> None:
    installation.log("one", "two", "three\x1b[2J")
    assert qd("logs", DEPLOYMENT, "--tail", "2").out == "two\nthree\n"
    assert qd("logs", DEPLOYMENT, "--tail", "1", "-o", "jsonl").out.count("\n") == 1


def test_a_plan_asks_nothing_and_sends_nothing(qd: Command, shop: str, server: ContractServer) -> None:
    before = len(server.calls)
    for command in (("stop", "shop"), ("archive", "shop")):
        result = qd(*command, "--plan", "--no-input")
        assert result.code == 0, result.err
        assert "/api/resources/" in result.out
    reads = ("list", "show", "delete-check", "health")
    assert [key for key, _, _ in server.calls[before:] if not key.endswith(reads)] == []


def test_a_command_without_a_name_says_how_to_find_names(qd: Command, shop: str, installation: Installation) -> None:
    (row,) = installation.resources.values()
    second = {**row["resource"], "id": "res_second000000", "slug": "till", "name": "till"}
    installation.resources["res_second000000"] = {**row, "resource": second}
    result = qd("logs")
    assert result.code == 2
    assert "Say which resource: storefront/production/shop, storefront/production/till." in result.err
    assert "Try:   qd ls " in result.err


def test_the_doctor_ends_with_one_when_something_is_wrong(qd: Command, server: ContractServer) -> None:
    body = {
        "readiness": {
            "status": "degraded", "checks": {"database": True, "migrations": False},
            "details": {
                "database": "sqlite", "migrations": "2 pending", "edgeHttpPort": "80",
                "problem1": "Two migrations are pending.",
            },
        },
        "providers": [
            {
                "key": "generic-ssh", "title": "Servers over SSH", "category": "deploy-target", "capabilities": [],
                "configuration": {
                    "status": "partial",
                    "diagnostics": [
                        {"code": "server_seen", "severity": "info", "message": "fra-1: last reached today."},
                        {"code": "disk_full", "severity": "error", "message": "fra-1 is full."},
                    ],
                },
            },
            {"key": "acme", "title": "ACME certificates", "category": "infra-service", "capabilities": []},
        ],
        "plugins": [], "integrations": [], "maintenanceWorkers": [],
    }  # fmt: skip
    server.answers["system.doctor"] = body
    result = qd("doctor")
    assert result.code == 1
    assert [" ".join(line.split()) for line in result.out.splitlines()] == [
        "database ✓ in order sqlite",
        "migrations ✗ wrong 2 pending",
        "edge HTTP port 80",
        "Servers over SSH ▲ not all is well",
        "ACME certificates – not configured",  # noqa: RUF001 - the mark of what is off
        "– fra-1: last reached today.",  # noqa: RUF001 - the same
        "✗ fra-1 is full.",
        "✗ Two migrations are pending.",
    ]
    assert "Do what stands beside each problem, then look again: qd doctor" in result.err
    assert json.loads(qd("doctor", "-o", "json").out)["readiness"]["status"] == "degraded"


def test_completion_knows_commands_options_and_live_names(shop: str) -> None:
    assert found(["depl"]) == ["deploy"]
    assert found(["deploy", "--build-c"]) == ["--build-command"]
    assert found(["logs", "store"]) == ["storefront/production/shop"]
    assert found(["deploy", ".", "--project", ""]) == ["storefront"]
    assert found(["nothing", ""]) == []


def test_completion_is_silent_without_a_server(qd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUARTERDECK_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("QUARTERDECK_TOKEN", "x")
    assert qd("complete-words", "--", "logs", "") == Result(0, "", "")
    assert "_qd" in qd("completion", "bash").out


def test_a_stream_without_events_ends_by_the_status(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    server.streams = [end()]
    assert qd("redeploy", "shop").code == 0


def test_status_says_what_is_wrong_where_it_is_not_well(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    said = "another program than the edge answers on port 8080 of this machine"
    check = {"name": "public-access", "target": "public-access", "status": "failed", "observedAt": NOW, "message": said}
    server.answers["resources.health"] = {**installation._health(shop), "overall": "degraded", "checks": [check]}
    result = qd("status", "shop")
    assert result.code == 0
    assert "  health      ▲ degraded\n              Another program than the edge answers on port 8080" in result.out
