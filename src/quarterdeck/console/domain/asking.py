"""What tasks ask of the reader: the gates that they may answer, and what is found of tasks by words."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.console.views.home import NeedsYou
from quarterdeck.console.views.ledger import Found
from quarterdeck.console.views.shell import Count
from quarterdeck.console.words import ago
from quarterdeck.kernel.db import Tx
from quarterdeck.tasks.overview import searching
from quarterdeck.tasks.overview.asking import answerable
from quarterdeck.tasks.work import finding
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.work.transitions import LIVE
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
