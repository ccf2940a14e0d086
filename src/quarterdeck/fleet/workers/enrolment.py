"""Enrolment tokens: `ovw_<id>_<secret>`, each good for one machine (contract: tasks §1.8, §4.1)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select

from quarterdeck.fleet.workers.actions import WorkerAction, note_token
from quarterdeck.fleet.workers.model import EnrolmentToken, Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.jobs.handlers import SERVER
from quarterdeck.kernel.text import one_line
from quarterdeck.kernel.vault import Secret

PREFIX = "ovw_"
LOCAL = "local"
"""Enrolled with this word, a worker is given what is bound to its own machine (`local:<fingerprint>`)."""
MOST = 1000
"""Tokens of an organization that can still be used."""
Status = Literal["unused", "used", "revoked", "expired"]


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def same(secret: str, kept: str) -> bool:
    """Whether a secret is the one that a hash is kept of."""
    return hmac.compare_digest(digest(secret), kept)


def create(
    tx: Tx,
    organization_id: int,
    capabilities: Iterable[str],
    *,
    label: str | None = None,
    life: timedelta | None = None,
) -> tuple[EnrolmentToken, Secret[str]]:
    """A token for one machine, whose worker may be given what needs these capabilities. Its text is answered this once.

    Raises `Invalid` (`worker_capability_invalid`) and `Conflict` (`too_many_tokens`).
    """
    wanted = sorted(set(capabilities))
    for word in wanted:
        if not word or word == SERVER or any(mark in word for mark in ",@|"):
            raise Invalid(
                f"{word!r} is not a capability that a worker can have.",
                code="worker_capability_invalid",
                hint="Name capabilities such as deploy, local, infra or tasks.",
            )
    label = one_line(label, "label", 200) if label is not None else None
    tx.lock(f"worker-tokens:{organization_id}")
    if len(unused(tx, organization_id)) >= MOST:
        raise Conflict(
            f"{MOST} enrolment tokens are still unused.", code="too_many_tokens", hint="Revoke those nobody will use."
        )
    secret = tx.ids.token(32)
    row = tx.add(
        EnrolmentToken(
            uid=tx.ids.uid(),
            organization_id=organization_id,
            label=label,
            secret_hash=digest(secret),
            capabilities=wanted,
            created_by=tx.principal.id if tx.principal.kind == "user" and tx.principal.id else None,
            created_at=tx.now,
            expires_at=None if life is None else tx.now + life,
            used_at=None,
            worker_id=None,
            revoked_at=None,
        )
    )
    tx.flush()
    note_token(tx, row, WorkerAction.TOKEN_CREATED, capabilities=wanted)
    return row, Secret(f"{PREFIX}{row.id}_{secret}")


def unused(tx: Tx, organization_id: int) -> list[EnrolmentToken]:
    """Those that still enrol somebody, oldest first."""
    return list(
        tx.scalars(
            select(EnrolmentToken)
            .where(
                EnrolmentToken.organization_id == organization_id,
                EnrolmentToken.used_at.is_(None),
                EnrolmentToken.revoked_at.is_(None),
                EnrolmentToken.expires_at.is_(None) | (EnrolmentToken.expires_at > tx.now),
            )
            .order_by(EnrolmentToken.id)
            .limit(MOST)
        )
    )


def status(token: EnrolmentToken, now: datetime) -> Status:
    """Revoked goes before used: it says what the token is worth to its holder."""
    if token.revoked_at is not None:
        return "revoked"
    if token.used_at is not None:
        return "used"
    return "expired" if token.expires_at is not None and token.expires_at <= now else "unused"


def page(tx: Tx, organization_id: int, before: int | None, limit: int) -> tuple[list[EnrolmentToken], int]:
    """Tokens newest first, those with a smaller id than `before`, and how many there are in all."""
    mine = EnrolmentToken.organization_id == organization_id
    query = select(EnrolmentToken).where(mine).order_by(EnrolmentToken.id.desc()).limit(limit)
    if before is not None:
        query = query.where(EnrolmentToken.id < before)
    total = tx.execute(select(func.count()).select_from(EnrolmentToken).where(mine)).scalar_one()
    return list(tx.scalars(query)), int(total)


def enrolled(tx: Tx, tokens: Iterable[EnrolmentToken]) -> dict[int, Worker]:
    """The workers that some tokens have enrolled, by the id of the token."""
    by_worker = {one.worker_id: one.id for one in tokens if one.worker_id is not None}
    return {by_worker[one.id]: one for one in tx.scalars(select(Worker).where(Worker.id.in_(by_worker)))}


def find(tx: Tx, organization_id: int, token_id: int | None) -> EnrolmentToken:
    """Raises `NotFound` (`worker_token_not_found`)."""
    row = tx.get(EnrolmentToken, token_id) if token_id is not None else None
    if row is None or row.organization_id != organization_id:
        raise NotFound("There is no such enrolment token.", code="worker_token_not_found", hint="See the list of them.")
    return row


def revoke(tx: Tx, organization_id: int, token_id: int | None) -> EnrolmentToken:
    """End a token; ending it again is a success. A machine that it enrolled stays."""
    row = find(tx, organization_id, token_id)
    if row.revoked_at is None:
        row.revoked_at = tx.now
        note_token(tx, row, WorkerAction.TOKEN_REVOKED)
    return row


def presented(tx: Tx, text: str) -> EnrolmentToken | None:
    """The token that a text is, held by this unit so that it is consumed once; None for anything else."""
    number, mark, secret = text.removeprefix(PREFIX).partition("_")
    well_formed = text.startswith(PREFIX) and mark and number.isascii() and number.isdigit() and len(number) <= 18
    if not well_formed:
        return None
    tx.lock(f"worker-token:{int(number)}")
    row = tx.get(EnrolmentToken, int(number))
    if row is None:
        return None
    tx.session.refresh(row)  # what was read before the lock may be old
    return row if same(secret, row.secret_hash) else None
