"""Where a job may run, as one word: the canonical set of capabilities it needs, or the worker it is pinned to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

PIN = "@worker:"


def canonical(capabilities: Iterable[str]) -> str:
    """`{"local:ab", "deploy"}` as `deploy,local:ab`; the empty set as the empty word."""
    return ",".join(sorted(set(capabilities)))


def route(requires: str, worker_id: int | None) -> str:
    return requires if worker_id is None else f"{PIN}{worker_id}|{requires}"


class Waiting:
    """The routes on which something waits, ready to be asked for many workers: a pinned one concerns its worker alone."""

    def __init__(self, routes: Iterable[str]) -> None:
        self._open: list[tuple[str, frozenset[str]]] = []
        self._pinned: defaultdict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
        for one in routes:
            pinned, _, requires = one.removeprefix(PIN).partition("|") if one.startswith(PIN) else ("", "", one)
            (self._pinned[pinned] if pinned else self._open).append((one, frozenset(filter(None, requires.split(",")))))

    def usable(self, capabilities: frozenset[str], worker_id: int | None, needs: frozenset[str]) -> list[str]:
        """What a worker with these capabilities may take; with `needs`, only what requires all of them."""
        own = () if worker_id is None else self._pinned.get(str(worker_id), ())
        return [one for one, requires in (*self._open, *own) if needs <= requires <= capabilities]
