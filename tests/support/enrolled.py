"""Workers of tests, enrolled as machines are: by a token, and with what it is exchanged for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from quarterdeck.fleet.workers import enrolment, papers, registration
from quarterdeck.fleet.workers.credentials import AccessTokens
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.papers import Papers
from quarterdeck.fleet.workers.registration import Registration
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import Secret

TOKENS = AccessTokens(Secret(b"the key of an installation in a test"))
"""What signs where no instance does."""


@dataclass(frozen=True)
class Enrolled:
    """A worker with its access token and recovery secret."""

    worker: Worker
    access: Secret[str]
    recovery: Secret[str]

    @property
    def id(self) -> int:
        return self.worker.id

    @property
    def uid(self) -> str:
        return self.worker.uid

    @property
    def organization_id(self) -> int:
        return self.worker.organization_id

    def settle(self, directory: Path, server: str) -> None:
        """Leave in a data directory what `qd worker` keeps there once it is enrolled."""
        directory.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        kept = Papers(
            server=server,
            machine_id=self.uid,
            access_token=self.access.reveal(),
            issued_at=now,
            expires_at=now + timedelta(hours=24),
            recovery_secret=self.recovery.reveal(),
        )
        papers.save(directory, kept)


def enrolled(
    tx: Tx,
    capabilities: Iterable[str] = ("deploy",),
    *,
    organization_id: int | None = None,
    tokens: AccessTokens = TOKENS,
    name: str = "shed",
) -> Enrolled:
    """A worker of an organization, of a new one where none is named."""
    before = tx.context
    _, token = enrolment.create(tx, organization_id or organization(tx), capabilities)
    admitted = registration.register(tx, tokens, Registration(token, name=name, slots=2))
    tx.context = before
    assert admitted.recovery is not None
    return Enrolled(admitted.worker, admitted.access, admitted.recovery)


def organization(tx: Tx, name: str = "Acme") -> int:
    """The row id of a new one."""
    made = tx.add(
        Organization(uid=tx.ids.uid(), ref=tx.ids.ref("org"), name=name, slug=tx.ids.text(8), created_at=tx.now)
    )
    tx.flush()
    return int(made.id)
