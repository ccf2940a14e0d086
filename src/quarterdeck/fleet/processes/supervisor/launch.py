"""What the supervisor is told at its start, over a pipe that nobody else can read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Launch:
    """Seconds for times, bytes for sizes; `None` is no limit. `uid` None keeps the supervisor's own user."""

    instance: str
    digest: str
    marker: str
    argv: list[str]
    directory: str
    environment: dict[str, str]
    uid: int | None = None
    memory: int | None = None
    cpus: float | None = None
    pids: int | None = None
    open_files: int | None = None
    restart: str = "on-failure"
    first_delay: float = 1.0
    longest_delay: float = 30.0
    give_up_after: int = 10
    stable_after: float = 10.0
    stop_signal: int = 15
    grace: float = 10.0
    log_bytes: int = 20_000_000
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, value: dict[str, Any]) -> Launch:
        return cls(**value)


def delay_before(launch: Launch, crashes: int) -> float:
    """Seconds to wait after the `crashes`-th end in a row (counted from 1)."""
    return float(min(launch.longest_delay, launch.first_delay * 2 ** min(crashes - 1, 30)))


def verdict(launch: Launch, *, failed: bool, crashes: int) -> str:
    """What follows an end that nobody asked for: `backing-off`, `exited` or `gave-up`."""
    if launch.restart == "never" or (launch.restart == "on-failure" and not failed):
        return "exited"
    return "gave-up" if crashes > launch.give_up_after else "backing-off"
