"""A second factor: codes of an authenticator (RFC 6238: SHA-1, six digits, 30 seconds), and some for when it is lost.

A code is good for its step and the ones beside it, and once: whoever looked over a shoulder cannot use it again.
"""

from __future__ import annotations

import base64
import hmac

import pyotp
from sqlalchemy import delete, func, select, update

from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import RecoveryCode, User
from quarterdeck.identity.sessions import require_in_person, token_hash
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid
from quarterdeck.kernel.vault import Secret

ISSUER = "Quarterdeck"
STEP = 30
BESIDE = 1
CODES = 10
_FIELD = "totp_secret"


def begin(tx: Tx, user: User) -> tuple[Secret[str], Secret[str]]:
    """The secret (base32) and its `otpauth://` address, pending until `confirm`; a pending one before it is replaced.

    Raises `Conflict` (`second_factor_enabled`).
    """
    if user.totp_enabled_at is not None:
        raise Conflict(
            "A second factor is set up already.",
            code="second_factor_enabled",
            hint="Switch it off first; an administrator can reset it.",
        )
    secret = base64.b32encode(tx.ids.randbytes(20)).decode()
    user.totp_secret = tx.vault.seal(User.__tablename__, user.uid, _FIELD, secret)
    user.totp_last_step = None
    _note(tx, user, IdentityAction.SECOND_FACTOR_BEGUN)
    return Secret(secret), _address(user, secret)


def address_again(tx: Tx, user: User, secret: Secret[str]) -> Secret[str] | None:
    """The `otpauth://` address of the pending factor, for whoever still has the secret that `begin` answered; else
    None. What is pending is never shown to somebody who did not begin it.
    """
    if user.totp_enabled_at is not None or user.totp_secret is None:
        return None
    pending = tx.vault.open(User.__tablename__, user.uid, _FIELD, user.totp_secret).reveal()
    if not hmac.compare_digest(pending.encode(), secret.reveal().encode(errors="surrogatepass")):
        return None
    return _address(user, pending)


def _address(user: User, secret: str) -> Secret[str]:
    return Secret(pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER))


def confirm(tx: Tx, user: User, code: str) -> list[Secret[str]]:
    """Switch the pending factor on, by a code of it. Answers the recovery codes, shown this once."""
    if user.totp_enabled_at is not None or user.totp_secret is None:
        raise Conflict(
            "There is no second factor that waits to be confirmed.",
            code="second_factor_not_pending",
            hint="Set one up first.",
        )
    if not _code_is_right(tx, user, code):
        raise wrong_code()
    user.totp_enabled_at = tx.now
    _note(tx, user, IdentityAction.SECOND_FACTOR_ENABLED)
    return _new_codes(tx, user)


def check(tx: Tx, user: User, code: str) -> bool:
    """Whether a code of the authenticator or a recovery code is right; a right one is used up."""
    return _code_is_right(tx, user, code) or _recovers(tx, user, code)


def renew_codes(tx: Tx, user: User) -> list[Secret[str]]:
    """New recovery codes; the old ones end. Raises `Conflict` (`second_factor_disabled`)."""
    require_enabled(user)
    _note(tx, user, IdentityAction.RECOVERY_CODES_RENEWED)
    return _new_codes(tx, user)


def disable(tx: Tx, user: User) -> None:
    """Switch one's own factor off. Raises `Conflict` (`second_factor_disabled`)."""
    require_enabled(user)
    user.totp_secret = user.totp_enabled_at = user.totp_last_step = None
    tx.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    _note(tx, user, IdentityAction.SECOND_FACTOR_DISABLED)


def disable_by_administrator(tx: Tx, user: User) -> None:
    """Switch somebody's factor off. Raises as `disable`, and `Forbidden` (`session_required`) for a token."""
    require_in_person(tx.principal)
    disable(tx, user)


def codes_left(tx: Tx, user: User) -> int:
    left = select(func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return int(tx.execute(left.select_from(RecoveryCode)).scalar() or 0)


def wrong_code() -> Invalid:
    return Invalid(
        "The code is wrong.",
        code="second_factor_code_wrong",
        hint="Give the newest code that your authenticator shows; each is good once. Check the clock of your phone.",
    )


def _code_is_right(tx: Tx, user: User, code: str) -> bool:
    digits = code.strip().replace(" ", "")
    if user.totp_secret is None or len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return False
    totp = pyotp.TOTP(tx.vault.open(User.__tablename__, user.uid, _FIELD, user.totp_secret).reveal())
    now = int(tx.now.timestamp()) // STEP
    right = [
        step for step in range(now - BESIDE, now + BESIDE + 1) if hmac.compare_digest(totp.at(step * STEP), digits)
    ]
    fresh = [step for step in right if user.totp_last_step is None or step > user.totp_last_step]
    if not fresh:
        return False
    # Compared and set in one statement: of two that come with one code at once, one is refused.
    newer = (User.totp_last_step.is_(None)) | (User.totp_last_step < fresh[0])
    taken = tx.execute(update(User).where(User.id == user.id, newer).values(totp_last_step=fresh[0]))
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def _recovers(tx: Tx, user: User, code: str) -> bool:
    plain = code.strip().replace("-", "").lower()
    if user.totp_enabled_at is None or not plain:
        return False
    mine = (RecoveryCode.user_id == user.id, RecoveryCode.hash == _hash(user, plain), RecoveryCode.used_at.is_(None))
    taken = tx.execute(update(RecoveryCode).where(*mine).values(used_at=tx.now))
    if not taken.rowcount:  # type: ignore[attr-defined]
        return False
    _note(tx, user, IdentityAction.RECOVERY_CODE_USED)
    return True


def _new_codes(tx: Tx, user: User) -> list[Secret[str]]:
    tx.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [tx.ids.hex(16) for _ in range(CODES)]
    for code in codes:
        tx.add(RecoveryCode(user_id=user.id, hash=_hash(user, code), used_at=None))
    return [Secret(f"{code[:8]}-{code[8:]}") for code in codes]


def _hash(user: User, code: str) -> str:
    return token_hash(f"{user.uid}:{code}")


def require_enabled(user: User) -> None:
    """Raise `Conflict` (`second_factor_disabled`) where none counts; a pending one does not."""
    if user.totp_enabled_at is None:
        raise Conflict("No second factor is set up.", code="second_factor_disabled", hint="Set one up first.")


def _note(tx: Tx, user: User, action: IdentityAction) -> None:
    audit.record(tx, action, resource_type="user", resource_id=user.uid)
