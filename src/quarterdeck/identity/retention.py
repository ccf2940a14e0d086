"""What of sign-ins is kept, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from quarterdeck.identity import sessions
from quarterdeck.identity.model import SessionToken, UserSession
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register

HOUR = 3600


def old_sessions(tx: Tx, before: datetime) -> int:
    """Remove sessions that had ended by themselves before an instant, with what is left of their tokens."""
    ended = select(UserSession.id).where(UserSession.expires_at < before)
    tx.execute(delete(SessionToken).where(SessionToken.session_id.in_(ended)))
    return int(tx.execute(delete(UserSession).where(UserSession.expires_at < before)).rowcount)  # type: ignore[attr-defined]


async def _tokens(instance: Any, _before: datetime) -> int:
    return int(await instance.db.write(sessions.prune))


async def _sessions(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(old_sessions, before))


register(Category("session-tokens", "Tokens of sessions that have expired", timedelta(0), _tokens, every=HOUR))
register(Category("sessions", "Sessions that have ended, as history", timedelta(days=180), _sessions))
