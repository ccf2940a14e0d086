"""What a left room needs from a right one, said on the left, implemented on the right, wired in `app.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from quarterdeck.kernel.db.tx import Tx


class DeletionBlocker(Protocol):
    """Says why a thing may not be deleted yet."""

    def blockers(self, tx: Tx, kind: str, row_id: int) -> list[tuple[str, int]]:
        """Pairs of blocker word (`environment`, `deployment-history`) and how many such rows stand in the way."""
        ...
