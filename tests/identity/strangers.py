"""Addresses that nobody has signed in from, and what they do to a name."""

from __future__ import annotations

from quarterdeck.identity.attempts import FIRST, FIRST_HERE, MORE, Attempts
from quarterdeck.kernel.errors import RateLimited

ALL = FIRST.count + MORE.count


def stranger(number: int) -> str:
    return f"198.{51 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


def judged(attempts: Attempts, name: str, address: str) -> bool:
    """Whether the password that is tried would be looked at. It is a wrong one."""
    try:
        attempts.begin(name, address)
    except RateLimited:
        return False
    return True


def exhaust(attempts: Attempts, name: str, addresses: int = 60) -> int:
    """Failures of a name, from so many addresses as long as any is let in. Answers how many passwords were judged."""
    return sum(
        judged(attempts, name, stranger(10_000 + number))
        for _ in range(FIRST_HERE.count + 2)
        for number in range(addresses)
    )
