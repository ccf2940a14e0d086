"""What an application's state means for a change that was made of its secrets (contract: broker §10).

An application that was healthy before says nothing of the change: only what ArgoCD has done since counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from quarterdeck.broker.gitops.argocd import Application

Verdict = Literal["applied", "failed", "unknown"]


def verdict(seen: Application, executed_at: datetime, before: Mapping[str, Any]) -> Verdict:
    """`before` is how it stood when it was first looked at; empty where this is the first look."""
    if seen.operation_phase in {"Failed", "Error"} and _later(seen.finished_at, executed_at):
        return "failed"
    settled = seen.health_status == "Healthy" and seen.sync_status == "Synced"
    if settled and seen.operation_phase in {"", "Succeeded"} and _is_news(seen, executed_at, before):
        return "applied"
    return "unknown"


def _is_news(seen: Application, executed_at: datetime, before: Mapping[str, Any]) -> bool:
    if _later(seen.finished_at, executed_at) or _later(seen.reconciled_at, executed_at):
        return True
    return bool(before) and before.get("sync_revision") != seen.sync_revision


def _later(moment: datetime | None, executed_at: datetime) -> bool:
    return moment is not None and moment > executed_at


def observed(seen: Application) -> dict[str, Any]:
    """What is kept and told of it; never a manifest."""
    return {
        "health_status": seen.health_status,
        "health_message": seen.health_message,
        "sync_status": seen.sync_status,
        "sync_revision": seen.sync_revision,
        "operation_phase": seen.operation_phase,
        "resources": [dict(one) for one in seen.resources],
        "resource_count": seen.resource_count,
    }
