"""What becomes of the worktrees of a machine that was decommissioned: those whose work the repository's server has are
removed, the others stay and are named (docs/adr/0041).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.tasks.workspaces import commands, worktrees
from quarterdeck.tasks.workspaces.hands import Hands
from quarterdeck.tasks.workspaces.places import Places
from quarterdeck.tasks.workspaces.pushing import pushed_before

if TYPE_CHECKING:
    from quarterdeck.tasks.workspaces.workspaces import Workspaces

WHOSE = "project.json"
TREE = re.compile(r"task-([0-9]{1,18})")


class Project(msgspec.Struct, frozen=True):
    """Whose directory it is: written where only the worker writes, for the day on which no order tells it any more."""

    organization: str
    key: str


@dataclass(frozen=True, slots=True)
class Left:
    """`kept`: worktrees with work that is nowhere else, and why each was kept."""

    removed: int
    kept: tuple[tuple[Path, str], ...]


def remember(places: Places, organization: str, key: str) -> None:
    """Note whose the directory is. A failure costs no more than that its worktrees are kept one day."""
    file, said = places.state / WHOSE, msgspec.json.encode(Project(organization, key))
    with contextlib.suppress(OSError):
        if not file.exists() or file.read_bytes() != said:
            file.write_bytes(said)


async def depart(workspaces: Workspaces) -> Left:
    """Look at every worktree; nothing may run in them any more. A clone goes with the last worktree that stood on it.
    Nothing is pushed, nothing is fetched, and what cannot be looked at is kept.
    """
    removed, kept = 0, []
    for project in sorted(await asyncio.to_thread(_directories, workspaces.root)):
        places = Places(project)
        whose = await asyncio.to_thread(_whose, places)
        stays = 0
        for tree in sorted(await asyncio.to_thread(_directories, places.tasks)):
            named = TREE.fullmatch(tree.name)
            if named is None:
                continue
            number = int(named.group(1))
            why: str | None = "it is not known whose it is"
            if whose is not None:
                why = await _removed(places, number, workspaces.hands(whose.organization, whose.key))
            if why is None:
                removed += 1
            else:
                stays += 1
                kept.append((tree, why))
        if not stays and whose is not None:
            await asyncio.to_thread(trees.remove, project)
    return Left(removed, tuple(kept))


async def _removed(places: Places, task_id: int, hands: Hands) -> str | None:
    """Remove a worktree; answers why it was kept instead."""
    try:
        why = await _only_here(places, task_id, hands)
        if why is None:
            await worktrees.clear(places, task_id, hands)
            await asyncio.to_thread(places.notes(task_id).unlink, missing_ok=True)
    except (Problem, OSError) as error:
        return f"it could not be looked at: {error}"
    return why


async def _only_here(places: Places, task_id: int, hands: Hands) -> str | None:
    """What of a worktree the server of its repository has not got; None when it has everything."""
    head = await worktrees.standing(places, task_id, hands)
    if head is None:
        return "it is not whole"
    if await _changed(places, task_id, head, hands):
        return "it has changes that are in no commit"
    before = await asyncio.to_thread(pushed_before, places, task_id)
    if before is not None and before.commit == head:
        return None
    # In the mirror, which the agent could not write to: a commit that it does not know was never fetched.
    step = commands.containing(places.mirror, head, hands.offline(places.state))
    found = await hands.ours(step, "Looking for a branch of the server")
    return None if found.code == 0 and found.output.strip() else "it has commits that were not delivered"


async def _changed(places: Places, task_id: int, head: str, hands: Hands) -> bool:
    stage = await asyncio.to_thread(hands.stage, places, task_id)
    env = commands.staged(stage, places, task_id, hands.offline(stage))
    try:
        if await hands.must(commands.changed(env), "Looking for changes"):
            return True
        tree = await hands.must(commands.write_tree(env), "Writing the tree")
        administration = places.administration(task_id)
        return tree != await hands.must(
            commands.tree_of(administration, head, hands.offline(stage)), "Reading the tree"
        )
    finally:
        worktrees.leave_stage(places, task_id)


def _directories(place: Path) -> list[Path]:
    try:
        return [one for one in place.iterdir() if one.is_dir() and not one.is_symlink()]
    except OSError:
        return []


def _whose(places: Places) -> Project | None:
    try:
        return msgspec.json.decode((places.state / WHOSE).read_bytes(), type=Project)
    except (OSError, *UNREADABLE):
        return None
