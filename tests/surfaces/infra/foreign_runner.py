"""A runner that is not ours: what published programs of both generations send, in their order (contract: infra §3, §7),
and what they make of the answers. It knows nothing of the server but its address.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

Generation = Literal["worker", "runner"]
AGENTS = {"worker": "runner-worker/0.3.1", "runner": "runner/0.4.0"}
PLAN_BYTES = b"PK\x03\x04 a saved plan \x00\xff"


class Unexpected(Exception):
    """An answer by which the published programs give up."""


@dataclass
class ForeignRunner:
    """`client` has the origin of the server as its base. `log` is what a published program would print."""

    client: httpx.AsyncClient
    id: str
    token: str
    generation: Generation = "worker"
    version: str = "0.3.1"
    log: list[str] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        word = "Worker" if self.generation == "worker" else "Runner"
        return {f"X-{word}-ID": self.id, f"X-{word}-Token": self.token, "User-Agent": AGENTS[self.generation]}

    @property
    def family(self) -> str:
        return "/api/workers" if self.generation == "worker" else "/api/runners"

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)

    async def want(self, status: int, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer. The published programs take exactly this status."""
        answer = await self.send(method, path, **options)
        if answer.status_code != status:
            raise Unexpected(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    # The calls, one by one.

    async def heartbeat(self) -> list[str]:
        """Answers the jobs that have to be stopped."""
        said = await self.want(200, "POST", f"{self.family}/heartbeat", json={"version": self.version})
        assert said["success"] is True
        return list(said.get("cancelled_job_ids", []))

    async def claim(self) -> dict[str, Any] | None:
        """With an empty body that says it is JSON, as they send it."""
        said = await self.want(200, "POST", "/api/jobs/claim", headers={"Content-Type": "application/json"})
        if said["job"] is None:
            return None
        job: dict[str, Any] = said["job"]
        self.log.append(f"claimed {job['id'][:8]} as {self.id[:8]}")
        job["cloud"] = said["cloud_identity"]
        return job

    async def status(self, job: str, status: str, error: str | None = None, metadata: Any = None) -> dict[str, Any]:
        body: dict[str, Any] = {"status": status}
        if error is not None:
            body["error_message"] = error
        if metadata is not None:
            body["execution_metadata"] = metadata
        said: dict[str, Any] = await self.want(200, "PUT", f"/api/jobs/{job}/status", json=body)
        assert said["success"] is True
        return said

    async def lines(self, job: str, chunk: str, channel: str = "STDOUT") -> None:
        body = {"log_chunk": chunk, "stream_type": channel}
        answer = await self.send("POST", f"/api/jobs/{job}/logs", json=body)
        if answer.status_code not in {200, 201}:
            self.log.append(f"a chunk was dropped: {answer.text}")  # there is no second try

    async def git_token(self, job: str) -> str | None:
        said = await self.want(200, "POST", f"/api/jobs/{job}/git-token", headers={"Content-Type": "application/json"})
        token: str | None = said["token"]
        return token

    async def upload(self, job: str, data: bytes = PLAN_BYTES) -> str:
        headers = {"Content-Type": "application/octet-stream"}
        said = await self.want(201, "POST", f"/api/jobs/{job}/plan-artifact", content=data, headers=headers)
        key: str = said["key"]
        return key

    async def download(self, job: str) -> bytes:
        answer = await self.send("GET", f"/api/jobs/{job}/plan-artifact")
        if answer.status_code != 200:
            raise Unexpected(f"plan artifact: {answer.status_code} {answer.text}")
        return answer.content

    async def job(self, job: str) -> dict[str, Any]:
        """The bare object, without an envelope."""
        found: dict[str, Any] = await self.want(200, "GET", f"/api/jobs/{job}")
        return found

    async def metadata(self, worker: str, said: Any, method: str = "PATCH") -> None:
        await self.want(200, method, f"{self.family}/{worker}/metadata", json=said)

    async def remove(self, worker: str) -> None:
        answer = await self.send("DELETE", f"{self.family}/{worker}")
        if answer.status_code not in {200, 204}:
            raise Unexpected(f"DELETE {worker}: {answer.status_code} {answer.text}")

    async def wake(self) -> AsyncIterator[dict[str, Any]]:
        """What the newest programs hear; endless."""
        async with self.client.stream("GET", f"{self.family}/wake", headers=self.headers, timeout=60) as answer:
            if answer.status_code != 200:
                raise Unexpected(f"wake: {answer.status_code}")
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    # Whole jobs, in the order in which published programs call.

    async def plan(self, job: dict[str, Any], changes: list[dict[str, Any]] | None = None) -> None:
        uid = job["id"]
        assert "network" in job["config_snapshot"], "only the nested document is understood"
        await self.status(uid, "PROCESSING")
        await self.git_token(uid)
        await self.status(uid, "PROCESSING", metadata={"phase": "terraform_plan", "progress": 10})
        await self.lines(uid, "Initializing the backend...\n")
        await self.lines(uid, "a warning\n", "STDERR")
        key = await self.upload(uid)
        result = {"plan_completed": True, "plan_result": {"resource_changes": changes or []}, "plan_file_key": key}
        await self.status(uid, "PROCESSING", metadata=result)
        await self.status(uid, "SUCCESS")
        await self.lines(uid, "the last lines come after the end\n")

    async def deploy(self, job: dict[str, Any], outputs: dict[str, Any] | None = None) -> bytes | None:
        """Applies the saved plan where the job names one; both generations check it first. Answers its bytes."""
        uid, saved = job["id"], None
        await self.status(uid, "PROCESSING")
        if job["plan_job_id"] is not None:
            plan = await self.job(job["plan_job_id"])
            if plan["status"] != "SUCCESS":
                await self.status(uid, "FAILED", f"plan job is {plan['status']}")
                return None
            if plan["configuration_hash"] and plan["configuration_hash"] != job["configuration_hash"]:
                await self.status(uid, "FAILED", "configuration changed since plan")
                return None
        await self.git_token(uid)
        if job["plan_job_id"] is not None:
            saved = await self.download(job["plan_job_id"])
        await self.lines(uid, "Apply complete!\n")
        await self.status(uid, "PROCESSING", metadata={"outputs": outputs or {}})
        await self.status(uid, "SUCCESS")
        return saved

    async def lift(self, job: dict[str, Any]) -> str:
        """DEPLOY_WORKER or UPDATE_WORKER: answers the token that the stack was given."""
        uid, said = job["id"], job["config_snapshot"]
        await self.status(uid, "PROCESSING")
        word = "runner" if self.generation == "runner" else "worker"
        target, token = said[f"{word}_id"], said[f"{word}_token"]
        await self.status(uid, "PROCESSING", metadata={"worker_outputs": {"service": "up"}})
        names = ("region", "cloud_provider", "image_tag", "trellis_url", "cpu", "memory", "image_repository")
        config = {name: said[name] for name in names} | {"worker_token": token}
        await self.metadata(target, {"deploy_config": config}, "PATCH" if self.generation == "worker" else "POST")
        await self.status(uid, "SUCCESS")
        return str(token)

    async def take_down(self, job: dict[str, Any]) -> None:
        uid = job["id"]
        await self.status(uid, "PROCESSING")
        await self.lines(uid, "Destroy complete!\n")
        await self.remove(job["config_snapshot"]["worker_id"])
        await self.status(uid, "SUCCESS")
