"""Where a job may run, as one word: whose it is, the worker it is pinned to, and the canonical set of capabilities it
needs. `@org:7@worker:3|deploy,local:ab`, either of the marks left out where there is none; a job of nobody that is
pinned nowhere has its capabilities alone. A word such as `~deploy:blue` is no capability but a label: of jobs that
need `deploy` it says what they are about, for workers that are confined to such ones, and nobody has to have it. Where
a worker that is confined by `~infra:drift` has `infra:drift` itself, it is there for that alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

ORGANIZATION, PIN, LABEL = "@org:", "@worker:", "~"
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


def needed(requires: str) -> frozenset[str]:
    """The capabilities of `jobs.requires`, without its labels."""
    return frozenset(word for word in requires.split(",") if word and not word.startswith(LABEL))


class _Words(NamedTuple):
    """A route, what it asks for, and all of its words: capabilities and labels."""

    route: str
    needed: frozenset[str]
    every: frozenset[str]

    def fit(self, confined: frozenset[str]) -> bool:
        """Whether a worker that is confined by these labels may take it."""
        return all(one in self.every or _capability(one) not in self.needed for one in confined)


def _capability(label: str) -> str:
    """Of which capability's jobs a label speaks."""
    return label.removeprefix(LABEL).partition(":")[0]


class Waiting:
    """The routes on which something waits, to be asked for many workers: a pinned one concerns its worker alone, one of
    an organization that organization's workers, and any that is not pinned the server's own.
    """

    def __init__(self, routes: Iterable[str]) -> None:
        self._open: list[_Words] = []
        self._of: defaultdict[str, list[_Words]] = defaultdict(list)
        self._pinned: defaultdict[str, list[tuple[str, _Words]]] = defaultdict(list)
        for one in routes:
            marks, _, requires = one.partition("|") if one.startswith("@") else ("", "", one)
            owner, _, pin = marks.partition(PIN)
            every = frozenset(filter(None, requires.split(",")))
            capabilities = needed(requires) if LABEL in requires else every
            owner, words = owner.removeprefix(ORGANIZATION), _Words(one, capabilities, every)
            if pin:
                self._pinned[pin].append((owner, words))
                continue
            self._open.append(words)
            if owner:
                self._of[owner].append(words)

    def __bool__(self) -> bool:
        return bool(self._open or self._pinned)

    def usable(
        self,
        capabilities: frozenset[str],
        worker_id: int | None,
        needs: frozenset[str],
        organization_id: int | None = None,
        *,
        confined: frozenset[str] = frozenset(),
        barred: frozenset[str] = frozenset(),
        for_all: bool = False,
        only_pinned: bool = False,
    ) -> list[str]:
        """What a worker with these capabilities may take; with `needs`, only what requires all of them. The server's
        own worker has no id; any other takes what its organization has, or with `for_all` what anybody has, and what is
        pinned to it and of nobody else, which with `only_pinned` is all. One that is `confined` by labels takes of what
        is not pinned to it only what bears them, or needs none of their capabilities; so it does of what is pinned
        where such a label spells a capability that it has. What bears a `barred` label is never for it.
        """
        if worker_id is None:
            found = self._open
        else:
            owner = "" if organization_id is None else str(organization_id)
            pinned = self._pinned.get(str(worker_id), ())
            alone = frozenset(one for one in confined if one.removeprefix(LABEL) in capabilities)
            found = [words for of, words in pinned if (for_all or of in {"", owner}) and words.fit(alone)]
            if not only_pinned:
                shared = self._open if for_all else self._of.get(owner, ())
                found = [*(words for words in shared if words.fit(confined)), *found]
        return [words.route for words in found if needs <= words.needed <= capabilities and not barred & words.every]
