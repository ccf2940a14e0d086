"""The whole way of a password with a real server, whose own worker reads it from a file of the data directory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cli.conftest import Result, failed
from quarterdeck.broker.execution.providers import file
from quarterdeck.cli import secret_waiting
from quarterdeck.kernel.http.doorkeeper import Patience
from support.deck import running
from support.doors import behind_the_door
from support.lodge import Lodge
from support.mailbox import mailbox

PASSWORD, PASSPHRASE = "canary-Delta-77aa", "a passphrase of the file, kept apart"
ABOUT = ("--connection", "drawer", "--project", "shop", "--environment", "production")
Hand = Callable[..., Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is about how long a key takes, or how often a request is asked about."""
    monkeypatch.setattr(file, "MEMORY_KIB", 64)
    monkeypatch.setattr(file, "ROUNDS", 1)
    monkeypatch.setattr(secret_waiting, "PAUSE", 0.02)


@pytest.fixture
async def lodge(tmp_path: Path, database_address: Any) -> AsyncIterator[Lodge]:
    with mailbox() as box, capture_logs() as said:
        async with running(tmp_path, database_address, no_worker=False, **box.settings) as deck:
            yield await Lodge(deck, box).move_in()
    assert PASSWORD not in str(said)


@pytest.fixture
async def by(lodge: Lodge, qd: Callable[..., Result], home: Path) -> AsyncIterator[Hand]:
    """A command of one of three people: Ada administers, Dora asks, Paul decides."""
    dora = await lodge.person("dora", "organization:developer", "broker:developer")
    paul = await lodge.person("paul", "organization:viewer", "broker:approver")
    application = lodge.deck.client._transport.app  # type: ignore[attr-defined]  # the one that it drives
    async with behind_the_door(application, Patience()) as port:
        people = {"ada": lodge.ada, "dora": dora, "paul": paul}
        saved = {name: {"url": f"http://127.0.0.1:{port}", "token": one.token} for name, one in people.items()}
        place = home / "config" / "quarterdeck"
        place.mkdir(parents=True)
        (place / "profiles.json").write_text(json.dumps({"current": "ada", "profiles": saved}))

        async def hand(name: str, *words: str, stdin: str = "") -> Result:
            return await asyncio.to_thread(qd, "secret", *words, "--profile", name, stdin=stdin)

        yield hand


async def test_a_production_password_is_asked_for_agreed_to_and_read_once(lodge: Lodge, by: Hand) -> None:
    async def ok(name: str, *words: str, stdin: str = "") -> str:
        result: Result = await by(name, *words, stdin=stdin)
        assert result.code == 0, result
        assert PASSWORD not in result.err
        return result.out.strip()

    assert await ok("ada", "project", "add", "shop")
    (project,) = (await lodge.send("GET", "/api/v1/projects")).json()
    place = {"project_id": project["id"], "name": "production", "type": "prod"}
    assert (await lodge.send("POST", "/api/v1/environments", place)).status_code == 201
    kept = ("--provider", "file", "--config", "name=shop", "--credential", "-")
    await ok("ada", "connection", "add", "drawer", *kept, "--project", "shop", stdin=PASSPHRASE)
    await ok("ada", "workflow", "add", "ten-minutes", "--waits", "1h", "--keep", "10m", "--again", "10m")
    await ok("ada", "workflow", "change", "ten-minutes", "--keep", "9m")
    fits = ("--project", "shop", "--kind", "prod")
    await ok("ada", "policy", "add", "shop-production", "--workflow", "ten-minutes", *fits)
    tried = await ok("dora", "policy", "try", "apps/db", "--provider", "file", *ABOUT[2:])
    assert tried.startswith("It takes the workflow ten-minutes, as production.")

    put = await ok("dora", "set", "apps/db", "password=-", *ABOUT, "--why", "new", stdin=PASSWORD)
    failed(await by("dora", "request", "approve", put, "--yes"), 4)
    assert await ok("paul", "request", "list", "--status", "pending", "-o", "name") == put
    await ok("paul", "request", "approve", put, "--yes")

    asked = await ok("dora", "read", "apps/db", "--key", "password", *ABOUT, "--why", "a restore")
    failed(await by("dora", "get", asked), 7, "waits for approval")
    await ok("dora", "request", "edit", asked, "--why", "a restore, until noon")
    await ok("paul", "request", "approve", asked, "--yes", "--comment", "until noon")
    async with asyncio.timeout(10):
        while (got := await by("dora", "get", asked, "password")).code == 6:
            await asyncio.sleep(0.02)
    assert got.out == PASSWORD
    failed(await by("dora", "get", asked, "password"), 6, "each value is given out once")
    failed(await by("paul", "get", asked, "password"), 4)

    again = await by("dora", "read", "apps/db", "--key", "password", *ABOUT, "--why", "again", "--wait")
    assert (again.code, again.out) == (0, PASSWORD)
    sealed = await by("dora", "read", "apps/db", "--key", "password", *ABOUT, "--why", "again", "--seal")
    assert (sealed.code, sealed.out) == (0, PASSWORD)

    turned = await ok("dora", "rotate", "apps/db", "--key", "password", *ABOUT, "--why", "left us")
    await ok("paul", "request", "reject", turned, "--reason", "not today")
    failed(await by("dora", "get", turned), 1, "was rejected: not today")
    trail = (await lodge.send("GET", f"/api/v1/audit-events?correlation_id={asked}")).json()
    assert {"request.submit", "request.approve"} <= {one["action"] for one in trail}, trail
    assert PASSWORD not in json.dumps([dict(one) for one in await lodge.told()], default=str)


async def test_agents_and_connections_are_looked_after(lodge: Lodge, by: Hand) -> None:
    assert len((await by("ada", "agent", "mint", "eu", "--scope", "cluster=eu")).out.strip()) == 43
    assert (await by("ada", "agent", "rotate", "eu", "--grace", "0")).code == 0
    assert "cluster=eu" in (await by("ada", "agent", "list")).out
    assert (await by("ada", "agent", "revoke", "eu", "--yes", "--reason", "gone")).code == 0
    failed(await by("dora", "agent", "mint", "own"), 4, "qd whoami")
    assert (await by("ada", "connection", "add", "drawer", "--provider", "file", "--config", "name=x", "--credential",
                     "-", stdin=PASSPHRASE)).code == 0  # fmt: skip
    assert (await by("ada", "connection", "change", "drawer", "--state", "disabled")).code == 0
    assert "disabled" in (await by("ada", "connection", "list")).out
    assert (await by("ada", "connection", "remove", "drawer", "--yes")).code == 0
    assert (await by("ada", "found", "--label", "a=b", "--label", "c=d")).code == 0
