"""What other rooms do in the unit in which something comes of a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel.db import Tx

Ended = Callable[[Tx, BrokerJob], object]
Found = Callable[[Tx, BrokerJob, Mapping[str, Any]], object]


class Effects:
    def __init__(self) -> None:
        self._ended: dict[str, Ended] = {}
        self._found: dict[str, Found] = {}

    def register(self, name: str, rule: Ended) -> None:
        """`rule(tx, job)` runs when a job has ended, with the locks of job and request held. Once for each name; a
        later rule takes the place of the earlier one.
        """
        self._ended[name] = rule

    def register_found(self, name: str, rule: Found) -> None:
        """`rule(tx, job, said)` hears what an enrolled worker, or the server's own, reports of a `discover` job."""
        self._found[name] = rule

    def job_ended(self, tx: Tx, job: BrokerJob) -> None:
        for rule in tuple(self._ended.values()):
            rule(tx, job)

    def found(self, tx: Tx, job: BrokerJob, said: Mapping[str, Any]) -> None:
        for rule in tuple(self._found.values()):
            rule(tx, job, said)


effects = Effects()
register, register_found = effects.register, effects.register_found
