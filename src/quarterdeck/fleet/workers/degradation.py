"""Agents of a worker that fail again and again are not used for a while (contract: tasks §4.4).

Three failures in a row degrade an agent; how long depends on the class of the last one. One success clears all. Facts
of the worker, in its `trouble`: by agent `{failures, class, since, until}`; `since` only while degraded, `until` null
where only a restart of the worker ends it. Times are ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from quarterdeck.fleet.workers.actions import tell
from quarterdeck.fleet.workers.description import MOST_AGENTS
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.standing import Thresholds
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx

FailureClass = Literal["binary_missing", "auth_failure", "rate_limit", "unknown"]


@dataclass(frozen=True, slots=True)
class Degraded:
    """`until` None: until the worker starts again, or says that it is well."""

    agent: str
    reason: str
    until: datetime | None


def agent_failed(
    tx: Tx, worker: Worker, agent: str, class_: FailureClass, thresholds: Thresholds | None = None
) -> Degraded | None:
    """Count a failure of an agent on a worker; what it is degraded to, if it is now."""
    limits = thresholds or Thresholds()
    _locked(tx, worker)
    if agent not in worker.trouble and len(worker.trouble) >= MOST_AGENTS:
        return None
    before = worker.trouble.get(agent, {})
    entry: dict[str, Any] = {"failures": int(before.get("failures", 0)) + 1, "class": class_}
    if entry["failures"] >= limits.degrade_after:
        life = limits.degrade_recover.get(class_)
        until = None if life is None else tx.now + timedelta(seconds=life)
        entry |= {"since": wire_time(tx.now), "until": None if until is None else wire_time(until)}
        if "since" not in before or not _lasts(before, tx.now):
            tell(tx, worker, "worker-agent-degraded", agent=agent, reason=class_, until=entry["until"])
    worker.trouble = {**worker.trouble, agent: entry}
    return _degraded(agent, entry, tx.now)


def agent_succeeded(tx: Tx, worker: Worker, agent: str) -> None:
    """One success clears whatever was counted."""
    if agent not in worker.trouble:
        return
    _locked(tx, worker)
    entry = worker.trouble.get(agent, {})
    worker.trouble = {name: one for name, one in worker.trouble.items() if name != agent}
    if "since" in entry:
        tell(tx, worker, "worker-agent-recovered", agent=agent)


def started_again(worker: Worker) -> None:
    """A worker that starts looks for its agents anew: one that was missing counts as never tried."""
    worker.trouble = {name: one for name, one in worker.trouble.items() if one.get("class") != "binary_missing"}
    worker.ailing = []


def degraded(worker: Worker, now: datetime) -> list[Degraded]:
    """Which agents are not to be used now, and until when."""
    return found(worker.trouble, worker.ailing, now)


def found(trouble: Mapping[str, Any], ailing: Sequence[Any], now: datetime) -> list[Degraded]:
    """The same from the facts of a worker alone."""
    counted = [_degraded(agent, entry, now) for agent, entry in sorted(trouble.items())]
    lasting = [one for one in counted if one is not None]
    known = {one.agent for one in lasting}
    return lasting + [Degraded(one["agent"], one["reason"], None) for one in ailing if one["agent"] not in known]


def _locked(tx: Tx, worker: Worker) -> None:
    tx.lock(f"worker:{worker.uid}")
    tx.flush()
    tx.session.refresh(worker)


def _lasts(entry: dict[str, Any], now: datetime) -> bool:
    return "since" in entry and (entry["until"] is None or datetime.fromisoformat(entry["until"]) > now)


def _degraded(agent: str, entry: dict[str, Any], now: datetime) -> Degraded | None:
    if not _lasts(entry, now):
        return None
    until = entry["until"]
    return Degraded(agent, entry["class"], None if until is None else datetime.fromisoformat(until))
