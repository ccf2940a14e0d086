"""What an organization has chosen for its tasks, for whoever acts for it without a caller."""

from __future__ import annotations

from typing import Any

from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.settings.defaults import DEFAULTS
from quarterdeck.tasks.settings.model import TaskSettings


def chosen(tx: Tx, organization_id: int) -> dict[str, Any]:
    """All settings of an organization by their names on the wire."""
    row = tx.get(TaskSettings, organization_id)
    return {**DEFAULTS, **(row.chosen if row is not None else {})}
