"""Where a job may run, as one word: the canonical set of capabilities it needs, or the worker it is pinned to."""

from __future__ import annotations

from collections.abc import Iterable

PIN = "@worker:"


def canonical(capabilities: Iterable[str]) -> str:
    """`{"local:ab", "deploy"}` as `deploy,local:ab`; the empty set as the empty word."""
    return ",".join(sorted(set(capabilities)))


def route(requires: str, worker_id: int | None) -> str:
    return requires if worker_id is None else f"{PIN}{worker_id}|{requires}"


def serves(candidate: str, capabilities: frozenset[str], worker_id: int | None) -> bool:
    """May a worker with these capabilities take what waits on this route?"""
    requires = candidate
    if candidate.startswith(PIN):
        pinned, _, requires = candidate.removeprefix(PIN).partition("|")
        if worker_id is None or pinned != str(worker_id):
            return False
    return not requires or capabilities.issuperset(requires.split(","))
