"""Worktrees of tasks on this worker: prepared before the agent begins, delivered from, and left."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import httpx

from quarterdeck.fleet.git.commands import Command
from quarterdeck.fleet.git.running import tree_size
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.faults import point
from quarterdeck.tasks.orders import DeliveredReport, DiffReport, TaskOrder
from quarterdeck.tasks.workspaces import (
    commands,
    committing,
    comparing,
    departing,
    failures,
    mirrors,
    places,
    pushing,
    remote,
    statistics,
    worktrees,
)
from quarterdeck.tasks.workspaces.cleaning import CleanOrder
from quarterdeck.tasks.workspaces.forges import opening
from quarterdeck.tasks.workspaces.hands import LOCAL_SECONDS, Hands
from quarterdeck.tasks.workspaces.pushing import MayPush
from quarterdeck.tasks.workspaces.running import Ended, run
from quarterdeck.tasks.workspaces.users import AgentUser, Whose, the_workers_own
from quarterdeck.tasks.workspaces.worktree import Note, Worktree

COMMAND_SECONDS = 300.0
LINES = 20
"""Of what a command of the project printed, so many of the last lines are noted when it fails."""


class Workspaces:
    """The directory of workspaces of one worker process.

    `whose` tells the user that a project's agents run as; always the same for a project. `ssh_key` is this machine's
    key for SSH. Every failure is a `Problem` with the code `workspace_error` or `git_push_failed`.
    """

    def __init__(
        self,
        root: Path,
        *,
        whose: Whose = the_workers_own,
        ssh_key: Path | None = None,
        inherited: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        command_seconds: float = COMMAND_SECONDS,
        local_seconds: float = LOCAL_SECONDS,
        largest_file: int = committing.LARGEST_FILE,
    ) -> None:
        self.root = root.resolve()
        self._whose = whose
        self._ssh_key = ssh_key
        self._inherited = os.environ if inherited is None else inherited
        self._clock = clock or SystemClock()
        self._transport = transport
        self._command_seconds = command_seconds
        self._local_seconds = local_seconds
        self._largest_file = largest_file
        self._turns: dict[Path, mirrors.Turn] = {}

    async def prepare(self, order: TaskOrder, note: Note) -> Worktree:
        """The worktree of a task, at what the server has now; that of an earlier attempt is gone on with."""
        branch, base_branch = remote.require_branch(order.branch), remote.require_branch(order.base_branch)
        repository, place, hands = self._of(order)
        asked, turn = self._clock.monotonic(), self._turn(place)
        async with turn.lock:
            if await mirrors.fetch(place, repository, hands, self._clock, turn, asked):
                note(f"Fetched {repository.shown}.")
            await asyncio.to_thread(departing.remember, place, order.organization, order.project_key)
            head, continued = await worktrees.find_or_make(place, order.task_id, branch, base_branch, hands, note)
        tree = place.tree(order.task_id)
        made = Worktree(tree, branch, base_branch, head, order.task_id, 0, continued, note)
        return replace(made, size=await self.size(made))

    async def deliver(self, worktree: Worktree, order: TaskOrder, message: str, may_push: MayPush) -> DeliveredReport:
        """Commit what is left, push the branch, and open or update its merge request.

        `may_push` is awaited immediately before the push; what it raises goes on to the caller, and nothing is pushed.
        A forge that fails is noted and loses nothing: the branch is pushed.
        """
        repository, place, hands = self._of(order)
        point("task.commit")
        commit = await committing.commit_rest(place, worktree, order.developer, message, hands, self._largest_file)
        point("task.committed")
        figures = await statistics.compare(place, worktree.base_branch, commit, hands)
        pushed = await pushing.push(place, repository, worktree, commit, may_push, hands)
        url = None
        point("task.merge-request")
        if pushed and order.merge_request and worktree.branch != worktree.base_branch:
            try:
                url = await opening.merge_request(order, repository.address, message, self._transport)
            except Problem as problem:
                worktree.note(f"{worktree.branch} is pushed, without a merge request: {problem.message}")
        point("task.merge-request.opened")
        return DeliveredReport(
            branch=worktree.branch,
            commit=commit,
            pushed=pushed,
            merge_request_url=url,
            files_changed=figures.files,
            insertions=figures.insertions,
            deletions=figures.deletions,
        )

    async def compare(self, worktree: Worktree, order: TaskOrder, commit: str | None = None) -> DiffReport:
        """What `commit` changes, or (None) the files of the worktree as they stand, since it left the base branch."""
        _, place, hands = self._of(order)
        if commit is not None:
            found = await comparing.compare(place, worktree.base_branch, commit, commit, hands)
        else:
            head, tree = await committing.snapshot(place, worktree, hands, self._largest_file)
            found = await comparing.compare(place, worktree.base_branch, head, tree, hands)
        return DiffReport(
            base=found.base,
            commit=commit,
            files_changed=found.figures.files,
            insertions=found.figures.insertions,
            deletions=found.figures.deletions,
            patch=found.patch,
            cut=found.cut,
        )

    async def leave(self, worktree: Worktree, order: TaskOrder) -> None:
        """Run the project's clean-up command. The worktree stays until it is removed; a failure is noted, no more."""
        if not order.cleanup_command:
            return
        try:
            done = await self.run(worktree, order, order.cleanup_command)
        except Problem as problem:
            worktree.note(f"The clean-up command failed: {problem.message}")
            return
        if done.code != 0:
            worktree.note(f"The clean-up command ended with {done.code}: {_tail(done)}")

    async def run(self, worktree: Worktree, order: TaskOrder, command: str, seconds: float | None = None) -> Ended:
        """Run a command of the project in the worktree as the agent's user, with the project's variables. Raises
        `workspace_error` when it takes too long; then, as ever, no process of it is left.
        """
        variables = {**commands.signed(order.developer), **order.environment}
        user = self._whose(order.organization, order.project_key)
        step = Command((*commands.SHELL, command), user.environment, str(worktree.path))
        return await run(
            step,
            "A command of the project",
            seconds or self._command_seconds,
            stdin=commands.exports(variables),
            run_as=user.run_as,
        )

    async def remove(self, order: CleanOrder) -> int:
        """Remove the worktree of a task, and answer how many bytes it had. One that is not there is no failure. Raises
        `workspace_error` for a path that is none of this worker's.
        """
        place = self.require(order.path, order.task_id)
        hands = self.hands(order.organization, order.project_key)
        size = await asyncio.to_thread(tree_size, place.tree(order.task_id))
        async with self._turn(place).lock:
            await worktrees.clear(place, order.task_id, hands)
            await asyncio.to_thread(place.notes(order.task_id).unlink, missing_ok=True)
            if place.mirror.is_dir():
                await mirrors.tidy(place, hands)
        return size

    async def depart(self) -> departing.Left:
        """The machine is no worker any more: see `departing.depart`. Nothing may run in a worktree."""
        return await departing.depart(self)

    def require(self, path: str, task_id: int) -> places.Places:
        """The project of a task's worktree. Raises `workspace_error` for a path that is none of this worker's."""
        place = places.of_tree(self.root, path, task_id)
        if place is None:
            raise failures.of_workspace(
                f"{path} is no workspace of task {task_id} on this machine.",
                "Nothing was done with it. If the directory of workspaces has moved, remove the old one by hand.",
                "elsewhere",
            )
        return place

    def user(self, organization: str, project_key: str) -> AgentUser:
        """Whom a project's agents run as here."""
        return self._whose(organization, project_key)

    async def size(self, worktree: Worktree) -> int:
        """Bytes of all files of the worktree."""
        return await asyncio.to_thread(tree_size, worktree.path)

    def free(self) -> int:
        """Bytes that are free where workspaces lie."""
        place = next(one for one in (self.root, *self.root.parents) if one.exists())
        return shutil.disk_usage(place).free

    def _of(self, order: TaskOrder) -> tuple[remote.Remote, places.Places, Hands]:
        found = remote.of(order.repository, key=self._ssh_key, inherited=self._inherited)
        place = places.of_project(self.root, order.organization, order.project_key, found.address.url)
        return found, place, self.hands(order.organization, order.project_key)

    def hands(self, organization: str, project_key: str) -> Hands:
        """By which the directories of a project are worked on."""
        user = self._whose(organization, project_key)
        return Hands(user.run_as, user.owner, self._inherited, self._local_seconds)

    def _turn(self, place: places.Places) -> mirrors.Turn:
        return self._turns.setdefault(place.project, mirrors.Turn())


def _tail(done: Ended) -> str:
    lines = [line for line in (done.messages or done.output).splitlines() if line.strip()][-LINES:]
    return "\n".join(line[:500] for line in lines) or "it printed nothing."
