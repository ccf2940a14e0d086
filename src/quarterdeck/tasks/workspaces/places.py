"""Where things lie on the worker.

ROOT/PROJECT/mirror.git     what the repository's server has; only we write there
ROOT/PROJECT/base.git       what the worktrees stand on; borrows the mirror's objects; the agent's user may write there
ROOT/PROJECT/tasks/task-N/  the worktree of task N
ROOT/PROJECT/stages/task-N/ the configuration with which git looks at that worktree while we deliver from it
ROOT/PROJECT/state/         what earlier attempts pushed, and the hosts that were met; ours alone

Users may pass through ROOT; PROJECT opens to the group of its agents alone, base and worktrees to their user.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.kernel.errors import Problem
from quarterdeck.tasks.workspaces import failures

_PLAIN = re.compile(r"[^A-Za-z0-9_-]+")
_TASK = re.compile(r"task-[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Places:
    """The directories of one project, which is of an organization, and of one repository."""

    project: Path

    @property
    def mirror(self) -> Path:
        return self.project / "mirror.git"

    @property
    def base(self) -> Path:
        return self.project / "base.git"

    @property
    def tasks(self) -> Path:
        return self.project / "tasks"

    @property
    def stages(self) -> Path:
        return self.project / "stages"

    @property
    def state(self) -> Path:
        return self.project / "state"

    @property
    def known_hosts(self) -> Path:
        return self.state / "known_hosts"

    def tree(self, task_id: int) -> Path:
        return self.tasks / f"task-{task_id}"

    def administration(self, task_id: int) -> Path:
        """Where git keeps HEAD and the index of the worktree."""
        return self.base / "worktrees" / f"task-{task_id}"

    def notes(self, task_id: int) -> Path:
        return self.state / f"task-{task_id}.json"

    def incoming(self, task_id: int) -> Path:
        """Objects of the task that were taken over for its push."""
        return self.state / f"incoming-{task_id}"

    def make(self) -> None:
        """Raises `workspace_error` where they cannot be made. Agents of other projects do not get in; those of this one
        may go through and not look around, once `enclose` has said who they are.
        """
        try:
            self.project.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            for path in self._ours:
                path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise failures.unwritable(self.project, error) from None

    def enclose(self, group: int | None) -> None:
        """Let the agent's group pass, and nobody else; what older versions had left open is closed. `group` None: the
        agent is the worker's own user.
        """
        try:
            for path in (self.project, self.tasks, self.stages):
                if group is not None:
                    os.chown(path, -1, group)
                path.chmod(0o700 if group is None else 0o710)
            for path in (self.base, *self.tasks.glob("task-*")):
                _close(path)
        except OSError as error:
            raise failures.unwritable(self.project, error) from None

    @property
    def _ours(self) -> tuple[Path, ...]:
        return self.project, self.tasks, self.stages, self.state


def tighten(root: Path) -> None:
    """Close what older versions had left open to agents of other projects: at a worker's start."""
    if not root.is_dir():
        return
    with contextlib.suppress(OSError):
        root.chmod(0o711)
    for project in root.iterdir():
        place = Places(project)
        if project.is_dir() and not project.is_symlink() and place.base.is_dir():
            base = place.base.lstat()
            with contextlib.suppress(Problem):  # what is not ours to close is told when a task wants it
                place.make()
                place.enclose(base.st_gid if base.st_uid != os.geteuid() else None)


def _close(path: Path) -> None:
    """Its name stands in a directory of ours, so nobody else puts something in its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        if error.errno == errno.ELOOP:
            return
        raise
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def of_project(root: Path, organization: str, key: str, url: str) -> Places:
    """A project whose repository is another one now begins anew beside the old place."""
    digest = hashlib.sha256(f"{organization}\0{key}\0{url}".encode()).hexdigest()[:12]
    return Places(root / f"{_PLAIN.sub('-', key)[:64].lower() or 'project'}-{digest}")


def of_tree(root: Path, path: str, task_id: int) -> Places | None:
    """The project that a worktree belongs to; None for a path that is none of ours."""
    tree = Path(os.path.normpath(path))
    project = tree.parent.parent
    plain = tree.is_absolute() and tree.parent.name == "tasks" and _TASK.fullmatch(tree.name)
    if not plain or project.parent != root or tree.name != f"task-{task_id}":
        return None
    return Places(project)
