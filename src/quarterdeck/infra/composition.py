"""What infrastructure adds to a running installation, for the composition root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from quarterdeck.fleet.workers.confining import confinements, parts
from quarterdeck.infra.clouds import turning
from quarterdeck.infra.execution.leftovers import Leftovers
from quarterdeck.infra.execution.machine import Machine
from quarterdeck.infra.plans import asking, drifting
from quarterdeck.infra.plans import retention as plans_kept
from quarterdeck.infra.runners.standing import DRIFT, INFRA
from quarterdeck.infra.specs import retention as specs_kept
from quarterdeck.infra.states import retention as states_kept
from quarterdeck.infra.work import claiming, ordering, telling
from quarterdeck.infra.work import retention as jobs_kept
from quarterdeck.infra.work.happenings import stream
from quarterdeck.infra.work.kind import kind
from quarterdeck.infra.work.watching import watch
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.jobs import JobKind, Jobs
from quarterdeck.kernel.logs import Logs
from quarterdeck.kernel.protocols import Apart, Beside

KEPT = (specs_kept, jobs_kept, states_kept, plans_kept)
"""Importing them says how long what of infrastructure stays."""
TELLING = (telling, asking)
"""Importing it says who hears of what."""
PLACES = 2
"""How many infrastructure jobs the server's own worker does at a time."""


class Infrastructure:
    """A `kernel.protocols.Capability`. `path` is the data directory, under which saved plans lie."""

    apart: Mapping[str, Apart] = MappingProxyType({INFRA: Apart(PLACES, frozenset({DRIFT}))})

    def __init__(self, db: Database, logs: Logs, path: Path) -> None:
        self._db = db
        self._logs = logs
        self._path = path
        self.server = ""
        confinements.register("infra", claiming.confined_worker)
        parts.register(DRIFT)

    def reached_at(self, address: str) -> None:
        """Where the server's own worker finds states and saved plans."""
        self.server = address

    def address(self) -> str:
        return self.server

    def kinds(self) -> Sequence[JobKind]:
        return [kind(self._logs, self.address)]

    async def ready(self) -> None:
        """Hide the secrets of what runs: a worker that dials in again is not given its order once more."""
        for uid, hidden in await self._db.read(ordering.secrets_of_live):
            self._logs.mask(stream(uid), hidden)

    def beside(self, jobs: Jobs) -> Sequence[Beside]:
        return [
            Beside("infra-jobs", partial(watch, self._db, self._logs, jobs)),
            Beside("infra-issuer", partial(turning.watch, self._db, jobs)),
            Beside("infra-drift", partial(drifting.watch, self._db, jobs)),
            Beside("infra-leftovers", Leftovers(Machine(self._path, self.address, own=True)).tend),
        ]
