"""What tasks tell and ask of the reader: those that go on, the gates that they may answer, and what words find."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.console.state import tone
from quarterdeck.console.views.home import NeedsYou, RunningNow
from quarterdeck.console.views.ledger import Found
from quarterdeck.console.views.shell import Count
from quarterdeck.console.words import ago
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.overview import searching
from quarterdeck.tasks.overview.asking import answerable
from quarterdeck.tasks.work import finding, reading
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import LIVE, QUEUED, SUSPENDED
from quarterdeck.tasks.work.visibility import visible_projects

TITLE, QUESTION = 60, 140


def needs(tx: Tx, access: Access) -> tuple[NeedsYou, ...]:
    """The open gates that the caller may answer, the one that closes first at the head."""
    return tuple(
        NeedsYou(
            "ask",
            f"Task #{task.id} asks: {shortened(gate.prompt, QUESTION)}",
            f"/console/tasks/{task.id}",
            (title_of(task), f"closes {ago(gate.expires_at, tx.now)}"),
            "Answer",
        )
        for task, gate in answerable(tx, access)
    )


def going_on(tx: Tx, access: Access, most: int) -> tuple[RunningNow, ...]:
    """The tasks that run, and those that wait and why, of what the caller may see: the newest first."""
    found = finding.listed(tx, access, finding.Filter(statuses=LIVE, limit=most))
    return tuple(_going_on(one) for one in reading.described(tx, found))


def _going_on(one: reading.Described) -> RunningNow:
    task = one.task
    shown = tone("task", task.status, task.suspend_reason if task.status == SUSPENDED else None)
    stage, at = task.current_stage, ""
    if task.status != QUEUED and stage is not None and stage < len(task.pipeline):
        at = str(task.pipeline[stage]["name"])
    why = (task.queued_reason or "") if task.status == QUEUED else one.machine.name if one.machine is not None else ""
    since = (task.started_at if task.status != QUEUED else None) or task.created_at
    return RunningNow(
        f"Task #{task.id} {title_of(task)}",
        f"/console/tasks/{task.id}",
        ", ".join(filter(None, (one.project_key, at, why))),
        None,
        since,
        (shown.tone, shown.word),
    )


def count(tx: Tx, access: Access) -> Count:
    """Beside the room of tasks: violet, how many wait for the caller; where none does, how many go on."""
    asked = len(answerable(tx, access))
    return Count("ask", asked) if asked else Count("run", finding.count(tx, access, finding.Filter(statuses=LIVE)))


def search(tx: Tx, access: Access, words: str, limit: int) -> tuple[Found, ...]:
    """Tasks that the caller may see, by their number or by words of what was asked for."""
    found = searching.tasks(tx, visible_projects(tx, access, tx.principal), words.strip(), limit)
    return tuple(Found("task", f"#{one.id} {title_of(one)}", f"/console/tasks/{one.id}", "Tasks") for one in found)


def title_of(task: Task) -> str:
    return shortened(task.description, TITLE)


def shortened(text: str, most: int) -> str:
    """The first line, cut off."""
    first = text.strip().partition("\n")[0]
    return first if len(first) <= most else f"{first[: most - 1]}…"
