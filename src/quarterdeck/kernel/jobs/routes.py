"""Where a job may run, as one word: whose it is, the worker it is pinned to, and the canonical set of capabilities it
needs. `@org:7@worker:3|deploy,local:ab`, either of the marks left out where there is none; a job of nobody that is
pinned nowhere has its capabilities alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

ORGANIZATION, PIN = "@org:", "@worker:"
SPELT = (
    "CASE WHEN organization_id IS NULL AND worker_id IS NULL THEN requires ELSE "
    f"coalesce('{ORGANIZATION}' || organization_id, '') || coalesce('{PIN}' || worker_id, '') || '|' || requires END"
)
"""`route` of a row, in the SQL of both databases."""


def canonical(capabilities: Iterable[str]) -> str:
    """`{"local:ab", "deploy"}` as `deploy,local:ab`; the empty set as the empty word."""
    return ",".join(sorted(set(capabilities)))


def route(requires: str, worker_id: int | None, organization_id: int | None = None) -> str:
    """The same as `SPELT`."""
    owner = "" if organization_id is None else f"{ORGANIZATION}{organization_id}"
    pin = "" if worker_id is None else f"{PIN}{worker_id}"
    return f"{owner}{pin}|{requires}" if owner or pin else requires


class Waiting:
    """The routes on which something waits, to be asked for many workers: a pinned one concerns its worker alone, one of
    an organization that organization's workers, and any that is not pinned the server's own.
    """

    def __init__(self, routes: Iterable[str]) -> None:
        self._open: list[tuple[str, frozenset[str]]] = []
        self._of: defaultdict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
        self._pinned: defaultdict[str, list[tuple[str, str, frozenset[str]]]] = defaultdict(list)
        for one in routes:
            marks, _, requires = one.partition("|") if one.startswith("@") else ("", "", one)
            owner, _, pin = marks.partition(PIN)
            owner, needed = owner.removeprefix(ORGANIZATION), frozenset(filter(None, requires.split(",")))
            if pin:
                self._pinned[pin].append((one, owner, needed))
                continue
            self._open.append((one, needed))
            if owner:
                self._of[owner].append((one, needed))

    def __bool__(self) -> bool:
        return bool(self._open or self._pinned)

    def usable(
        self,
        capabilities: frozenset[str],
        worker_id: int | None,
        needs: frozenset[str],
        organization_id: int | None = None,
    ) -> list[str]:
        """What a worker with these capabilities may take; with `needs`, only what requires all of them. The server's
        own worker has no id; any other takes what its organization has, and what is pinned to it and of nobody else.
        """
        if worker_id is None:
            found = self._open
        else:
            owner = "" if organization_id is None else str(organization_id)
            pinned = self._pinned.get(str(worker_id), ())
            found = [*self._of.get(owner, ()), *((one, needed) for one, of, needed in pinned if of in {"", owner})]
        return [one for one, requires in found if needs <= requires <= capabilities]
