"""A runner that is not ours and runs Terraform by itself: with a module of its own, what the order's snapshot says, and
the state that the server keeps.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.terraform import Ran, Terraform
from surfaces.infra.foreign_runner import ForeignRunner, Unexpected

MODULE = """
terraform {
  backend "http" {}
}

locals {
  snapshot = jsondecode(file("${path.module}/snapshot.json"))
}

resource "terraform_data" "queue" {
  for_each = { for one in local.snapshot.queues : one.name => one }
  input    = { name = each.key, fifo = each.value.fifo }
}

output "names" {
  value = sort(keys(terraform_data.queue))
}
"""


@dataclass
class Workshop(ForeignRunner):
    """`directory` has a place for each job; `base` is where the server is."""

    directory: Path = Path("/nonexistent")
    base: str = ""
    module: str = MODULE
    passed: list[str] = field(default_factory=list)
    """What its Terraform has done."""

    async def terraform(self, job: dict[str, Any]) -> Terraform:
        """Initialized, with the state of the job."""
        said = await self.want(200, "POST", f"/api/jobs/{job['id']}/state-token")
        made = Terraform(self.directory / job["id"], self.base, job["id"], said["password"])
        if self.generation == "runner":
            made.methods = ("POST", "DELETE")
        made.write(self.module)
        (made.place / "snapshot.json").write_text(json.dumps(job["config_snapshot"]))
        await self.run(job, made, "init", "-input=false")
        return made

    async def run(self, job: dict[str, Any], terraform: Terraform, *argv: str) -> Ran:
        """Raises `Unexpected` where it does not end well."""
        ran = await terraform.run(*argv)
        self.passed.append(argv[0])
        if argv[0] != "show" and ran.text:
            await self.lines(job["id"], ran.text, "STDOUT" if ran.status == 0 else "STDERR")
        if ran.status:
            raise Unexpected(ran.text)
        return ran

    async def work(self) -> dict[str, Any] | None:
        """The next job to its end, as its loop does; None when there is none."""
        job = await self.claim()
        if job is None:
            return None
        await self.status(job["id"], "PROCESSING")
        try:
            await {"PLAN": self.plan, "DEPLOY": self.deploy, "DESTROY": self.destroy}[job["job_type"]](job)
        except Unexpected as error:
            await self.status(job["id"], "FAILED", str(error)[:2000])
        return job

    async def plan(self, job: dict[str, Any], changes: list[dict[str, Any]] | None = None) -> None:
        uid = job["id"]
        await self.git_token(uid)
        terraform = await self.terraform(job)
        await self.status(uid, "PROCESSING", metadata={"phase": "terraform_plan", "progress": "Running terraform plan"})
        await self.run(job, terraform, "plan", "-input=false", "-out=terraform.plan.out")
        shown = json.loads((await self.run(job, terraform, "show", "-json", "terraform.plan.out")).text)
        key = await self.upload(uid, (terraform.place / "terraform.plan.out").read_bytes())
        result = {"resource_changes": shown.get("resource_changes") or []}
        await self.status(
            uid, "PROCESSING", metadata={"plan_completed": True, "plan_result": result, "plan_file_key": key}
        )
        await self.status(uid, "SUCCESS")

    async def deploy(self, job: dict[str, Any], outputs: dict[str, Any] | None = None) -> bytes | None:
        uid, named = job["id"], job["plan_job_id"]
        terraform = await self.terraform(job)
        assert named is not None, "this one applies nothing that nobody has read"
        planned = await self.job(named)
        if (planned["status"], planned["configuration_hash"]) != ("SUCCESS", job["configuration_hash"]):
            raise Unexpected("configuration changed since plan")
        saved = await self.download(named)
        (terraform.place / "terraform.plan.out").write_bytes(saved)
        await self.run(job, terraform, "apply", "-input=false", "terraform.plan.out")
        said = json.loads((await self.run(job, terraform, "output", "-json")).text)
        await self.status(uid, "PROCESSING", metadata={"outputs": {name: one["value"] for name, one in said.items()}})
        await self.status(uid, "SUCCESS")
        return saved

    async def destroy(self, job: dict[str, Any]) -> None:
        terraform = await self.terraform(job)
        await self.run(job, terraform, "destroy", "-auto-approve", "-input=false")
        await self.status(job["id"], "SUCCESS")
