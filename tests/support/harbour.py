"""An opened installation with one project, one environment, this machine and a resource; its jobs run when told to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.deploy.deployments import admission, deployments, ending, following, ordering
from quarterdeck.deploy.deployments import jobs as deployment_jobs
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources import resources, variables
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import servers
from quarterdeck.fleet.targets.machine import fingerprint
from quarterdeck.identity import signing_in
from quarterdeck.instance import Instance
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs import ledger
from quarterdeck.kernel.jobs.job import Lane
from quarterdeck.kernel.principal import Context, Principal, current
from quarterdeck.kernel.settings_reading import load
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace import environments, projects


@dataclass
class Harbour:
    """`resource`, `server`, `project` and `environment` are references."""

    instance: Instance
    project: str = ""
    environment: str = ""
    server: str = ""
    resource: str = ""

    @classmethod
    async def open(
        cls, data: Path, database: str | Path, edge_port: int, source: dict[str, Any], **profiles: Any
    ) -> Harbour:
        url = Secret(database) if isinstance(database, str) else None
        instance = Instance.open(load({"data_dir": data, "database_url": url, "edge_http_port": edge_port}))
        harbour = cls(instance)
        user, organization = await signing_in.create_first_administrator(
            instance.db, instance.access, email="a@b.example", username=None, display_name="A",
            password=Secret("long enough pw"),
        )  # fmt: skip
        current.set(Context(principal=Principal("user", user.id, user.uid, user.username, organization.id)))
        await instance.db.write(harbour._set_up, source, profiles)
        return harbour

    def _set_up(self, tx: Tx, source: dict[str, Any], profiles: dict[str, Any]) -> None:
        self.project = projects.create(tx, "Demo").ref
        self.environment = environments.create(tx, self.project, "production", "production").ref
        self.server = servers.local(tx).ref
        self.resource = resources.create(
            tx, project_ref=self.project, environment_ref=self.environment, name="app", source=source, **profiles
        ).ref

    async def far_away(self, name: str = "far away", host: str = "192.0.2.1") -> str:
        """One more server, behind SSH, that nobody can reach; its reference."""

        def register(tx: Tx) -> str:
            made = servers.register(
                tx, name=name, host=host, provider="generic-ssh", target_kind="single-server", port=22,
                proxy_kind="caddy",
            )  # fmt: skip
            access.configure(tx, made.ref, access.Way(access.AGENT))
            return made.ref

        return str(await self.write(register))

    async def write(self, verb: Any, *args: Any, **named: Any) -> Any:
        return await self.instance.db.write(verb, *args, **named)

    async def create(self, **named: Any) -> Deployment:
        return await self.write(admission.create, resource_ref=self.resource, server_ref=self.server, **named)

    async def show(self, ref: str) -> Deployment:
        return await self.instance.db.read(deployments.find, ref)

    async def phase(self, deployment: Deployment, phase: str, status: str, data: Any = None) -> None:
        """A report of the worker, as far as the deployment goes."""
        report = {"phase": phase, "status": status, "data": data}
        await self.write(deployment_jobs.record, deployment.id, "phase", report)

    async def claim(self, *lanes: Lane) -> None:
        """A worker takes what waits, deployments unless other lanes are named."""
        capabilities = frozenset({"deploy", f"local:{fingerprint()}"})
        await self.write(ledger.claim, ledger.Claimant("test", capabilities, lanes or ("normal",), 10))

    async def end(self, deployment: Deployment, state: str = "succeeded", **outcome: Any) -> Deployment:
        """What completing the job means for the deployment. A good end has an image of its own."""

        def finish(tx: Tx) -> None:
            row = tx.get(Deployment, deployment.id)
            assert row is not None
            if state == "succeeded" and row.artifact is None:
                row.artifact = {
                    "kind": "image",
                    "image": f"sha256:{row.ref}",
                    "reference": f"q/{row.ref}",
                    "built": True,
                }
            result = msgspec.json.encode({"runtime": {"kind": "container", "upstream": f"127.0.0.1:{row.id}"}}).decode()
            told = jobs.Outcome(state, result=result if state == "succeeded" else None, **outcome)
            ending.finished(tx, self.instance.placement, row, told)

        await self.write(finish)
        return await self.show(deployment.ref)

    async def follow_ups(self) -> list[tuple[str, str]]:
        """(operation, deployment) of the clearing that was asked for, oldest first."""

        def read(tx: Tx) -> list[tuple[str, str]]:
            found = jobs.list_jobs(tx, jobs.Filter(kind=following.RETIRE, limit=100))
            payloads = [job.read(following.RetirePayload) for job in reversed(found)]
            return [(one.operation, tx.get(Deployment, one.deployment).ref) for one in payloads]  # type: ignore[union-attr]

        return await self.instance.db.read(read)

    async def follow_up(self, operation: str, ref: str) -> Any:
        """The order that a follow-up would get now."""

        def read(tx: Tx) -> Any:
            return ordering.follow_up_order(tx, self.instance.placement, deployments.find(tx, ref), operation)

        return await self.instance.db.read(read)

    async def order(self, ref: str) -> Any:
        def read(tx: Tx) -> Any:
            return ordering.order(tx, self.instance.placement, deployments.find(tx, ref))

        return await self.instance.db.read(read)

    async def secret(self, key: str, value: str) -> None:
        await self.write(variables.create_secret, self.resource, key, Secret(value), "runtime")

    async def told(self, job: jobs.Job, outcome: jobs.Outcome) -> None:
        """The end of a running attempt, as its worker tells it."""
        await self.write(ledger.complete, job.id, job.fence, outcome, key=job.concurrency_key)

    async def job(self, kind: str, ref: str) -> jobs.Job:
        found: jobs.Job = await self.instance.db.read(jobs.find, subject=f"deployment:{ref}", kind=kind)
        return found
