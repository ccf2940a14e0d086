"""What has to be done about a service: what is wanted against what is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Deed = Literal["keep", "start", "replace"]


@dataclass(frozen=True, slots=True)
class There:
    """A container of a service. `ended_well`: it has come to its end by itself, without an error."""

    container: str
    definition: str
    running: bool
    ended_well: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """`keep` the container as it is, `start` it again, or `replace`: make a new one. `stop_first` the old one, because
    both would write to a volume; else it is stopped when the new one is ready. `discard` is what an earlier execution
    of the same attempt has left half done.
    """

    deed: Deed
    container: str | None = None
    old: str | None = None
    stop_first: bool = False
    discard: str | None = None


def change(
    wanted: str, *, may_end: bool, has_volumes: bool, mine: There | None = None, before: There | None = None
) -> Change:
    """`wanted` is the definition; `mine` what this attempt has made already, `before` what serves. `may_end` says that
    the service is well when it has ended without an error.
    """

    def well(one: There) -> bool:
        return one.running or (may_end and one.ended_well)

    if before is not None and before.definition == wanted:
        return Change("keep" if well(before) else "start", before.container)
    own = mine is not None and before is not None and mine.container == before.container
    old = before.container if before is not None and before.running and not own else None
    if mine is not None and mine.definition == wanted and well(mine):
        return Change("keep", mine.container, old)
    return Change("replace", None, old, has_volumes, mine.container if mine is not None else None)
