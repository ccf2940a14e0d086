"""How a project's directories are touched: by ourselves, or as the agent's user."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.fleet.git import commands as git
from quarterdeck.fleet.git.commands import Command
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import Secret
from quarterdeck.tasks.workspaces import commands, failures
from quarterdeck.tasks.workspaces.places import Places
from quarterdeck.tasks.workspaces.running import Ended, RunAs, as_ourselves, run

LOCAL_SECONDS = 300.0
SIZE_SECONDS = 60.0
REFS = 64_000_000
"""Bytes of a list of refs or files that are read."""


@dataclass(frozen=True)
class Hands:
    """Whatever the agent may have changed is read and written as its user, `owner` (uid, gid): what it left there
    cannot do more in our name than in its own. None: the agent is the worker's own user.
    """

    run_as: RunAs = as_ourselves
    owner: tuple[int, int] | None = None
    inherited: Mapping[str, str] = field(default_factory=lambda: os.environ)
    local_seconds: float = LOCAL_SECONDS

    def offline(self, home: Path) -> dict[str, str | Secret[str]]:
        return git.offline(home, inherited=self.inherited)

    async def ours(self, command: Command, what: str, *, stdin: bytes = b"", seconds: float | None = None) -> Ended:
        return await run(command, what, seconds or self.local_seconds, stdin=stdin, most=REFS)

    async def theirs(self, command: Command, what: str, *, stdin: bytes = b"", most: int = REFS) -> Ended:
        return await run(command, what, self.local_seconds, stdin=stdin, most=most, run_as=self.run_as)

    async def must(self, command: Command, what: str, *, stdin: bytes = b"") -> str:
        """As `theirs`; answers what it printed. Raises `workspace_error` when it fails."""
        done = await self.theirs(command, what, stdin=stdin)
        if done.code != 0:
            raise failures.local(f"{what} failed", done.messages or f"fatal: it ended with {done.code}")
        return done.output.strip("\n")

    async def size(self, tree: Path) -> int:
        """Bytes of a worktree, as its user counts them; 0 where nobody can count them in time."""
        with contextlib.suppress(Problem):
            step = commands.size(tree, self.offline(tree))
            done = await run(step, "Measuring the worktree", SIZE_SECONDS, run_as=self.run_as)
            figure = done.output.partition("\t")[0].strip()  # it ends with 1 where it could not read all of it
            return int(figure) if figure.isdecimal() else 0
        return 0

    def hand_over(self, path: Path) -> None:
        """Give a directory that we just made to the agent's user."""
        if self.owner is not None:
            os.chown(path, *self.owner, follow_symlinks=False)

    def share(self, path: Path) -> None:
        """Let the agent's group read what is put there, and nobody else."""
        if self.owner is not None:
            os.chown(path, -1, self.owner[1], follow_symlinks=False)
            path.chmod(0o2750)

    def stage(self, places: Places, task_id: int) -> Path:
        """A git directory with a configuration of ours alone, empty; what was there is gone."""
        stage = places.stages / f"task-{task_id}"
        try:
            trees.remove(stage)
            stage.mkdir(mode=0o700)
            (stage / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
            (stage / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = false\n", encoding="ascii")
            for name in ("objects", "refs"):
                (stage / name).mkdir()
                self.hand_over(stage / name)
            for name in ("HEAD", "config"):
                self.hand_over(stage / name)
            self.hand_over(stage)
        except OSError as error:
            raise failures.unwritable(stage, error) from None
        return stage
