"""Connections, agents, what was found, and which request takes which way."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cli.conftest import Result, failed
from cli.secrets.broker_api import AT, BrokerApi, identity

Command = Callable[..., Result]
TOKEN = "canary-Gamma-5e02"


def test_a_connection_is_made_and_its_credential_comes_from_a_file(
    qd: Command, broker: BrokerApi, written: Callable[[str, str], str]
) -> None:
    project = broker.add_project("shop")
    pem = written("ca.pem", "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n")
    result = qd(
        "secret", "connection", "add", "ours", "--provider", "vault", "--config", "address=https://vault.example.com",
        "--config", f"ca_pem=@{pem}", "--config", "allow_server=true", "--credential", "-", "--project", "shop",
        "--environment", "production", "--scope", "cluster=eu", "--discover", "1h", stdin=f"{TOKEN}\n",
    )  # fmt: skip
    assert result.code == 0, result
    (body,) = broker.bodies("new_connection")
    assert body["config"].pop("ca_pem").startswith("-----BEGIN")
    assert body == {
        "name": "ours", "provider_type": "vault", "credential": TOKEN, "project_id": project["id"],
        "config": {"address": "https://vault.example.com", "allow_server": True}, "environment": "production",
        "agent_scope": {"cluster": "eu"}, "discover_seconds": 3600,
    }  # fmt: skip
    assert TOKEN not in result.out + result.err


@pytest.mark.parametrize(
    "words", [("--credential", TOKEN), ("--config", f"token={TOKEN}"), ("--config", f"vault_password={TOKEN}")]
)
def test_a_credential_in_the_command_line_is_refused_and_not_repeated(
    qd: Command, broker: BrokerApi, words: tuple[str, ...]
) -> None:
    for verb in (("add", "ours", "--provider", "vault"), ("change", "ours")):
        result = qd("secret", "connection", *verb, *words, "-o", "json")
        assert json.loads(result.out)["error"]["code"] == "secret_in_words"
        assert TOKEN not in result.out + result.err
    assert broker.calls == []


def test_a_change_of_a_connection_keeps_the_other_words(qd: Command, broker: BrokerApi) -> None:
    row = broker.add_connection("ours", config={"address": "https://a.example.com", "prefix": "x", "mount": "kv"})
    words = ("--config", "prefix=apps", "--config", "mount=", "--state", "disabled", "--discover", "0")
    assert qd("secret", "connection", "change", "ours", *words).code == 0
    assert broker.bodies("change_connection") == [
        {"config": {"address": "https://a.example.com", "prefix": "apps"}, "enabled": False, "discover_seconds": 0}
    ]
    failed(qd("secret", "connection", "change", row["id"]), 2, "Say what to change")
    failed(qd("secret", "connection", "change", "ours", "--discover", "soon"), 2, "no span of time")


def test_connections_are_listed_and_removed_after_asking(qd: Command, broker: BrokerApi) -> None:
    assert "There is no connection yet" in qd("secret", "connection", "list").err
    project = broker.add_project("shop")
    row = broker.add_connection(
        "ours", project_id=project["id"], environment="production", config={"address": "https://vault.example.com"},
        checked_at=AT, health_error="It answered 403.",
    )  # fmt: skip
    out = qd("secret", "connection", "list").out
    for part in ("ours", "failing", "shop/production", "address=https://vault.example.com", "It answered 403."):
        assert part in out
    failed(qd("secret", "connection", "remove", "ours"), 2, "--yes")
    assert qd("secret", "connection", "remove", row["id"][:8], "--yes").out == "Removed the connection ours.\n"
    assert broker.connections_known == []


def test_the_secret_of_an_agent_is_alone_on_stdout(qd: Command, broker: BrokerApi) -> None:
    assert qd("secret", "agent", "mint", "eu", "--scope", "cluster=eu").out == "agent-secret-1\n"
    assert broker.bodies("mint") == [{"name": "eu", "scope": {"cluster": "eu"}}]
    assert qd("secret", "agent", "rotate", "eu", "--grace", "0").out == "agent-secret-2\n"
    assert broker.bodies("rotate_agent") == [{"grace_seconds": 0}]


def test_an_agent_is_revoked_after_asking(qd: Command, broker: BrokerApi) -> None:
    broker.add_agent("eu", "revoked")
    row = broker.add_agent("eu", scope={"cluster": "eu"})
    failed(qd("secret", "agent", "revoke", "eu"), 2, "--yes")
    assert qd("secret", "agent", "revoke", "eu", "--yes", "--reason", "gone").code == 0
    assert broker.bodies("revoke") == [{"reason": "gone"}]
    assert row["status"] == "revoked"
    out = qd("secret", "agent", "list").out
    assert "cluster=eu" in out
    assert "never" in out


def test_what_was_found_is_filtered_by_the_server(qd: Command, broker: BrokerApi) -> None:
    assert "No such secret" in qd("secret", "found").err
    broker.found_known = [
        {
            "id": identity("3", 1), "cluster_name": "eu", "provider_type": "vault", "secret_ref": "apps/db",
            "labels": {"team": "shop"}, "status": "present", "first_seen_at": AT, "last_seen_at": AT,
        }
    ]  # fmt: skip
    words = ("--cluster", "eu", "--provider", "vault", "--prefix", "apps/", "--label", "team=shop", "--label", "tier=1")
    result = qd("secret", "found", *words, "--status", "present", "--limit", "5", "--offset", "10")
    assert "team=shop" in result.out
    assert broker.queries("found")[-1] == {
        "cluster_name": "eu", "provider": "vault", "ref_prefix": "apps/", "status": "present", "limit": "5",
        "offset": "10", "label": "tier:1",
    }  # fmt: skip
    assert next(query for name, query, _ in reversed(broker.calls) if name == "found").count("label=") == 2


def test_a_trial_says_which_rule_decides(qd: Command, broker: BrokerApi) -> None:
    project = broker.add_project("shop")
    broker.trial = {
        "workflow_id": identity("1", 1), "workflow_name": "standard", "production": True,
        "direct_reveal_allowed": False, "direct_reveal_refused": True, "explanation": "The rule everything decides.",
        "rules": [{"policy_id": identity("2", 1), "policy_name": "everything", "priority": 0, "scope": "platform",
                   "selector": {}, "workflow_id": identity("1", 1), "outcome": "taken", "reason": "it fits"}],
    }  # fmt: skip
    result = qd("secret", "policy", "try", "apps/db", "--provider", "vault", "--project", "shop")
    assert result.out.splitlines()[0] == "It takes the workflow standard, as production."
    assert "everything: it fits" in result.out
    assert broker.bodies("try") == [
        {"provider_type": "vault", "secret_ref": "apps/db", "operation": "read", "project_id": project["id"]}
    ]


def test_a_workflow_is_made_with_short_times_and_keeps_the_others_when_changed(qd: Command, broker: BrokerApi) -> None:
    words = ("--approvers", "2", "--waits", "1h", "--keep", "10m", "--again", "600s")
    assert qd("secret", "workflow", "add", "ten-minutes", *words).code == 0
    (made,) = broker.bodies("new_workflow")
    assert (made["min_approvers"], made["request_ttl_seconds"], made["grant_seconds"]) == (2, 3600, 600)
    assert (made["wrap_ttl_approved_seconds"], made["enabled"]) == (600, True)
    broker.add_workflow("careful", allow_self_approval=True, approver_role_id=identity("4", 1), break_glass=True)
    assert qd("secret", "workflow", "change", "careful", "--keep", "5m").code == 0
    (changed,) = broker.bodies("put_workflow")
    assert (changed["wrap_ttl_approved_seconds"], changed["allow_self_approval"]) == (300, True)
    assert (changed["approver_role_id"], changed["break_glass"]) == (identity("4", 1), True)
    failed(qd("secret", "workflow", "change", "careful"), 2, "Say what to change")
    assert "2 people  1 h    10 min  10 min" in qd("secret", "workflow", "list").out


def test_a_workflow_with_steps_says_itself_how_many_agree(qd: Command, broker: BrokerApi) -> None:
    broker.add_workflow("staged", steps=[{"name": "team", "approvers": 1}, {"name": "security", "approvers": 2}])
    failed(qd("secret", "workflow", "change", "staged", "--approvers", "2"), 2, "has steps")
    assert "team: 1, security: 2" in qd("secret", "workflow", "list").out


def test_a_policy_sends_requests_to_a_workflow(qd: Command, broker: BrokerApi) -> None:
    project, workflow = broker.add_project("shop", "production"), broker.add_workflow("ten-minutes")
    words = ("--workflow", "ten-minutes", "--project", "shop", "--environment", "production", "--operation", "read")
    assert qd("secret", "policy", "add", "shop-production", *words).code == 0
    assert broker.bodies("new_policy") == [
        {
            "name": "shop-production", "workflow_id": workflow["id"], "priority": 100, "enabled": True,
            "selector": {"project_id": project["id"], "environment": "production", "operation": "read"},
        }
    ]  # fmt: skip
    assert "environment=production, operation=read, project=shop" in qd("secret", "policy", "list").out


def test_projects_are_listed_with_their_environments(qd: Command, broker: BrokerApi) -> None:
    assert "qd secret project add shop" in qd("secret", "project", "list").err
    assert qd("secret", "project", "add", "shop").code == 0
    broker.add_project("other", "production", "staging")
    assert "production (production), staging" in qd("secret", "project", "list").out
