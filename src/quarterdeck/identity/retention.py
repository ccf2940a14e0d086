"""What of sign-ins is kept, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select

from quarterdeck.identity import sessions
from quarterdeck.identity.model import DeployToken, Invitation, PersonalToken, SessionToken, UserSession
from quarterdeck.identity.oidc.model import OidcNotice, OidcRequest
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register

HOUR = 3600


def old_sessions(tx: Tx, before: datetime) -> int:
    """Remove sessions that had ended by themselves before an instant, with what is left of their tokens."""
    ended = select(UserSession.id).where(UserSession.expires_at < before)
    tx.execute(delete(SessionToken).where(SessionToken.session_id.in_(ended)))
    return int(tx.execute(delete(UserSession).where(UserSession.expires_at < before)).rowcount)  # type: ignore[attr-defined]


async def _tokens(instance: Any, _before: datetime) -> int:
    return int(await instance.db.write(sessions.prune)) + int(await instance.db.write(ended_requests))


def ended_requests(tx: Tx) -> int:
    """Remove sign-ins that never came back from their provider, and notices that could not be replayed any more."""
    removed = 0
    for kind in (OidcRequest, OidcNotice):
        removed += int(tx.execute(delete(kind).where(kind.expires_at <= tx.now)).rowcount)  # type: ignore[attr-defined]
    return removed


def ended_tokens(tx: Tx, before: datetime) -> int:
    """Remove tokens of people and of pipelines that had been revoked, or had expired, before an instant."""
    removed = 0
    for kind in (PersonalToken, DeployToken):
        over = or_(kind.revoked_at < before, kind.expires_at < before)
        removed += int(tx.execute(delete(kind).where(over)).rowcount)  # type: ignore[attr-defined]
    return removed


def ended_invitations(tx: Tx, before: datetime) -> int:
    """Remove invitations that were over before an instant; who accepted stays a member."""
    return int(tx.execute(delete(Invitation).where(Invitation.expires_at < before)).rowcount)  # type: ignore[attr-defined]


async def _credentials(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(ended_tokens, before))


async def _invitations(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(ended_invitations, before))


async def _sessions(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(old_sessions, before))


register(
    Category(
        "session-tokens",
        "Tokens of sessions and links that have expired, and logins of programs a day after",
        timedelta(0),
        _tokens,
        every=HOUR,
    )
)
register(Category("tokens", "Tokens that were revoked or have expired, as history", timedelta(days=180), _credentials))
register(Category("invitations", "Invitations that are over", timedelta(days=180), _invitations))
register(Category("sessions", "Sessions that have ended, as history", timedelta(days=180), _sessions))
