"""What ends the live tasks of a project that is deleted by force. `tasks.work` knows how a task ends, and does it."""

from __future__ import annotations

from typing import Protocol

from quarterdeck.kernel.db import Tx


class EndsTasks(Protocol):
    """Asked once, in the unit in which the project is deleted."""

    def end_tasks(self, tx: Tx, project_id: int, reason: str) -> int:
        """Cancel every live task of a project (its row id of workspace), with its job. Answers how many there were."""
        ...
