"""How a foreign runner proves itself: its id and its token, with each request (contract: infra §2.3)."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.fleet.workers.enrolment import digest, same
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.infra.runners.model import Runner
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Unauthenticated
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret

NOBODY = digest("")
"""Compared with where there is nothing to compare with, so that a known id takes no longer than an unknown one."""


def runner(tx: Tx, uid: str, token: str) -> tuple[Worker, Runner]:
    """The runner with this id and token. Raises `Unauthenticated` (`runner_token_invalid`), the same for an unknown id
    as for a wrong token.
    """
    found = tx.session.execute(
        select(Worker, Runner).join(Runner, Runner.worker_id == Worker.id).where(Worker.uid == _id(uid))
    )
    row = found.first()
    proven = same(token, NOBODY if row is None or row[1].token_hash is None else row[1].token_hash)
    if row is None or row[1].token_hash is None or not proven or row[0].revoked_at is not None:
        raise Unauthenticated(
            "Invalid worker ID or token", code="runner_token_invalid", hint="Register the runner again."
        )
    return row[0], row[1]


def authenticate(tx: Tx, uid: str, token: str) -> Principal:
    """The same as whom it acts."""
    return principal(runner(tx, uid, token)[0])


def caller(tx: Tx) -> tuple[Worker, Runner]:
    """The runner that the unit acts for, as its rows are now. Raises `Unauthenticated` where it was removed."""
    row = tx.session.execute(
        select(Worker, Runner)
        .join(Runner, Runner.worker_id == Worker.id)
        .where(Worker.id == tx.principal.id, Worker.revoked_at.is_(None))
    ).first()
    if tx.principal.kind != "runner" or row is None:
        raise Unauthenticated(
            "Invalid worker ID or token", code="runner_token_invalid", hint="Register the runner again."
        )
    return row[0], row[1]


def principal(worker: Worker) -> Principal:
    return Principal(
        kind="runner", id=worker.id, uid=worker.uid, label=worker.name, organization_id=worker.organization_id
    )


def new_token(tx: Tx) -> Secret[str]:
    """32 random bytes as hexadecimal digits; only their hash is kept."""
    return Secret(tx.ids.token(32))


def _id(text: str) -> str:
    return text.lower() if len(text) == 36 else ""
