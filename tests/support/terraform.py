"""The real terraform, with its state kept by the server."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

MAIN = """
terraform {
  backend "http" {}
}
resource "terraform_data" "one" {
  input = "%s"
}
"""
SLOW = (
    MAIN
    + """
resource "terraform_data" "slow" {
  provisioner "local-exec" { command = "touch begun; while [ ! -e go ]; do sleep 0.05; done" }
}
"""
)


class Ran(NamedTuple):
    status: int
    text: str


@dataclass
class Terraform:
    """A working directory whose `http` backend is the state of one job. `methods`: those of locking, where they are not
    Terraform's own.
    """

    place: Path
    base: str
    job: str
    password: str
    methods: tuple[str, str] | None = None

    def environment(self) -> dict[str, str]:
        state = f"{self.base}/api/jobs/{self.job}/state"
        told = {
            "PATH": os.environ["PATH"], "HOME": str(self.place), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1",
            "TF_HTTP_ADDRESS": state, "TF_HTTP_LOCK_ADDRESS": f"{state}/lock",
            "TF_HTTP_UNLOCK_ADDRESS": f"{state}/lock", "TF_HTTP_USERNAME": self.job,
            "TF_HTTP_PASSWORD": self.password, "TF_HTTP_RETRY_MAX": "0",
        }  # fmt: skip
        if self.methods:
            told |= {"TF_HTTP_LOCK_METHOD": self.methods[0], "TF_HTTP_UNLOCK_METHOD": self.methods[1]}
        return told

    def write(self, main: str) -> None:
        self.place.mkdir(exist_ok=True, parents=True)
        (self.place / "main.tf").write_text(main)

    async def begin(self, *argv: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            "terraform", *argv, "-no-color", cwd=self.place, env=self.environment(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    async def run(self, *argv: str) -> Ran:
        return await ended(await self.begin(*argv))

    async def apply(self) -> Ran:
        return await self.run("apply", "-auto-approve", "-input=false")


async def ended(process: asyncio.subprocess.Process) -> Ran:
    out, _ = await process.communicate()
    assert process.returncode is not None
    return Ran(process.returncode, out.decode())
