"""What other rooms say of which work a worker may take, beyond what it is able to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable

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


class Parts:
    """Words such as `infra:drift`: a part of what `infra` may do, which a worker may be given without the rest. Who has
    the whole has its parts; who has a part alone is given the word of the whole too, which its jobs need, and a rule of
    `Confinements` keeps everything else from it.
    """

    def __init__(self) -> None:
        self._words: set[str] = set()

    def register(self, word: str) -> None:
        self._words.add(word)

    def down(self, capabilities: Iterable[str]) -> frozenset[str]:
        """With the parts of each of them."""
        given = frozenset(capabilities)
        return given | {word for word in self._words if word.partition(":")[0] in given}

    def up(self, capabilities: Iterable[str]) -> frozenset[str]:
        """With what each of them is a part of."""
        given = frozenset(capabilities)
        return given | {word.partition(":")[0] for word in given & self._words}


confinements = Confinements()
parts = Parts()
