"""Every table either has housekeeping, or holds one row for each thing there is, or is history by decision."""

from __future__ import annotations

from pathlib import Path

import quarterdeck.instance  # noqa: F401 - registers the categories of all rooms
from quarterdeck.kernel import retention
from quarterdeck.schema import tables

TIDIED = {
    "identity_session_tokens": "session-tokens",
    "identity_sessions": "sessions",
    "identity_links": "session-tokens",
    "identity_device_logins": "session-tokens",
    "identity_oidc_requests": "session-tokens",
    "identity_oidc_notices": "session-tokens",
    "identity_personal_tokens": "tokens",
    "identity_deploy_tokens": "tokens",
    "identity_invitations": "invitations",
    "fleet_worker_tokens": "worker-tokens",
    "access_facts": "facts",
    "notify_notifications": "notifications",
    "notify_deliveries": "webhook-deliveries",
    "notify_received": "chat-messages-received",
    "notify_platform_links": "chat-messages-received",
    "notify_threads": "chat-messages-sent",
    "notify_cards": "chat-messages-sent",
    "jobs": "jobs",
    "job_attempts": "jobs",
    "job_schedule_runs": "schedule-runs",
    "domain_events": "domain-events",
    "event_streams": "streams",
    "audit_events": "audit-events",
    "audit_unsealed": "audit-events",
    "log_lines": "log-lines",
    "log_streams": "streams",
    "fleet_terminals": "terminal-recordings",
    "tasks_diffs": "task-diffs",
    "tasks_gates": "tasks",
    "tasks_messages": "tasks",
    "tasks_stages": "tasks",
    "tasks_tasks": "tasks",
    "tasks_tunnels": "tasks",
    "tasks_usage": "tasks",
    "tasks_workspaces": "tasks",
    "fleet_channel_tokens": "channel-tokens",
    "infra_jobs": "infra-jobs",
    "infra_plans": "infra-jobs",
    "infra_approvals": "infra-jobs",
    "infra_spec_versions": "infra-spec-versions",
    "infra_states": "infra-states",
    "infra_state_versions": "infra-state-versions",
}
BY_ITSELF = {
    "kernel_idempotency",  # each command with a key removes what is older than a week
    "kernel_presences",  # each start of a server removes those that were not seen for a week
}
HISTORY = {
    "audit_seals", "audit_tombstones", "audit_holds", "audit_archives", "audit_retained", "deploy_deployments",
    "deploy_phases", "deploy_runtime_controls", "fleet_proxy_attempts", "deploy_log_archives",
}  # fmt: skip
ONE_EACH = {
    "audit_tallies", "retention_defaults",
    "access_grants", "access_object_rules", "access_permissions", "access_role_permissions", "access_roles",
    "access_versions",
    "deploy_observations",
    "deploy_resources", "event_subscribers", "fleet_access_policies", "fleet_destinations",
    "fleet_host_keys", "fleet_prune_policies", "fleet_server_credentials", "fleet_servers", "fleet_sightings",
    "fleet_ssh_credentials", "fleet_workers", "identity_external_accounts", "identity_oidc_providers",
    "identity_organizations", "identity_recovery_codes", "identity_users", "instance", "job_schedules",
    "infra_cloud_identities", "infra_default_runners", "infra_issuer_keys", "infra_releases", "infra_runners",
    "infra_specs", "infra_zones",
    "notify_bindings", "notify_bots", "notify_hooks",
    "runbooks_settings", "tasks_projects", "tasks_settings", "vault_keys",
    "workspace_environments", "workspace_projects", "workspace_variables",
}  # fmt: skip


def test_every_table_is_accounted_for_once() -> None:
    groups = (set(TIDIED), BY_ITSELF, HISTORY, ONE_EACH)
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert set.union(*groups) == set(tables().tables)


def test_every_category_is_there_has_a_default_and_is_described() -> None:
    known = {category.name: category for category in retention.categories()}
    page = (Path(__file__).parents[2] / "docs" / "reference" / "retention.md").read_text(encoding="utf-8")
    assert set(TIDIED.values()) <= set(known)
    for name, category in known.items():
        assert category.keep is not None or category.sweep is not None, name
        assert f"| `{name}` |" in page
