"""Where things lie on the worker.

ROOT/PROJECT/mirror.git     what the repository's server has; only we write there
ROOT/PROJECT/base.git       what the worktrees stand on; borrows the mirror's objects; the agent's user may write there
ROOT/PROJECT/tasks/task-N/  the worktree of task N
ROOT/PROJECT/stages/task-N/ the configuration with which git looks at that worktree while we deliver from it
ROOT/PROJECT/state/         what earlier attempts pushed, and the hosts that were met; ours alone
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

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

    def make(self) -> None:
        """Raises `workspace_error` where they cannot be made. The agent's user may go through and not look around."""
        try:
            self.project.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            for path in (self.project, self.tasks, self.stages):
                if not path.is_dir():
                    path.mkdir()
                    path.chmod(0o711)
            self.state.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise failures.unwritable(self.project, error) from None


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
