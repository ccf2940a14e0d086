"""What brokered secrets tell and ask of the reader: what to decide, to look at, to fetch, and what words find."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.broker.requests import inbox
from quarterdeck.console.domain import secret_views
from quarterdeck.console.views.home import NeedsYou
from quarterdeck.console.views.secrets import RequestRow
from quarterdeck.console.views.shell import Count
from quarterdeck.console.words import ago, counted
from quarterdeck.kernel.db import Tx

MOST = 20


def needs(tx: Tx, access: Access) -> tuple[NeedsYou, ...]:
    """Questions first, then what waits for the reader to fetch it, then emergencies that nobody has looked at."""
    asked = secret_views.rows(tx, access, inbox.to_decide(tx, access, MOST))
    ready = inbox.to_fetch(tx, MOST)
    fetched = zip(
        secret_views.rows(tx, access, [one for one, _ in ready]), (number for _, number in ready), strict=True
    )
    emergencies = secret_views.rows(tx, access, inbox.to_review(tx, access, MOST))
    return (
        *(_decide(tx, row) for row in asked),
        *(
            NeedsYou("ask", f"{row.ref} can be revealed", row.href, (counted(number, "value"), row.place), "Reveal")
            for row, number in fetched
        ),
        *(_review(tx, row) for row in emergencies),
    )


def _decide(tx: Tx, row: RequestRow) -> NeedsYou:
    what = {"read": "read", "patch": "set keys of", "update": "replace", "rotate": "rotate"}.get(row.kind, row.kind)
    ends = f"ends {ago(row.until, tx.now)}" if row.until is not None else ""
    meta = tuple(filter(None, (row.place, f"asked {ago(row.at, tx.now)}", ends)))
    return NeedsYou("ask", f"{row.by} asks to {what} {row.ref}", row.href, meta, "Decide")


def _review(tx: Tx, row: RequestRow) -> NeedsYou:
    meta = tuple(filter(None, (row.place, f"{ago(row.at, tx.now)}", "in an emergency")))
    return NeedsYou("warn", f"{row.by} went ahead with {row.ref} without approval", row.href, meta, "Look at it")


def count(tx: Tx, access: Access) -> Count:
    """Beside the room: how many requests wait for the reader's decision, or look."""
    return Count("ask", len(inbox.to_decide(tx, access)) + len(inbox.to_review(tx, access)))
