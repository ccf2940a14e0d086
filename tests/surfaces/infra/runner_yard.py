"""Foreign runners, configurations and jobs of an instance, made over its API."""

from __future__ import annotations

import pytest

from surfaces.infra.foreign_runner import ForeignRunner

SECRET = "a secret of releases"
NOBODY = "00000000-0000-7000-8000-000000000000"
DOCUMENT = {
    "project_name": "ledger",
    "environment_stage": "staging",
    "region": "here",
    "provider": "local",
    "terraform_version": "1.11.4",
}
GENERATIONS = pytest.mark.parametrize("generation", ["worker", "runner"])


async def runner(crew, name="rack-7", generation="worker", token=""):
    body = {"name": name, "mode": "self-hosted"}
    made = await crew.ok("POST", "/api/cli/workers", body, status=201, token=token)
    return ForeignRunner(crew.deck.client, made["worker_id"], made["worker_token"], generation)


async def cloud_runner(crew, name="pool"):
    headers = {"authorization": f"Bearer {SECRET}"}
    made = await crew.ok("POST", "/api/runners/register", {"name": name}, token=None, headers=headers)
    return ForeignRunner(crew.deck.client, made["runner_id"], made["runner_token"], "runner")


async def configured(crew, name="ledger", token=""):
    made = await crew.ok("POST", "/api/cli/configurations", {**DOCUMENT, "project_name": name}, status=201, token=token)
    return made["configuration"]["id"]


async def asked(crew, job_type="PLAN", spec=None, token="", **more):
    body = {"job_type": job_type, "configuration_id": spec, "zone_id": "", **more}
    return (await crew.ok("POST", "/api/jobs", body, status=201, token=token))["job"]


async def job(crew, uid):
    return await crew.ok("GET", f"/api/cli/jobs/{uid}")


async def logs(crew, uid):
    found = (await crew.ok("GET", f"/api/cli/jobs/{uid}/logs"))["logs"]
    return [(one["stream_type"], one["log_chunk"]) for one in found]
