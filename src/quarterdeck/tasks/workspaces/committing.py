"""What the agent left uncommitted becomes a commit of the developer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from quarterdeck.fleet.git.commands import Environment
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.faults import point
from quarterdeck.tasks.orders import Person
from quarterdeck.tasks.workspaces import commands, failures
from quarterdeck.tasks.workspaces.hands import Hands
from quarterdeck.tasks.workspaces.places import Places
from quarterdeck.tasks.workspaces.worktree import Worktree

LARGEST_FILE = 100_000_000
"""Bytes: no forge takes a larger file, and nobody wants a build's result in a branch."""
SHOWN_NAMES = 5


async def commit_rest(
    places: Places, worktree: Worktree, developer: Person, message: str, hands: Hands, largest: int = LARGEST_FILE
) -> str:
    """Commit what is changed or new and not ignored; answers the commit that is delivered, new or not.

    Files larger than `largest` bytes are left out, which is noted. Raises `workspace_error` for conflicts that were not
    resolved and a rebase that was not finished: nobody wants those in a branch.
    """
    administration = places.administration(worktree.task_id)
    stage = await asyncio.to_thread(hands.stage, places, worktree.task_id)
    env = {
        **commands.staged(stage, places, worktree.task_id, hands.offline(stage)),
        **commands.signed(developer),
    }
    try:
        await _require_settled(administration, env, hands)
        head = await _resolved(administration, "HEAD", hands)
        merged = await _resolved(administration, "MERGE_HEAD", hands)
        if head is None:
            raise Invalid(
                "The worktree stands at no commit.",
                code=failures.WORKSPACE,
                hint="The agent left it on a branch without commits. Check the task's branch out in its workspace.",
            )
        await hands.theirs(commands.remove((administration / "index.lock",), env), "Removing locks")
        await _add(places.tree(worktree.task_id), worktree, env, hands, largest)
        tree = await hands.must(commands.write_tree(env), "Writing the tree")
        before = await hands.must(commands.tree_of(administration, head, hands.offline(stage)), "Reading the tree")
        if tree == before and merged is None:
            return head
        parents = (head, merged) if merged and merged != head else (head,)
        step = commands.commit_tree(tree, parents, env)
        new = await hands.must(step, "Committing", stdin=(message.strip() or "Work of an agent").encode() + b"\n")
        point("task.commit.made")
        await hands.must(
            commands.move_ref(administration, "HEAD", new, "commit what was left", hands.offline(stage)), "Committing"
        )
        left = tuple(administration / name for name in ("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE"))
        await hands.theirs(commands.remove(left, env), "Committing")
        return new
    finally:
        await asyncio.to_thread(trees.remove, stage)


async def snapshot(places: Places, worktree: Worktree, hands: Hands, largest: int = LARGEST_FILE) -> tuple[str, str]:
    """HEAD of the worktree, and a tree of its files as they stand, committed or not; ignored and too large ones are
    left out. Nothing of the worktree changes, its index neither. Raises `workspace_error`.
    """
    administration = places.administration(worktree.task_id)
    stage = await asyncio.to_thread(hands.stage, places, worktree.task_id)
    index = stage / "index"
    env = commands.staged(stage, places, worktree.task_id, hands.offline(stage), index=index)
    try:
        head = await _resolved(administration, "HEAD", hands)
        if head is None:
            raise failures.local("Comparing with the base branch failed", "fatal: the worktree stands at no commit")
        await hands.must(commands.copy(administration / "index", index, hands.offline(stage)), "Reading the index")
        quiet = replace(worktree, note=lambda _: None)
        await _add(places.tree(worktree.task_id), quiet, env, hands, largest)
        return head, await hands.must(commands.write_tree(env), "Writing the tree")
    finally:
        await asyncio.to_thread(trees.remove, stage)


async def _require_settled(administration: Path, env: Environment, hands: Hands) -> None:
    if any((administration / name).exists() for name in ("rebase-merge", "rebase-apply")):
        raise Invalid(
            "The agent left a rebase unfinished.",
            code=failures.WORKSPACE,
            hint="Finish or abort it in the task's workspace, then retry the task.",
            reason="unfinished",
        )
    listed = await hands.must(commands.unmerged(env), "Looking for conflicts")
    names = sorted({entry.partition("\t")[2] for entry in listed.split("\0") if "\t" in entry})
    if names:
        raise Invalid(
            f"The agent left conflicts in {_some(names)}.",
            code=failures.WORKSPACE,
            hint="Resolve them in the task's workspace, then retry the task.",
            reason="conflicts",
        )


async def _add(tree: Path, worktree: Worktree, env: Environment, hands: Hands, largest: int) -> None:
    listed = await hands.must(commands.changed(env), "Looking for changes")
    names = [name for name in dict.fromkeys(listed.split("\0")) if name]
    large = await asyncio.to_thread(lambda: [name for name in names if _size(tree / name) > largest])
    if large:
        worktree.note(f"Left out, because a file of a branch has at most {largest // 1_000_000} MB: {_some(large)}.")
    if names:
        chosen = "\0".join([".", *(f":(exclude,literal){name}" for name in large)])
        await hands.must(commands.add(env), "Adding the changes", stdin=chosen.encode(errors="surrogateescape"))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


async def _resolved(store: Path, revision: str, hands: Hands) -> str | None:
    done = await hands.theirs(commands.resolve(store, revision, hands.offline(store)), f"Looking for {revision}")
    return done.output.strip() or None if done.code == 0 else None


def _some(names: list[str]) -> str:
    shown = [name.encode(errors="replace").decode()[:100] for name in names[:SHOWN_NAMES]]
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"{', '.join(''.join(one if one.isprintable() else '?' for one in name) for name in shown)}{more}"
