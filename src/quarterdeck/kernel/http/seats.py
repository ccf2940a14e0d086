"""How many streams may be open at once, of one caller and of all."""

from __future__ import annotations

from collections import Counter

from quarterdeck.kernel.errors import RateLimited

SOON = 5
"""Seconds after which a seat may be free again."""


class Seat:
    """A place that is held; `leave` once or more often."""

    def __init__(self, seats: Seats, caller: str) -> None:
        self._seats: Seats | None = seats
        self._caller = caller

    def leave(self) -> None:
        if self._seats is not None:
            self._seats.given_back(self._caller)
            self._seats = None


class Seats:
    """Places for one kind of stream in this process."""

    def __init__(self, what: str, *, per_caller: int, total: int) -> None:
        self._what = what
        self._per_caller = per_caller
        self._total = total
        self._held: Counter[str] = Counter()

    def take(self, caller: str) -> Seat:
        """Raises `RateLimited` where the caller, or all together, have as many as may be."""
        if self._held[caller] >= self._per_caller:
            raise self._full(f"You have {self._per_caller} open {self._what} already.")
        if self._held.total() >= self._total:
            raise self._full(f"All {self._total} places for {self._what} are taken.")
        self._held[caller] += 1
        return Seat(self, caller)

    def given_back(self, caller: str) -> None:
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]

    def _full(self, told: str) -> RateLimited:
        return RateLimited(told, retry_after=SOON, hint="Close one that you do not need, or try again later.")
