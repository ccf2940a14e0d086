"""Infrastructure jobs for their pages: read in one unit each, and asked for by the domain's own commands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from quarterdeck.access import Access
from quarterdeck.console.domain import infra_job_views as shown
from quarterdeck.console.domain import infra_plans, ledger
from quarterdeck.console.domain.confirming import require_typed
from quarterdeck.console.domain.infra_spec_views import outputs
from quarterdeck.console.domain.live import line_views
from quarterdeck.console.views.deployments import Fact, LineViews, LogView
from quarterdeck.console.views.infra_jobs import InfraJobList, InfraJobsAsked, InfraJobView
from quarterdeck.console.views.infra_plans import PlanView
from quarterdeck.console.views.shell import Note
from quarterdeck.console.words import counted
from quarterdeck.deploy.work import waiting as reasons
from quarterdeck.deploy.work import work as operator_work
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.execution.orders import PHASES
from quarterdeck.infra.plans import approvals
from quarterdeck.infra.runners import listing, standing
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.work import asking, cancelling, creating, pinning, reading, rerunning
from quarterdeck.infra.work.happenings import stream
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.work.transitions import ENDED, LIVE, QUEUED
from quarterdeck.infra.work.types import DEPLOY, DESTROY, PLAN, may_have_changed
from quarterdeck.kernel import jobs as work
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.principal import Principal

ANY = "any"
"""In the place of a runner: whichever is free."""
WORDS = {
    "prepare": "Prepare",
    "init": "Initialize",
    "plan": "Plan",
    "upload": "Hand in",
    "download": "Fetch plan",
    "apply": "Apply",
    "output": "Read outputs",
    "discover": "Discover",
}
OF_TYPE = {
    PLAN: ("prepare", "init", "plan", "upload"),
    DEPLOY: ("prepare", "init", "download", "apply", "output"),
    DESTROY: ("prepare", "init", "apply"),
}


class InfraWork:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def infra_jobs(self, who: Principal, asked: InfraJobsAsked, limit: int) -> InfraJobList:
        found: InfraJobList = await self.instance.db.read(_listed, asked, limit)
        return found

    async def infra_job(self, who: Principal, uid: str, lines: int) -> InfraJobView:
        seats = ledger.seats(self.instance)
        view: InfraJobView = await self.instance.db.read(_view, self.instance.access, uid, seats)
        name, logs = stream(view.row.uid), self.instance.logs
        told = line_views(await logs.read(name, tail=lines))
        state = await logs.state(name)
        first = told[0].number if told else state.head + 1
        last = told[-1].number if told else state.head
        return replace(view, log=LogView(name, told, last, first - 1 - state.watermark, not view.row.live))

    async def whole_infra_log(self, who: Principal, uid: str) -> AsyncIterator[LineViews]:
        job: InfraJob = await self.instance.db.read(reading.find, uid)
        return self._pages(stream(job.uid))

    async def _pages(self, name: str) -> AsyncIterator[LineViews]:
        phase = None
        async for page in self.instance.logs.pages(name):
            yield line_views(page, phase)
            phase = page[-1].phase

    async def infra_plan(self, who: Principal, uid: str) -> PlanView:
        found: PlanView = await self.instance.db.read(infra_plans.view, self.instance.access, uid)
        return found

    async def ask_for_plan(self, who: Principal, spec: str, runner: str) -> str:
        return await self._ask(PLAN, spec, runner)

    async def destroy_infra(self, who: Principal, spec: str, runner: str, confirmation: str) -> str:
        return await self._ask(DESTROY, spec, runner, confirmation)

    async def _ask(self, job_type: str, spec_uid: str, runner: str, confirmation: str | None = None) -> str:
        def ask(tx: Tx) -> str:
            spec = specs.meant(tx, spec_uid)
            if confirmation is not None:
                require_typed(confirmation, spec.project_name)
            wanted = creating.Asked(job_type=job_type, spec=spec, assigned_worker_uid=_runner(runner))
            return creating.create(tx, wanted).uid

        made: str = await self.instance.db.write(ask)
        return made

    async def apply_plan(self, who: Principal, uid: str, runner: str, confirmation: str) -> str:
        def apply(tx: Tx) -> str:
            job = reading.find(tx, uid)
            spec = specs.meant(tx, infra_plans.spec_of(tx, job).uid)
            if infra_plans.loses(tx, job):
                require_typed(confirmation, spec.project_name)
            wanted = creating.Asked(
                job_type=DEPLOY, spec=spec, plan_job_uid=job.uid, assigned_worker_uid=_runner(runner)
            )
            return creating.create(tx, wanted).uid

        made: str = await self.instance.db.write(apply)
        return made

    async def say_of_plan(self, who: Principal, uid: str, *, agree: bool, comment: str) -> None:
        def say(tx: Tx) -> None:
            decision: approvals.Decision = "approved" if agree else "rejected"
            approvals.say(tx, reading.find(tx, uid), decision, comment or None)

        await self.instance.db.write(say)

    async def cancel_infra_job(self, who: Principal, uid: str, reason: str, confirmation: str) -> None:
        def cancel(tx: Tx, access: Access) -> None:
            job = reading.find(tx, uid)
            reading.require_canceller(tx, access, job)
            if may_have_changed(job) and job.status in LIVE:
                require_typed(confirmation, _name(tx, job))
            cancelling.cancel(tx, job, reason or None)

        await self.instance.db.write(cancel, self.instance.access)

    async def rerun_infra_job(self, who: Principal, uid: str) -> str:
        def rerun(tx: Tx, access: Access) -> str:
            job = reading.find(tx, uid)
            asking.require_allowed(tx, access, job.job_type)
            return rerunning.rerun(tx, job).uid

        made: str = await self.instance.db.write(rerun, self.instance.access)
        return made

    async def pin_infra_job(self, who: Principal, uid: str, runner: str) -> None:
        def pin(tx: Tx, access: Access) -> None:
            job = reading.find(tx, uid)
            asking.require_allowed(tx, access, job.job_type)
            pinning.pin(tx, job, _runner(runner))

        await self.instance.db.write(pin, self.instance.access)


def _runner(text: str) -> str | None:
    return None if text in {"", ANY} else text


def _name(tx: Tx, job: InfraJob) -> str:
    """What is typed before a job is cancelled that may be changing things."""
    row = shown.rows(tx, [job])[0]
    return row.about[0]


def _listed(tx: Tx, asked: InfraJobsAsked, limit: int) -> InfraJobList:
    wanted = reading.Filter(
        status=asked.status or None,
        spec_uid=asked.spec or None,
        job_type=asked.job_type or None,
        words=asked.words,
        mine=asked.mine,
        limit=limit,
        offset=asked.offset,
    )
    found, total = reading.page(tx, wanted)
    spec = specs.find(tx, asked.spec) if asked.spec else None
    named = (spec.project_name, f"/console/infra/specs/{spec.uid}") if spec is not None else None
    return InfraJobList(shown.rows(tx, found), total, named)


def _view(tx: Tx, access: Access, uid: str, seats: tuple[work.Seat, ...]) -> InfraJobView:
    job = reading.find(tx, uid)
    row = shown.rows(tx, [job])[0]
    may = access.decide(tx.principal, asking.permission(job.job_type)).allowed
    waits, behind = _waits(tx, job, seats)
    choices, _ = shown.runner_choices(tx, access) if may and job.status == QUEUED else ((), "")
    pinned = tx.get(Worker, job.assigned_worker_id) if job.assigned_worker_id is not None else None
    told = job.execution_metadata.get("outputs")
    return InfraJobView(
        row=row,
        facts=tuple(_facts(tx, job, pinned)),
        log=LogView(stream(job.uid), (), 0, 0, ended=not row.live),
        waits=waits,
        behind=behind,
        error=_error(job),
        plan=_plan(tx, job),
        outputs=outputs(told) if isinstance(told, dict) else (),
        moments=_moments(job),
        phases=_phases(job),
        may_cancel=row.live and _may_cancel(tx, access, job),
        may_rerun=may and job.status in ENDED and not (job.job_type == DEPLOY and job.plan_job_id is not None),
        may_pin=may and job.status == QUEUED and bool(choices),
        runners=choices,
        pinned=pinned.uid if pinned is not None else "",
        confirm=row.about[0] if row.live and may_have_changed(job) else "",
        found=_found(tx, job),
    )


def _found(tx: Tx, job: InfraJob) -> Note | None:
    spec = tx.get(Spec, job.spec_id) if job.read_only and job.spec_id is not None else None
    told = spec.drift if spec is not None and spec.drift and spec.drift.get("job") == job.uid else None
    if told is None:
        return None
    if not told.get("drifted"):
        return Note("good", "Nothing has drifted.", "What stands is as the last apply left it.")
    number = len(told.get("changes") or ()) + int(told.get("left_out") or 0)
    what = counted(number, "resource") if number else "Something"
    return Note("warn", f"It has found drift: {what} changed by somebody else.", "A plan says what would put it back.")


def _may_cancel(tx: Tx, access: Access, job: InfraJob) -> bool:
    if not access.decide(tx.principal, "infra:jobs.cancel").allowed:
        return False
    try:
        reading.require_canceller(tx, access, job)
    except Forbidden:
        return False
    return True


def _waits(tx: Tx, job: InfraJob, seats: tuple[work.Seat, ...]) -> tuple[Note | None, str | None]:
    """Where it waits and why, and the page of what goes first."""
    if job.status != QUEUED:
        return None, None
    if job.ledger_id is None:
        found = approvals.needed(tx, job)
        told = f"It waits until {found.missing} more {'person agrees' if found.missing == 1 else 'people agree'}."
        return Note("ask", told, "Nothing is destroyed before that."), f"/console/infra/plans/{job.uid}"
    pinned = tx.get(Worker, job.assigned_worker_id) if job.assigned_worker_id is not None else None
    if pinned is not None and standing.status(pinned, tx.now) != "ONLINE":
        word = standing.status(pinned, tx.now).lower()
        told = f"It is for the runner {pinned.name} alone, which is {word}."
        return Note("warn", told, "Choose another runner below, or start that one."), None
    carried = work.look(tx, job.ledger_id)
    seen = operator_work.seen(tx, [carried], seats, whole=True)[0] if carried is not None else None
    if seen is None or seen.waiting is None:
        return Note("idle", "It waits for a runner."), None
    if seen.waiting.reason in {"worker-away", "worker-missing"}:
        return _nobody(tx, seen.waiting), None
    stuck = seen.waiting.reason.startswith(("worker", "server"))
    behind = seen.waiting.behind
    address = None
    if behind is not None:
        first = _carried_by(behind)
        address = f"/console/infra/jobs/{first}" if first else f"/console/jobs/{behind.short_ref}"
    return Note("warn" if stuck else "idle", seen.waiting.message, seen.waiting.hint or ""), address


def _nobody(tx: Tx, waiting: reasons.Waiting) -> Note:
    """No connected worker can take it. Programs of others are not connected: they ask, and one that is there may."""
    if any(one.foreign and standing.status(one.worker, tx.now) == "ONLINE" for one in listing.visible(tx)):
        return Note("idle", "It waits for a runner.")
    told = "No runner that is online can take this."
    if waiting.reason == "worker-away":
        return Note("warn", told, f"{waiting.message} {waiting.hint or ''}".strip())
    return Note("warn", told, "Start one: qd runner enrol NAME makes its token.")


def _carried_by(carried: work.Job) -> str | None:
    kind, _, uid = (carried.subject or "").partition(":")
    return uid if kind == "infra-job" else None


def _error(job: InfraJob) -> Note | None:
    if not job.error_message:
        if job.orphan_risk:
            return Note("warn", "Something may be left over that no state knows.", "Look for it at the provider.")
        return None
    first, _, rest = job.error_message.strip().partition("\n")
    tone = "bad" if job.status == "FAILED" or job.orphan_risk else "idle"
    return Note(tone, first, rest.strip())


def _plan(tx: Tx, job: InfraJob) -> str:
    if job.read_only:
        return ""  # nothing of it can be agreed to or applied
    if job.job_type == PLAN and job.status == "SUCCESS":
        return job.uid
    if job.job_type == DESTROY and job.status == QUEUED and job.ledger_id is None:
        return job.uid
    plan = tx.get(InfraJob, job.plan_job_id) if job.plan_job_id is not None else None
    return plan.uid if plan is not None else ""


def _phases(job: InfraJob) -> tuple[tuple[str, str], ...]:
    """What it goes through, and a step's state of each. A look for drift hands nothing in."""
    order = [one for one in OF_TYPE.get(job.job_type, ()) if not (job.read_only and one == "upload")]
    if job.job_type == DEPLOY and job.plan_job_id is None:
        order = ["prepare", "init", "plan", "apply", "output"]
    if job.stage is not None and job.stage not in order and job.stage in PHASES:
        order.append(job.stage)
    if not order or job.status in {QUEUED, "CLAIMED"}:
        return tuple((WORDS[one], "pending") for one in order)
    at = order.index(job.stage) if job.stage in order else 0
    if job.status == "SUCCESS":
        at = len(order)
    now = {"PROCESSING": "running", "FAILED": "failed", "CANCELLED": "canceled"}.get(job.status, "running")
    return tuple(
        (WORDS[one], "succeeded" if index < at else now if index == at else "pending")
        for index, one in enumerate(order)
    )


def _moments(job: InfraJob) -> tuple[tuple[str, datetime], ...]:
    said = (("Asked for", job.created_at), ("Began", job.started_at), ("Ended", job.completed_at))
    return tuple((label, moment) for label, moment in said if moment is not None)


def _facts(tx: Tx, job: InfraJob, pinned: Worker | None) -> list[Fact]:
    facts = [Fact("Identifier", job.uid, code=True), Fact("Type", job.job_type, code=True)]
    if job.configuration_hash:
        facts.append(Fact("Configuration", job.configuration_hash[:12], code=True))
    if pinned is not None:
        facts.append(Fact("Only for", pinned.name))
    if job.attempts > 1:
        facts.append(Fact("Attempts", str(job.attempts)))
    if job.error_code:
        facts.append(Fact("Error", job.error_code, code=True))
    late = job.execution_metadata.get("late_report")
    if isinstance(late, dict):
        facts.append(Fact("Reported later", str(late.get("status", ""))))
    before = tx.get(InfraJob, job.rerun_of_id) if job.rerun_of_id is not None else None
    if before is not None:
        facts.append(Fact("Done once more of", before.uid, code=True))
    return facts
