"""What other rooms say of which work a worker may take, beyond what it is able to do."""

from __future__ import annotations

from collections.abc import Callable

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx

Confinement = Callable[[Tx, Worker], frozenset[str]]


class Confinements:
    """Rules that answer labels (`kernel.jobs.routes`) which the jobs that a worker takes have to bear, unless they are
    pinned to it. Who changes what a rule looks at calls `WorkerControl.follow`.
    """

    def __init__(self) -> None:
        self._rules: dict[str, Confinement] = {}

    def register(self, name: str, rule: Confinement) -> None:
        """Once for each name; a later rule of the same name takes the place of the earlier one."""
        self._rules[name] = rule

    def of(self, tx: Tx, worker: Worker) -> frozenset[str]:
        return frozenset[str]().union(*(rule(tx, worker) for rule in tuple(self._rules.values())))


confinements = Confinements()
