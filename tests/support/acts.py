"""One prepared call for every mutating route: what generic tests drive, fail and twist."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.app import handlers
from quarterdeck.identity import sessions, users
from quarterdeck.identity.model import Organization, User
from quarterdeck.identity.passwords import hashed
from quarterdeck.kernel import jobs, mail, retention
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.events import jobs as event_jobs
from quarterdeck.kernel.events import subscriptions
from quarterdeck.kernel.http.endpoint import Endpoint
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify.bots import posting
from support.deck import PASSWORD, Deck
from support.mailbox import Mailbox

EVERYTHING = ("organization:owner", "tasks:admin", "broker:admin", "runbooks:super-admin")
"""What the first administrator holds in the organization that they made."""


@dataclass(frozen=True)
class Person:
    """`ref` is the uid as the deploy surface writes it."""

    id: int
    uid: str
    name: str
    token: str

    @property
    def ref(self) -> str:
        return self.uid.replace("-", "")

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


@dataclass
class Act:
    """A call that succeeds. Without `by` it is the owner's; `nobody` sends no credential. `known` names what the audit
    event may be about and the call does not say.
    """

    path: dict[str, str] = field(default_factory=dict)
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    by: Person | None = None
    nobody: bool = False
    form: dict[str, str] | None = None
    known: dict[str, str] = field(default_factory=dict)


class Stage:
    """An organization with an owner who may everything there; every name begins with the owner's."""

    def __init__(self, deck: Deck, organization: str, owner: Person, box: Mailbox) -> None:
        self.deck = deck
        self.organization = organization
        self.owner = owner
        self.box = box
        self._numbers = itertools.count(1)

    def name(self, what: str = "thing") -> str:
        return f"{self.owner.name}-{what}-{next(self._numbers)}"

    async def send(self, method: str, path: str, body: Any = None, *, by: Person | None = None, **more: Any) -> Any:
        token = more.pop("token", (by or self.owner).token)
        answer = await self.deck.send(method, path, body, token=token, **more)
        self.deck.client.cookies.clear()
        return answer

    async def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.send(method, path, body, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def perform(self, name: str, act: Act) -> httpx.Response:
        method, path = name.split(" ")
        options: dict[str, Any] = {"params": act.query} if act.query else {}
        if act.form is not None:
            options["data"] = act.form
        if act.nobody:
            options["token"] = None
        answer: httpx.Response = await self.send(method, path.format(**act.path), act.body, by=act.by, **options)
        return answer

    async def write(self, verb: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return await self.deck.instance.db.write(verb, *args, **named)

    async def read(self, verb: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return await self.deck.instance.db.read(verb, *args, **named)

    async def person(self, *roles: str) -> Person:
        """Somebody new of the organization, with a password."""
        return await newcomer(self.deck, self.name("person"), self.organization, *(roles or ("organization:viewer",)))


async def newcomer(deck: Deck, name: str, organization: str, *roles: str) -> Person:
    def verb(tx: Tx) -> Person:
        place = tx.first(select(Organization).where(Organization.ref == organization))
        if place is None:
            slug = organization.replace("_", "-")
            place = tx.add(Organization(uid=tx.ids.uid(), ref=organization, name=name, slug=slug, created_at=tx.now))
        tx.flush()
        user: User = users.create(tx, username=name, email=f"{name}@example.com")
        user.password_hash = hashed(Secret(PASSWORD))
        tx.flush()
        for role in roles:
            grants.give(tx, deck.instance.access, user.id, place.id, role)
        made = sessions.open_session(tx, user, place, kinds=("session",), client_kind="web")
        return Person(user.id, user.uid, name, made.tokens["session"].reveal())

    return await deck.instance.db.write(verb)


async def first_stage(deck: Deck, box: Mailbox) -> Stage:
    """The first administrator's, over the API; the deck is signed in as them."""
    from support.deck import HOME

    answer = await deck.send("POST", "/api/auth/setup", {"username": "ada", "password": PASSWORD}, token=None)
    assert answer.status_code == 200, answer.text
    deck.client.cookies.clear()
    found = answer.json()
    deck.token = found["access_token"]
    ada = Person(found["user"]["id"], found["user"]["uid"], "ada", found["access_token"])
    stage = Stage(deck, HOME, ada, box)
    await stage.ok("PUT", "/api/users/profile", {"email": ada.email})
    return stage


async def other_stage(deck: Deck, box: Mailbox, name: str = "bea") -> Stage:
    """Another organization, with an owner who may in it what the first administrator may in theirs."""
    organization = f"org_of_{name}"
    return Stage(deck, organization, await newcomer(deck, name, organization, *EVERYTHING), box)


async def idle(_self: object) -> None:
    """Stands in for the watch over servers behind SSH: there are none, and what it writes is nobody's act."""
    await asyncio.Event().wait()


Preparation = Callable[[Stage], Awaitable[Act]]
ACTS: dict[str, Preparation] = {}


def act(name: str) -> Callable[[Preparation], Preparation]:
    """Registers what prepares a call of `METHOD /path` that will succeed."""

    def bind(preparation: Preparation) -> Preparation:
        assert name not in ACTS, name
        ACTS[name] = preparation
        return preparation

    return bind


def endpoints() -> dict[str, Endpoint]:
    """Every declared route, by method and path."""
    found = [handler.opt["endpoint"] for handler in handlers() if "endpoint" in getattr(handler, "opt", {})]
    return {f"{one.method} {one.path}": one for one in found}


def mutating() -> dict[str, Endpoint]:
    return {name: one for name, one in endpoints().items() if one.method not in {"GET", "HEAD"}}


async def settled(stage: Stage) -> None:
    """Mails are sent by jobs, which end when they do, and so does a run of what is kept for how long; who listens to
    events hears of them by one.
    """
    kinds = (mail.KIND, mail.UNSEEN, retention.KIND, event_jobs.KIND, posting.KIND)
    live = jobs.Filter(kinds=kinds, states=tuple(jobs.LIVE))
    while await stage.read(subscriptions.waits) or await stage.read(jobs.list_jobs, live):
        await asyncio.sleep(0.01)
