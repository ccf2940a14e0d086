"""Policies with the ids of what they name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from quarterdeck.broker.policies import policies
from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.model import Project


@dataclass(frozen=True, slots=True)
class Listed:
    """`project_uid` is None of a rule for the whole organization."""

    policy: Policy
    workflow_uid: str
    project_uid: str | None


def page(tx: Tx, limit: int, after: str | None = None) -> list[Listed]:
    """As `policies.page`."""
    return described(tx, policies.page(tx, limit, after))


def listed(tx: Tx, policy: Policy) -> Listed:
    return described(tx, [policy])[0]


def described(tx: Tx, found: Sequence[Policy]) -> list[Listed]:
    workflows = _uids(tx, Workflow, {one.workflow_id for one in found})
    projects = _uids(tx, Project, {one.project_id for one in found if one.project_id is not None})
    return [Listed(one, workflows[one.workflow_id], projects.get(one.project_id or 0)) for one in found]


def _uids(tx: Tx, model: type[Workflow | Project], ids: set[int]) -> dict[int, str]:
    return {row.id: row.uid for row in tx.execute(select(model.id, model.uid).where(model.id.in_(ids)))} if ids else {}
