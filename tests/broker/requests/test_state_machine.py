"""Requests under whatever people, agents and the clock do, in whatever order: nothing is carried out that was not
agreed to, by nobody alone, after no deadline, and an edit voids what was said.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from quarterdeck.access import grants
from quarterdeck.broker.requests import asking, cancelling, editing, ending, expiring, finding, voting
from quarterdeck.broker.requests.asking import Wish
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.workflows import seeding, versions
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import Secret
from support.broker_yard import BrokerYard

DEVELOPER, APPROVER = "broker:developer", "broker:approver"
LIFE, APPROVED_LIFE = 3600, 600
LIVE = {"pending", "approved"}


@dataclass
class Known:
    """What the test knows of a request by itself: who has agreed to the version that stands."""

    uid: str
    requester: str
    kind: str
    ends: float
    agreed: set[str] = field(default_factory=set)
    status: str = "pending"


class Machine(RuleBasedStateMachine):
    yard: BrokerYard
    needed: int
    own_word: bool

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Known] = []
        self.people: dict[str, User] = {}
        self.approvers: set[str] = set()
        self.hours = 0.0

    @initialize(needed=st.integers(1, 2), own_word=st.booleans())
    def begin(self, needed: int, own_word: bool) -> None:
        self.needed, self.own_word = needed, own_word
        number = len(self.yard.told())
        self.people = {name: self.yard.person(f"{name}{number}") for name in ("dora", "paul", "petra", "rosa")}
        for name, roles in {
            "dora": {DEVELOPER, APPROVER},  # one who may ask and approve
            "paul": {APPROVER},
            "petra": {APPROVER},
            "rosa": {DEVELOPER},
        }.items():
            for role in roles:
                self.give(name, role)
        self.approvers = {"dora", "paul", "petra"}

        def lay(tx: Tx) -> None:
            seeding.lay(tx, self.yard.organization.id)
            standard = tx.first(select(Workflow).where(Workflow.is_default))
            standard.min_approvers, standard.allow_self_approval = needed, own_word
            standard.request_ttl_seconds, standard.wrap_ttl_approved_seconds = LIFE, APPROVED_LIFE
            versions.renew(tx, self.yard.organization.id)

        self.yard.act(lay)
        self.agent = self.yard.agent(f"agent-{number}")
        self.ask("dora", "patch")

    def teardown(self) -> None:
        """Nothing of one run is found by the next in the same database."""

        def end(tx: Tx) -> None:
            for one in tx.scalars(select(Request).where(Request.ended_at.is_(None))):
                ending.end(tx, finding.held(tx, one.id), "cancelled", "over")

        self.yard.act(end)

    def give(self, name: str, role: str) -> None:
        home = self.yard.organization.id
        self.yard.act(lambda tx: grants.give(tx, self.yard.access, self.people[name].id, home, role))

    def act(self, name: str, verb, *args, **more):
        def unit(tx: Tx) -> object:
            self.yard.access.load(tx)
            return verb(tx, self.yard.access, *args, **more)

        return self.yard.act(unit, by=self.people[name])

    @contextmanager
    def refused(self) -> Iterator[list[Problem]]:
        met: list[Problem] = []
        try:
            yield met
        except Problem as problem:
            met.append(problem)

    def meant(self, which: int) -> Known:
        """One that waits, where there is one; the third time whichever."""
        waiting = [one for one in self.requests if one.status == "pending" and self.now < one.ends]
        some = self.requests if which == 2 or not waiting else waiting
        return some[which % len(some)]

    @property
    def now(self) -> float:
        return self.yard.clock.now().timestamp()

    @precondition(lambda self: sum(one.status in LIVE for one in self.requests) < 2)
    @rule(who=st.sampled_from(["dora", "rosa"]), kind=st.sampled_from(["read", "patch"]))
    def ask(self, who: str, kind: str) -> None:
        values = {"KEY": Secret("value")} if kind == "patch" else {}
        made = self.act(who, asking.ask, Wish(kind, "vault", "apps/shop", "because", values=values))
        assert made.status == "pending"
        self.requests.append(Known(made.uid, who, kind, self.now + LIFE))

    @precondition(lambda self: len(self.requests) < 30)
    @rule(
        what=st.sampled_from(["approve"] * 7 + ["edit"] * 3 + ["reject", "cancel"]),
        which=st.sampled_from([0, 1, 0, 1, 0, 1, 2]),
        who=st.sampled_from(["petra", "paul", "dora"] * 3 + ["rosa"]),
    )
    def say(self, what: str, which: int, who: str) -> None:
        """One rule for all that people say of a request, so that no run is without the most of it."""
        if all(one.status != "pending" for one in self.requests):
            self.ask("dora" if which else "rosa", "patch")
        getattr(self, what)(which, who)

    def approve(self, which: int, who: str) -> None:
        one = self.meant(which)
        may = who in self.approvers and (who != one.requester or self.own_word)
        open_ = one.status == "pending" and self.now < one.ends and who not in one.agreed
        with self.refused() as met:
            found = self.act(who, voting.approve, one.uid)
        assert bool(met) is not (may and open_), (met, one, who)
        if not met:
            one.agreed.add(who)
            counted = {name for name in one.agreed if name in self.approvers}
            enough = len(counted) >= self.needed and counted - {one.requester}
            assert (found.status == "approved") is bool(enough), (one, counted)
            if enough:
                one.status, one.ends = "approved", self.now + APPROVED_LIFE

    def reject(self, which: int, who: str) -> None:
        one = self.meant(which)
        may = who in self.approvers and (who != one.requester or self.own_word)
        allowed = may and one.status == "pending" and self.now < one.ends and who not in one.agreed
        with self.refused() as met:
            self.act(who, voting.reject, one.uid, "no")
        assert bool(met) is not allowed
        if not met:
            one.status = "rejected"

    def edit(self, which: int, _who: str) -> None:
        one = self.meant(which)
        with self.refused() as met:
            self.act(one.requester, editing.edit, one.uid, justification="because of something else")
        assert bool(met) is not (one.status == "pending" and self.now < one.ends)
        if not met:
            one.agreed, one.ends = set(), self.now + LIFE

    def cancel(self, which: int, who: str) -> None:
        one = self.meant(which)
        with self.refused() as met:
            self.act(who, cancelling.cancel, one.uid)
        if not met:
            assert who == one.requester
            assert one.status in LIVE
            one.status = "cancelled"

    @rule(seconds=st.sampled_from([5, 5, 5, 40, 700, 4000]))
    def wait(self, seconds: int) -> None:
        self.yard.clock.advance(seconds)
        for row_id in self.yard.db.read_sync(expiring.due):
            if self.yard.db.write_sync(expiring.expire, row_id):
                found = self.yard.db.read_sync(lambda tx, row_id=row_id: tx.get(Request, row_id))
                one = next(each for each in self.requests if each.uid == found.uid)
                assert one.status in LIVE
                assert self.now >= one.ends
                one.status = "expired"

    @rule(status=st.sampled_from(["succeeded", "failed", None]))
    def work(self, status: str | None) -> None:
        """An agent takes what there is, and tells an end, or vanishes."""
        job = self.agent.claim()
        if job is None:
            return
        uid = self.yard.db.read_sync(lambda tx: tx.get(Request, job.request_id).uid)
        one = next(each for each in self.requests if each.uid == uid)
        assert one.status == "approved", one
        assert self.now < one.ends
        if status is not None:
            self.agent.complete(job.uid, status)
            one.status = "executed" if status == "succeeded" else "failed"
        elif self.yard.lapse():
            found = self.yard.requested(uid).status
            assert found in {"approved", "failed"}
            one.status = found

    @precondition(lambda self: len(self.approvers) == 3 and len(self.requests) >= 4)
    @rule()
    def demote(self) -> None:
        """Petra approves no more; what she has said counts no more either."""
        home = self.yard.organization.id
        self.yard.act(lambda tx: grants.take(tx, self.yard.access, self.people["petra"].id, home, APPROVER))
        self.approvers.discard("petra")

    @invariant()
    def all_is_as_known(self) -> None:
        for one in self.requests:
            assert self.yard.requested(one.uid).status == one.status, one
        doubled = select(BrokerJob.request_id).group_by(BrokerJob.request_id).having(func.count() > 1)
        assert self.yard.db.read_sync(lambda tx: tx.execute(doubled).all()) == []


def test_nothing_is_carried_out_that_was_not_agreed_to(yard):
    class Bound(Machine):
        pass

    Bound.yard = yard
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
