"""The ledger's verbs for work that waits and runs: enqueue, claim, heartbeat, record, complete, hand back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import structlog

from quarterdeck.kernel.bus import Concern
from quarterdeck.kernel.clock import micros
from quarterdeck.kernel.db import Tx, of_storage
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.jobs import frames, routes
from quarterdeck.kernel.jobs import transitions as step
from quarterdeck.kernel.jobs.finding import find_by_idempotency_key, get, look
from quarterdeck.kernel.jobs.job import LANES, Enqueue, Job, Lane, Outcome
from quarterdeck.kernel.jobs.kinds import JobKind, Unkept, kinds
from quarterdeck.kernel.jobs.postgresql import PostgresqlStatements
from quarterdeck.kernel.jobs.refusals import canceled, failure, fenced
from quarterdeck.kernel.jobs.sqlite import SqliteStatements
from quarterdeck.kernel.jobs.statements import Draft, Ending, Statements
from quarterdeck.kernel.jobs.transitions import ENDED, State
from quarterdeck.kernel.storable import storable

WAKE = "jobs"
"""The topic that says: something may be claimable."""
LOST = "lost"
"""How a job says that it was ended without the word of its worker."""
LAPSES = 5
"""An attempt that vanished this often is given up: it probably takes its worker down with it."""
LONGEST_BACKOFF = 600
LONGEST_CODE, LONGEST_CATEGORY, LONGEST_MESSAGE = 120, 20, 16_384
"""Characters that are kept of how a job failed: it may be a foreign program that tells."""
log = structlog.get_logger("quarterdeck.jobs")

_STATEMENTS: dict[str, Statements] = {"sqlite": SqliteStatements(), "postgresql": PostgresqlStatements()}


def statements(tx: Tx) -> Statements:
    return _STATEMENTS[tx.dialect]


def topic(job_id: int) -> str:
    """The bus topic on which the end of a job is announced."""
    return f"job:{job_id}"


def enqueue(tx: Tx, request: Enqueue) -> Job:
    """Keep a request for work. Raises `NotFound` for a kind that nobody registered."""
    return enqueue_many(tx, [request])[0]


def enqueue_many(tx: Tx, requests: Sequence[Enqueue]) -> list[Job]:
    """Keep many requests at once, in order."""
    hot = statements(tx)
    now = micros(tx.now)
    drafts = [_draft(tx, request, now) for request in requests]
    keys = sorted({draft.concurrency_key for draft in drafts if draft.concurrency_key is not None})
    if keys:
        hot.lock_keys(tx, keys)
        _take_turns(drafts, hot.turns_held(tx, keys), now)
    jobs: list[Job] = []
    for draft, job_id in zip(drafts, hot.insert(tx, drafts), strict=True):
        if job_id is not None:
            jobs.append(draft.job(job_id))
            continue
        if draft.turn_key is not None:  # its turn was never taken: whoever was parked behind it goes first
            hot.promote(tx, draft.turn_key, now)
        jobs.append(find_by_idempotency_key(tx, draft.kind, draft.idempotency_key or ""))
    tx.publish(WAKE, frozenset(Concern(draft.organization_id, draft.subject) for draft in drafts))
    return jobs


def _draft(tx: Tx, request: Enqueue, now: int) -> Draft:
    kind = kinds.get(request.kind)
    requires = routes.canonical(request.capabilities | kind.capabilities)
    run_at = now if request.run_at is None else micros(request.run_at)
    key = request.idempotency_key
    correlation_id = request.correlation_id or tx.context.correlation_id
    return Draft(
        uid=tx.ids.uid(),
        kind=request.kind,
        state=State.PENDING.value,
        lane=LANES.index(request.lane or kind.lane),
        organization_id=request.organization_id,
        subject=request.subject,
        payload=msgspec.json.encode(request.payload).decode(),
        requires=requires,
        worker_id=request.worker_id,
        concurrency_key=request.concurrency_key,
        idempotency_key=None if key is None else f"{request.organization_id or 0}:{key}",
        correlation_id=None if correlation_id == "-" else correlation_id,
        parent_id=request.parent_id,
        retry_of_id=request.retry_of_id,
        run_at=run_at,
        max_attempts=request.max_attempts,
        lease_seconds=request.lease_seconds or kind.lease_seconds,
        created_at=now,
        due_at=run_at,
        route=routes.route(requires, request.worker_id, request.organization_id),
    )


def _take_turns(drafts: Iterable[Draft], held: set[str], now: int) -> None:
    """The first due job of a free key takes the turn; the others park without being claimable."""
    for draft in drafts:
        key = draft.concurrency_key
        if key is None:
            continue
        if draft.run_at <= now and key not in held:
            draft.turn_key = key
            held.add(key)
        else:
            draft.parked_key, draft.due_at, draft.route = key, None, None
            draft.wake_at = draft.run_at if draft.run_at > now else None


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who asks for work: `owner` holds the leases, `limit` is how many free slots it has for these lanes. It takes only
    what needs all of `needs`. The server's own worker has no `worker_id` and works for everybody; any other works for
    its organization alone, unless it is there `for_all`. What is not pinned to it has to bear the labels of `confined`
    (`routes`); with `only_pinned` it takes nothing else than what is. What bears a `barred` label is not for it, nor
    is a job of a kind in `unknown`.
    """

    owner: str
    capabilities: frozenset[str]
    lanes: tuple[Lane, ...]
    limit: int
    worker_id: int | None = None
    needs: frozenset[str] = frozenset()
    organization_id: int | None = None
    confined: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    for_all: bool = False
    only_pinned: bool = False

    def usable(self, waiting: routes.Waiting) -> list[str]:
        """The routes of what it may take."""
        return waiting.usable(
            self.capabilities,
            self.worker_id,
            self.needs,
            self.organization_id,
            confined=self.confined,
            barred=self.barred,
            for_all=self.for_all,
            only_pinned=self.only_pinned,
        )


@dataclass(frozen=True, slots=True)
class Assignment:
    """A claimed job and its work order as JSON text (which may hold secrets, and is kept nowhere)."""

    job: Job
    order: bytes


def claim(tx: Tx, claimant: Claimant) -> list[Assignment]:
    """Start due jobs for a claimant: the most urgent lanes first. A job whose order cannot be made fails here."""
    return claim_for_all(tx, [claimant])[0]


def claim_for_all(tx: Tx, claimants: Sequence[Claimant]) -> list[list[Assignment]]:
    """`claim` for many at once: what waits is looked at once, and who can take none of it costs nothing more."""
    found = waiting(tx) if any(one.limit > 0 for one in claimants) else routes.Waiting(())
    return [_claim(tx, one, one.usable(found)) for one in claimants]


def waiting(tx: Tx) -> routes.Waiting:
    """What waits, by its routes, whether it is due or will be."""
    return routes.Waiting(statements(tx).live_routes(tx))


def _claim(tx: Tx, claimant: Claimant, usable: Sequence[str]) -> list[Assignment]:
    if claimant.limit <= 0 or not usable:
        return []
    pairs = [(route, LANES.index(lane)) for lane in claimant.lanes for route in usable]
    claimed = statements(tx).claim(
        tx,
        owner=claimant.owner,
        pairs=pairs,
        now=micros(tx.now),
        limit=claimant.limit,
        unknown=sorted(claimant.unknown),
    )
    assigned = []
    for job in claimed:
        order = _order(tx, job)
        if isinstance(order, Outcome):
            end_anyhow(tx, Report(job.id, job.fence, order, job.concurrency_key))
        else:
            assigned.append(Assignment(job, order))
    return assigned


def _order(tx: Tx, job: Job) -> bytes | Outcome:
    kind = kinds.find(job.kind)
    if kind is None:
        return Outcome("failed", error_code="job_kind_unknown", error_message=f"No program part runs {job.kind} jobs.")
    if kind.assign is None:
        return job.payload.encode()
    try:
        with tx.savepoint(), of(tx, job):
            return msgspec.json.encode(kind.assign(tx, job))
    except Exception as error:
        if of_storage(error):
            raise
        if isinstance(error, Problem):
            return failure(error)
        log.exception("order_not_made", job=job.id, kind=job.kind)
        told = "The work order could not be made.\nSee the server's log, and report it with a support bundle."
        return Outcome("failed", error_code="job_order_failed", error_message=told, error_category="infra")


@contextmanager
def of(tx: Tx, job: Job) -> Iterator[None]:
    """What a kind's own rules write bears the correlation id of the job."""
    before = tx.context
    if job.correlation_id is not None:
        tx.context = replace(before, correlation_id=job.correlation_id)
    try:
        yield
    finally:
        tx.context = before


def heartbeat(tx: Tx, held: Sequence[tuple[int, int]], owner: str | None = None) -> tuple[set[int], set[int]]:
    """Renew the leases of (job id, fence) pairs. Answers the ids that are lost and those that shall stop. Here and in
    what follows, an `owner` is who reports: what somebody else holds is lost to it, whatever fence it names.
    """
    rows = statements(tx).renew(tx, held, micros(tx.now), owner) if held else []
    running = {job_id for job_id, _ in rows}
    return {job_id for job_id, _ in held} - running, {job_id for job_id, asked in rows if asked is not None}


def record(tx: Tx, job_id: int, fence: int, number: int, kind: str, data: Any, owner: str | None = None) -> Any:
    """Keep one report of a running attempt, once: reports are numbered from 1, and a repeated number answers what the
    first one did. Raises `Fenced` or `Canceled`.
    """
    hot = statements(tx)
    job = hot.report(tx, job_id, fence, number, micros(tx.now), owner)
    if job is None:
        known = get(tx, job_id)
        repeated = known.fence == fence and known.state == State.RUNNING and known.report_number == number
        if not repeated or owner not in {None, known.owner}:
            raise fenced(job_id, fence)
        return None if known.report_reply is None else msgspec.json.decode(known.report_reply)
    if job.cancel_us is not None:
        raise canceled(job_id)
    handler = kinds.get(job.kind).record
    if handler is None:
        return None
    with of(tx, job):
        reply = handler(tx, job, kind, data)
    if reply is None or isinstance(reply, Unkept):
        return None if reply is None else msgspec.to_builtins(reply.value)
    kept = msgspec.json.encode(reply).decode()
    tx.execute("UPDATE jobs SET report_reply = :reply WHERE id = :id", {"reply": kept, "id": job_id})
    return msgspec.json.decode(kept)


@dataclass(frozen=True, slots=True)
class Report:
    """The end of one attempt, as its worker tells it. `key` is the job's concurrency key, `owner` who tells it."""

    job_id: int
    fence: int
    outcome: Outcome
    key: str | None = None
    owner: str | None = None


def complete(tx: Tx, job_id: int, fence: int, outcome: Outcome, *, key: str | None = None) -> Job:
    """End a running attempt. Raises `Fenced` when it no longer holds the job; a repeated report is answered again."""
    answer = complete_many(tx, [Report(job_id, fence, outcome, key)])[0]
    if answer is None:
        raise fenced(job_id, fence)
    return answer


def complete_many(tx: Tx, reports: Sequence[Report]) -> list[Job | None]:
    """End many attempts in one unit; None where the report comes from an attempt that is no longer the holder."""
    hot = statements(tx)
    hot.lock_keys(tx, [report.key for report in reports if report.key is not None])
    done: dict[tuple[int, int, str | None], Job] = {}
    endings: list[Ending] = []
    outcomes = {(report.job_id, report.fence, report.owner): report.outcome for report in reports}
    for (job_id, fence, owner), outcome in outcomes.items():
        target = _BY_OUTCOME[outcome.state]
        if outcome.state == "failed" and outcome.retriable:
            job = look(tx, job_id)
            if job is not None and _held(job, fence, owner) and step.TRY_AGAIN.allows(job.state):
                if job.cancel_us is None and job.attempts - job.lapses < job.max_attempts:
                    done[job_id, fence, owner] = try_again(tx, job, outcome)
                    continue
                target = step.GIVE_UP if job.max_attempts > 1 else step.FAIL
        endings.append(ending(job_id, fence, target, outcome, owner))
    if endings:
        for job in hot.end(tx, endings, micros(tx.now)):
            place = (job.id, job.fence, job.owner if (job.id, job.fence, job.owner) in outcomes else None)
            done[place] = job
            settle(tx, job, outcomes[place])
    return [
        done.get((report.job_id, report.fence, report.owner)) or _reported_before(tx, report) or heard_late(tx, report)
        for report in reports
    ]


def _held(job: Job, fence: int, owner: str | None) -> bool:
    return job.fence == fence and owner in {None, job.owner}


_BY_OUTCOME = {"succeeded": step.SUCCEED, "failed": step.FAIL, "canceled": step.STOP}


def ending(job_id: int, fence: int, transition: step.Transition, outcome: Outcome, owner: str | None = None) -> Ending:
    outcome = _kept(outcome)
    return Ending(
        job_id,
        fence,
        transition.target.value,
        outcome.result,
        outcome.error_code,
        outcome.error_category,
        outcome.error_message,
        None if outcome.state == "succeeded" else int(outcome.retriable),
        owner=owner,
    )


def _kept(outcome: Outcome) -> Outcome:
    def fit(words: str | None, longest: int) -> str | None:
        return None if words is None else str(storable(words[:longest]))

    return Outcome(
        outcome.state,
        outcome.result,
        fit(outcome.error_code, LONGEST_CODE),
        fit(outcome.error_message, LONGEST_MESSAGE),
        fit(outcome.error_category, LONGEST_CATEGORY),
        outcome.retriable,
    )


def end_anyhow(tx: Tx, report: Report) -> bool:
    """`complete` where other jobs would suffer for a kind's own rule that fails: the job then ends as failed without
    it. False when the attempt no longer holds the job.
    """
    try:
        with tx.savepoint():
            return complete_many(tx, [report])[0] is not None
    except Exception as error:
        if of_storage(error):
            raise
        log.exception("finish_failed", job=report.job_id)
    if report.key is not None:
        statements(tx).lock_keys(tx, [report.key])
    told = ending(report.job_id, report.fence, step.FAIL, report.outcome, report.owner)
    ended = statements(tx).end(tx, [told], micros(tx.now))
    for job in ended:
        _let_go(tx, job)
    return bool(ended)


def hold_turn(tx: Tx, key: str) -> None:
    """Keep units apart that enqueue or end jobs of a concurrency key, and whoever else holds it: a job's kind finishes
    under it. Take it before what the kind's own rules lock.
    """
    statements(tx).lock_keys(tx, [key])


def settle(tx: Tx, job: Job, outcome: Outcome) -> None:
    """What follows from a job's end: its key's next turn, its kind's own rule, and who waits for it."""
    _let_go(tx, job)
    finish(tx, job, outcome)


def finish(tx: Tx, job: Job, outcome: Outcome) -> None:
    """The kind's own rule, with the job's correlation."""
    kind: JobKind | None = kinds.find(job.kind)
    if kind is not None and kind.finish is not None:
        with of(tx, job):
            kind.finish(tx, job, outcome)


def settle_anyhow(tx: Tx, job: Job, outcome: Outcome) -> None:
    """`settle` where other jobs would suffer for a kind's own rule that fails: it is logged and left out."""
    try:
        with tx.savepoint():
            settle(tx, job, outcome)
    except Exception as error:
        if of_storage(error):
            raise
        log.exception("finish_failed", job=job.id, kind=job.kind)
        _let_go(tx, job)


def _let_go(tx: Tx, job: Job) -> None:
    if job.concurrency_key is not None:
        pass_turn(tx, job.concurrency_key)
    tx.publish(topic(job.id), job.state)


def pass_turn(tx: Tx, key: str) -> None:
    """Give a free turn to the next in line. The caller holds the lock of `key`."""
    if statements(tx).promote(tx, key, micros(tx.now)) is not None:
        tx.publish(WAKE)


def _reported_before(tx: Tx, report: Report) -> Job | None:
    """The job, when exactly this attempt's end was kept earlier and its answer got lost on the way."""
    job = look(tx, report.job_id)
    if job is None or job.fence != report.fence or job.state == State.RUNNING:
        return None
    if State(job.state) in ENDED and job.closed_by is None:
        return job if report.owner in {None, job.owner} else None
    kept = tx.execute(
        "SELECT 1 FROM job_attempts "
        "WHERE job_id = :id AND fence = :fence AND outcome = 'failed' AND owner = coalesce(:owner, owner)",
        {"id": report.job_id, "fence": report.fence, "owner": report.owner},
    ).first()
    return job if kept else None


_WAIT = """
UPDATE jobs SET {becomes}, due_at = :due, lease_until = NULL, owner = NULL, lapses = lapses + :lapsed,
  error_code = :code, error_category = :category, error_message = :message, retriable = :retriable,
  route = {route}
WHERE id = :id AND fence = :fence AND {allowed}"""


_STAND_BACK = """
UPDATE jobs SET turn_key = NULL, parked_key = concurrency_key, run_at = :wake, wake_at = :wake, due_at = NULL,
  route = NULL
WHERE id = :id"""


def wait(
    tx: Tx, job: Job, transition: step.Transition, attempt: str, *, seconds: int = 0, outcome: Outcome | None = None
) -> Job:
    """Put a running job back into the queue, keeping its turn and the history of the attempt."""
    told = _kept(outcome or Outcome("failed"))
    tx.execute(
        _WAIT.format(route=routes.SPELT, becomes=transition.becomes, allowed=transition.allowed),
        {
            "due": micros(tx.now) + seconds * 1_000_000,
            "lapsed": int(attempt == "lapsed"),
            "code": told.error_code,
            "category": told.error_category,
            "message": told.error_message,
            "retriable": int(told.retriable) if outcome else None,
            "id": job.id,
            "fence": job.fence,
        },
    )
    tx.execute(
        "INSERT INTO job_attempts (job_id, fence, owner, outcome, error_code, error_message, started_at, ended_at) "
        "VALUES (:job_id, :fence, :owner, :outcome, :code, :message, :started, :ended)",
        {
            "job_id": job.id,
            "fence": job.fence,
            "owner": job.owner,
            "outcome": attempt,
            "code": told.error_code,
            "message": told.error_message,
            "started": job.started_us,
            "ended": micros(tx.now),
        },
    )
    tx.publish(WAKE, frozenset({Concern(job.organization_id, job.subject)}))
    _tell_returned(tx, job)
    return get(tx, job.id)


def _tell_returned(tx: Tx, job: Job) -> None:
    """The kind's own rule. Others go back into the queue in the same unit: one that fails is logged and left out."""
    kind = kinds.find(job.kind)
    if kind is None or kind.returned is None:
        return
    try:
        with tx.savepoint(), of(tx, job):
            kind.returned(tx, job)
    except Exception as error:
        if of_storage(error):
            raise
        log.exception("return_failed", job=job.id, kind=job.kind)


def try_again(tx: Tx, job: Job, outcome: Outcome) -> Job:
    kind = kinds.find(job.kind)
    first = kind.backoff_seconds if kind else 5
    failures = max(job.attempts - job.lapses, 1)
    pause = min(first * 2 ** min(failures - 1, 20), LONGEST_BACKOFF)
    waiting = wait(tx, job, step.TRY_AGAIN, "failed", seconds=pause, outcome=outcome)
    if kind is None or kind.keeps_turn or job.concurrency_key is None:
        return waiting
    tx.execute(_STAND_BACK, {"id": job.id, "wake": micros(tx.now) + pause * 1_000_000})
    pass_turn(tx, job.concurrency_key)
    return get(tx, job.id)


def hand_back(tx: Tx, job_id: int, fence: int, owner: str | None = None, reason: str = "") -> None:
    """A worker that will not run what it was given returns it; it is claimable again at once, or has failed where its
    kind says so. One that was returned as `frames.UNKNOWN_KIND` says so while it waits.
    """
    job = look(tx, job_id)
    if job is None or not _held(job, fence, owner) or not step.REQUEUE.allows(job.state):
        return
    kind = kinds.find(job.kind)
    if kind is None or kind.what_if_lost(tx, job) == "again":
        wait(tx, job, step.REQUEUE, "handed-back", outcome=_unknown(job) if reason == frames.UNKNOWN_KIND else None)
    else:
        told = f"Its worker gave it back ({reason or 'without a reason'})."
        end_lost(tx, job, step.FAIL, Outcome("failed", error_code="job_returned", error_message=told))


def _unknown(job: Job) -> Outcome:
    told = (
        f"A worker that can run what this needs does not know {job.kind} jobs: its release is older than the server's. "
        "Bring it to the server's release; meanwhile the job waits for another one."
    )
    return Outcome("failed", error_code="worker_lacks_kind", error_message=told, error_category="infra", retriable=True)


def end_lost(tx: Tx, job: Job, transition: step.Transition, outcome: Outcome) -> bool:
    """End an attempt without its worker: it may still be heard by its kind's `late`. False when it has ended."""
    hot = statements(tx)
    if job.concurrency_key is not None:
        hot.lock_keys(tx, [job.concurrency_key])
    kind = kinds.find(job.kind)
    heard = kind is not None and kind.late is not None
    told = replace(ending(job.id, job.fence, transition, outcome), closed_by=LOST if heard else None)
    ended = hot.end(tx, [told], micros(tx.now))
    for one in ended:
        settle_anyhow(tx, one, outcome)
    return bool(ended)


def give_up(tx: Tx, job_id: int, code: str, message: str) -> bool:
    """End a running job as failed from the server's side, whatever its lease says; its worker hears that it is lost.
    False when it does not run.
    """
    job = get(tx, job_id)
    return step.FAIL.allows(job.state) and end_lost(
        tx, job, step.FAIL, Outcome("failed", error_code=code, error_message=message)
    )


def heard_late(tx: Tx, report: Report) -> Job | None:
    """The job of an attempt that was given up and tells its end now, once its kind has heard it; else None."""
    job = look(tx, report.job_id)
    if job is None or job.closed_by != LOST or not _held(job, report.fence, report.owner):
        return None
    kind = kinds.find(job.kind)
    if kind is None or kind.late is None:
        return None
    with of(tx, job):
        kind.late(tx, job, report.outcome)
    return job
