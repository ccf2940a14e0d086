"""Passwords: argon2id in the library's low-memory profile. Slow on purpose, so never inside a unit of work."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.vault import Secret

LEAST = 10
MOST = 512
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


@cache
def _decoy() -> str:
    """Verified against when no user matches, so that the answer takes as long as for a wrong password."""
    return _hasher.hash("a password that nobody has")


def check_new(password: Secret[str]) -> None:
    """Raise `Invalid` for a password that is too short or too long to be one."""
    length = len(password.reveal())
    if not LEAST <= length <= MOST:
        raise Invalid(f"A password has {LEAST} to {MOST} characters.", hint="Choose a longer one.", field="password")


def hashed(password: Secret[str]) -> str:
    return _hasher.hash(password.reveal())


def matches(stored: str | None, password: Secret[str]) -> bool:
    """Whether the password is the stored one; as slow for a missing user as for a wrong password."""
    try:
        good = _hasher.verify(stored or _decoy(), password.reveal())
    except (VerificationError, InvalidHashError):
        return False
    return good and stored is not None
