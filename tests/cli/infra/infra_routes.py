"""The calls of the infra surface that the command line may make, with their queries and bodies."""

from __future__ import annotations

from fakes.surface_api import FLAG, NUMBER, TEXT, Route, closed

NULLABLE = {"type": ["string", "null"]}
EMPTY = {"anyOf": [closed(), {"type": "null"}]}
LIST = {"type": "array"}
DOCUMENT = {
    "drift_cloud_identity_id": NULLABLE,
    "project_name": TEXT, "environment_stage": {"enum": ["development", "staging", "production"]}, "region": TEXT,
    "terraform_version": TEXT, "zone_id": NULLABLE, "cloud_identity_id": NULLABLE, "provider": TEXT,
    "module": {"type": "object"}, "module_token": TEXT, "comment": TEXT,
    "version": NUMBER, "network": {"type": "object"}, "cluster": {"type": "object"},
    "dns": {"type": "object"}, "repositories": {"type": "object"}, "databases": LIST, "caches": LIST, "queues": LIST,
    "topics": LIST, "nosql_tables": LIST, "secrets": LIST, "container_registries": LIST, "storage_buckets": LIST,
}  # fmt: skip
JOB_BODY = closed(
    "job_type", job_type={"enum": ["PLAN", "DEPLOY", "DESTROY", "DESTROY_WORKER"]}, configuration_id=TEXT,
    zone_id={"type": "string"}, cloud_identity_id=NULLABLE, assigned_worker_id=TEXT, plan_job_id=TEXT,
    config_snapshot=closed("worker_id", worker_id=TEXT),
)  # fmt: skip
ONE = r"([0-9a-f-]{36})"
SPEC, JOB, RUNNER = f"/api/cli/configurations/{ONE}", f"/api/cli/jobs/{ONE}", f"/api/cli/runners/{ONE}"
PROVIDER = "/api/cli/providers/(aws|gcp|azure)"
ROUTES: list[Route] = [
    ("GET", "/api/cli/zones", "zones", {"before"}, None),
    ("POST", "/api/cli/zones", "new_zone", set(), closed("name", name=TEXT, description=TEXT)),
    ("GET", f"/api/cli/zones/{ONE}", "zone", set(), None),
    ("PUT", f"/api/cli/zones/{ONE}", "change_zone", set(), closed(
        name=TEXT, description=TEXT, approvals=NUMBER, destroy_approvals=NUMBER
    )),
    ("DELETE", f"/api/cli/zones/{ONE}", "delete_zone", set(), EMPTY),
    ("GET", "/api/cli/configurations", "specs", {"before"}, None),
    ("POST", "/api/cli/configurations", "new_spec", set(), closed("project_name environment_stage", **DOCUMENT)),
    ("POST", "/api/cli/configurations/validate", "validate", set(), {"type": "object"}),
    ("GET", SPEC, "spec", set(), None),
    ("PUT", SPEC, "put_spec", set(), closed("project_name version", **DOCUMENT)),
    ("DELETE", SPEC, "delete_spec", {"force", "reason"}, EMPTY),
    ("POST", f"{SPEC}/clone", "clone", set(), closed(
        "project_name", project_name=TEXT, environment_stage=TEXT, zone_id=TEXT
    )),
    ("GET", f"{SPEC}/versions", "versions", {"before"}, None),
    ("GET", f"{SPEC}/diff", "diff", {"from", "to"}, None),
    ("GET", f"{SPEC}/drift", "drift", set(), None),
    ("POST", f"{SPEC}/drift", "look", set(), EMPTY),
    ("GET", f"{SPEC}/export", "export", {"format"}, None),
    ("GET", f"{SPEC}/state", "state", set(), None),
    ("GET", f"{SPEC}/state/versions", "state_versions", {"before", "limit"}, None),
    ("GET", f"{SPEC}/state/versions/([0-9]+|current)", "state_version", set(), None),
    ("GET", f"{SPEC}/state/diff", "state_diff", {"from", "to", "values"}, None),
    ("POST", f"{SPEC}/state/rollback", "rollback", set(), closed("version reason", version=NUMBER, reason=TEXT)),
    ("POST", f"{SPEC}/state/unlock", "unlock", set(), closed("reason", reason=TEXT, lock_id=TEXT)),
    ("POST", f"{SPEC}/state/push", "push", set(), closed(
        "state reason", reason=TEXT, state={"type": "object", "required": ["version", "serial", "lineage"]}
    )),
    ("GET", "/api/jobs", "jobs", {
        "surface", "status", "zone_id", "configuration_id", "job_type", "limit", "offset"
    }, None),
    ("POST", "/api/jobs", "new_job", set(), JOB_BODY),
    ("GET", JOB, "job", set(), None),
    ("GET", f"{JOB}/logs", "logs", {"after"}, None),
    ("GET", f"/api/stream/jobs/{ONE}", "stream", {"after"}, None),
    ("POST", f"{JOB}/cancel", "cancel", set(), EMPTY),
    ("POST", f"{JOB}/rerun", "rerun", set(), EMPTY),
    ("POST", f"{JOB}/pin", "pin", set(), closed("assigned_worker_id", assigned_worker_id=NULLABLE)),
    ("GET", f"{JOB}/plan", "plan", set(), None),
    ("POST", f"{JOB}/approve", "approve", set(), closed(comment=TEXT)),
    ("POST", f"{JOB}/reject", "reject", set(), closed(comment=TEXT)),
    ("GET", "/api/cli/workers", "runners", {"before"}, None),
    ("POST", "/api/cli/workers", "new_runner", set(), closed(
        "name mode", name=TEXT, mode={"const": "self-hosted"}, cloud_identity_id=TEXT
    )),
    ("POST", "/api/cli/workers/enrolment-tokens", "enrol", set(), closed(
        "expires_in_hours", label=TEXT, expires_in_hours={"type": "integer", "minimum": 1, "maximum": 2160}
    )),
    ("GET", f"/api/cli/workers/{ONE}", "runner", set(), None),
    ("DELETE", f"/api/cli/workers/{ONE}", "remove_runner", set(), EMPTY),
    ("POST", "/api/cli/runners/deploy", "deploy_runner", set(), closed(
        "name cloud_identity_id region", name=TEXT, cloud_identity_id=TEXT, region=TEXT, assigned_worker_id=TEXT
    )),
    ("POST", f"{RUNNER}/drain", "drain", set(), closed("draining", draining=FLAG, reason=TEXT)),
    ("POST", f"{RUNNER}/default", "default", set(), EMPTY),
    ("POST", f"{RUNNER}/update", "update", set(), EMPTY),
    ("GET", "/api/cli/releases", "releases", {"before"}, None),
    ("GET", "/api/cli/clusters", "clusters", {"before"}, None),
    ("GET", "/api/cli/repositories/(github|gitlab|bitbucket)", "repositories", set(), None),
    ("GET", "/api/cli/cloud-identities", "identities", {"before", "all"}, None),
    ("GET", f"/api/cli/cloud-identities/{ONE}/zones", "bound", set(), None),
    ("PUT", f"/api/cli/cloud-identities/{ONE}/zones", "bind", set(), closed(
        "zone_ids", zone_ids={"type": "array", "items": TEXT}
    )),
    ("POST", f"{PROVIDER}/init", "init", set(), EMPTY),
    ("POST", f"{PROVIDER}/connect", "connect", set(), closed(
        "identity_id credentials", identity_id=TEXT, credentials={"anyOf": [
            closed("role_arn", role_arn=TEXT), closed("wif_config", wif_config=TEXT, project_id=TEXT),
            closed("tenant_id client_id subscription_id", tenant_id=TEXT, client_id=TEXT, subscription_id=TEXT),
        ]}
    )),
    ("POST", f"{PROVIDER}/verify", "verify", set(), closed("identity_id job_id", identity_id=TEXT, job_id=TEXT)),
    ("POST", f"{PROVIDER}/disconnect", "disconnect", set(), closed("identity_id", identity_id=TEXT)),
]  # fmt: skip
