"""What happened to a task, in order, as pages."""

from __future__ import annotations

from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.events import Event
from quarterdeck.tasks.work.happenings import stream
from quarterdeck.tasks.work.model import Task


def page(
    tx: Tx, task: Task, *, words: frozenset[str] = frozenset(), text: str = "", offset: int = 0, limit: int = 20
) -> tuple[list[Event], int]:
    """Events from a position on and how many there are, both of those whose type is among `words` (none: any) and whose
    message has `text`, in any case.
    """
    if not words and not text.strip():
        gone, head = events.watermark(tx, stream(task.id)), events.head(tx, stream(task.id))
        return events.read(tx, stream(task.id), gone + offset, limit), head - gone
    wanted = events.Wanted(types=words, message=text.strip())
    return events.matching(tx, stream(task.id), wanted, offset, limit)
