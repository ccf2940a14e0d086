"""What is done to environments, log lines that are kept, and policies by which servers are tidied."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer
from cli.installation import Installation

Command = Callable[..., Result]
PLACE = "storefront/production"
ITEM = {
    "archiveId": "rla_a", "resourceId": "res_a", "capturedAt": NOW, "lineCount": 2, "retentionStatus": "retained",
}  # fmt: skip


@pytest.fixture
def shop(installation: Installation) -> str:
    return installation.exists("storefront/production/shop")


def line(text: str, resource: str) -> dict[str, Any]:
    return {"resourceId": resource, "stream": "stdout", "message": text, "masked": False}


def same(parameters: dict[str, str], _query: Any, _body: Any) -> dict[str, Any]:
    return {"id": parameters["environmentId"]}


@pytest.mark.parametrize(
    ("words", "key", "body", "said"),
    [
        (("rename", PLACE, "live"), "rename", {"name": "live"}, "Renamed storefront/production to live."),
        (("lock", PLACE, "--reason", "freeze"), "lock", {"reason": "freeze"}, "Locked storefront/production."),
        (("lock", PLACE), "lock", {}, "Locked storefront/production."),
        (("archive", PLACE, "--yes"), "archive", {}, "Archived storefront/production."),
        (("copy", PLACE, "b"), "clone", {"targetName": "b"}, "Copied storefront/production to b."),
    ],
)
def test_an_environment_is_changed(
    words: tuple[str, ...], key: str, body: Any, said: str, qd: Command, shop: str, server: ContractServer
) -> None:
    server.answers[f"environments.{key}"] = same
    result = qd("environment", *words)
    assert (result.code, result.out) == (0, said + "\n"), result.err
    assert server.called(f"environments.{key}") == [body]


def test_archiving_an_environment_asks_first(qd: Command, shop: str, server: ContractServer) -> None:
    assert qd("environment", "archive", PLACE).code == 2
    assert server.called("environments.archive") == []


def test_two_environments_are_compared(
    qd: Command, shop: str, installation: Installation, server: ContractServer
) -> None:
    installation.exists("storefront/staging/shop")
    entry = {"key": "A", "value": "1", "kind": "plain-config", "exposure": "runtime", "scope": "environment",
             "isSecret": False, "updatedAt": NOW}  # fmt: skip
    server.answers["environments.diff"] = lambda *_: [
        {"key": "A", "exposure": "runtime", "change": "removed", "left": entry},
        {"key": "B", "exposure": "runtime", "change": "unchanged", "left": entry, "right": entry},
    ]
    lines = qd("environment", "compare", PLACE, "storefront/staging").out.splitlines()
    assert [row.split() for row in lines[1:]] == [["A", "runtime", "removed", "1"]]


def test_lines_are_kept_listed_shown_and_pruned(qd: Command, shop: str, server: ContractServer) -> None:
    whole = {**ITEM, "lines": [line("one", "res_a"), line("two", "res_a")]}
    server.answers |= {
        "resources.runtime-logs.archive": lambda *_: {
            "schemaVersion": "resources.runtime-logs.archive/v1", "archive": whole},
        "resources.runtime-log-archives.show": lambda *_: {
            "schemaVersion": "resources.runtime-log-archives.show/v1", "archive": whole},
        "resources.runtime-log-archives.list": lambda *_: {
            "schemaVersion": "resources.runtime-log-archives.list/v1", "items": [ITEM], "generatedAt": NOW},
        "resources.runtime-log-archives.prune": lambda _p, _q, body: {
            "schemaVersion": "resources.runtime-log-archives.prune/v1", **body, "matchedCount": 1,
            "prunedCount": 0 if body["dryRun"] else 1, "affectedResourceCount": 1, "prunedAt": NOW},
    }  # fmt: skip
    kept = qd("log-archive", "keep", "shop", "--tail", "2", "--reason", "why")
    assert kept.out == "Kept 2 lines of storefront/production/shop: qd log-archive show rla_a\n", kept.err
    assert server.called("resources.runtime-logs.archive") == [{"tailLines": 2, "reason": "why"}]
    assert qd("log-archive", "show", "rla_a").out == "one\ntwo\n"
    assert qd("log-archive", "ls", "-o", "name").out == "rla_a\n"
    assert qd("log-archive", "prune", "--before", "1d").out == "Would delete 1. Add --yes to delete.\n"
    assert qd("log-archive", "prune", "--before", "1d", "--resource", "shop", "--yes").out == "Deleted 1.\n"
    assert server.called("resources.runtime-log-archives.prune")[1]["resourceId"] == shop


def test_a_policy_that_removes_is_confirmed_and_listed(qd: Command, server: ContractServer) -> None:
    key = "scheduled-runtime-prune-policies"
    server.answers[f"{key}.configure"] = lambda _p, _q, body: {"id": body["policyId"]}
    assert qd("server", "policy", "nightly", "--days", "7", "--remove").code == 2
    assert server.called(f"{key}.configure") == []
    assert qd("server", "policy", "nightly", "--days", "7", "--remove", "--yes").code == 0
    (body,) = server.called(f"{key}.configure")
    assert body == {
        "policyId": "nightly", "scope": "organization", "retentionDays": 7, "categories": ["stopped-containers"],
        "destructive": True, "enabled": True,
    }  # fmt: skip
    item = {
        **{name: value for name, value in body.items() if name != "policyId"}, "id": "nightly", "version": "v1",
        "schemaVersion": f"{key}.policy/v1", "serverId": "*", "categoryCount": 1, "retryOnFailure": True,
        "updatedAt": NOW,
    }  # fmt: skip
    server.answers[f"{key}.list"] = lambda *_: {"schemaVersion": f"{key}.list/v1", "items": [item]}
    found = json.loads(qd("server", "policies", "-o", "json").out)
    assert [one["id"] for one in (found["items"] if isinstance(found, dict) else found)] == ["nightly"]
    assert "removes" in qd("server", "policies").out
