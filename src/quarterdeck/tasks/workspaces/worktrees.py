"""Making a task's worktree, going on with one, and taking it away."""

from __future__ import annotations

import asyncio
from pathlib import Path

from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.faults import point
from quarterdeck.tasks.workspaces import commands, failures
from quarterdeck.tasks.workspaces.hands import Hands
from quarterdeck.tasks.workspaces.places import Places
from quarterdeck.tasks.workspaces.worktree import Note


async def find_or_make(
    places: Places, task_id: int, branch: str, base_branch: str, hands: Hands, note: Note
) -> tuple[str, bool]:
    """The commit that the worktree stands at, and whether it was there already. The caller has the turn of the project.

    A branch that the server has already (an earlier attempt pushed it from another machine, or somebody named it) is
    gone on with; else it begins at the base branch. Raises `workspace_error`.
    """
    start = await _commit(places.mirror, f"{commands.HEADS}/{base_branch}", hands)
    if start is None:
        raise Invalid(
            f"The repository has no branch {base_branch}.",
            code=failures.WORKSPACE,
            hint="Push it, or give the project another default branch.",
            reason="branch-missing",
        )
    pushed = await _commit(places.mirror, f"{commands.HEADS}/{branch}", hands)
    head = await standing(places, task_id, hands)
    if head is not None:
        await _forget_interrupted(places, task_id, branch, hands)
        return await _catch_up(places, task_id, head, pushed, hands, note), True
    await clear(places, task_id, hands)
    known = await _commit(places.base, f"{commands.HEADS}/{branch}", hands, theirs=True)
    if known and pushed and not await is_ancestor(places.base, pushed, known, hands):
        known = None  # what the server has goes before what is left of a workspace that is gone
    commit = known or pushed or start
    if pushed and branch != base_branch:
        note(f"{branch} is there already: going on from {commit[:12]}.")
    await _make(places, task_id, branch, commit, hands)
    return commit, False


async def _make(places: Places, task_id: int, branch: str, commit: str, hands: Hands) -> None:
    tree = places.tree(task_id)
    try:
        tree.mkdir(mode=0o700)
        hands.hand_over(tree)
    except OSError as error:
        raise failures.unwritable(tree, error) from None
    env = hands.offline(places.base)
    step = commands.add_worktree(places, task_id, branch, commit, env)
    try:
        point("task.worktree.make")
        await hands.must(step, "Making the worktree")
        point("task.worktree.made")
        stage = await asyncio.to_thread(hands.stage, places, task_id)
        staged = commands.staged(stage, places, task_id, hands.offline(stage))
        await hands.must(commands.read_tree(commit, staged), "Writing the files of the worktree")
    except BaseException:
        await clear(places, task_id, hands)
        raise
    finally:
        leave_stage(places, task_id)


async def standing(places: Places, task_id: int, hands: Hands) -> str | None:
    """The commit of a worktree that is whole."""
    tree, administration = places.tree(task_id), places.administration(task_id)
    if not tree.is_dir() or not (tree / ".git").exists() or not (administration / "index").exists():
        return None
    return await _commit(administration, "HEAD", hands, theirs=True)


async def _forget_interrupted(places: Places, task_id: int, branch: str, hands: Hands) -> None:
    """Locks that a git left which was killed: nobody works in the worktree between two attempts."""
    administration = places.administration(task_id)
    locks = (
        *(administration / name for name in ("index.lock", "HEAD.lock", "ORIG_HEAD.lock")),
        places.base / commands.HEADS / f"{branch}.lock",
    )
    await hands.theirs(commands.remove(locks, hands.offline(places.base)), "Removing locks")


async def _catch_up(places: Places, task_id: int, head: str, pushed: str | None, hands: Hands, note: Note) -> str:
    """Follow the branch where somebody else went on with it, as long as nothing of the worktree is lost by that."""
    if pushed is None or pushed == head or await is_ancestor(places.base, pushed, head, hands):
        return head
    if not await is_ancestor(places.base, head, pushed, hands):
        note("The branch has other commits on the server than in the workspace; see origin for them.")
        return head
    stage = await asyncio.to_thread(hands.stage, places, task_id)
    staged = commands.staged(stage, places, task_id, hands.offline(stage))
    try:
        await hands.theirs(commands.refresh(staged), "Looking at the files of the worktree")
        done = await hands.theirs(commands.read_tree(pushed, staged, old=head), "Following the branch")
        if done.code != 0:
            note("The branch went on upon the server, where files differ that are changed here: they are left.")
            return head
    finally:
        leave_stage(places, task_id)
    env = hands.offline(places.base)
    step = commands.move_ref(places.administration(task_id), "HEAD", pushed, "follow the branch", env)
    await hands.must(step, "Following the branch")
    note(f"The branch went on upon the server: going on from {pushed[:12]}.")
    return pushed


async def clear(places: Places, task_id: int, hands: Hands) -> None:
    """Take a worktree away with what git knows of it. Raises `workspace_error` where something of it stays."""
    tree = places.tree(task_id)
    if not tree.exists() and not tree.is_symlink() and not places.administration(task_id).exists():
        return
    await asyncio.to_thread(trees.remove, tree)
    point("task.worktree.removed")
    if tree.exists():
        raise failures.of_workspace(
            f"{tree} cannot be removed.", "Look at who owns the files in it, and remove it by hand.", "not-writable"
        )
    leave_stage(places, task_id)
    if places.base.is_dir():
        await hands.must(commands.prune(places.base, hands.offline(places.base)), "Forgetting the worktree")


def leave_stage(places: Places, task_id: int) -> None:
    """Take away the directory through which git looked at a worktree."""
    trees.remove(places.stages / f"task-{task_id}")


async def _commit(store: Path, revision: str, hands: Hands, *, theirs: bool = False) -> str | None:
    step = commands.resolve(store, revision, hands.offline(store))
    done = await (hands.theirs if theirs else hands.ours)(step, f"Looking for {revision}")
    return done.output.strip() or None if done.code == 0 else None


async def is_ancestor(store: Path, older: str, newer: str, hands: Hands) -> bool:
    step = commands.is_ancestor(store, older, newer, hands.offline(store))
    return (await hands.theirs(step, "Comparing commits")).code == 0
