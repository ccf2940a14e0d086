"""`qd import`, `qd archive` and `qd prune`: taking variables over, and what is out of date away."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer, Refusal
from cli.installation import Installation

Command = Callable[..., Result]


def imported(parameters: dict[str, str], _query: Any, body: dict[str, Any]) -> dict[str, Any]:
    keys = [line.partition("=")[0] for line in body["content"].split()]
    return {
        "resourceId": parameters["resourceId"],
        "importedEntries": [
            {
                "key": key,
                "value": "****" if key == "TOKEN" else "1",
                "exposure": body["exposure"],
                "kind": "secret" if key == "TOKEN" else "plain-config",
                "isSecret": key == "TOKEN",
                "action": "created",
                "sourceLine": number,
            }
            for number, key in enumerate(keys, start=1)
        ],
        "duplicateOverrides": [
            {"key": "A", "exposure": body["exposure"], "firstLine": 1, "lastLine": 3, "rule": "last-wins"}
        ],
        "existingOverrides": [],
    }


@pytest.fixture
def shop(installation: Installation) -> str:
    return installation.exists("storefront/production/shop")


def test_a_file_is_taken_over_whole(qd: Command, shop: str, server: ContractServer, tmp_path: Path) -> None:
    server.answers["resources.import-variables"] = imported
    file = tmp_path / ".env"
    file.write_text("A=1\nTOKEN=hunter22\n")
    result = qd("import", "shop", str(file), "--secret", "A", "--plain", "B")
    assert [line.split() for line in result.out.splitlines()[1:]] == [
        ["A", "1", "created", "1"],
        ["TOKEN", "****", "created", "secret", "2"],
    ]
    assert "A stands in lines 1 and 3: the last one wins." in result.err
    assert "hunter22" not in result.out + result.err
    (body,) = server.called("resources.import-variables")
    assert body == {
        "content": "A=1\nTOKEN=hunter22\n",
        "exposure": "runtime",
        "secretKeys": ["A"],
        "plainKeys": ["B"],
    }
    assert qd("import", "shop", "--build-time", stdin="PUBLIC_A=1\n").code == 0
    assert server.called("resources.import-variables")[1]["exposure"] == "build-time"


def test_a_plan_of_an_import_shows_no_value(qd: Command, shop: str, server: ContractServer) -> None:
    result = qd("import", "shop", "--plan", stdin="TOKEN=hunter22\n")
    assert "hunter22" not in result.out
    assert "resources.import-variables" in result.out
    assert server.changes == []


def test_a_file_that_cannot_be_read_or_is_wrong_changes_nothing(
    qd: Command, shop: str, server: ContractServer, tmp_path: Path
) -> None:
    assert qd("import", "shop", str(tmp_path / "none")).code == 2
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert qd("import", "shop", str(tmp_path / "binary")).code == 2
    assert qd("import", "shop", stdin=" \n").code == 2
    assert server.changes == []
    server.answers["resources.import-variables"] = Refusal(400, "validation_error", "line 2 is not KEY=value.")
    result = qd("import", "shop", stdin="A=1\nB\n")
    assert (result.code, "line 2" in result.err) == (2, True)


def test_a_deployment_is_archived_by_id_or_by_number(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    made = installation.deployed(shop, "failed")
    server.answers["deployments.archive"] = lambda parameters, *_: {
        "id": parameters["deploymentId"],
        "archivedAt": NOW,
    }
    assert qd("archive", "dep_000000000009").out == "Archived: dep_000000000009.\n"
    assert qd("archive", "shop", "v1").out == f"Archived: {made}.\n"
    assert server.called("deployments.archive") == [{"confirm": "dep_000000000009"}, {"confirm": made}]
    assert qd("archive", "shop", "v7").code == 5
    assert qd("archive", "dep_000000000009", "--plan").code == 0


def test_archived_deployments_are_shown_when_asked_for(qd: Command, shop: str, installation: Installation) -> None:
    installation.deployed(shop, "failed")
    installation.deployments[0]["archivedAt"] = NOW
    assert "v1" not in qd("history", "shop").out
    assert "v1" in qd("history", "shop", "--archived").out


def test_numbers_are_those_of_the_server_also_when_older_ones_were_pruned(
    qd: Command, shop: str, installation: Installation
) -> None:
    installation.deployed(shop, "succeeded")
    execution = installation.deployments[0]["runtimePlan"]["execution"]
    execution["metadata"] = {**(execution.get("metadata") or {}), "deployment.number": "41"}
    assert "v41" in qd("history", "shop").out


def test_prune_says_how_much_and_deletes_with_yes_only(qd: Command, shop: str, server: ContractServer) -> None:
    def pruned(_parameters: Any, _query: Any, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "schemaVersion": "deployments.prune/v1",
            **body,
            "matchedCount": 3,
            "prunedCount": 0 if body["dryRun"] else 2,
            "guardedCount": 1,
            "affectedDeploymentIds": ["dep_a", "dep_b"],
            "guardedDeploymentIds": ["dep_c"],
            "prunedAt": NOW,
        }

    def lines(_parameters: Any, _query: Any, body: dict[str, Any]) -> dict[str, Any]:
        return {
            "schemaVersion": "deployments.logs.prune/v1",
            **body,
            "matchedCount": 500,
            "prunedCount": 0 if body["dryRun"] else 500,
            "affectedDeploymentCount": 2,
            "prunedAt": NOW,
        }

    server.answers |= {"deployments.prune": pruned, "deployments.logs.prune": lines}
    before = "2026-01-01T00:00:00Z"
    assert qd("prune", "deployments", "--before", before).out.startswith("Would delete 2, 1 are still needed.")
    done = qd("prune", "deployments", "--before", before, "--resource", "shop", "--yes", "-o", "json")
    assert json.loads(done.out)["prunedCount"] == 2
    assert server.called("deployments.prune")[1] == {
        "before": "2026-01-01T00:00:00.000Z",
        "dryRun": False,
        "resourceId": shop,
    }
    assert (
        qd("prune", "logs", "--before", "30d").out == "Would delete 500 lines of 2 deployments. Add --yes to delete.\n"
    )
    assert qd("prune", "logs", "--before", "30d", "--yes").out == "Deleted 500 lines of 2 deployments.\n"
    assert qd("prune", "logs", "--before", "never").code == 2


def test_a_preview_is_torn_down_when_a_person_says_yes(
    qd: Command, server: ContractServer, installation: Installation
) -> None:
    source = {
        "kind": "git-public",
        "locator": "https://host/shop.git",
        "displayName": "shop",
        "sourceBindingFingerprint": "srcfp_0badcafe",
    }
    preview = installation.exists("storefront/pr-7/shop", source=source)
    installation.resources[preview]["source"] = source
    server.answers["deployments.cleanup-preview"] = lambda _p, _q, body: {
        "sourceFingerprint": body["sourceFingerprint"],
        "status": "cleaned",
        "cleanedRuntime": True,
        "removedServerAppliedRoute": False,
        "removedSourceLink": False,
    }
    assert qd("prune", "preview", "shop").code == 2
    assert server.changes == []
    assert qd("prune", "preview", "shop", "--yes").out == "Cleaned up: storefront/pr-7/shop.\n"
    assert server.called("deployments.cleanup-preview") == [
        {"sourceFingerprint": "srcfp_0badcafe", "trustedContext": {"resourceId": preview}}
    ]
