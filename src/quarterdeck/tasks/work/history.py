"""What happened to a task, in order, as pages."""

from __future__ import annotations

from collections.abc import Iterator

from quarterdeck.kernel import events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.events import Event
from quarterdeck.tasks.work.happenings import stream
from quarterdeck.tasks.work.model import Task

PAGE = 500


def page(
    tx: Tx, task: Task, *, words: frozenset[str] = frozenset(), text: str = "", offset: int = 0, limit: int = 20
) -> tuple[list[Event], int]:
    """Events from a position on and how many there are, both of those whose type is among `words` (none: any) and whose
    message has `text`, in any case.
    """
    if not words and not text.strip():
        gone, head = events.watermark(tx, stream(task.id)), events.head(tx, stream(task.id))
        return events.read(tx, stream(task.id), gone + offset, limit), head - gone
    wanted = text.strip().lower()
    found = [
        one
        for one in _all(tx, stream(task.id))
        if (not words or one.type in words) and wanted in str(one.data.get("message", "")).lower()
    ]
    return found[offset : offset + limit], len(found)


def _all(tx: Tx, name: str) -> Iterator[Event]:
    after = 0
    while some := events.read(tx, name, after, PAGE):
        yield from some
        after = some[-1].sequence
