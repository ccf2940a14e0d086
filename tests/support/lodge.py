"""An instance with a mail server, driven as people do: who they are, what is recorded, what is refused."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pyotp
from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.identity import personal_tokens, sessions, users
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Context, current
from support.deck import HOME, PASSWORD, Deck
from support.mailbox import Mailbox


@dataclass(frozen=True)
class Person:
    id: int
    uid: str
    name: str
    token: str


class Lodge:
    """`ada` is the first administrator, made by `POST /api/auth/setup`."""

    def __init__(self, deck: Deck, box: Mailbox) -> None:
        self.deck = deck
        self.box = box
        self.ada = Person(0, "", "", "")

    async def move_in(self) -> Lodge:
        answer = await self.deck.send("POST", "/api/auth/setup", {"username": "ada", "password": PASSWORD}, token=None)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        self.deck.client.cookies.clear()
        self.ada = Person(found["user"]["id"], found["user"]["uid"], "ada", found["access_token"])
        return self

    async def send(self, method: str, path: str, body: Any = None, *, by: Person | None = None, **more: Any) -> Any:
        """As Ada, or by somebody; `token=None` is nobody."""
        token = more.pop("token", (by or self.ada).token)
        answer = await self.deck.send(method, path, body, token=token, **more)
        self.deck.client.cookies.clear()
        return answer

    async def do(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        tells: str | tuple[str, ...] | None = None,
        status: int = 200,
        **more: Any,
    ) -> Any:
        """A request that has to succeed, with exactly these audit events (`tells`) or none. Answers the body."""
        before = await self.told()
        answer = await self.send(method, path, body, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        news = (await self.told())[len(before) :]
        wanted = [tells] if isinstance(tells, str) else list(tells or ())
        assert [one["action"] for one in news] == wanted, news
        if tells:
            assert news[0]["request_id"] == answer.headers["x-request-id"]
            assert news[0]["outcome"] == "success"
            if "by" in more or "token" not in more:
                assert news[0]["actor_label"] == (more.get("by") or self.ada).name
        return answer.json() if answer.content else None

    async def refused(
        self, status: int, method: str, path: str, body: Any = None, *, says: str = "", **more: Any
    ) -> httpx.Response:
        """A request that has to be refused, and that changes and records no success."""
        before = await self.told()
        answer = await self.send(method, path, body, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        assert says in answer.text, answer.text
        news = (await self.told())[len(before) :]
        assert [one for one in news if one["outcome"] == "success"] == []
        return answer

    async def told(self) -> list[Mapping[str, Any]]:
        """The whole audit trail, oldest first."""
        asked = select(audit_events).order_by(audit_events.c.id)
        return await self.deck.instance.db.read(lambda tx: [dict(row._mapping) for row in tx.execute(asked)])

    async def person(self, name: str, *roles: str, organization: str = HOME, **values: Any) -> Person:
        """Somebody with roles (their keys) and a session; the organization is made where there is none."""

        def verb(tx: Tx) -> Person:
            place = tx.first(select(Organization).where(Organization.ref == organization))
            if place is None:
                place = tx.add(
                    Organization(
                        uid=tx.ids.uid(), ref=organization, name=organization, slug=organization.replace("_", "-"),
                        created_at=tx.now,
                    )
                )  # fmt: skip
            tx.flush()
            user = users.create(tx, username=name, email=f"{name}@example.com")
            for field, value in values.items():
                setattr(user, field, value)
            tx.flush()
            for role in roles or (grants.MEMBER,):
                grants.give(tx, self.deck.instance.access, user.id, place.id, role)
            made = sessions.open_session(tx, user, place, kinds=("long",), client_kind="web")
            return Person(user.id, user.uid, name, made.tokens["long"].reveal())

        return await self.deck.instance.db.write(verb)

    async def reach(self, email: str = "ada@example.com") -> None:
        """Ada has an address, as if she had opened its mail."""

        def verb(tx: Tx) -> None:
            user = tx.get(User, self.ada.id)
            user.email, user.email_verified = email, True

        await self.deck.instance.db.write(verb)

    async def program(self, person: Person, *scopes: str) -> Person:
        """The same with a personal token."""

        def verb(tx: Tx) -> str:
            user = tx.get(User, person.id)
            place = tx.first(select(Organization).where(Organization.ref == HOME))
            tx.act_as(users.principal(user, place.id))
            return personal_tokens.create(tx, user, "program", scopes)[1].reveal()

        reset = current.set(Context())
        try:
            return Person(person.id, person.uid, person.name, await self.deck.instance.db.write(verb))
        finally:
            current.reset(reset)

    async def custom(self, *permissions: str, name: str = "Own", by: Person | None = None) -> dict[str, Any]:
        """A role of runbooks' permissions, by their codenames."""
        listed = (await self.send("GET", "/api/roles/permissions")).json()["permissions"]
        ids = [one["id"] for some in listed.values() for one in some if one["codename"] in permissions]
        assert len(ids) == len(permissions)
        return await self.do("POST", "/api/roles", {"name": name, "permission_ids": ids}, tells="role.created", by=by)


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)
