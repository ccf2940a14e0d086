"""How many connections may keep a server waiting at once: when too many do, the longest waiting goes."""

from __future__ import annotations

import resource
from collections import Counter
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds and counts. `rest` is how long the rest of a body is heard that was answered before; `unread` how often
    it is looked whether somebody reads its answer, `unread_of_known` the same of callers who proved who they are, and
    only when the answer is whole. `unsaid` are connections that have not yet said a whole request, or
    who they are, or do not read what they asked for, of one address or all.
    """

    headers: float = 10.0
    body: float = 120.0
    body_pause: float = 20.0
    rest: float = 5.0
    unread: float = 20.0
    unread_of_known: float = 600.0
    proof: float = 15.0
    """From the upgrade to a WebSocket until its caller is known. Handlers that ask by themselves give up before."""
    unsaid_per_address: int = 100
    unsaid: int = 1000

    def at_most(self) -> int:
        """The bound of all unsaid ones: half of what this process may open at most."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return min(self.unsaid, soft // 2) if soft != resource.RLIM_INFINITY else self.unsaid


EDGE = "-"
"""The address of what comes by a unix socket: our edge, behind which everybody may stand, so only all are counted."""


class Waiting(Protocol):
    """A connection that can be told to go."""

    def dismiss(self, reason: str) -> None: ...


class Doorkeeper:
    """The connections of one server that have not yet said who they are or what they want, longest waiting first."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._most = patience.at_most()
        self._unsaid: dict[Waiting, str] = {}
        self._of: Counter[str] = Counter()

    def waits(self, one: Waiting, address: str) -> None:
        self.done(one)
        self._unsaid[one] = address
        self._of[address] += 1
        if address != EDGE and self._of[address] > self.patience.unsaid_per_address:
            self._dismiss(next(one for one, where in self._unsaid.items() if where == address))
        elif len(self._unsaid) > self._most:
            self._dismiss(next(iter(self._unsaid)))

    def stays(self, one: Waiting, address: str) -> None:
        """The same of one that keeps its place where it waits already."""
        if one not in self._unsaid:
            self.waits(one, address)

    def done(self, one: Waiting) -> None:
        address = self._unsaid.pop(one, None)
        if address is not None:
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]

    def _dismiss(self, one: Waiting) -> None:
        self.done(one)
        one.dismiss("too many")
