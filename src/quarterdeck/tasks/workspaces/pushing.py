"""Giving the branch to the server: never over somebody else's commits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from quarterdeck.fleet.git.commands import Command
from quarterdeck.kernel.errors import Problem, Unavailable
from quarterdeck.kernel.faults import point
from quarterdeck.tasks.orders import DeliverReport
from quarterdeck.tasks.workspaces import commands, failures
from quarterdeck.tasks.workspaces.hands import Hands
from quarterdeck.tasks.workspaces.places import Places
from quarterdeck.tasks.workspaces.remote import Remote
from quarterdeck.tasks.workspaces.running import Ended
from quarterdeck.tasks.workspaces.worktree import Worktree
from quarterdeck.tasks.workspaces.worktrees import is_ancestor

PUSH_SECONDS = 1800.0
ASK_SECONDS = 120.0
MayPush = Callable[[DeliverReport], Awaitable[None]]
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Pushed(msgspec.Struct, frozen=True):
    """What the newest attempt of a task pushed from this machine."""

    url: str
    branch: str
    commit: str


async def push(
    places: Places, remote: Remote, worktree: Worktree, commit: str, may_push: MayPush, hands: Hands
) -> bool:
    """Push `commit` as the worktree's branch; False where there is nothing that the base branch has not got.

    What an earlier attempt of this task pushed, and nobody added to, is replaced if need be; nothing else ever is.
    `may_push` is asked immediately before; what it raises is passed on. Raises `git_push_failed`.
    """
    branch, there = worktree.branch, await _there(places, remote, worktree.branch, hands)
    if there == commit:
        return True
    if there is None and await _nothing_new(places, worktree, commit, hands):
        return False
    over = None
    if there is not None and not await is_ancestor(places.base, there, commit, hands):
        earlier = await asyncio.to_thread(pushed_before, places, worktree.task_id)
        if earlier != Pushed(remote.address.url, branch, there):
            raise failures.moved(remote.shown, branch)
        over = there
    await may_push(DeliverReport(branch=branch, commit=commit))
    env = {
        **remote.environment(places),
        # Read only: what the agent's user may write is no place for what we fetch.
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(places.base / "objects"),
    }
    step = commands.push(places.mirror, remote.address.url, commit, branch, env, over=over)
    point("task.push")
    done = await _run(step, f"Pushing {branch}", PUSH_SECONDS, hands)
    point("task.pushed")
    if done.code != 0:
        text = f"{done.output}\n{done.messages}"
        raise failures.pushing(remote.shown, branch, text, with_credentials=remote.token is not None)
    if over:
        worktree.note(f"{branch} was rewritten: what an earlier attempt had pushed ({over[:12]}) is replaced.")
    await asyncio.to_thread(_remember, places, worktree.task_id, Pushed(remote.address.url, branch, commit))
    return True


async def _there(places: Places, remote: Remote, branch: str, hands: Hands) -> str | None:
    """Where the branch stands on the server now."""
    ref = f"{commands.HEADS}/{branch}"
    step = commands.ask(remote.address.url, ref, remote.environment(places))
    asked = await _run(step, f"Asking {remote.shown}", ASK_SECONDS, hands)
    if asked.code != 0:
        raise failures.pushing(remote.shown, branch, asked.messages, with_credentials=remote.token is not None)
    found = (line.split("\t") for line in asked.output.splitlines())
    return next((one[0] for one in found if len(one) == 2 and one[1] == ref and _COMMIT.fullmatch(one[0])), None)


async def _run(step: Command, what: str, seconds: float, hands: Hands) -> Ended:
    try:
        return await hands.ours(step, what, seconds=seconds)
    except Problem as problem:  # not in time, or there is no git
        raise Unavailable(problem.message, code=failures.PUSH, hint=problem.hint, reason="slow") from None


async def _nothing_new(places: Places, worktree: Worktree, commit: str, hands: Hands) -> bool:
    start = f"{commands.REMOTE}/{worktree.base_branch}"
    return await is_ancestor(places.base, commit, start, hands)


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'


def pushed_before(places: Places, task_id: int) -> Pushed | None:
    """What an earlier attempt of a task pushed from here, as far as it is known."""
    try:
        return msgspec.json.decode(places.notes(task_id).read_bytes(), type=Pushed)
    except (OSError, msgspec.DecodeError):
        return None


def _remember(places: Places, task_id: int, pushed: Pushed) -> None:
    """Whole or not at all; a failure costs a later attempt its right to rewrite, and nothing else."""
    path = places.notes(task_id)
    fresh = path.with_suffix(".new")
    try:
        fresh.write_bytes(msgspec.json.encode(pushed))
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
