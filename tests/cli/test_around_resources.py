"""Projects, environments, variables, and the end of things."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli.conftest import Result
from cli.contract_server import NOW, ContractServer
from cli.installation import Installation
from quarterdeck.cli.commands.completion import found
from quarterdeck.cli.terminal import Terminal

Command = Callable[..., Result]


@pytest.fixture
def shop(installation: Installation) -> str:
    return installation.exists("storefront/production/shop")


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody at a terminal; what they type is put into the answer."""
    typed: list[str] = []
    monkeypatch.setattr(Terminal, "asks", property(lambda _self: True))
    monkeypatch.setattr(Terminal, "ask", lambda _self, _question, **_: typed.pop(0))
    return typed


def test_archiving_asks_and_says_that_what_runs_keeps_running(qd: Command, shop: str, server: ContractServer) -> None:
    asked = qd("archive", "shop")
    assert asked.code == 2
    assert "This is final, and its name stays taken." in asked.err
    assert qd("archive", "shop", "--plan").code == 0
    assert server.changes == []
    result = qd("archive", "shop", "--reason", "moved", "--yes")
    assert (result.code, result.out) == (
        0,
        "Archived storefront/production/shop. What runs keeps running until: qd stop storefront/production/shop\n",
    )
    assert server.called("resources.archive") == [{"reason": "moved"}]


def test_what_is_in_use_cannot_be_deleted_and_the_way_is_told(qd: Command, shop: str, server: ContractServer) -> None:
    result = qd("delete", "shop", "--confirm", "shop")
    assert (result.code, server.changes) == (6, [])
    assert "Try:   qd archive storefront/production/shop" in result.err


def test_what_has_a_history_is_told_so_before_a_name_is_asked_for(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    installation.lifecycle = "archived"
    installation.deployed(shop)
    installation.deployed(shop)
    result = qd("delete", "shop", "--confirm", "shop")
    assert (result.code, server.changes) == (6, [])
    assert "storefront/production/shop cannot be deleted: 2 deployments are kept as its history." in result.err
    assert "Try:   qd archive storefront/production/shop v2\n" in result.err
    for row in installation.deployments:
        row["archivedAt"] = NOW
    result = qd("delete", "shop")
    assert "Try:   qd prune deployments --before 0s --resource storefront/production/shop --yes\n" in result.err


def test_deleting_takes_the_name_and_yes_does_not_stand_for_it(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    installation.lifecycle = "archived"
    for words in ((), ("--yes",), ("--no-input",), ("--confirm", "shpo"), ("--confirm", "")):
        assert qd("delete", "shop", *words).code == 2
    assert server.changes == []
    wrong = json.loads(qd("delete", "shop", "--confirm", "other", "-o", "json").out)
    assert wrong["error"]["code"] == "confirmation_mismatch"
    result = qd("delete", "shop", "--confirm", "shop", "-o", "name")
    assert (result.code, result.out, result.err) == (0, f"{shop}\n", "")
    assert server.called("resources.delete") == [{"confirmation": {"resourceSlug": "shop"}}]


def test_on_a_terminal_the_name_is_typed_and_an_empty_line_leaves(
    qd: Command, shop: str, server: ContractServer, installation: Installation, person: list[str]
) -> None:
    installation.lifecycle = "archived"
    person += ["", "shpo", "shop"]
    left = qd("delete", "shop")
    assert (left.code, "Nothing was changed." in left.err) == (1, True)
    assert "is lost with its settings and variables" in left.err
    assert qd("delete", "shop").code == 2
    assert server.changes == []
    assert qd("delete", "shop").code == 0


def test_a_project_is_made_renamed_described_archived_and_restored(
    qd: Command, shop: str, server: ContractServer
) -> None:
    answer = {"id": "prj_000000000000"}
    for key in ("rename", "set-description", "archive", "restore"):
        server.answers[f"projects.{key}"] = answer
    assert qd("project", "create", "Docs", "--description", "What people read").code == 0
    assert qd("project", "rename", "storefront", "Shop front").out == "Renamed storefront to Shop front.\n"
    assert qd("project", "describe", "storefront", "Customers").code == 0
    assert qd("project", "archive", "storefront").code == 2
    assert qd("project", "archive", "storefront", "--yes", "-o", "json").code == 0
    assert qd("project", "restore", "storefront").code == 0
    assert server.changes == [
        "projects.create", "projects.rename", "projects.set-description", "projects.archive", "projects.restore",
    ]  # fmt: skip
    shown = qd("project", "show", "storefront").out
    assert "storefront/production   1 resource\n" in shown
    assert qd("project", "show", "stroefront").code == 5


def check(*blockers: tuple[str, int]) -> dict[str, Any]:
    return {
        "schemaVersion": "projects.delete-check/v1", "projectId": "prj_000000000000", "lifecycleStatus": "archived",
        "eligible": not blockers, "blockers": [{"kind": kind, "count": count} for kind, count in blockers],
        "checkedAt": NOW,
    }  # fmt: skip


def test_a_project_that_holds_something_is_not_deleted(qd: Command, shop: str, server: ContractServer) -> None:
    server.answers["projects.delete-check"] = check(("active-project", 1), ("resource", 2), ("environment", 1))
    result = qd("project", "delete", "storefront", "--confirm", "storefront")
    assert (result.code, server.changes) == (6, [])
    assert "it is not archived; 2 resources belong to it; 1 environment belongs to it." in result.err
    assert "Try:   qd project archive storefront" in result.err
    server.answers["projects.delete-check"] = check()
    server.answers["projects.delete"] = {"id": "prj_000000000000"}
    assert qd("project", "delete", "storefront", "--yes").code == 2
    assert qd("project", "delete", "storefront", "--confirm", "storefront").code == 0
    assert server.called("projects.delete") == [{"confirmation": {"projectId": "prj_000000000000"}}]


def test_an_environment_is_made_and_gives_variables(qd: Command, shop: str, server: ContractServer) -> None:
    server.answers["environments.set-variable"] = server.answers["environments.unset-variable"] = None
    assert qd("environment", "create", "storefront/staging").code == 0
    assert server.called("environments.create")[-1]["kind"] == "staging"
    assert qd("environment", "create", "staging").code == 2
    place = "storefront/production"
    planned = qd("environment", "set", place, "A=1", "--secret", "KEY", "--plan", "-o", "json", stdin="s3cr3t\n")
    done = qd("environment", "set", place, "log_level=info", "--secret", "KEY", stdin="s3cr3t\n")
    assert "s3cr3t" not in planned.out + planned.err + done.out + done.err
    assert server.called("environments.set-variable") == [
        {"key": "log_level", "value": "info", "kind": "plain-config", "exposure": "runtime"},
        {"key": "KEY", "value": "s3cr3t", "kind": "secret", "exposure": "runtime", "isSecret": True},
    ]
    assert qd("environment", "unset", place, "log_level").code == 0
    assert qd("environment", "unset", "storefront/nowhere", "A").code == 5


def test_variables_say_where_they_come_from_and_hide_secrets(qd: Command, shop: str, server: ContractServer) -> None:
    entries = [
        {"key": key, "value": value, "scope": scope, "exposure": exposure, "isSecret": value == "****",
         "kind": "secret" if value == "****" else "plain-config", "updatedAt": NOW}
        for key, value, scope, exposure in (
            ("URL", "****", "environment", "runtime"), ("A", "1", "resource", "runtime"),
            ("VITE_X", "2", "resource", "build-time"),
        )
    ]  # fmt: skip
    body = {
        "schemaVersion": "resources.effective-config/v1", "resourceId": shop, "environmentId": "env_000000000000",
        "ownedEntries": entries[1:], "effectiveEntries": entries, "overrides": [], "precedence": [], "generatedAt": NOW,
    }  # fmt: skip
    server.answers["resources.effective-config"] = body
    lines = qd("variables", "shop").out.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["A", "resource", "1"], ["URL", "secret", "environment", "****"], ["VITE_X", "build", "resource", "2"],
    ]  # fmt: skip
    assert qd("variables", "shop", "-o", "name").out == "A\nURL\nVITE_X\n"
    assert json.loads(qd("variables", "shop", "-o", "json").out) == body


def test_every_field_of_health_goes_to_its_policy(qd: Command, shop: str, server: ContractServer) -> None:
    server.answers["resources.configure-health"] = {"id": shop}
    assert qd("set", "shop", "health-path=/up", "health-status=204", "health-tries=3").code == 0
    policy = {"enabled": True, "retries": 3, "http": {"path": "/up", "expectedStatusCode": 204}}
    assert server.called("resources.configure-health") == [{"healthCheck": policy}]
    assert qd("set", "shop", "health=off").code == 0
    assert server.called("resources.configure-health")[-1] == {"healthCheck": {"enabled": False}}
    assert qd("set", "shop", "health=maybe").code == 2
    assert qd("set", "shop", "health-tries=many").code == 2


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (("rm",), "qd delete"), (("ps",), "qd ls"), (("env",), "qd variables"), (("up",), "qd deploy"),
        (("projct",), "qd project"), (("project", "delte"), "qd project delete"), (("project",), "qd project --help"),
        (("project", "list"), "qd ls projects"), (("environment", "ste"), "qd environment set"),
    ],
)  # fmt: skip
def test_a_wrong_verb_names_the_near_one(qd: Command, typed: tuple[str, ...], hint: str) -> None:
    result = qd(*typed)
    assert (result.code, result.err.splitlines()[-1]) == (2, f"Try:   {hint}")


def test_nouns_are_completed_with_their_verbs_and_names(qd: Command, shop: str) -> None:
    assert "delete" in found(["project", ""])
    assert found(["project", "archive", ""]) == ["storefront"]
    assert found(["environment", "set", "store"]) == ["storefront/production"]
    assert "--confirm" in found(["project", "delete", "--con"])
    assert found(["delete", "sto"]) == ["storefront/production/shop"]


def test_wait_and_detach_exclude_each_other(qd: Command, shop: str, server: ContractServer) -> None:
    assert qd("redeploy", "shop", "--wait", "--detach").code == 2
    assert qd("redeploy", "shop", "--timeout", "0").code == 2
    assert server.changes == []


def test_a_list_tells_what_runs_apart_from_what_was_deployed_last(
    qd: Command, shop: str, installation: Installation
) -> None:
    installation.deployed(shop)
    installation.deployed(shop, "failed")
    row = qd("ls").out.splitlines()[1]
    assert "✓ running v1" in row
    assert "✗ failed v2" in row
    item = json.loads(qd("ls", "-o", "json").out)["items"][0]
    assert (item["runtime"], item["servingVersion"], item["lastDeploymentStatus"]) == ("running", 1, "failed")
    installation.runtime = "stopped"
    assert "– stopped v1" in qd("ls").out  # noqa: RUF001 - the dash is the mark


def test_a_joined_log_says_which_version_speaks_beside_stdout(
    qd: Command, shop: str, server: ContractServer, installation: Installation
) -> None:
    first, second = installation.deployed(shop), installation.deployed(shop)
    lines = [
        {"resourceId": shop, "deploymentId": deployment, "message": text, "masked": False}
        for deployment, text in ((first, "a"), (first, "b"), (second, "\x1b[31mred\x1b[0m"))
    ]
    server.answers["resources.runtime-logs"] = {"resourceId": shop, "logs": lines}
    result = qd("logs", "shop")
    assert result.out == "a\nb\nred\n"
    assert result.err == f"  v1   {first}\n  v2   {second}\n"
    assert len(qd("logs", "shop", "-o", "jsonl").out.splitlines()) == 3


def test_a_plan_as_names_is_the_operations_and_nothing_else(qd: Command, shop: str, server: ContractServer) -> None:
    result = qd("set", "shop", "A=1", "B=2", "--plan", "-o", "name")
    assert (result.out, result.err) == ("resources.set-variable\nresources.set-variable\n", "")
    assert server.changes == []
