"""Addresses that nobody has signed in from, and what they do to a name."""

from __future__ import annotations

from quarterdeck.identity.attempts import EVERYWHERE, Attempts


def stranger(number: int) -> str:
    return f"198.{51 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


def exhaust(attempts: Attempts, name: str, tries: int = EVERYWHERE.count) -> None:
    """Failures of a name, each from an address of its own."""
    for number in range(tries):
        attempts.begin(name, stranger(1000 + number))
