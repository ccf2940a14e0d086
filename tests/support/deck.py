"""A whole instance in this process, driven through its ASGI application; every success is held against the contract."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.app import application
from quarterdeck.identity import sessions, users
from quarterdeck.identity.model import Organization, User
from quarterdeck.instance import Instance
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.settings_reading import load
from quarterdeck.kernel.vault import Secret

CONTRACT = Path(__file__).parents[2] / "contract" / "deploy.operations.json"
PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.com"
HOME = "org_self_hosted"
ROLES = ("owner", "admin", "developer", "billing", "viewer")


@cache
def contract() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(CONTRACT.read_text())
    return document


@cache
def operations() -> dict[str, dict[str, Any]]:
    """Documented operations by key; streaming twins as `key/stream`."""
    return {
        one["operationKey"] + ("/stream" if one["path"].endswith("/stream") else ""): one
        for one in contract()["operations"]
    }


def check(key: str, body: Any) -> None:
    """Fails unless `body` is what the contract documents as the answer of `key`."""
    schema = operations()[key]["response"]
    if schema is None:
        return
    found = list(Draft202012Validator({**schema, "$defs": contract()["$defs"]}).iter_errors(body))
    assert not found, f"{key}: {[(list(error.absolute_path), error.message[:200]) for error in found[:5]]}"


class Deck:
    """`heard` is the text of every answer so far; `token` is the first administrator's."""

    def __init__(self, instance: Instance, client: httpx.AsyncClient) -> None:
        self.instance = instance
        self.client = client
        self.token: str | None = None
        self.heard: list[str] = []

    async def send(
        self, method: str, path: str, body: Any = None, *, token: str | None = "", **options: Any
    ) -> httpx.Response:
        """A request as the administrator, as somebody else (`token`), or as nobody (None)."""
        headers = dict(options.pop("headers", {}))
        bearer = self.token if token == "" else token
        if bearer:
            headers["authorization"] = f"Bearer {bearer}"
        if body is not None:
            options["json"] = body
        answer = await self.client.request(method, path, headers=headers, **options)
        self.heard.append(answer.text)
        return answer

    async def request(
        self, name: str, body: Any = None, *, token: str | None = "", query: dict[str, Any] | None = None, **path: str
    ) -> httpx.Response:
        operation = operations()[name]
        address = "/api" + operation["path"].format(**path)
        return await self.send(operation["method"], address, body, token=token, params=query or {})

    async def do(self, name: str, body: Any = None, **rest: Any) -> Any:
        """A request that has to succeed as documented. Answers its body."""
        answer = await self.request(name, body, **rest)
        assert answer.status_code == operations()[name]["successStatus"], f"{name}: {answer.status_code} {answer.text}"
        if answer.status_code == 204:
            assert not answer.content
            return None
        found = answer.json()
        check(name, found)
        return found

    async def refused(self, status: int, code: str, name: str, body: Any = None, **rest: Any) -> dict[str, Any]:
        """A request that has to be refused with a status and a domain code, in the documented envelope."""
        answer = await self.request(name, body, **rest)
        found = answer.json()
        assert (answer.status_code, found.get("data", {}).get("domainCode")) == (status, code), answer.text
        assert found["status"] == status
        assert found["error"]["code"] == code
        return found

    async def malformed(self, name: str, body: Any = None, **rest: Any) -> dict[str, Any]:
        """A request whose shape has to be refused before any rule looks at it."""
        answer = await self.request(name, body, **rest)
        found = answer.json()
        assert (answer.status_code, found["code"]) == (400, "BAD_REQUEST"), answer.text
        assert "domainCode" not in found["data"]
        return found

    # -- people

    async def member(self, role: str, organization: str = HOME) -> str:
        """A session token of a new user with an organization role; unknown organizations are made."""

        def verb(tx: Tx) -> str:
            place = tx.first(select(Organization).where(Organization.ref == organization))
            if place is None:
                place = tx.add(
                    Organization(
                        uid=tx.ids.uid(),
                        ref=organization,
                        name=organization,
                        slug=organization.replace("_", "-"),
                        created_at=tx.now,
                    )
                )
            user: User = users.create(tx, username=f"{role}-{tx.ids.text(8)}", email=f"{tx.ids.text(8)}@example.com")
            grants.give(tx, self.instance.access, user.id, place.id, f"organization:{role}")
            made = sessions.open_session(tx, user, place, kinds=("session",), client_kind="web")
            return made.tokens["session"].reveal()

        return await self.instance.db.write(verb)

    # -- things

    async def project(self, name: str = "Shop", **rest: Any) -> str:
        return (await self.do("projects.create", {"name": name}, **rest))["id"]

    async def environment(self, project: str, name: str = "production", **rest: Any) -> str:
        body = {"projectId": project, "name": name, "kind": "production"}
        return (await self.do("environments.create", body, **rest))["id"]

    async def server(self, **given: Any) -> str:
        body = {"name": "Here", "host": "127.0.0.1", "providerKey": "local-shell", "proxyKind": "caddy", **given}
        return (await self.do("servers.register", body))["id"]

    async def place(self, project: str = "Shop", **rest: Any) -> tuple[str, str]:
        """A project with an environment."""
        made = await self.project(project, **rest)
        return made, await self.environment(made, **rest)

    async def resource(self, place: tuple[str, str] | None = None, token: str | None = "", **given: Any) -> str:
        project, environment = place or await self.place(token=token)
        body = {"projectId": project, "environmentId": environment, "name": "Web", **given}
        return (await self.do("resources.create", body, token=token))["id"]


def opened(directory: Path, database_address: str | Path, **settings: Any) -> Instance:
    data = directory / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    url = None
    if isinstance(database_address, Path):
        database_address.rename(data / "quarterdeck.db")
    else:
        url = Secret(database_address)
    return Instance.open(
        load(
            {
                "data_dir": data,
                "database_url": url,
                "no_edge": True,
                "no_worker": True,
                "log_level": "error",
                **settings,
            }
        )
    )


async def nothing_to_see() -> None:
    """Stands in for the observer's look at the machine."""


@contextlib.asynccontextmanager
async def running(directory: Path, database_address: str | Path, **settings: Any) -> AsyncIterator[Deck]:
    """An instance on a database, without worker and edge, before anybody has signed in."""
    instance = opened(directory, database_address, **settings)
    instance.observer.look = nothing_to_see  # type: ignore[method-assign] - tests say themselves what was seen
    app = application(instance)
    async with (
        lifespan(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as client,
    ):
        yield Deck(instance, client)


@contextlib.asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Start and stop an ASGI application in a task of its own, since a fixture's two halves run in different ones."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(app(scope, inbox.get, outbox.put))
    await inbox.put({"type": "lifespan.startup"})
    started = await outbox.get()
    assert started["type"] == "lifespan.startup.complete", started
    try:
        yield
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        stopped = await outbox.get()
        await task
    assert stopped["type"] == "lifespan.shutdown.complete", stopped


async def signed_in(deck: Deck) -> Deck:
    """Create the first administrator over the API and sign in as it."""
    await deck.do(
        "auth.bootstrap-first-admin", {"email": EMAIL, "password": PASSWORD, "displayName": "Ada"}, token=None
    )
    answer = await deck.send("POST", "/api/auth/sign-in/email", {"email": EMAIL, "password": PASSWORD}, token=None)
    assert answer.status_code == 200, answer.text
    deck.token = answer.json()["token"]
    deck.client.cookies.clear()  # who sends no token is nobody
    return deck
