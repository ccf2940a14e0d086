"""A repository behind a real git server, as the tests of workspaces have it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.tasks.orders import AgentChoice, DeliverReport, Person, Repository, TaskOrder
from quarterdeck.tasks.workspaces.cleaning import CleanOrder
from quarterdeck.tasks.workspaces.worktree import Worktree
from real.git_server import CLEAN, commit, git

TOKEN = "s3cr3t-t0ken"
ADA = Person(name="Ada Lovelace", email="ada@lovelace.test")


@dataclasses.dataclass
class Hub:
    """`origin` is the repository on the server, `dev` the clone of a developer beside it."""

    home: Path
    url: str
    server: Any
    notes: list[str] = dataclasses.field(default_factory=list)
    asked: list[DeliverReport] = dataclasses.field(default_factory=list)

    @property
    def origin(self) -> Path:
        return self.home / "served" / "shop.git"

    def order(self, task_id: int = 42, **changes: Any) -> TaskOrder:
        repository = Repository(url=f"{self.url}/shop.git", default_branch="main", token=TOKEN)
        made = TaskOrder(
            task_id=task_id,
            attempt=1,
            organization="home",
            project_key="WEB",
            description="Add a page",
            pipeline=(),
            branch=f"overlord/{task_id}-add-a-page",
            base_branch="main",
            repository=repository,
            developer=ADA,
            agent=AgentChoice(type="custom"),
            stage_seconds=60,
            gate_seconds=60,
            merge_request=False,
        )
        return msgspec.structs.replace(made, **changes)

    def clean(self, tree: Worktree, **changes: Any) -> CleanOrder:
        made = CleanOrder(task_id=tree.task_id, path=str(tree.path), organization="home", project_key="WEB")
        return msgspec.structs.replace(made, **changes)

    async def may_push(self, report: DeliverReport) -> None:
        self.asked.append(report)

    def push(self, files: dict[str, str], branch: str = "main", message: str = "Of a colleague") -> str:
        """A commit that somebody else pushes."""
        place = self.home / "colleague"
        if not place.exists():
            git(self.home, "clone", "--quiet", str(self.origin), str(place))
        git(place, "fetch", "--quiet", "origin")
        git(place, "checkout", "--quiet", "-B", branch, f"origin/{branch}")
        made = commit(place, files, message=message)
        git(place, "push", "--quiet", "origin", branch)
        return made

    def at(self, branch: str) -> str | None:
        """Where a branch stands on the server."""
        found = git(self.origin, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        return found or None

    def show(self, branch: str, form: str) -> str:
        return git(self.origin, "log", "-1", f"--format={form}", branch)


def in_tree(tree: Path, *arguments: str, **environment: str) -> str:
    """Git as the agent runs it in its worktree."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=tree,
        env={"PATH": os.environ["PATH"], **CLEAN, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
