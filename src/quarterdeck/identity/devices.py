"""Programs that are let in by the browser: they make a code, ask with it until somebody who is signed in approves.

The contract (infra §2.1) has the program make its code itself and send a person to a page with it, so anybody can send
anybody such an address. Therefore a login lives ten minutes, says whence it was asked, and is approved by hand.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from sqlalchemy import func, select

from quarterdeck.identity import organizations, sessions, signing_in
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import DeviceLogin, Organization, User, UserSession
from quarterdeck.identity.sessions import Opened, token_hash
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, RateLimited
from quarterdeck.kernel.limits import counted_as

LIFE = timedelta(minutes=10)
WAITING_OF_ONE = 20
"""How many logins of one address may wait at a time: each is a row that a stranger makes."""
KINDS = ("device", "renewal")
CODE = re.compile(r"[A-Za-z0-9_-]{32,128}")

State = Literal["unknown", "waiting", "approved", "ended", "expired"]


def check(code: str) -> str:
    """Raise `Invalid` (`device_code_malformed`) for what is no code: a UUID, or as hard to guess."""
    if not CODE.fullmatch(code):
        raise Invalid(
            "This is no device code.",
            code="device_code_malformed",
            hint="Start the login of the program again, and open the address that it prints.",
            field="device_code",
        )
    return code


def find(tx: Tx, code: str) -> DeviceLogin | None:
    return tx.first(select(DeviceLogin).where(DeviceLogin.hash == token_hash(check(code))))


def state(tx: Tx, login: DeviceLogin | None) -> State:
    """`unknown` is one that nobody has asked with yet."""
    if login is None:
        return "unknown"
    if login.ended_at is not None:
        return "ended"
    if login.expires_at <= tx.now:
        return "expired"
    if login.approved_at is not None:
        return "approved"
    return "waiting"


def waits(tx: Tx, code: str) -> bool:
    """Whether there is nothing to do for a program that asks: it has asked before, and nobody has answered."""
    login = find(tx, code)
    return login is not None and login.asked_at is not None and state(tx, login) == "waiting"


def exchange(tx: Tx, code: str, user_agent: str | None) -> Opened | None:
    """A session for the program whose code it is, once; None while nobody has approved it.

    Raises `Invalid` (`device_login_ended`, `device_login_expired`), `Forbidden` for somebody who may not act any more,
    and `RateLimited` when one address has too many that wait.
    """
    login = _locked(tx, code)
    if login is None:
        _few_enough(tx)
        login = _new(tx, code)
    if login.asked_at is None:
        login.asked_at, login.address, login.user_agent = tx.now, whence(tx), (user_agent or "")[:300] or None
    _still(tx, login)
    if login.approved_at is None:
        return None
    login.ended_at = tx.now
    session = tx.get(UserSession, login.session_id or 0)
    user = tx.get(User, login.user_id or 0)
    organization = tx.get(Organization, login.organization_id or 0)
    if (
        session is None
        or session.revoked_at is not None
        or user is None
        or organization is None
        or not user.active
        or organization not in organizations.of_user(tx, user.id)
    ):
        raise Forbidden(
            "Who approved this login has signed out, or may not act here any more.", hint="Start the login again."
        )
    opened = signing_in.begin(tx, user, organization, kinds=KINDS, client_kind="cli", user_agent=login.user_agent)
    # What an identity provider vouched for stays bound to it, and ends when that says so.
    opened.session.external_account_id = session.external_account_id
    opened.session.external_session = session.external_session
    return opened


def approve(tx: Tx, code: str) -> None:
    """Let the program act as the caller; approving again is a success. Raises as `exchange`, and `Conflict`
    (`device_login_taken`) when somebody else has.
    """
    sessions.require_in_person(tx.principal)
    login = _locked(tx, code) or _new(tx, code)
    _still(tx, login)
    if login.approved_at is not None:
        if login.user_id != tx.principal.id:
            raise Conflict(
                "Somebody else has approved this login.", code="device_login_taken", hint="Start the login again."
            )
        return
    session = tx.one(select(UserSession).where(UserSession.uid == tx.principal.credential), what="session of yours")
    login.user_id, login.organization_id, login.session_id = tx.principal.id, session.organization_id, session.id
    login.approved_at = tx.now
    _note(tx, login, IdentityAction.DEVICE_APPROVED)


def refuse(tx: Tx, code: str) -> None:
    """End a login that waits; refusing again is a success. Raises `Conflict` when somebody else has approved it."""
    sessions.require_in_person(tx.principal)
    login = _locked(tx, code) or _new(tx, code)
    if login.approved_at is not None and login.user_id != tx.principal.id:
        raise Conflict("Somebody else has approved this login.", code="device_login_taken", hint="Leave it alone.")
    if login.ended_at is None:
        login.ended_at = tx.now
        _note(tx, login, IdentityAction.DEVICE_REFUSED)


def _locked(tx: Tx, code: str) -> DeviceLogin | None:
    tx.lock(f"device-login:{token_hash(check(code))}")
    return find(tx, code)


def _new(tx: Tx, code: str) -> DeviceLogin:
    return tx.add(
        DeviceLogin(
            hash=token_hash(code),
            user_id=None,
            organization_id=None,
            session_id=None,
            address=None,
            user_agent=None,
            asked_at=None,
            approved_at=None,
            ended_at=None,
            expires_at=tx.now + LIFE,
        )
    )


def _still(tx: Tx, login: DeviceLogin) -> None:
    found = state(tx, login)
    if found == "ended":
        raise Invalid(
            "This login is over: it was refused, or the program is in already.",
            code="device_login_ended",
            hint="Start the login again.",
        )
    if found == "expired":
        raise Invalid(
            "Nobody approved this login within ten minutes.",
            code="device_login_expired",
            hint="Start the login again, and open the address that it prints.",
        )


def _few_enough(tx: Tx) -> None:
    here = (DeviceLogin.address == whence(tx), DeviceLogin.asked_at > tx.now - LIFE)
    waiting = tx.execute(select(func.count()).select_from(DeviceLogin).where(*here)).scalar() or 0
    if waiting >= WAITING_OF_ONE:
        raise RateLimited(
            "Too many logins of this address wait to be approved.",
            retry_after=int(LIFE.total_seconds()),
            limit=f"{WAITING_OF_ONE} per 10 minutes",
        )


def whence(tx: Tx) -> str:
    """The address that the request of this unit comes from, as it is counted: of IPv6 the network."""
    return counted_as(tx.context.address or "-")[:100]


def _note(tx: Tx, login: DeviceLogin, action: IdentityAction) -> None:
    audit.record(
        tx,
        action,
        resource_type="device-login",
        resource_id=login.hash[:16],
        detail={"address": login.address, "userAgent": login.user_agent},
    )
    events.append(
        tx,
        f"device-login:{login.hash[:16]}",
        str(action).replace(".", "-"),
        {"userId": tx.principal.uid},
        organization_id=tx.principal.organization_id,
    )
