"""What a branch changes, as a unified diff with its figures."""

from __future__ import annotations

from typing import NamedTuple

from quarterdeck.tasks.workspaces import commands, statistics
from quarterdeck.tasks.workspaces.hands import Hands
from quarterdeck.tasks.workspaces.places import Places
from quarterdeck.tasks.workspaces.statistics import Statistics

MOST = 512 * 1024
"""Bytes of a diff that are told; it ends with a whole line."""


class Compared(NamedTuple):
    base: str
    figures: Statistics
    patch: str
    cut: bool


async def compare(places: Places, base_branch: str, head: str, content: str, hands: Hands) -> Compared:
    """`content` (a commit or a tree) against where `head` left the base branch. Raises `workspace_error`."""
    what = "Comparing with the base branch"
    env, older = hands.offline(places.base), await statistics.left_at(places, base_branch, head, hands)
    figures = await hands.must(commands.statistics(places.base, older, content, env), what)
    done = await hands.theirs(commands.diff(places.base, older, content, env), what, most=MOST)
    text = done.output if not done.cut else done.output[: done.output.rfind("\n") + 1]
    return Compared(older, statistics.read(figures), readable(text), done.cut)


def readable(text: str) -> str:
    """As text that a database keeps: bytes that are no UTF-8, and NUL, become the sign for what cannot be shown."""
    return text.encode(errors="surrogateescape").decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
