"""What platforms have delivered: they deliver again what was not answered in time, and nobody shall act twice."""

from __future__ import annotations

import hashlib

from sqlalchemy import update

from quarterdeck.kernel.db import Tx
from quarterdeck.notify.bots.model import Received


def digest(bot_id: int, message_id: str) -> str:
    return hashlib.sha256(f"{bot_id}:{message_id}".encode()).hexdigest()


def first(tx: Tx, bot_id: int, message_id: str) -> bool:
    """Whether a message comes for the first time; from here on it has come."""
    named = digest(bot_id, message_id)
    tx.lock(f"notify-received:{named}")
    if tx.session.get(Received, named) is not None:
        return False
    tx.add(Received(digest=named, bot_id=bot_id, received_at=tx.now, done_at=None))
    return True


def once(tx: Tx, named: str) -> bool:
    """Whether what a message (its digest) asks for is still to be done; from here on it is done."""
    waiting = update(Received).where(Received.digest == named, Received.done_at.is_(None))
    return bool(tx.execute(waiting.values(done_at=tx.now)).rowcount)  # type: ignore[attr-defined]
