"""The time that a stage has run: what it waited for a person does not count (contract: tasks §3.3)."""

from __future__ import annotations

from collections.abc import Callable


class Stopwatch:
    """Counts seconds of `now`, a monotonic clock, while nothing holds it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since: float | None = now()
        self._before = 0.0
        self._holds: set[str] = set()

    @property
    def seconds(self) -> float:
        return self._before + (0.0 if self._since is None else self._now() - self._since)

    @property
    def held(self) -> bool:
        return bool(self._holds)

    def hold(self, why: str) -> None:
        self._holds.add(why)
        if self._since is not None:
            self._before += self._now() - self._since
            self._since = None

    def release(self, why: str) -> None:
        self._holds.discard(why)
        if not self._holds and self._since is None:
            self._since = self._now()
