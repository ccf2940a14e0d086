"""What infrastructure tells and asks of the reader: plans to agree to, what may have been left behind, drift, forgotten
locks, what goes on, and what words find.
"""

from __future__ import annotations

from typing import NamedTuple

from quarterdeck.access import Access
from quarterdeck.console.domain import infra_job_views as jobs
from quarterdeck.console.state import tone
from quarterdeck.console.views.home import NeedsYou, RunningNow
from quarterdeck.console.views.infra import PLANS, SPECS, ZONES
from quarterdeck.console.views.ledger import Found
from quarterdeck.console.views.shell import Count
from quarterdeck.console.words import ago, counted
from quarterdeck.infra.plans import approvals, law, waiting
from quarterdeck.infra.specs import listing
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import locks
from quarterdeck.infra.work import reading
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.infra.zones import listing as zone_listing
from quarterdeck.kernel.db import Tx

AGREE, APPLY, STATES = "infra:plans.approve", "infra:jobs.apply", "infra:states.view"
MOST, DEPTH, LONGEST = 20, 100, 200


class Waiting(NamedTuple):
    """What waits in the caller's organization for people, and what is known of who has agreed."""

    found: list[tuple[InfraJob, Spec]]
    known: approvals.Known


def look(tx: Tx) -> Waiting:
    found = list(waiting.waiting(tx, DEPTH))
    return Waiting(found, approvals.Known(tx, found))


def needs(tx: Tx, access: Access, there: Waiting) -> tuple[NeedsYou, ...]:
    """Questions first, then what may have been left over, then what is merely not as it should be."""
    asked = _to_agree(tx, there) if access.decide(tx.principal, AGREE).allowed else ()
    ready = _to_apply(tx, there) if access.decide(tx.principal, APPLY).allowed else ()
    left = _locks(tx) if access.decide(tx.principal, STATES).allowed else ()
    return (*asked, *ready, *_orphans(tx), *left, *_drifted(tx))


def _to_agree(tx: Tx, there: Waiting) -> tuple[NeedsYou, ...]:
    """Those that the caller may agree to: not asked for by themselves, and nothing said yet."""
    found = _open(tx, there)
    items = []
    for (job, spec), row in zip(found, jobs.rows(tx, [job for job, _ in found]), strict=True):
        needed = approvals.needed(tx, job, known=there.known)
        what = "destroy" if job.job_type == "DESTROY" else "plan for"
        meta = (f"{row.by} asks, {ago(job.created_at, tx.now)}", f"{needed.given} of {needed.required} agree")
        title = f"Agree to {what} {spec.project_name}"
        items.append(NeedsYou("ask", title, f"{PLANS}/{job.uid}", meta, "Review"))
    return tuple(items)


def _open(tx: Tx, there: Waiting) -> list[tuple[InfraJob, Spec]]:
    found = []
    for job, spec in there.found:
        if tx.principal.id in {job.owner_id, *(vote.user_id for vote in there.known.votes(job))}:
            continue
        needed = approvals.needed(tx, job, known=there.known)
        if needed.missing and not needed.refused_by:
            found.append((job, spec))
    return found[:MOST]


def _to_apply(tx: Tx, there: Waiting) -> tuple[NeedsYou, ...]:
    """The caller's own plans that everybody who has to agree has agreed to, and that nothing applies yet."""
    return tuple(
        NeedsYou(
            "ask",
            f"The plan for {spec.project_name} can be applied",
            f"{PLANS}/{job.uid}",
            ("everybody who has to agree has", f"planned {ago(job.created_at, tx.now)}"),
            "Apply",
        )
        for job, spec in _agreed_to(tx, there)
        if law.applicable(tx, job, spec).ok
    )


def _agreed_to(tx: Tx, there: Waiting) -> list[tuple[InfraJob, Spec]]:
    """By what is known of all of them: each of the rest is looked at whole."""
    found = []
    for job, spec in there.found:
        if job.job_type == "PLAN" and job.owner_id == tx.principal.id and not there.known.askers(job):
            needed = approvals.needed(tx, job, known=there.known)
            if not needed.missing and not needed.refused_by:
                found.append((job, spec))
    return found[:MOST]


def _orphans(tx: Tx) -> tuple[NeedsYou, ...]:
    return tuple(
        NeedsYou(
            "bad",
            f"{one.project_name} may have left something behind",
            f"{SPECS}/{one.uid}",
            ((one.orphan_risk or "").partition("\n")[0][:LONGEST],),
            "See what to do",
        )
        for one in listing.left_behind(tx, MOST)
    )


def _locks(tx: Tx) -> tuple[NeedsYou, ...]:
    items = []
    for state, spec in locks.left(tx, MOST):
        since = f"taken {ago(state.locked_at, tx.now)}" if state.locked_at else "nobody knows since when"
        who = str((state.lock or {}).get("Who") or "somebody")
        told = f"The state of {spec.project_name} is locked by nobody who works"
        items.append(NeedsYou("warn", told, f"{SPECS}/{spec.uid}/state", (f"left by {who}", since), "See the lock"))
    return tuple(items)


def _drifted(tx: Tx) -> tuple[NeedsYou, ...]:
    items = []
    for one in listing.drifted(tx, MOST):
        changes = (one.drift or {}).get("changes")
        number = len(changes) if isinstance(changes, list) else 0
        what = f"{counted(number, 'resource')} changed by somebody else" if number else "changed by somebody else"
        seen = f"seen {ago(one.drift_checked_at, tx.now)}" if one.drift_checked_at is not None else ""
        meta = tuple(filter(None, (what, seen)))
        items.append(NeedsYou("warn", f"{one.project_name} has drifted", f"{SPECS}/{one.uid}#drift", meta, "See drift"))
    return tuple(items)


def going_on(tx: Tx, most: int) -> tuple[RunningNow, ...]:
    found = reading.under_way(tx, most)
    items = []
    for job, row in zip(found, jobs.rows(tx, found), strict=True):
        shown = tone(*row.state)
        items.append(
            RunningNow(
                f"{row.title} {row.about[0]}",
                jobs.page_of(job),
                ", ".join(filter(None, (row.runner, row.note))),
                None,
                row.started or row.queued,
                (shown.tone, shown.word),
            )
        )
    return tuple(items)


def count(tx: Tx, access: Access, there: Waiting) -> Count:
    """Beside the room: violet, how many wait for the caller; where none does, how many jobs go on."""
    asked = len(_open(tx, there)) if access.decide(tx.principal, AGREE).allowed else 0
    return Count("ask", asked) if asked else Count("run", reading.living(tx, tx.principal.acts_in))


def search(tx: Tx, access: Access, words: str, limit: int) -> tuple[Found, ...]:
    """Specifications and zones whose names have the words, of what the caller may see."""
    found: list[Found] = []
    if access.decide(tx.principal, "infra:specs.view").allowed:
        found += [
            Found("infra", f"{one.project_name} ({one.environment_stage})", f"{SPECS}/{one.uid}", "Infrastructure")
            for one in listing.search(tx, words, limit)
        ]
    if access.decide(tx.principal, "infra:zones.view").allowed:
        found += [
            Found("infra", f"Zone {name}", f"{ZONES}/{uid}", "Infrastructure")
            for uid, name in zone_listing.search(tx, words, limit)
        ]
    return tuple(found[:limit])
