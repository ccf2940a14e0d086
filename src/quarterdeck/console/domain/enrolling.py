"""Which machines may work on agent tasks: their tokens, and what administrators change of a machine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from quarterdeck.console.views.enrolling import EnrolmentRow, NewEnrolment
from quarterdeck.fleet.workers import enrolment
from quarterdeck.fleet.workers.model import EnrolmentToken, Worker
from quarterdeck.identity import sessions
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal
from quarterdeck.tasks import machines

MOST = 200
"""Tokens on the page, newest first."""


class Enrolling:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def enrolments(self, who: Principal) -> tuple[EnrolmentRow, ...]:
        found: tuple[EnrolmentRow, ...] = await self.instance.db.read(_listed)
        return found

    async def create_enrolment(self, who: Principal, *, label: str, hours: int | None) -> NewEnrolment:
        sessions.require_in_person(who)
        life = None if hours is None else timedelta(hours=hours)

        def verb(tx: Tx) -> NewEnrolment:
            row, token = enrolment.create(
                tx, tx.principal.acts_in, [machines.CAPABILITY], label=label or None, life=life
            )
            return NewEnrolment(row.label or f"Token {row.id}", token.reveal())

        made: NewEnrolment = await self.instance.db.write(verb)
        return made

    async def revoke_enrolment(self, who: Principal, number: int) -> None:
        await self.instance.db.write(lambda tx: enrolment.revoke(tx, tx.principal.acts_in, number))

    async def change_machine(self, who: Principal, uid: str, *, name: str, slots: int) -> None:
        worker: Worker = await self.instance.db.write(lambda tx: machines.change(tx, uid, name=name, max_slots=slots))
        await self.instance.workers.follow(worker)

    async def decommission_machine(self, who: Principal, uid: str) -> None:
        worker: Worker = await self.instance.db.write(machines.decommission, uid)
        await self.instance.workers.send_away(worker.id)


def _listed(tx: Tx) -> tuple[EnrolmentRow, ...]:
    rows, _ = enrolment.page(tx, tx.principal.acts_in, None, MOST)
    workers = enrolment.enrolled(tx, rows)

    def shown(row: EnrolmentToken) -> EnrolmentRow:
        maker = tx.get(User, row.created_by) if row.created_by is not None else None
        worker = workers.get(row.id)
        return EnrolmentRow(
            id=row.id,
            label=row.label or "",
            state=enrolment.status(row, tx.now),
            made=row.created_at,
            by=maker.username if maker is not None else "",
            until=row.expires_at,
            machine=None if worker is None else (worker.uid, worker.name),
        )

    return tuple(shown(row) for row in rows)
