"""Tasks and machines that have some words; every sign of them stands for itself."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.overview.newest import parted, rows
from quarterdeck.tasks.work.model import Task

DEPTH = 5_000
"""Descriptions that are looked through, the newest of each project: what is older is found by its number."""
LEAST = 100
"""Descriptions of one project that are looked through at least, however many projects there are."""


def tasks(tx: Tx, visible: set[int] | None, words: str, limit: int) -> list[Task]:
    """Tasks of the `visible` projects (None: of all) whose number is meant (`42`, `#42`), and the newest whose
    description has the words.
    """
    named = _numbered(tx, visible, words)
    here = select(Task.id, Task.description).where(Task.organization_id == tx.principal.acts_in)
    depth = max(DEPTH // max(len(visible or ()), 1), LEAST)
    newest = here.order_by(Task.id.desc()).limit(depth)
    found: list[int] = []
    for query in [newest] if visible is None else parted(newest, visible):
        among = query.subquery()
        having = select(among.c.id).where(among.c.description.icontains(words, autoescape=True))
        found += tx.execute(having.order_by(among.c.id.desc()).limit(limit)).scalars()
    newer = rows(tx, sorted(found, reverse=True)[:limit])
    return [*named, *(task for task in newer if task not in named)][:limit]


def _numbered(tx: Tx, visible: set[int] | None, words: str) -> list[Task]:
    text = words.removeprefix("#")
    task = tx.get(Task, int(text)) if text.isascii() and text.isdigit() and len(text) <= 18 else None
    if task is None or task.organization_id != tx.principal.acts_in:
        return []
    return [task] if visible is None or task.project_id in visible else []
