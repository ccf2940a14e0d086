"""What the audit trail and the events say of one thing."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.identity.model import Organization
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from support.deck import HOME, Deck


async def notes(deck: Deck, stream: str) -> tuple[list[str], list[str]]:
    """Audited actions and types of events of `server:srv_…`, the oldest first."""

    def verb(tx: Tx) -> tuple[list[str], list[str]]:
        home = tx.one(select(Organization).where(Organization.ref == HOME), what="home organization")
        page = audit.page(tx, organization_id=home.id, aggregate_id=stream.partition(":")[2])
        told = [event.type for event in events.read(tx, stream, 0, 100)]
        return [event.action for event in reversed(page.events)], told

    return await deck.instance.db.read(verb)
