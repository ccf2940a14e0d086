"""How much a branch changes."""

from __future__ import annotations

import re
from typing import NamedTuple

from quarterdeck.tasks.workspaces import commands
from quarterdeck.tasks.workspaces.hands import Hands
from quarterdeck.tasks.workspaces.places import Places

_FIGURES = re.compile(r"(\d+) (file|insertion|deletion)")


class Statistics(NamedTuple):
    files: int = 0
    insertions: int = 0
    deletions: int = 0


async def compare(places: Places, base_branch: str, commit: str, hands: Hands) -> Statistics:
    """What `commit` changes since it left the base branch."""
    env, older = hands.offline(places.base), await left_at(places, base_branch, commit, hands)
    done = await hands.theirs(commands.statistics(places.base, older, commit, env), "Comparing with the base branch")
    return read(done.output) if done.code == 0 else Statistics()


async def left_at(places: Places, base_branch: str, commit: str, hands: Hands) -> str:
    """Where a commit left the base branch; the base branch itself where both have nothing in common."""
    env, base = hands.offline(places.base), f"{commands.REMOTE}/{base_branch}"
    found = await hands.theirs(commands.merge_base(places.base, base, commit, env), "Comparing with the base branch")
    return found.output.strip().splitlines()[0] if found.code == 0 and found.output.strip() else base


def read(text: str) -> Statistics:
    """What `git diff --shortstat` printed."""
    figures = {word: int(number) for number, word in _FIGURES.findall(text)}
    return Statistics(figures.get("file", 0), figures.get("insertion", 0), figures.get("deletion", 0))
