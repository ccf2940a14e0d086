"""What cannot be looked at is not told as well: neither the application nor the server that it is on."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation.model import Observation
from quarterdeck.kernel.vault import Secret
from support.deck import running, signed_in
from support.served import SOURCE, deployed, serve

PROCESS = {"kind": "process", "instance": "dep_x", "port": 4000, "host_port": 4000, "upstream": "127.0.0.1:4000"}


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        made.client.cookies.set("qd_session", made.instance.signer.sign(Secret(made.token)))
        yield made


async def seen(deck, deployment: str, lifecycle: str) -> None:
    def verb(tx):
        row = tx.first(select(Deployment).where(Deployment.ref == deployment))
        old = tx.get(Observation, row.resource_id)
        if old is not None:
            tx.session.delete(old)
            tx.flush()
        tx.add(
            Observation(
                resource_id=row.resource_id,
                deployment_id=row.id,
                lifecycle=lifecycle,
                message="The server does not answer.",
                observed_at=tx.now,
                changed_at=tx.now,
            )
        )

    await deck.instance.db.write(verb)


async def text(deck, path: str) -> str:
    answer = await deck.client.get(f"/console{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_what_nobody_knows_is_told_as_unknown(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    deployment = await deployed(deck, resource, server)
    await serve(deck, deployment, PROCESS)
    await seen(deck, deployment, "running")
    assert "All running" in await text(deck, "/")
    assert "Unreachable" not in await text(deck, "/fleet")
    await seen(deck, deployment, "unknown")
    home, fleet = await text(deck, "/"), await text(deck, "/fleet")
    assert "Nobody knows how" in home
    assert "0 of 1" in home
    assert "Unreachable" in fleet
    assert "The server does not answer." in fleet
