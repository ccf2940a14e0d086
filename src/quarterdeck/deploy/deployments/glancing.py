"""A look at a source for its plan alone: fetched into a directory of its own, planned, and removed again.

Everybody who may read can ask for one, and each can take a source's size of disk and a minute of time. So there are few
at once, fewer of one caller, and none where the disk has no room.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.deploy.deployments.placement import Placement
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.preparing import plan_for, refuse_own_data
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.sources.fetch import fetch
from quarterdeck.deploy.sources.spec import FetchedSource, FetchLimits, SourceSpec
from quarterdeck.kernel import trees
from quarterdeck.kernel.datadir import DataDirectory
from quarterdeck.kernel.errors import RateLimited
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.principal import Principal, current

FETCH_SECONDS = 60.0
RETRY_SECONDS = 10


@dataclass(slots=True)
class Glances:
    """The looks of one process: at most `most` at once, and `most_of_one` of one caller."""

    placement: Placement
    ids: Ids
    most: int = 4
    most_of_one: int = 2
    _under_way: Counter[tuple[str, int]] = field(default_factory=Counter)

    async def plan(
        self, order: DeploymentOrder, spec: SourceSpec, *, engine: bool, within: Sequence[str]
    ) -> tuple[BuildPlan, FetchedSource]:
        """Plan `order` with the tree of `spec`. Raises `RateLimited` while there are too many looks, `Unavailable`
        (`disk_low`), and what fetching and planning raise.
        """
        root = Path(self.placement.root)
        with self._place(current.get().principal):
            room = DataDirectory(root, self.placement.limits.least_free_disk)
            await asyncio.to_thread(room.require_space)
            refuse_own_data(root, spec)
            directory = root / "plans" / f"{order.resource}-{self.ids.text(8)}"
            limits = FetchLimits(size=self.placement.limits.source_bytes, seconds=FETCH_SECONDS)
            try:
                source = await fetch(
                    spec, directory / "source", limits, known_hosts=root / "known_hosts", within=list(within)
                )
                return await asyncio.to_thread(plan_for, order, source, engine=engine), source
            finally:
                await asyncio.to_thread(trees.remove, directory)

    @contextlib.contextmanager
    def _place(self, principal: Principal) -> Iterator[None]:
        who = (principal.kind, principal.id)
        if self._under_way[who] >= self.most_of_one:
            raise _crowded(f"You have {self.most_of_one} sources looked at already.")
        if self._under_way.total() >= self.most:
            raise _crowded(f"{self.most} sources are being looked at already.")
        self._under_way[who] += 1
        try:
            yield
        finally:
            self._under_way[who] -= 1
            self._under_way += Counter()  # forgets who has none


def _crowded(message: str) -> RateLimited:
    return RateLimited(message, retry_after=RETRY_SECONDS, hint="Wait until one has been planned, then try again.")
