"""Generated requests, valid and not, at a running server: no 5xx, no status and no answer that is not documented."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from quarterdeck.app import application, handlers, openapi_document
from quarterdeck.fleet.credentials.keys import new_pair
from quarterdeck.surfaces.deploy import deployments, preview_cleanup
from support.databases import fresh_database
from support.deck import HOME, Deck, opened, signed_in
from support.git_hosts import git_hosts
from support.run import ALL, SEED
from support.served import SOURCE, deployed

EXAMPLES = int(os.environ.get("QUARTERDECK_TEST_EXAMPLES", "60" if ALL else "6"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
TAKEN = {"auth.bootstrap-first-admin"}  # limited to twenty a minute


CHOSEN = {"name", "project_name"}
"""What a body calls something new by; an address names with it what there is."""
OTHERS = ("/api/web/", "/api/admin/", "/api/auth/cli/", "/api/cli/")
"""Where routes of other surfaces lie; these have no keys, and are called by method and path."""


def keys() -> dict[str, tuple[str, str]]:
    """Method and path of every routed operation that answers at once."""
    declared = [handler.opt["endpoint"] for handler in handlers() if "endpoint" in getattr(handler, "opt", {})]
    at_once = [one for one in declared if not one.stream and one.key not in TAKEN]
    return {
        one.key or f"{one.method} {one.path}": (one.method, one.path)
        for one in at_once
        if one.key or one.path.startswith(OTHERS)
    }


@cache
def schema() -> Any:
    return schemathesis.openapi.from_dict(openapi_document())


@dataclass
class Served:
    """A server on a loopback port with one thing of each kind."""

    address: str
    token: str
    things: dict[str, str]


@pytest.fixture(scope="module")
def served(database_kind: str, tmp_path_factory, request: pytest.FixtureRequest):
    directory = tmp_path_factory.mktemp("served")
    server = request.getfixturevalue("postgresql") if database_kind == "postgresql" else None
    patched = pytest.MonkeyPatch()
    # No worker runs here: who asks for the end of a deployment must not wait for it.
    patched.setattr(deployments, "SYNCHRONOUS_SECONDS", 0.2)
    patched.setattr(preview_cleanup, "PATIENCE", 0.2)
    request.addfinalizer(patched.undo)  # noqa: PT021 - the fixture yields inside of another context
    with git_hosts() as hosts, fresh_database(database_kind, directory, server) as database:
        places = dict.fromkeys(("github_api", "gitlab_url", "bitbucket_api"), hosts.url)
        instance = opened(directory, database, **places)
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
        deck = await signed_in(Deck(instance, client))
        there = await deck.server()
        project, environment = await deck.place()
        resource = await deck.resource((project, environment), source=SOURCE)
        await deck.do("resources.set-variable", {"key": "A", "value": "1", "exposure": "runtime"}, resourceId=resource)
        await deck.do("resources.secrets.create", {"key": "A_SECRET", "value": "1"}, resourceId=resource)
        deployment = await deployed(deck, resource, there)
        private = new_pair().private.reveal()
        key = {"name": "Deploy", "kind": "ssh-private-key", "privateKey": private}
        credential = (await deck.do("credentials.create-ssh", key))["id"]
        token = {"organizationId": HOME, "displayName": "ci", "scope": {"workflowCommands": ["preview-cleanup"]}}
        made = (await deck.do("deploy-tokens.create", token))["tokenId"]
        me = (await deck.do("account.profile.show"))["userId"]
        work = (await deck.do("operator-work.list"))["items"][0]["id"]
        ada = (await deck.send("GET", "/api/web/profile")).json()["id"]
        document = {"project_name": "ledger", "region": "eu-west-1", "databases": [{"name": "main"}]}
        declared = (await deck.send("POST", "/api/cli/configurations", document)).json()["configuration"]["id"]
        assert deck.token
        return Served(
            address,
            deck.token,
            {
                "projectId": project,
                "environmentId": environment,
                "serverId": there,
                "resourceId": resource,
                "deploymentId": deployment,
                "credentialId": credential,
                "workId": work,
                "id": str(ada),
                "organizationId": HOME,
                "tokenId": made,
                "memberId": me,
                "key": "A",
                "name": declared,
                "project_name": "ledger",
            },
        )


@pytest.mark.parametrize("key", sorted(keys()))
def test_generated_requests_get_documented_answers_only(served, key):
    method, path = keys()[key]
    operation = schema()[path][method]
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
        if next(turn) % 3:  # mostly something that exists, so that rules are reached and not only the lookup
            case.path_parameters = {
                name: served.things.get(name, value) for name, value in (case.path_parameters or {}).items()
            }
            if isinstance(case.body, dict):
                there = served.things.items()
                case.body |= {name: value for name, value in there if name in case.body and name not in CHOSEN}
        if key == "servers.capacity.prune" and isinstance(case.body, dict):
            case.body["dryRun"] = True  # the build cache of this machine's engine is not the tests' to empty
        if key == "servers.test-draft-connectivity" and isinstance(case.body, dict):
            # It would be contacted: nothing but this machine may be.
            draft = case.body.get("server")
            case.body["server"] = {**draft, "host": "127.0.0.1"} if isinstance(draft, dict) else None
        # Each request has a session of its own: a connection that is kept would be left to the collector.
        case.headers = {**(case.headers or {}), "authorization": f"Bearer {served.token}", "connection": "close"}
        answer = case.call(base_url=served.address)
        case.validate_response(answer, checks=CHECKS)

    print(f"seed {SEED}, {EXAMPLES} examples")  # noqa: T201 - told with a failure
    ask()
