"""Data keys that agents are given to seal with what they have read (contract: broker §3.3): each for its agent and its
job, once, and for a few minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, select, update

from quarterdeck.broker.sealing.agreement import KEY, NONCE, Unsealable
from quarterdeck.broker.sealing.keys import data_key_wrapper
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.wraps.model import DataKey
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.vault import Secret

LIFE = timedelta(minutes=5)
MOST = 500
"""Unused ones of one agent."""
ANY = 0
"""As the job of a key: each that its agent held when it was given it. The call names none."""


@dataclass(frozen=True, slots=True)
class Issued:
    plaintext: Secret[bytes]
    ciphertext: bytes
    key_id: str


def issue(tx: Tx, worker_id: int | None, held: Sequence[BrokerJob]) -> Issued:
    """A key for an agent that holds these `read` jobs. Raises `Conflict` (`no_read_job_held`, `too_many_data_keys`) and
    what the vault raises.
    """
    if not held:
        raise Conflict(
            "This agent holds no job that reads.", code="no_read_job_held", hint="Claim one before you ask for a key."
        )
    tx.lock(f"broker-data-keys:{worker_id or 0}")
    unused = (DataKey.worker_id.is_not_distinct_from(worker_id), DataKey.used_at.is_(None), DataKey.expires_at > tx.now)
    if int(tx.execute(select(func.count()).select_from(DataKey).where(*unused)).scalar_one()) >= MOST:
        raise Conflict(
            f"{MOST} data keys of this agent are unused.",
            code="too_many_data_keys",
            hint="Use them, or wait until they end.",
        )
    wrapper, plain = data_key_wrapper(tx), tx.ids.randbytes(KEY)
    wrapped = wrapper.wrap(plain, tx.ids.randbytes(NONCE))
    tx.add(
        DataKey(
            uid=tx.ids.uid(),
            worker_id=worker_id,
            job_id=held[0].id if len(held) == 1 else ANY,
            digest=_digest(wrapped),
            created_at=tx.now,
            expires_at=tx.now + LIFE,
        )
    )
    return Issued(Secret(plain), wrapped, wrapper.key_id)


def spend(tx: Tx, worker_id: int | None, job: BrokerJob, wrapped: bytes, key_id: str | None) -> Secret[bytes]:
    """The key behind its wrapped form, which counts from now on no more. Raises `Invalid` (`data_key_invalid`), in the
    same words for one that is unknown, another agent's, for another job, used or over; and what the vault raises.
    """
    won = tx.execute(
        update(DataKey)
        .where(
            DataKey.digest == _digest(wrapped),
            DataKey.worker_id.is_not_distinct_from(worker_id),
            DataKey.job_id.in_((job.id, ANY)),
            DataKey.used_at.is_(None),
            DataKey.expires_at > tx.now,
            DataKey.created_at >= job.claimed_at,
        )
        .values(used_at=tx.now)
    )
    if not won.rowcount:  # type: ignore[attr-defined]  # an UPDATE has one
        raise _invalid()
    try:
        return Secret(data_key_wrapper(tx).unwrap(wrapped, key_id))
    except Unsealable:
        raise _invalid() from None


def forget(tx: Tx, limit: int) -> int:
    """Remove those that count no more. Answers how many."""
    found = [row[0] for row in tx.execute(select(DataKey.id).where(DataKey.expires_at <= tx.now - LIFE).limit(limit))]
    if found:
        tx.execute(delete(DataKey).where(DataKey.id.in_(found)))
    return len(found)


def _digest(wrapped: bytes) -> str:
    return hashlib.sha256(wrapped).hexdigest()


def _invalid() -> Invalid:
    return Invalid(
        "envelope: the data key is not one that counts for this job.",
        code="data_key_invalid",
        hint="Ask for another one while you hold the job, and use it once.",
        field="envelope.dek_ciphertext",
    )
