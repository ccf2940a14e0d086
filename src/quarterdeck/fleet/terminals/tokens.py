"""Channel tokens: opaque, kept as hashes, good once, briefly, for one subject and one caller (contract: tasks §5)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select, update

from quarterdeck.fleet.terminals.model import ChannelToken
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import Secret

PREFIX = "qd_pty_"
LIFE = timedelta(seconds=60)
Mode = Literal["control", "watch"]


class TerminalAction(audit.Action):
    TOKEN_ISSUED = "terminal.token-issued"  # noqa: S105 - the name of an act
    TAKEN = "terminal.taken"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def for_viewer(
    tx: Tx, subject: str, organization_id: int, mode: Mode, life: timedelta = LIFE
) -> tuple[ChannelToken, Secret[str]]:
    """For the caller, who was found to have the right: whoever calls this has asked."""
    row, token = _issue(tx, subject, organization_id, mode, life)
    row.user_id = tx.principal.id
    kind, _, resource_id = subject.partition(":")
    audit.record(
        tx,
        TerminalAction.TOKEN_ISSUED,
        resource_type=kind,
        resource_id=resource_id,
        organization_id=organization_id,
        detail={"mode": mode},
    )
    return row, token


def for_worker(
    tx: Tx,
    subject: str,
    organization_id: int,
    worker_id: int,
    attempt: int,
    life: timedelta = LIFE,
    *,
    fence: int = 0,
) -> Secret[str]:
    """For the worker that runs an attempt, which is the job `fence`."""
    row, token = _issue(tx, subject, organization_id, "worker", life)
    row.worker_id, row.attempt, row.fence = worker_id, attempt, fence
    return token


def _issue(tx: Tx, subject: str, organization_id: int, mode: str, life: timedelta) -> tuple[ChannelToken, Secret[str]]:
    token = PREFIX + tx.ids.token(32)
    row = ChannelToken(
        uid=tx.ids.uid(),
        hash=_digest(token),
        organization_id=organization_id,
        subject=subject,
        mode=mode,
        created_at=tx.now,
        expires_at=tx.now + life,
    )
    tx.add(row)
    return row, Secret(token)


def redeem_by_user(tx: Tx, token: str, subject: str, user_id: int) -> ChannelToken | None:
    """Use the token up. None where it is none, was used, has expired, or is somebody else's or something else's: then
    it is left as it is.
    """
    return _redeem(tx, token, ChannelToken.subject == subject, ChannelToken.user_id == user_id)


def redeem_by_worker(tx: Tx, token: str, subject: str, worker_id: int) -> ChannelToken | None:
    """As `redeem_by_user`; `attempt` of the answer is the one that may be reported of."""
    return _redeem(tx, token, ChannelToken.subject == subject, ChannelToken.worker_id == worker_id)


def _redeem(tx: Tx, token: str, *bound: object) -> ChannelToken | None:
    mine = (ChannelToken.hash == _digest(token), *bound)
    used = tx.execute(
        update(ChannelToken)
        .where(*mine, ChannelToken.used_at.is_(None), ChannelToken.expires_at > tx.now)  # type: ignore[arg-type]
        .values(used_at=tx.now)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]
        return None
    return tx.first(select(ChannelToken).where(*mine))  # type: ignore[arg-type]


def prune(tx: Tx, before: datetime, limit: int) -> int:
    """Remove tokens that expired before an instant; answers how many."""
    old = select(ChannelToken.id).where(ChannelToken.expires_at < before).limit(limit).scalar_subquery()
    return int(tx.execute(delete(ChannelToken).where(ChannelToken.id.in_(old))).rowcount)  # type: ignore[attr-defined]
