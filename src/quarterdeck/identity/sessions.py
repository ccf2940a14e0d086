"""Sessions and their tokens: opaque, stored as hashes, revocable at once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from quarterdeck.identity import users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import DeviceLogin, Link, Organization, SessionToken, User, UserSession
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, NotFound, Unauthenticated
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret

LIFE = {
    "session": timedelta(days=7),
    "access": timedelta(minutes=15),
    "long": timedelta(hours=24),
    "refresh": timedelta(days=7),
    "broker": timedelta(hours=8),
    "device": timedelta(hours=1),
    "renewal": timedelta(days=90),
}
IDLE = {"broker": timedelta(minutes=30)}
"""For how long a token may lie unused (contract: broker §2); each use is noted to the minute."""
USE_NOTED = timedelta(minutes=1)
API_KINDS = ("access", "refresh", "long")
"""Tokens of a session of the API: for 15 minutes, for a week to be exchanged, for 24 hours."""
EXCHANGED = ("refresh", "renewal")
"""Tokens that only get others; they open no door themselves."""
DEVICE_LOGINS_KEPT = timedelta(days=1)
PREFIX = "qd_"


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session with the tokens that were asked for, each shown this once."""

    session: UserSession
    user: User
    organization: Organization
    tokens: dict[str, Secret[str]]
    expires_at: datetime


def open_session(
    tx: Tx,
    user: User,
    organization: Organization,
    *,
    kinds: tuple[str, ...],
    client_kind: str,
    user_agent: str | None = None,
) -> Opened:
    """Start a session with one token of each kind (see `LIFE`); it lasts a week, or as long as its longest token."""
    session = tx.add(
        UserSession(
            uid=tx.ids.uid(),
            user_id=user.id,
            organization_id=organization.id,
            client_kind=client_kind,
            address=tx.context.address,
            user_agent=(user_agent or "")[:300] or None,
            created_at=tx.now,
            expires_at=tx.now + max(LIFE[kind] for kind in ("session", *kinds)),
            revoked_at=None,
            external_account_id=None,
            external_session=None,
        )
    )
    user.last_sign_in_at = tx.now
    tokens = {kind: _issue(tx, session, kind) for kind in kinds}
    return Opened(session, user, organization, tokens, session.expires_at)


def _issue(tx: Tx, session: UserSession, kind: str) -> Secret[str]:
    token = PREFIX + tx.ids.token(32)
    tx.add(
        SessionToken(
            hash=token_hash(token),
            session_id=session.id,
            kind=kind,
            expires_at=min(tx.now + LIFE[kind], session.expires_at),
            used_at=tx.now if kind in IDLE else None,
        )
    )
    return Secret(token)


def authenticate(tx: Tx, token: str) -> Principal | None:
    """The principal behind a session, access, long, broker or device token; None for anything unknown, ended, revoked
    or left unused for too long.
    """
    found = presented(tx, token)
    return found and found[0]


def presented(tx: Tx, token: str) -> tuple[Principal, bool] | None:
    """As `authenticate`, with whether the token's use is worth a note (`note_use`)."""
    row = tx.execute(
        select(
            SessionToken.kind,
            SessionToken.used_at,
            User.id,
            User.uid,
            User.username,
            User.active,
            UserSession.uid.label("session_uid"),
            UserSession.organization_id,
            UserSession.external_account_id,
        )
        .join(UserSession, UserSession.user_id == User.id)
        .join(SessionToken, SessionToken.session_id == UserSession.id)
        .where(
            SessionToken.hash == token_hash(token),
            SessionToken.kind.not_in(EXCHANGED),
            SessionToken.expires_at > tx.now,
            UserSession.expires_at > tx.now,
            UserSession.revoked_at.is_(None),
        )
    ).first()
    if row is None or not row.active:
        return None
    idle = IDLE.get(row.kind)
    if idle is not None and (row.used_at is None or row.used_at <= tx.now - idle):
        return None
    principal = Principal(
        kind="user",
        id=row.id,
        uid=row.uid,
        label=row.username,
        organization_id=row.organization_id,
        credential=row.session_uid,
        vouched=row.external_account_id is not None,
    )
    return principal, idle is not None and row.used_at < tx.now - USE_NOTED


def only_exchanges(tx: Tx, token: str) -> bool:
    """Whether a token that opens no door gets others, or did: somebody has sent the wrong one of two."""
    kind = tx.execute(select(SessionToken.kind).where(SessionToken.hash == token_hash(token))).scalar()
    return kind in EXCHANGED


def note_use(tx: Tx, token: str) -> None:
    """Remember that a token which may not lie unused was used just now; one that has ended meanwhile stays ended."""
    for kind, idle in IDLE.items():
        mine = (SessionToken.hash == token_hash(token), SessionToken.kind == kind)
        tx.execute(update(SessionToken).where(*mine, SessionToken.used_at > tx.now - idle).values(used_at=tx.now))


def refresh(tx: Tx, token: str) -> Opened | None:
    """Exchange a refresh token for a new pair. A token used before ends the whole session: it was stolen or replayed.

    Returns None then (the revocation must commit, so nothing is raised here).
    """
    query = select(SessionToken).where(SessionToken.hash == token_hash(token), SessionToken.kind == "refresh")
    row = tx.first(query)
    if row is not None:
        tx.lock(f"session:{row.session_id}")  # two that come with one token at once: one of them is the thief
        tx.session.expire(row)
        row = tx.first(query)
    if row is None or row.expires_at <= tx.now:
        raise Unauthenticated(
            "The refresh token is not valid any more.", hint="Sign in again.", code="product_auth_invalid"
        )
    session = tx.get(UserSession, row.session_id)
    if session is None or session.revoked_at is not None:
        raise Unauthenticated("The session has ended.", hint="Sign in again.", code="product_auth_invalid")
    if row.used_at is not None:
        revoke_row(tx, session)
        audit.record(
            tx,
            IdentityAction.REFRESH_REUSED,
            resource_type="session",
            resource_id=session.uid,
            organization_id=session.organization_id,
            outcome="denied",
            detail={"address": session.address},
        )
        return None
    row.used_at = tx.now
    user, organization = tx.get(User, session.user_id), tx.get(Organization, session.organization_id)
    if user is None or organization is None or not user.active:
        raise Unauthenticated("The session has ended.", hint="Sign in again.", code="product_auth_invalid")
    return _renewed(tx, session, user, organization, API_KINDS)


def renew(tx: Tx, token: str) -> Opened:
    """Another device token for a renewal token, which stays: the programs that have one keep it for good.

    Raises `Unauthenticated`, with the code `token_type_wrong` for a token of another kind.
    """
    row = tx.first(select(SessionToken).where(SessionToken.hash == token_hash(token)))
    session = tx.get(UserSession, row.session_id) if row is not None and row.expires_at > tx.now else None
    user = tx.get(User, session.user_id) if session is not None and session.revoked_at is None else None
    organization = tx.get(Organization, session.organization_id) if session is not None else None
    if row is None or session is None or user is None or organization is None or not user.active:
        raise Unauthenticated("This refresh token is not valid.", hint="Log in again.", code="product_auth_invalid")
    if row.kind != "renewal":
        raise Unauthenticated(
            "This is no refresh token of a program.", hint="Send the refresh token.", code="token_type_wrong"
        )
    return _renewed(tx, session, user, organization, ("device",))


def _renewed(tx: Tx, session: UserSession, user: User, organization: Organization, kinds: tuple[str, ...]) -> Opened:
    tx.act_as(users.principal(user, organization.id, session.uid))
    tokens = {kind: _issue(tx, session, kind) for kind in kinds}
    audit.record(tx, IdentityAction.REFRESHED, resource_type="session", resource_id=session.uid)
    return Opened(session, user, organization, tokens, session.expires_at)


def revoke_row(tx: Tx, session: UserSession) -> None:
    session.revoked_at = session.revoked_at or tx.now
    tx.execute(delete(SessionToken).where(SessionToken.session_id == session.id, SessionToken.kind.not_in(EXCHANGED)))


def require_in_person(principal: Principal) -> None:
    """A token of a program makes and changes no credentials, and gives nothing away. Raises `Forbidden`
    (`session_required`).
    """
    if principal.by_token:
        raise Forbidden(
            "A token of a program cannot do this.",
            code="session_required",
            hint="Sign in, and do it with your session.",
        )


FRESH = timedelta(minutes=15)


def require_fresh(tx: Tx) -> None:
    """Raise `Forbidden` (`session_not_fresh`) unless the caller has signed in a moment ago: where a link for a
    forgotten password goes is not for whoever finds a browser open.
    """
    require_in_person(tx.principal)
    session = tx.first(select(UserSession).where(UserSession.uid == tx.principal.credential))
    if session is None or session.created_at < tx.now - FRESH:
        raise Forbidden(
            "Your sign-in is too long ago for this.", code="session_not_fresh", hint="Sign in again, then repeat it."
        )


def bound() -> Forbidden:
    return Forbidden(
        "An identity provider vouched for this session, and it speaks for its own organization alone.",
        code="session_bound",
        hint="Sign in with your password, or with a provider of the other organization.",
    )


def revoke(tx: Tx, session_uid: str) -> UserSession:
    """End one of the caller's own sessions. Ending it again is a success."""
    session = tx.first(select(UserSession).where(UserSession.uid == session_uid))
    if session is None:
        raise NotFound(f"There is no session {session_uid[:40]}.")
    if session.user_id != tx.principal.id:
        raise Forbidden("You may end your own sessions only.")
    if session.revoked_at is not None:
        return session
    revoke_row(tx, session)
    audit.record(
        tx,
        IdentityAction.SIGNED_OUT if session_uid == tx.principal.credential else IdentityAction.SESSION_REVOKED,
        resource_type="session",
        resource_id=session_uid,
    )
    return session


def sign_out(tx: Tx, refresh_token: str | None = None) -> None:
    """End the caller's session, and the one that a refresh token of theirs belongs to. What it names is not told.

    Raises `Forbidden` (`session_required`) for a token of a program that names no session of its owner.
    """
    named = (
        select(UserSession.uid)
        .join(SessionToken, SessionToken.session_id == UserSession.id)
        .where(
            SessionToken.hash == token_hash(refresh_token or ""),
            SessionToken.kind.in_(EXCHANGED),
            UserSession.user_id == tx.principal.id,
            UserSession.revoked_at.is_(None),
        )
    )
    found = {str(uid) for uid in tx.execute(named).scalars()}
    if not tx.principal.by_token and tx.principal.credential:
        found.add(tx.principal.credential)
    elif refresh_token is None:
        raise Forbidden(
            "A token has no session that could end.", code="session_required", hint="Revoke the token in your profile."
        )
    for uid in sorted(found):
        revoke(tx, uid)


def switch(tx: Tx, organization: Organization) -> None:
    """Act in another organization by the session of the caller from here on. The caller checks membership."""
    session = tx.first(select(UserSession).where(UserSession.uid == tx.principal.credential))
    if session is None:
        raise Forbidden(
            "Only a session can change its organization.",
            hint="Sign in; a token stays in the organization it was made in.",
        )
    if session.organization_id != organization.id:
        if session.external_account_id is not None:
            raise bound()
        session.organization_id = organization.id
        audit.record(
            tx,
            IdentityAction.ORGANIZATION_SWITCHED,
            resource_type="session",
            resource_id=session.uid,
            organization_id=organization.id,
        )


def current(tx: Tx) -> UserSession | None:
    """The session of the caller, while it lasts; None for any other credential."""
    if tx.principal.credential is None:
        return None
    session = tx.first(select(UserSession).where(UserSession.uid == tx.principal.credential))
    lasts = session is not None and session.revoked_at is None and session.expires_at > tx.now
    return session if lasts else None


def own(tx: Tx, user_id: int) -> list[UserSession]:
    """The live sessions of a user, newest first."""
    return list(
        tx.scalars(
            select(UserSession)
            .where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None), UserSession.expires_at > tx.now)
            .order_by(UserSession.id.desc())
        )
    )


def prune(tx: Tx) -> int:
    """Remove tokens and links that have ended, and device logins a day after; sessions stay as history."""
    removed = 0
    for kind, before in ((SessionToken, tx.now), (Link, tx.now), (DeviceLogin, tx.now - DEVICE_LOGINS_KEPT)):
        removed += int(tx.execute(delete(kind).where(kind.expires_at <= before)).rowcount)  # type: ignore[attr-defined]
    return removed


class Signer:
    """The signed forms of a session's token: `<token>.<signature>`, which the deploy surface documents, and a JWT
    (HS256) that carries the token, for programs that read in it when it ends. Both stand for the token and end with it.
    """

    def __init__(self, key: Secret[bytes]) -> None:
        self._key = key

    def sign(self, token: Secret[str]) -> str:
        value = token.reveal()
        return f"{value}.{self._signature(value)}"

    def plain(self, presented: str) -> str | None:
        """The bare token of any form; None when a signature is there and wrong."""
        if presented.count(".") == 2:
            return self._carried(presented)
        token, dot, signature = presented.partition(".")
        # As bytes: a comparison of texts beyond ASCII is an error, and a header may hold anything.
        if dot and not hmac.compare_digest(signature.encode(), self._signature(token).encode()):
            return None
        return token

    def jwt(self, token: Secret[str], claims: Mapping[str, Any]) -> str:
        """A JWT with these claims, and the token as its `jti`."""
        parts = ({"alg": "HS256", "typ": "JWT"}, {**claims, "jti": token.reveal()})
        body = ".".join(_base64(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
        return f"{body}.{_base64(self._mac(body))}"

    def _carried(self, presented: str) -> str | None:
        body, _, signature = presented.rpartition(".")
        if not hmac.compare_digest(signature.encode(), _base64(self._mac(body)).encode()):
            return None
        payload = body.partition(".")[2]
        token = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"]
        return str(token)

    def _mac(self, text: str) -> bytes:
        return hmac.new(self._key.reveal(), text.encode(errors="surrogatepass"), hashlib.sha256).digest()

    def _signature(self, token: str) -> str:
        return hmac.new(self._key.reveal(), token.encode(), hashlib.sha256).hexdigest()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
