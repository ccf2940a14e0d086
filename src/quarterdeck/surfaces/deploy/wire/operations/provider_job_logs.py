"""Operations below /api/provider-job-logs. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from quarterdeck.surfaces.deploy.contract import Operation

OPERATIONS = (
    Operation(
        "provider-job-logs.prune",
        "POST",
        "/api/provider-job-logs/prune",
        "Preview or delete old provider job logs",
        auth="session:admin",
        status=200,
        errors=(),
        body="provider_job_logs:ProviderJobLogsPruneBody",
        response="provider_job_logs:ProviderJobLogsPruneResponse",
        body_required=True,
    ),
)
