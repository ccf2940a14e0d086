"""Reading and changing the settings of the current organization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.actions import TasksAction
from quarterdeck.tasks.settings.defaults import DEFAULTS, require_agent, require_sound
from quarterdeck.tasks.settings.model import TaskSettings


def shown(tx: Tx) -> dict[str, Any]:
    """All settings of the current organization by name: what was chosen, else the default."""
    return of(tx, tx.principal.acts_in)


def of(tx: Tx, organization_id: int) -> dict[str, Any]:
    """As `shown`, of any organization."""
    row = tx.get(TaskSettings, organization_id)
    return {**DEFAULTS, **(row.chosen if row is not None else {})}


def change(tx: Tx, values: Mapping[str, Any]) -> dict[str, Any]:
    """Choose some values (names of `DEFAULTS`) and answer all. Raises `Invalid`."""
    organization_id = tx.principal.acts_in
    tx.lock(f"task-settings:{organization_id}")
    before = shown(tx)
    after = {**before, **values}
    if "defaultAgentType" in values:
        require_agent(values["defaultAgentType"])
    require_sound(after)
    changed = sorted(name for name in after if after[name] != before[name])
    if not changed:
        return after
    chosen = {name: value for name, value in after.items() if value != DEFAULTS[name]}
    row = tx.get(TaskSettings, organization_id)
    if row is None:
        tx.add(TaskSettings(organization_id=organization_id, chosen=chosen, updated_at=tx.now))
    else:
        row.chosen, row.updated_at = chosen, tx.now
    audit.record(
        tx,
        TasksAction.SETTINGS_CHANGED,
        resource_type="task-settings",
        resource_id=str(organization_id),
        detail={name: after[name] for name in changed},
    )
    events.append(
        tx,
        f"task-settings:{organization_id}",
        "task-settings-changed",
        {"changed": changed},
        organization_id=organization_id,
    )
    return after
