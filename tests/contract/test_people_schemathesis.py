"""Generated requests, valid and not, at the routes of people and roles: as an administrator and as a plain member, no
5xx, no status and no answer that is not documented.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed, settings

from contract.test_schemathesis import CHECKS, EXAMPLES, schema
from quarterdeck.app import application
from support.databases import fresh_database
from support.deck import Deck, opened
from support.lodge import Lodge, Person
from support.mailbox import Mailbox
from support.run import SEED

REVIEWED = json.loads((Path(__file__).parents[1] / "surfaces" / "people.json").read_text())
ENDING = {"POST /api/v1/auth/logout"}  # ends the session that asks
ROUTES = sorted(name for surface in ("runbooks", "broker") for name in REVIEWED[surface] if name not in ENDING)


@dataclass
class Served:
    address: str
    people: tuple[Person, ...]
    things: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def served(database_kind: str, tmp_path_factory, request: pytest.FixtureRequest):
    directory = tmp_path_factory.mktemp("people")
    server = request.getfixturevalue("postgresql") if database_kind == "postgresql" else None
    with fresh_database(database_kind, directory, server) as database:
        instance = opened(directory, database)
        listener = socket.create_server(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        web = uvicorn.Server(uvicorn.Config(application(instance), log_config=None, lifespan="on"))
        thread = threading.Thread(target=lambda: asyncio.run(web.serve(sockets=[listener])))
        thread.start()
        try:
            yield asyncio.run(furnished(instance, address))
        finally:
            web.should_exit = True
            thread.join(timeout=30)
            listener.close()


async def furnished(instance: Any, address: str) -> Served:
    import httpx

    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        for _ in range(200):
            try:
                await client.get("/healthz")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
        lodge = await Lodge(Deck(instance, client), Mailbox()).move_in()
        bob, cleo = await lodge.person("bob"), await lodge.person("cleo")
        role = await lodge.custom("users.view")
        here = next(one for one in (await lodge.send("GET", "/api/v1/roles")).json() if one["name"] == "Own")
        body = {"user_id": cleo.uid, "role_id": here["id"], "scope": {"environment": "x"}}
        given_ = (await lodge.send("POST", "/api/v1/user-roles", body)).json()
        return Served(
            address,
            (lodge.ada, bob),
            {
                "/api/v1": {"user_id": cleo.uid, "role_id": here["id"], "assignment_id": given_["id"]},
                "/api/": {"user_id": str(cleo.id), "role_id": str(role["id"]), "role_ids": [role["id"]]},
            },
        )


@pytest.mark.parametrize("name", ROUTES)
def test_generated_requests_get_documented_answers_only(served, name):
    method, path = name.split(" ")
    operation = schema()[path][method]
    things = next(some for prefix, some in served.things.items() if path.startswith(prefix))
    turn = itertools.count()

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        count = next(turn)
        if count % 3:  # mostly something that exists, so that rules are reached and not only the lookup
            case.path_parameters = {key: things.get(key, value) for key, value in (case.path_parameters or {}).items()}
            if isinstance(case.body, dict):
                case.body |= {key: value for key, value in things.items() if key in case.body}
        token = served.people[count % 2].token
        case.headers = {**(case.headers or {}), "authorization": f"Bearer {token}", "connection": "close"}
        answer = case.call(base_url=served.address)
        case.validate_response(answer, checks=CHECKS)

    print(f"seed {SEED}, {EXAMPLES} examples")  # noqa: T201 - told with a failure
    ask()
