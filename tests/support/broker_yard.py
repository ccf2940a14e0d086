"""A database with people, requests and agents of the broker: requests are rows as their room would leave them, agents
speak to the rooms by themselves.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import select, update

from quarterdeck.access import Access, seeding
from quarterdeck.broker.agents import authenticating, beating, keys, leaving, minting
from quarterdeck.broker.agents.model import Agent
from quarterdeck.broker.agents.standing import owner
from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.requests import effects
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.sealing import agreement, envelopes
from quarterdeck.broker.sealing.agreement import open_sealed
from quarterdeck.broker.sealing.envelopes import Envelope
from quarterdeck.broker.work import claiming, completing, creating, kind, placing
from quarterdeck.broker.work import effects as work_effects
from quarterdeck.broker.work.creating import Asked
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.wraps import data_keys, delivering, keeping, refreshing, taking
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity import setup, users
from quarterdeck.identity.model import User
from quarterdeck.kernel import jobs
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.jobs.job import Job, Outcome
from quarterdeck.kernel.principal import Context, Principal, current
from quarterdeck.kernel.vault import Secret

LANES = ("urgent", "normal", "background")
CREATED, APPROVED, CLAIMED = 7 * 86_400, 3600, 300


@contextmanager
def acting(principal: Principal, correlation: str = "cor_1") -> Iterator[None]:
    token = current.set(Context(principal, "req_1", correlation))
    try:
        yield
    finally:
        current.reset(token)


@dataclass
class YardAgent:
    """A foreign agent that calls the verbs behind its routes."""

    yard: BrokerYard
    worker: Worker
    secret: Secret[str]
    private: bytes | None = None

    @property
    def owner(self) -> str:
        return owner(self.worker)

    def act(self, verb: Callable[..., Any], *args: Any) -> Any:
        db = self.yard.db
        who = db.read_sync(authenticating.authenticate, self.worker.uid, self.secret.reveal())
        with acting(who):
            return db.write_sync(verb, *args)

    def register(self, private: bytes = bytes(range(1, 33))) -> None:
        """Make a key known, from now on the only one that it has."""
        self.private = private
        public = base64.b64encode(agreement.public_of(private)).decode()
        self.act(lambda tx: keys.register(tx, *authenticating.caller(tx), public))

    def beat(self, **said: Any) -> None:
        self.act(lambda tx: beating.beat(tx, *authenticating.caller(tx), **said))

    def claim(self) -> BrokerJob | None:
        found: BrokerJob | None = self.act(lambda tx: claiming.claim(tx, *authenticating.caller(tx)))
        return found

    def waits(self) -> bool:
        with acting(self.yard.db.read_sync(authenticating.authenticate, self.worker.uid, self.secret.reveal())):
            return self.yard.db.read_sync(lambda tx: claiming.waits(tx, *authenticating.caller(tx)))

    def complete(self, uid: str, status: str = "succeeded", error: str | None = None) -> BrokerJob:
        found: BrokerJob = self.act(
            lambda tx: completing.complete(tx, authenticating.caller(tx)[0], uid, status, error)
        )
        return found

    def take(self, wrap_uid: str) -> bytes:
        """Fetch and open a value."""
        given = self.fetch(wrap_uid)
        assert given.sealed is not None
        assert self.private is not None
        return open_sealed(self.private, given.sealed)

    def fetch(self, wrap_uid: str) -> taking.Given:
        def verb(tx: Tx) -> taking.Given:
            worker, agent = authenticating.caller(tx)
            return taking.for_agent(tx, worker, agent, owner(worker), wrap_uid)

        found: taking.Given = self.act(verb)
        return found

    def data_key(self) -> data_keys.Issued:
        def verb(tx: Tx) -> data_keys.Issued:
            worker, _ = authenticating.caller(tx)
            return data_keys.issue(tx, worker.id, delivering.held_reads(tx, worker, owner(worker)))

        found: data_keys.Issued = self.act(verb)
        return found

    def envelope(self, value: bytes, key: data_keys.Issued | None = None) -> Envelope:
        issued = key or self.data_key()
        nonce, ciphertext = envelopes.close(issued.plaintext.reveal(), value)
        return Envelope(
            ciphertext=ciphertext, nonce=nonce, dek_ciphertext=issued.ciphertext, dek_kms_key_id=issued.key_id
        )

    def deliver(self, request_uid: str, key_name: str, value: bytes | Envelope) -> Wrap:
        envelope = value if isinstance(value, Envelope) else self.envelope(value)

        def verb(tx: Tx) -> Wrap:
            worker, _ = authenticating.caller(tx)
            return delivering.by_agent(tx, worker, owner(worker), request_uid, key_name, envelope).wrap

        found: Wrap = self.act(verb)
        return found


@dataclass
class YardWorker:
    """A worker that the ledger gives work to; without a row it is the server's own."""

    yard: BrokerYard
    row: Worker | None
    held: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return f"worker:{self.row.uid}" if self.row is not None else "process:here/secrets"

    def claim(self) -> list[str]:
        """Uids of the jobs that it got; `held` has ledger job, fence, number of the last report and order of each."""
        row = self.row
        own = frozenset({"secrets"})
        claimant = jobs.Claimant(
            self.owner,
            own if row is None else own | {"secrets:elsewhere"} | frozenset(row.capabilities),
            LANES,
            10,
            None if row is None else row.id,
            own,
            None if row is None else row.organization_id,
            frozenset() if row is None else self.yard.db.read_sync(placing.confined_worker, row),
        )
        found = []
        for one in self.yard.db.write_sync(jobs.claim, claimant):
            uid = str(one.job.subject).partition(":")[2]
            self.held[uid] = [one.job.id, one.job.fence, 0, msgspec.json.decode(one.order)]
            found.append(uid)
        return found

    def order(self, uid: str) -> dict[str, Any]:
        found: dict[str, Any] = self.held[uid][3]
        return found

    def say(self, uid: str, kind: str, again: bool = False, **data: Any) -> Any:
        place = self.held[uid]
        place[2] += 0 if again else 1
        return self.yard.db.write_sync(jobs.record, place[0], place[1], place[2], kind, data, self.owner)

    def end(self, uid: str, state: Any = "succeeded", **more: Any) -> Job:
        place = self.held[uid]
        return self.yard.db.write_sync(jobs.complete, place[0], place[1], Outcome(state, **more))


class BrokerYard:
    """`ada` is the first administrator."""

    def __init__(self, database: Database, clock: HeldClock) -> None:
        self.db = database
        self.clock = clock
        self.access = Access()
        jobs.kinds.register(kind.kind())
        work_effects.register("requests", effects.job_ended)
        database.write_sync(seeding.seed)
        self.ada, self.organization = database.write_sync(
            setup.create_first_administrator,
            self.access,
            email="ada@example.com",
            username="ada",
            display_name="Ada",
            password_hash="hash",
        )

    def act(self, verb: Callable[..., Any], *args: Any, by: User | None = None, **more: Any) -> Any:
        with acting(users.principal(by or self.ada, self.organization.id)):
            return self.db.write_sync(verb, *args, **more)

    def person(self, name: str) -> User:
        found: User = self.act(lambda tx: users.create(tx, email=f"{name}@example.com", username=name))
        return found

    def agent(self, name: str = "agent-1", *, key: bool = True, **more: Any) -> YardAgent:
        made = self.act(minting.mint, name, **more)
        agent = YardAgent(self, made.worker, made.secret)
        if key:
            agent.register()
        return agent

    def enrolled(self, name: str = "forge-1", *capabilities: str) -> YardWorker:
        def verb(tx: Tx) -> Worker:
            words = sorted({"secrets", *capabilities})
            worker = tx.add(
                Worker(
                    uid=tx.ids.uid(), organization_id=self.organization.id, name=name, capabilities=words,
                    offered=words, slots=2, created_at=tx.now, recovery_hash=tx.ids.hex(64),
                )
            )  # fmt: skip
            minting.adopt(tx, worker)
            return worker

        return YardWorker(self, self.act(verb))

    def own(self) -> YardWorker:
        return YardWorker(self, None)

    def revoke(self, agent: YardAgent) -> None:
        self.act(leaving.revoke, agent.worker.uid)

    def workflow(self, tx: Tx) -> Workflow:
        known = tx.first(select(Workflow).where(Workflow.name == "standard"))
        return known or tx.add(
            Workflow(
                uid=tx.ids.uid(), organization_id=self.organization.id, name="standard", steps=[],
                wrap_ttl_created_seconds=CREATED, wrap_ttl_approved_seconds=APPROVED,
                wrap_ttl_claimed_seconds=CLAIMED, request_ttl_seconds=CREATED, notification_channels=[],
                is_default=True, enabled=True, created_at=tx.now, updated_at=tx.now,
            )
        )  # fmt: skip

    def connection(self, provider_type: str = "vault", **config: Any) -> int:
        def verb(tx: Tx) -> int:
            made = Connection(
                uid=tx.ids.uid(), organization_id=self.organization.id, name=f"{provider_type}-{tx.ids.text(6)}",
                provider_type=provider_type, config=config, agent_scope={}, enabled=True, discover_seconds=0,
                created_at=tx.now, updated_at=tx.now,
            )  # fmt: skip
            return tx.add(made).id

        found: int = self.act(verb)
        return found

    def request(
        self,
        request_kind: str = "patch",
        values: dict[str, bytes] | None = None,
        *,
        approved: bool = True,
        connection: int | None = None,
        agent_scope: dict[str, Any] | None = None,
        by: User | None = None,
        **facts: Any,
    ) -> str:
        """A request with its values, and its job where it is approved. Answers its uid."""
        given = {"DB_PASSWORD": b"s3cr3t-DB-pass!"} if values is None and request_kind == "patch" else values or {}

        def verb(tx: Tx) -> str:
            place = tx.get(Connection, connection) if connection is not None else None
            until = timedelta(seconds=APPROVED)
            row = tx.add(
                Request(
                    **{
                        "uid": tx.ids.uid(),
                        "organization_id": self.organization.id,
                        "requester_id": (by or self.ada).id,
                        "kind": request_kind,
                        "status": "approved" if approved else "pending",
                        "justification": "The database moves tonight.",
                        "workflow_id": self.workflow(tx).id,
                        "explanation": {},
                        "connection_id": connection,
                        "provider_type": place.provider_type if place is not None else "vault",
                        "provider_config": {},
                        "secret_ref": "apps/shop",
                        "keys": sorted(given) or ["DB_PASSWORD"],
                        "environment_name": "production",
                        "expires_at": tx.now + until,
                        "created_at": tx.now,
                        "updated_at": tx.now,
                        "approved_at": tx.now if approved else None,
                        **facts,
                    }
                )
            )
            for name, value in given.items():
                keeping.put(tx, row, "in", name, Secret(value), refreshing.created(tx, row))
            if approved:
                refreshing.approved(tx, row)
                creating.create(tx, Asked(request_kind, row.organization_id, row, place, agent_scope=agent_scope or {}))
            return row.uid

        found: str = self.act(verb)
        return found

    def change(self, uid: str, **values: Any) -> None:
        """Have a request stand otherwise, as its room would."""
        self.act(lambda tx: tx.execute(update(Request).where(Request.uid == uid).values(**values)))

    def requested(self, uid: str) -> Request:
        found = self.db.read_sync(lambda tx: tx.first(select(Request).where(Request.uid == uid)))
        assert found is not None
        return found

    def job(self, request_uid: str) -> BrokerJob:
        """The job of a request."""
        number = self.requested(request_uid).job_id
        found = self.db.read_sync(lambda tx: tx.get(BrokerJob, number))
        assert found is not None
        return found

    def carried(self, request_uid: str) -> Job:
        ledger_id = self.job(request_uid).ledger_id
        assert ledger_id is not None
        return self.db.read_sync(jobs.get, ledger_id)

    def wraps(self, request_uid: str) -> list[Wrap]:
        number = self.requested(request_uid).id
        asked = select(Wrap).where(Wrap.request_id == number).order_by(Wrap.id)
        return self.db.read_sync(lambda tx: list(tx.scalars(asked)))

    def wrap(self, request_uid: str) -> str:
        """The uid of the only value of a request."""
        (found,) = self.wraps(request_uid)
        return found.uid

    def read(self, request_uid: str, wrap_uid: str, by: User | None = None) -> bytes:
        """A delivered value, as the requester gets it."""
        given = self.act(taking.for_requester, request_uid, wrap_uid, by=by)
        found: bytes = given.value.reveal()
        return found

    def part(self, agent: YardAgent) -> Agent:
        found = self.db.read_sync(lambda tx: tx.first(select(Agent).where(Agent.worker_id == agent.worker.id)))
        assert found is not None
        return found

    def lapse(self) -> int:
        """Every lease ends, and the ledger looks."""
        self.clock.advance(kind.LEASE_SECONDS + 1)
        return self.db.write_sync(jobs.requeue_lapsed)

    def told(self, prefix: str = "") -> list[dict[str, Any]]:
        """The audit trail of some actions, oldest first."""
        asked = select(audit_events).order_by(audit_events.c.id)
        found = [dict(row) for row in self.db.read_sync(lambda tx: tx.execute(asked).mappings().all())]
        for one in found:
            one["detail"] = json.loads(one["detail"]) if isinstance(one["detail"], str) else one["detail"]
        return [one for one in found if one["action"].startswith(prefix)]
