"""What brokered secrets add to a running installation, for the composition root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

from quarterdeck.broker.connections import health
from quarterdeck.broker.discovered import ageing, looking
from quarterdeck.broker.discovered import telling as found
from quarterdeck.broker.gitops import observing, watching
from quarterdeck.broker.policies import retention as rules_kept
from quarterdeck.broker.requests import effects, retention, sweeping, telling
from quarterdeck.broker.work import effects as work_effects
from quarterdeck.broker.work import retention as jobs_kept
from quarterdeck.broker.work.kind import kind
from quarterdeck.broker.wraps import sweeping as values
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.jobs import JobKind, Jobs
from quarterdeck.kernel.protocols import Apart, Beside

CAPABILITY = "secrets"
KEPT = (retention, rules_kept, jobs_kept, ageing)
"""Importing them says how long what of the broker stays."""
TELLING = (telling,)
"""Importing it says who hears of what."""
PLACES = 4
"""How many jobs of the broker the server's own worker does at a time."""


class Broker:
    """A `kernel.protocols.Capability`."""

    apart: Mapping[str, Apart] = MappingProxyType({CAPABILITY: Apart(PLACES)})

    def __init__(self, db: Database) -> None:
        self._db = db
        work_effects.register("requests", effects.job_ended)
        work_effects.register("connections", health.job_ended)
        work_effects.register("gitops", observing.job_ended)
        work_effects.register_found("discovered", found.heard)

    def reached_at(self, address: str) -> None:
        pass

    def kinds(self) -> Sequence[JobKind]:
        return [kind()]

    async def ready(self) -> None:
        pass

    def beside(self, jobs: Jobs) -> Sequence[Beside]:
        return [
            Beside("secret-requests", partial(sweeping.watch, self._db, jobs)),
            Beside("secret-values", partial(values.watch, self._db, jobs)),
            Beside("argocd", partial(watching.watch, self._db, jobs)),
            Beside("discovered-secrets", partial(looking.watch, self._db, jobs)),
        ]
