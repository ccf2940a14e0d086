"""The task that somebody means, by what they may do with it (contract: tasks §2.4)."""

from __future__ import annotations

from typing import Literal

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.work import finding
from quarterdeck.tasks.work.model import Task


def task_for(tx: Tx, access: Access, task_id: int | None, may: Literal["view", "act", "type"]) -> Task:
    """A task of the current organization. Everybody of its project sees it; its owner and administrators act on it, and
    maintainers of the project type into its terminal as well.

    Raises `NotFound` (`task_not_found`) also for one that the caller may not see, and `Forbidden` (`task_not_yours`).
    """
    task = finding.find(tx, access, task_id)
    if may == "act":
        finding.require_owner(tx, access, task, "act on")
    elif may == "type":
        finding.require_answerer(tx, access, task, "type into the terminal of")
    return task
