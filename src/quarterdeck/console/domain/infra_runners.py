"""Runners for their pages, and what people do with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from quarterdeck.console.domain import infra_job_views as jobs
from quarterdeck.console.domain import ledger
from quarterdeck.console.domain.confirming import require_typed
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.infra import JOBS
from quarterdeck.console.views.infra_runners import NewRunner, ReleaseRow, RunnerList, RunnerRow, RunnerView
from quarterdeck.fleet.workers import draining, roster
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.clouds import credentials, identities
from quarterdeck.infra.clouds.model import CloudIdentity
from quarterdeck.infra.runners import (
    bootstrap,
    default,
    deploying,
    idle,
    leaving,
    lifting,
    listing,
    registration,
    releases,
    standing,
)
from quarterdeck.infra.runners.model import Release
from quarterdeck.infra.work import creating, reading
from quarterdeck.infra.work.asking import Asked
from quarterdeck.infra.work.types import DESTROY_WORKER
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal

MOST_JOBS, MOST_RELEASES = 10, 20
STATES = {"ONLINE": "online", "OFFLINE": "offline", "DRAINING": "draining"}


class InfraRunners:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def infra_runners(self, who: Principal) -> RunnerList:
        own = any("infra" in one.capabilities for one in ledger.connected(self.instance) if one.worker_id is None)

        def read(tx: Tx) -> RunnerList:
            newest = releases.newest(tx)
            rows = _rows(tx, listing.visible(tx), newest)
            published = tuple(_release(one) for one in releases.page(tx, None, MOST_RELEASES))
            return RunnerList(rows, own, newest.version if newest is not None else "", published)

        found: RunnerList = await self.instance.db.read(read)
        return found

    async def infra_runner(self, who: Principal, uid: str) -> RunnerView:
        found: RunnerView = await self.instance.db.read(lambda tx: _view(tx, listing.find(tx, uid)))
        return found

    async def register_runner(self, who: Principal, *, name: str, identity: str) -> NewRunner:
        def register(tx: Tx) -> NewRunner:
            bound = identities.usable(tx, identity) if identity else None
            made = registration.register(
                tx, name, standing.SELF_HOSTED, cloud_identity_id=bound.id if bound is not None else None
            )
            return NewRunner(made.worker.name, made.token.reveal(), made.worker.uid)

        found: NewRunner = await self.instance.db.write(register)
        return found

    async def mint_runner_token(self, who: Principal, *, label: str, hours: int) -> NewRunner:
        def mint(tx: Tx) -> NewRunner:
            row, token = bootstrap.mint(tx, label or None, timedelta(hours=hours))
            return NewRunner(row.label or f"Token {row.id}", token.reveal())

        found: NewRunner = await self.instance.db.write(mint)
        return found

    async def drain_runner(self, who: Principal, uid: str, *, drain: bool, reason: str) -> None:
        def change(tx: Tx) -> Worker:
            worker = roster.locked(tx, tx.principal.acts_in, leaving.require_own(tx, uid).uid)
            return draining.drain(tx, worker, reason or None) if drain else draining.undrain(tx, worker)

        worker: Worker = await self.instance.db.write(change)
        await self.instance.workers.follow(worker)

    async def choose_runner(self, who: Principal, uid: str) -> None:
        await self.instance.db.write(default.choose, uid)

    async def put_up_runner(self, who: Principal, *, name: str, identity: str, region: str, runner: str) -> str:
        made: str = await self.instance.db.write(
            lambda tx: deploying.deploy(tx, name, identity, region, runner or None).job.uid
        )
        return made

    async def update_runner(self, who: Principal, uid: str, runner: str) -> str:
        made: str = await self.instance.db.write(lambda tx: deploying.update(tx, uid, runner or None).job.uid)
        return made

    async def take_down_runner(self, who: Principal, uid: str, confirmation: str) -> str:
        def ask(tx: Tx) -> str:
            worker = leaving.require_own(tx, uid)
            require_typed(confirmation, worker.name)
            return creating.create(tx, Asked(job_type=DESTROY_WORKER, runner_uid=worker.uid)).uid

        made: str = await self.instance.db.write(ask)
        return made

    async def remove_runner(self, who: Principal, uid: str, confirmation: str) -> None:
        def remove(tx: Tx) -> Worker:
            worker = leaving.require_own(tx, uid)
            require_typed(confirmation, worker.name)
            leaving.remove(tx, worker)
            return worker

        worker: Worker = await self.instance.db.write(remove)
        if worker.revoked_at is None:
            await self.instance.workers.dial_again(worker.id)
        else:
            await self.instance.workers.send_away(worker.id)


def _release(one: Release) -> ReleaseRow:
    notes = (one.release_notes or "").strip().partition("\n")[0]
    return ReleaseRow(
        one.version, one.released_at, one.is_breaking, one.commit_sha or "", notes, one.github_release_url or ""
    )


def _rows(tx: Tx, some: Sequence[listing.Seen], newest: Release | None) -> tuple[RunnerRow, ...]:
    bound = {one.runner.cloud_identity_id for one in some if one.runner and one.runner.cloud_identity_id is not None}
    clouds = {one.id: one for one in identities.some(tx, bound)}
    current = listing.current_jobs(tx, [one.worker for one in some])
    return tuple(_row(tx, one, newest, clouds, current) for one in some)


def _row(
    tx: Tx,
    one: listing.Seen,
    newest: Release | None,
    clouds: Mapping[int, CloudIdentity],
    current: Mapping[int, str],
) -> RunnerRow:
    worker, runner = one.worker, one.runner
    due = releases.due(worker, newest, foreign=one.foreign)
    labels = ["enrolled worker" if not one.foreign else "program of its own"]
    if not standing.takes_jobs(worker):
        labels.append("does not take infra jobs")
    elif standing.looks_only(worker):
        labels.append("takes looks for drift alone")
    identity = clouds.get(runner.cloud_identity_id or 0) if runner is not None else None
    if identity is not None:
        labels.append(f"only {credentials.label(identity)}")
    job = current.get(worker.id)
    state = STATES[standing.status(worker, tx.now)]
    return RunnerRow(
        uid=worker.uid,
        name=worker.name,
        mode=one.mode,
        state=("runner", state, "outdated" if due else None),
        version=worker.version or "",
        due=due or "",
        default=one.is_default,
        labels=tuple(labels),
        seen=worker.last_seen_at,
        job=f"{JOBS}/{job}" if job else "",
        draining=worker.drain_requested_at is not None,
        drain_reason=worker.drain_reason or "",
        own=worker.organization_id == tx.principal.acts_in,
        enrolled=not one.foreign,
    )


def _version(row: RunnerRow) -> str:
    if not row.due:
        return row.version or "not told yet"
    return f"{row.version}, outdated: {'the server is' if row.enrolled else 'the newest release is'} {row.due}"


def _view(tx: Tx, one: listing.Seen) -> RunnerView:
    newest = releases.newest(tx)
    row, worker = _rows(tx, [one], newest)[0], one.worker
    made = lifting.stack_of(one.runner)
    some = reading.of_worker(tx, worker.id, MOST_JOBS)
    facts = [
        Fact("Identifier", worker.uid, code=True),
        Fact("Kind", "an enrolled worker" if row.enrolled else "a program that speaks the documented calls"),
        Fact("Mode", row.mode),
        Fact("Version", _version(row)),
    ]
    facts += [Fact(word.replace("_", " ").capitalize(), str(made[word])) for word in lifting.KEPT if made.get(word)]
    if row.drain_reason:
        facts.append(Fact("Drained because", row.drain_reason))
    busy = idle.under_way(tx, worker)
    why = (
        "No release of the runner has been published."
        if newest is None
        else "A job changes it already."
        if busy is not None
        else ""
    )
    return RunnerView(
        row,
        tuple(facts),
        bool(made) and one.foreign,
        newest.version if newest is not None else "",
        jobs.rows(tx, some),
        why,
        worker.created_at,
    )
