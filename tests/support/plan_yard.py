"""Plans that runners make, what people say of them, and what becomes of their applies."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from quarterdeck.identity.model import User
from quarterdeck.infra.artefacts.artefacts import Kept
from quarterdeck.infra.plans import approvals, keeping, law, plans
from quarterdeck.infra.plans.model import Plan
from quarterdeck.infra.specs import specs
from quarterdeck.infra.specs.model import Spec
from quarterdeck.infra.states import backend, contents, locks, states
from quarterdeck.infra.states.credentials import Attempt
from quarterdeck.infra.work import reading
from quarterdeck.infra.zones import zones
from quarterdeck.infra.zones.model import Zone
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from support import infra_rows as rows
from support.infra_work_yard import DOCUMENT, Enrolled, WorkYard

REPORT = {"summary": {"create": 1}, "changes": [], "sha256": "a" * 64, "size": 10, "serial": 0, "lineage": ""}


class PlanYard(WorkYard):
    """`planned` makes plans of a state as it is."""

    def zone(self, name: str = "payments", **policy: int) -> Zone:
        found: Zone = self.act(zones.create, name)
        self.policy(found, **policy)
        return found

    def policy(self, zone: Zone, **policy: int) -> None:
        if policy:
            self.db.write_sync(lambda tx: tx.execute(update(Zone).where(Zone.id == zone.id).values(**policy)))

    def begin(self, spec: Spec, worker: Enrolled | None = None, *, by: User | None = None) -> tuple[Enrolled, str]:
        """A PLAN job that is at its plan."""
        worker = worker or self.enrolled(f"planner-{self.db.ids.text(6)}")
        uid = self.ask("PLAN", spec, by=by)
        assert worker.claim() == [uid]
        worker.phase(uid, "prepare", "init", "plan")
        return worker, uid

    def planned(self, spec: Spec, *, by: User | None = None, **report: Any) -> str:
        worker, uid = self.begin(spec, by=by)
        state = self.db.read_sync(lambda tx: states.find(tx, states.subject_of_spec(spec)))
        told = {**REPORT, "serial": (state and state.serial) or 0, "lineage": (state and state.lineage) or "", **report}
        self.hand_in(worker, uid, told["sha256"])
        worker.say(uid, "plan", **told, uploaded=True)
        assert worker.end(uid) is not None
        assert self.job(uid).status == "SUCCESS"
        return uid

    def hand_in(self, worker: Enrolled, uid: str, sha256: str = "a" * 64) -> None:
        """The saved plan of a running attempt, as if it lay somewhere."""
        attempt = self.attempt(worker, uid)
        kept = Kept(f"{uid}/{'k' * 16}", sha256, 10)
        self.db.write_sync(keeping.taken, attempt, kept)

    def wrote(self, spec: Spec, serial: int, **more: Any) -> None:
        """Some apply has written this state."""

        def verb(tx: Tx) -> None:
            attempt = rows.begin(tx, rows.job(tx, spec))
            locks.lock(tx, attempt, {"ID": "x"})
            draft = contents.sealed(tx.vault, tx.ids.uid(), contents.read(rows.state(serial, **more)))
            backend.write(tx, attempt, "x", draft)
            locks.unlock(tx, attempt, {"ID": "x"})
            rows.end(tx, attempt)

        self.act(verb)

    def verdict(self, uid: str, spec: Spec, *, by: User | None = None) -> law.Verdict:
        def verb(tx: Tx) -> law.Verdict:
            found = tx.get(Spec, spec.id)
            assert found is not None
            return law.applicable(tx, reading.find(tx, uid), found, asker=tx.principal.id)

        found: law.Verdict = self.act(verb, by=by)
        return found

    def say(self, uid: str, decision: Any, by: User, comment: str | None = None) -> None:
        self.act(lambda tx: approvals.say(tx, reading.find(tx, uid), decision, comment), by=by)

    def refused(self, *given: Any, **named: Any) -> str:
        """The code with which a call of `ask` or `say` is refused."""
        call = self.say if len(given) > 1 and given[1] in {"approved", "rejected"} else self.ask
        with pytest.raises(Problem) as refused:
            call(*given, **named)
        assert refused.value.hint or refused.value.message.count(".") > 1, refused.value.code
        return refused.value.code

    def change(self, spec: Spec, **values: Any) -> None:
        document = {**DOCUMENT, "project_name": spec.project_name, **values}
        self.act(lambda tx: specs.change(tx, self.access, spec.uid, document))

    def kept(self, uid: str) -> Plan:
        found = self.db.read_sync(lambda tx: plans.of(tx, reading.anybodys(tx, uid)))  # type: ignore[arg-type]
        assert found is not None
        return found

    def spoil(self, **values: Any) -> None:
        self.db.write_sync(lambda tx: tx.execute(update(Plan).values(**values)))

    def attempt(self, worker: Enrolled, uid: str) -> Attempt:
        return Attempt(self.job(uid), worker.held[uid][1])
