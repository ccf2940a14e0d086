"""Jobs with states, driven as Terraform and as people do."""

from __future__ import annotations

import base64
from typing import Any

import httpx
from sqlalchemy import select

from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states.credentials import Attempt
from quarterdeck.infra.states.model import State, StateVersion
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from support import infra_rows as rows
from support.crew import Crew


class Attempted:
    """One attempt of a job, by its credential."""

    def __init__(self, crew: Crew, uid: str, password: str, fence: int) -> None:
        self.crew, self.uid, self.password, self.fence = crew, uid, password, fence

    async def send(
        self, method: str, path: str = "", content: bytes | None = None, *, job: str | None = None, **options: Any
    ) -> httpx.Response:
        pair = base64.b64encode(f"{self.uid}:{self.password}".encode()).decode()
        headers = {"authorization": f"Basic {pair}", **options.pop("headers", {})}
        if content is not None:
            headers.setdefault("content-type", "application/json")
        address = f"/api/jobs/{job or self.uid}/state{path}"
        return await self.crew.deck.client.request(method, address, content=content, headers=headers, **options)

    async def lock(self, name: str = "lock-1", method: str = "LOCK") -> httpx.Response:
        told = rows.json.dumps({"ID": name, "Who": "root@runner", "Operation": "OperationTypeApply", "Extra": [1]})
        return await self.send(method, "/lock", told.encode())

    async def unlock(self, name: str = "lock-1", method: str = "UNLOCK") -> httpx.Response:
        return await self.send(method, "/lock", rows.json.dumps({"ID": name}).encode())

    async def write(self, state: bytes, lock: str | None = "lock-1", **options: Any) -> httpx.Response:
        return await self.send("POST", "", state, params={} if lock is None else {"ID": lock}, **options)

    async def wrote(self, *serials: int, **more: Any) -> None:
        """A whole run: locked, written, unlocked."""
        assert (await self.lock()).status_code == 200
        for serial in serials:
            answer = await self.write(rows.state(serial, **more))
            assert answer.status_code == 200, answer.text
        assert (await self.unlock()).status_code == 200


async def attempted(crew: Crew, job_type: str = "DEPLOY", *, name: str = "ledger", **given: Any) -> Attempted:
    """A job of a specification, made where there is none of that name, whose attempt runs."""

    def verb(tx: Tx) -> tuple[str, str, int]:
        one = tx.first(select(Spec).where(Spec.project_name == name)) or rows.spec(tx, name)
        attempt, password = rows.started(tx, one, job_type, **given)
        return attempt.job.uid, password, attempt.fence

    return Attempted(crew, *await crew.db.write(verb))


async def again(crew: Crew, one: Attempted) -> Attempted:
    """Its worker is gone, and another one has claimed the job."""

    def verb(tx: Tx) -> tuple[str, str, int]:
        job = tx.one(select(InfraJob).where(InfraJob.uid == one.uid), what=one.uid)
        rows.give_back(tx, Attempt(job, one.fence))
        attempt = rows.begin(tx, job)
        return job.uid, rows.credentials.issue(tx, job).reveal(), attempt.fence

    return Attempted(crew, *await crew.db.write(verb))


async def ends(crew: Crew, one: Attempted, status: str = "SUCCESS") -> None:
    def verb(tx: Tx) -> None:
        job = tx.one(select(InfraJob).where(InfraJob.uid == one.uid), what=one.uid)
        rows.end(tx, Attempt(job, one.fence), status)

    await crew.db.write(verb)


async def kept(crew: Crew) -> State:
    return await crew.db.read(lambda tx: tx.one(select(State), what="state"))


async def versions(crew: Crew) -> list[StateVersion]:
    return await crew.db.read(lambda tx: list(tx.scalars(select(StateVersion).order_by(StateVersion.number))))


async def spec_uid(crew: Crew, name: str = "ledger") -> str:
    return await crew.db.read(lambda tx: tx.one(select(Spec).where(Spec.project_name == name), what=name).uid)
