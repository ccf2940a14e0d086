"""People of an instance as other surfaces than deploy know them, and what the audit trail says about them."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.identity import sessions, users
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.db import Tx
from support.deck import HOME, PASSWORD, Deck


class Crew:
    """`deck` is signed in as the first administrator; so is who sends no token."""

    def __init__(self, deck: Deck) -> None:
        self.deck = deck
        self.db = deck.instance.db

    async def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.deck.send(method, path, body, **options)

    async def ok(self, method: str, path: str, body: Any = None, *, status: int = 200, **options: Any) -> Any:
        answer = await self.send(method, path, body, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def refused(
        self, status: int, code: str, method: str, path: str, body: Any = None, **options: Any
    ) -> dict[str, Any]:
        """A refusal in the envelope of the tasks surface; nothing succeeded meanwhile, says the audit trail."""
        before = await self.told()
        answer = await self.send(method, path, body, **options)
        found: dict[str, Any] = answer.json()
        assert (answer.status_code, found.get("code")) == (status, code), answer.text
        assert found["statusCode"] == status
        assert found["error"]
        assert found["message"]
        assert [one for one in (await self.told())[len(before) :] if one["outcome"] == "success"] == []
        return found

    async def told(self) -> list[dict[str, Any]]:
        """The audit trail, oldest first."""
        asked = select(audit_events).order_by(audit_events.c.id)
        return [dict(row) for row in await self.db.read(lambda tx: tx.execute(asked).mappings().all())]

    async def once(
        self,
        action: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        status: int = 200,
        actor: str = "ada",
        **rest: Any,
    ) -> Any:
        """A change that succeeds and leaves exactly one audit event, with its actor and the id of its request."""
        before = len(await self.told())
        answer = await self.send(method, path, body, **rest)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        events = (await self.told())[before:]
        assert [(one["action"], one["actor_label"], one["outcome"]) for one in events] == [(action, actor, "success")]
        assert events[0]["request_id"] == answer.headers["x-request-id"]
        return answer.json()

    async def person(
        self, name: str, *roles: str, organization: str = HOME, password_hash: str | None = None
    ) -> tuple[int, str]:
        """A new user with roles: the id and a session's access token. Unknown organizations are made."""

        def verb(tx: Tx) -> tuple[int, str]:
            place = tx.first(select(Organization).where(Organization.ref == organization))
            if place is None:
                slug = organization.replace("_", "-")
                place = tx.add(
                    Organization(uid=tx.ids.uid(), ref=organization, name=organization, slug=slug, created_at=tx.now)
                )
            user: User = users.create(tx, username=name, password_hash=password_hash)
            for role in roles:
                grants.give(tx, self.deck.instance.access, user.id, place.id, role)
            made = sessions.open_session(tx, user, place, kinds=("access",), client_kind="web")
            return user.id, made.tokens["access"].reveal()

        return await self.db.write(verb)

    async def login(self, name: str = "ada", password: str = PASSWORD, **more: Any) -> httpx.Response:
        return await self.send("POST", "/api/auth/login", {"username": name, "password": password, **more}, token=None)

    async def tokens(self, name: str = "ada", password: str = PASSWORD, **more: Any) -> dict[str, Any]:
        answer = await self.login(name, password, **more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
