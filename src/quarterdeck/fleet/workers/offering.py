"""What a worker says of itself, wherever it runs: its offer, its machine at each hello, how it is at each heartbeat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from quarterdeck.fleet.workers import measuring
from quarterdeck.fleet.workers.description import MOST_AGENTS, MOST_PROJECTS, About, Agent, Ailing, Condition
from quarterdeck.kernel.jobs.worker import Offer


@dataclass(frozen=True, slots=True)
class Saying:
    """What a worker tells besides what it measures, asked anew each time: the agent programs of its machine, the
    projects (by key) that it has base clones of, the agents that do not work now.
    """

    agents: Callable[[], Sequence[Agent]] = tuple
    projects: Callable[[], Sequence[str]] = tuple
    ailing: Callable[[], Sequence[Ailing]] = tuple


Departing = Callable[[], Awaitable[None]]
"""What a worker does with what it has, once it hears that it was decommissioned and nothing of it runs."""


def release() -> str:
    """Of this program, as workers tell it."""
    try:
        return version("quarterdeck")
    except PackageNotFoundError:
        return "0"


def offer(
    name: str,
    capabilities: Iterable[str],
    slots: int,
    directory: Path,
    saying: Saying,
    *,
    credential: Callable[[], str | None],
    fingerprint: str,
) -> Offer:
    """Everything that a worker's hello and heartbeats are made of. `directory` is on the disk whose room counts."""
    gauge = measuring.Gauge(directory)

    def about() -> About:
        # A hello is short, because it comes before its proof: the projects follow with the first heartbeat.
        return About(agents=list(saying.agents())[:MOST_AGENTS], hardware=measuring.hardware(directory))

    def measured() -> dict[str, Any]:
        projects, ailing = list(saying.projects()), list(saying.ailing())
        condition = Condition(projects=projects[:MOST_PROJECTS], degraded=ailing[:MOST_AGENTS])
        return {**gauge.read(), "about": condition}

    return Offer(
        name=name,
        capabilities=frozenset(capabilities) | {f"local:{fingerprint}"},
        slots=slots,
        credential=credential,
        version=release(),
        fingerprint=fingerprint,
        about=about,
        measured=measured,
    )
