"""What commands do to tasks and machines: the one place where chats and tasks touch.

The rules are those of the tasks room; whoever composes the application wires what speaks with it (`wire`). Every verb
runs in the unit of the command, for the person who sent it, and asks `access` for whatever depends on the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound, Unavailable
from quarterdeck.kernel.principal import Principal


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """A task as a chat shows it. `waits_for` is an open gate's question, `result` the address of a merge request."""

    id: int
    project_key: str
    description: str
    status: str
    stage: str | None = None
    machine: str | None = None
    error: str | None = None
    result: str | None = None
    waits_for: str | None = None


class ChatActions(Protocol):
    """Raises `NotFound` for what the caller may not see, `Forbidden`, `Conflict` for a state that does not allow it
    (an answered gate's message says who has answered), and `Invalid`.
    """

    def create(self, tx: Tx, access: Access, *, text: str, project_key: str, machine: str | None) -> TaskSeen: ...

    def show(self, tx: Tx, access: Access, task_id: int) -> TaskSeen: ...

    def listed(self, tx: Tx, access: Access, *, project_key: str | None, limit: int) -> Sequence[TaskSeen]: ...

    def cancel(self, tx: Tx, access: Access, task_id: int) -> TaskSeen: ...

    def retry(self, tx: Tx, access: Access, task_id: int) -> TaskSeen: ...

    def confirm(self, tx: Tx, access: Access, task_id: int) -> TaskSeen:
        """Approve the open gate of a task. `Conflict` for one that needs a choice or a text: its card has these."""
        ...

    def answer(self, tx: Tx, access: Access, task_id: int, subject: str, *, approved: bool, result: str) -> TaskSeen:
        """Answer the gate that a card asks about (`subject`, as it was given to `posting.ask`)."""
        ...

    def workspace(self, tx: Tx, access: Access, task_id: int) -> str:
        """Lines about a task's worktree."""
        ...

    def drain(self, tx: Tx, access: Access, machine: str, *, end: bool) -> str:
        """Begin or end draining a machine, by its name. Answers its status."""
        ...

    async def logs(self, instance: Any, principal: Principal, task_id: int, limit: int) -> Sequence[str]:
        """The last lines of a task's output, for somebody who may see it."""
        ...


_wired: list[ChatActions] = []


def wire(actions: ChatActions | None) -> None:
    """Have commands act by these from now on; None: by none."""
    _wired[:] = [] if actions is None else [actions]


def wired() -> ChatActions:
    """Raises `Unavailable` (`chat_actions_unavailable`) where nothing is wired."""
    if not _wired:
        raise Unavailable(
            "This server takes no tasks from chats.",
            code="chat_actions_unavailable",
            hint="Use the console or the command line.",
        )
    return _wired[0]


def project(tx: Tx, key: str) -> str:
    """A project of tasks of the caller's organization by its key, whatever its case: the key as it is written. Raises
    `NotFound` (`project_not_found`).
    """
    found = tx.execute(
        "SELECT key FROM tasks_projects WHERE organization_id = :place AND lower(key) = :key",
        {"place": tx.principal.acts_in, "key": key.lower()},
    ).scalar()
    if found is None:
        raise NotFound(
            f"There is no project {key[:64]!r}.", code="project_not_found", hint="Look at the list of projects."
        )
    return str(found)
