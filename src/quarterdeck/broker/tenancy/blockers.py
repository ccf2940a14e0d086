"""What of the broker stands in the way of deleting a project or an environment, and what goes along with it."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.tenancy import projects
from quarterdeck.broker.tenancy.model import BrokerProject
from quarterdeck.broker.workflows import versions
from quarterdeck.kernel.db import Tx


class BrokerBlockers:
    """A `kernel.protocols.DeletionBlocker`: requests that have not ended stand in the way; rules of a project go along
    with it.
    """

    def blockers(self, tx: Tx, kind: str, row_id: int) -> list[tuple[str, int]]:
        columns = {"project": Request.project_id, "environment": Request.environment_id}
        if kind not in columns:
            return []
        live = select(func.count()).select_from(Request).where(columns[kind] == row_id, Request.ended_at.is_(None))
        number = int(tx.execute(live).scalar_one())
        return [("secret-request", number)] if number else []

    def forget(self, tx: Tx, kind: str, row_id: int) -> None:
        if kind != "project":
            return
        part = tx.first(select(BrokerProject).where(BrokerProject.project_id == row_id))
        if part is None:
            return
        versions.alone(tx, part.organization_id)
        tx.execute(delete(Policy).where(Policy.project_id == row_id))
        versions.renew(tx, part.organization_id)
        projects.remove(tx, part)
