"""A database with people, specifications and runners, and runners that speak to the rooms of infrastructure by
themselves: foreign ones by the documented verbs, enrolled ones by the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from quarterdeck.access import Access, grants, seeding
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity import setup, users
from quarterdeck.identity.model import Organization, User
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.plans import plans
from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.runners import beating, registration
from quarterdeck.infra.runners.model import Runner
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work import (
    cancelling,
    claiming,
    creating,
    kind,
    pinning,
    reading,
    reporting,
    requeueing,
    rerunning,
)
from quarterdeck.infra.work.asking import Asked
from quarterdeck.infra.work.happenings import stream
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.jobs.job import Job
from quarterdeck.kernel.logs import Logs
from quarterdeck.kernel.principal import Context, current
from quarterdeck.kernel.vault import Secret

LANES = ("urgent", "normal", "background")
ENROLLED = frozenset({"infra", "infra:elsewhere", "infra:drift"})
SHA256 = "a" * 64
DOCUMENT = {
    "project_name": "ledger",
    "environment_stage": "staging",
    "region": "here",
    "provider": "local",
    "terraform_version": "1.11.4",
}


@dataclass
class Foreign:
    """A runner of the documented protocol."""

    yard: WorkYard
    worker: Worker
    runner: Runner
    token: Secret[str]

    @property
    def owner(self) -> str:
        return f"runner:{self.worker.uid}"

    def _rows(self, tx: Tx) -> tuple[Worker, Runner]:
        worker, runner = tx.get(Worker, self.worker.id), tx.get(Runner, self.runner.id)
        assert worker is not None
        assert runner is not None
        return worker, runner

    def claim(self) -> InfraJob | None:
        return self.yard.db.write_sync(lambda tx: claiming.claim(tx, *self._rows(tx)))

    def waits(self) -> bool:
        return self.yard.db.read_sync(lambda tx: claiming.waits(tx, *self._rows(tx)))

    def beat(self) -> list[str]:
        return self.yard.db.write_sync(lambda tx: beating.beat(tx, *self._rows(tx)))

    def report(self, uid: str, status: str | None, message: str | None = None, **told: Any) -> bool:
        def verb(tx: Tx) -> bool:
            job = reading.anybodys(tx, uid)
            assert job is not None
            return reporting.report(tx, job, self.owner, status, message, told)

        return self.yard.db.write_sync(verb)


@dataclass
class Enrolled:
    """A worker that the ledger gives work to; without a row it is the server's own."""

    yard: WorkYard
    row: Worker | None
    held: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return f"worker:{self.row.uid}" if self.row is not None else "process:here/infra"

    def claim(self) -> list[str]:
        """Uids of the jobs that it got; `held` has ledger job, fence, number of the last report and order of each."""
        claimant = jobs.Claimant(
            self.owner,
            ENROLLED if self.row is not None else frozenset({"infra", "infra:drift"}),
            LANES,
            10,
            self.row.id if self.row is not None else None,
            frozenset({"infra"}),
            self.row.organization_id if self.row is not None else None,
            self.yard.db.read_sync(lambda tx: claiming.confined_worker(tx, self.row)) if self.row else frozenset(),
        )
        found = []
        for one in self.yard.db.write_sync(jobs.claim, claimant):
            uid = str(one.job.subject).partition(":")[2]
            self.held[uid] = [one.job.id, one.job.fence, 0, msgspec.json.decode(one.order)]
            found.append(uid)
        return found

    def order(self, uid: str) -> dict[str, Any]:
        found: dict[str, Any] = self.held[uid][3]
        return found

    def say(self, uid: str, word: str, **data: Any) -> Any:
        place = self.held[uid]
        place[2] += 1
        return self.yard.db.write_sync(jobs.record, place[0], place[1], place[2], word, data, self.owner)

    def phase(self, uid: str, *phases: str) -> None:
        for one in phases:
            self.say(uid, "phase", phase=one, progress=f"At {one}.")

    def end(self, uid: str, state: str = "succeeded", **more: Any) -> Any:
        ledger_id, fence, _, _ = self.held.pop(uid)
        outcome = jobs.Outcome(state, **more)  # type: ignore[arg-type]  # one of the three words
        key = self.yard.carried(uid).concurrency_key
        return self.yard.db.write_sync(jobs.complete_many, [jobs.Report(ledger_id, fence, outcome, key, self.owner)])[0]


class WorkYard:
    """`ada` is the first administrator. Verbs act for her unless `by` names somebody else."""

    def __init__(self, database: Database, clock: HeldClock, directory: Path) -> None:
        self.db = database
        self.clock = clock
        self.access = Access()
        self.logs = Logs(directory / "lines.db", clock=clock)
        jobs.kinds.register(kind.kind(self.logs, lambda: "http://127.0.0.1:1"))
        database.write_sync(seeding.seed)
        self.ada, self.organization = database.write_sync(
            setup.create_first_administrator,
            self.access,
            email="ada@example.com",
            username="ada",
            display_name="Ada",
            password_hash="hash",
        )

    def close(self) -> None:
        self.logs.shut_sync()

    def act(
        self, verb: Callable[..., Any], *args: Any, by: User | None = None, place: int | None = None, **more: Any
    ) -> Any:
        who = users.principal(by or self.ada, place or self.organization.id)
        token = current.set(Context(who, "req_1", "cor_1"))
        try:
            return self.db.write_sync(verb, *args, **more)
        finally:
            current.reset(token)

    def person(self, name: str, *roles: str) -> User:
        def verb(tx: Tx) -> User:
            user = users.create(tx, email=f"{name}@example.com", username=name)
            tx.flush()
            for one in roles:
                grants.give(tx, self.access, user.id, self.organization.id, one)
            return user

        found: User = self.act(verb)
        return found

    def elsewhere(self) -> int:
        """The number of another organization."""

        def verb(tx: Tx) -> int:
            uid = tx.ids.uid()
            row = Organization(uid=uid, ref=f"org_{uid[:12]}", name="Other", slug=uid, created_at=tx.now)
            return tx.add(row).id

        found: int = self.act(verb)
        return found

    def spec(self, name: str = "ledger", *, place: int | None = None, **more: Any) -> Spec:
        found: Spec = self.act(specs.create, {**DOCUMENT, "project_name": name, **more}, place=place)
        return found

    def identity(self, provider: str = "aws") -> CloudIdentity:
        def verb(tx: Tx) -> CloudIdentity:
            return tx.add(
                CloudIdentity(
                    uid=tx.ids.uid(), organization_id=self.organization.id, owner_id=self.ada.id, provider=provider,
                    name=provider, credentials={"role_arn": "arn:aws:iam::1:role/x", "project_id": "p"},
                    verified_at=tx.now, cached_resources={}, created_at=tx.now,
                )
            )  # fmt: skip

        found: CloudIdentity = self.act(verb)
        return found

    def runner(self, name: str = "rack-1", *, place: int | None = None, **more: Any) -> Foreign:
        made = self.act(registration.register, name, "self-hosted", place=place, **more)
        return Foreign(self, made.worker, made.runner, made.token)

    def cloud_runner(self, name: str = "pool-1") -> Foreign:
        made = self.act(registration.register_cloud_hosted, name)
        return Foreign(self, made.worker, made.runner, made.token)

    def enrolled(self, name: str = "forge-1", **facts: Any) -> Enrolled:
        words = {"capabilities": ["infra"], "offered": ["infra"], **facts}

        def verb(tx: Tx) -> Worker:
            return tx.add(
                Worker(
                    uid=tx.ids.uid(), organization_id=self.organization.id, name=name, slots=2, created_at=tx.now,
                    recovery_hash=tx.ids.hex(64), **words,
                )
            )  # fmt: skip

        return Enrolled(self, self.act(verb))

    def own(self) -> Enrolled:
        return Enrolled(self, None)

    def ask(self, job_type: str, spec: Spec | None = None, *, by: User | None = None, **more: Any) -> str:
        def verb(tx: Tx) -> str:
            about = tx.get(Spec, spec.id) if spec is not None else None
            return creating.create(tx, Asked(job_type=job_type, spec=about, **more)).uid

        found: str = self.act(verb, by=by)
        return found

    def planned(self, spec: Spec) -> str:
        """A PLAN job that has succeeded on an enrolled worker."""
        worker, uid = self.enrolled("planner"), self.ask("PLAN", spec)
        assert worker.claim() == [uid]
        worker.phase(uid, "prepare", "init", "plan")
        report = {"summary": {"create": 1}, "changes": [], "sha256": SHA256, "size": 10, "serial": 0, "lineage": ""}
        self.upload(uid, worker.held[uid][1])
        worker.say(uid, "plan", **report, uploaded=True)
        assert worker.end(uid) is not None
        assert self.job(uid).status == "SUCCESS"
        return uid

    def upload(self, uid: str, fence: int) -> None:
        """The saved plan of an attempt is there, as far as its row says."""

        def verb(tx: Tx) -> None:
            plan = plans.made(tx, reading.find(tx, uid))
            plan.artefact_key, plan.artefact_sha256, plan.artefact_size = f"{uid}/plan", SHA256, 10
            plan.fence = fence

        self.act(verb)

    def cancel(self, uid: str, reason: str | None = None, by: User | None = None) -> Any:
        return self.act(lambda tx: cancelling.cancel(tx, reading.find(tx, uid), reason), by=by)

    def pin(self, uid: str, worker_uid: str | None) -> Any:
        return self.act(lambda tx: pinning.pin(tx, reading.find(tx, uid), worker_uid))

    def rerun(self, uid: str) -> str:
        found: str = self.act(lambda tx: rerunning.rerun(tx, reading.find(tx, uid)).uid)
        return found

    def lapse(self) -> int:
        """Every lease ends, and the ledger looks."""
        self.clock.advance(kind.LEASE_SECONDS + 1)
        return self.db.write_sync(jobs.requeue_lapsed)

    def stall(self, uid: str) -> bool:
        """Half an hour passes in which the worker lives and says nothing."""
        self.clock.advance(requeueing.STALLED.total_seconds())
        return bool(self.db.write_sync(requeueing.run, self.job(uid).id))

    def job(self, uid: str) -> InfraJob:
        found = self.db.read_sync(lambda tx: tx.first(select(InfraJob).where(InfraJob.uid == uid)))
        assert found is not None
        return found

    def carried(self, uid: str) -> Job:
        ledger_id = self.job(uid).ledger_id
        assert ledger_id is not None
        return self.db.read_sync(jobs.get, ledger_id)

    def plan(self, uid: str) -> Plan | None:
        number = self.job(uid).id
        return self.db.read_sync(lambda tx: tx.first(select(Plan).where(Plan.job_id == number)))

    def status(self, spec: Spec) -> str:
        found = self.db.read_sync(lambda tx: tx.get(Spec, spec.id))
        assert found is not None
        return found.status

    def words(self, uid: str) -> list[str]:
        found = self.db.read_sync(events.read, stream(uid))
        return [one.type.removeprefix("infra-job-") for one in found]
