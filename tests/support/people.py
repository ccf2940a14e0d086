"""People of an organization, asked in and let in over the API, and what the audit trail says of one request."""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx
from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.identity import personal_tokens, sessions, users
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.db import Tx
from support.deck import HOME, Deck, check, operations


class Person(NamedTuple):
    """`id` as the deploy surface writes it; `token` is of a session in the organization."""

    id: str
    uid: str
    name: str
    email: str
    token: str


async def person(deck: Deck, role: str, organization: str = HOME, name: str | None = None) -> Person:
    """Somebody new with an organization role, and a session."""

    def verb(tx: Tx) -> Person:
        place = tx.one(select(Organization).where(Organization.ref == organization), what=organization)
        called = name or f"{role}-{tx.ids.text(6)}"
        user = users.create(tx, username=called, email=f"{called}@example.com")
        tx.flush()
        grants.give(tx, deck.instance.access, user.id, place.id, f"organization:{role}")
        made = sessions.open_session(tx, user, place, kinds=("session",), client_kind="web", user_agent="Browser 1")
        token = made.tokens["session"].reveal()
        return Person(user.uid.replace("-", ""), user.uid, called, f"{called}@example.com", token)

    return await deck.instance.db.write(verb)


async def joins(deck: Deck, who: Person, role: str, organization: str) -> None:
    """Give somebody a role in a further organization."""

    def verb(tx: Tx) -> None:
        place = tx.one(select(Organization).where(Organization.ref == organization), what=organization)
        user = tx.one(select(User).where(User.uid == who.uid), what=who.name)
        grants.give(tx, deck.instance.access, user.id, place.id, f"organization:{role}")

    await deck.instance.db.write(verb)


async def personal_token(deck: Deck, who: Person) -> str:
    def verb(tx: Tx) -> str:
        user = tx.one(select(User).where(User.uid == who.uid), what=who.name)
        place = tx.one(select(Organization).where(Organization.ref == HOME), what=HOME)
        tx.act_as(users.principal(user, place.id))
        return personal_tokens.create(tx, user, "laptop")[1].reveal()

    return await deck.instance.db.write(verb)


async def trail(deck: Deck, request_id: str) -> list[dict[str, Any]]:
    """Audit events of one request."""
    asked = select(audit_events).where(audit_events.c.request_id == request_id).order_by(audit_events.c.id)
    return await deck.instance.db.read(lambda tx: [dict(row) for row in tx.execute(asked).mappings()])


async def audited(
    deck: Deck, actor: Person | None, action: str, resource: str, key: str, body: Any = None, **rest: Any
) -> Any:
    """A request that succeeds as documented and leaves exactly one audit event: whose, of what, under its id."""
    answer, events = await noted(deck, key, body, **rest)
    assert answer.status_code == operations()[key]["successStatus"], f"{key}: {answer.status_code} {answer.text}"
    found = answer.json()
    check(key, found)
    assert [(one["action"], one["outcome"]) for one in events] == [(action, "success")], key
    (one,) = events
    label = actor.name if actor is not None else "ada"
    assert (one["actor_kind"], one["actor_label"]) == ("user", label)
    known = resource.format(**{name: value for name, value in found.items() if isinstance(value, str)})
    assert one["resource_id"].replace("-", "") == known.replace("-", ""), key
    return found


async def noted(deck: Deck, key: str, body: Any = None, **rest: Any) -> tuple[httpx.Response, list[dict[str, Any]]]:
    """An answer, and the audit events of its request."""
    answer = await deck.request(key, body, **rest)
    return answer, await trail(deck, answer.headers["x-request-id"])
