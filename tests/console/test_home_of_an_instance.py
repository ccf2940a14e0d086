"""The first page tells each reader what their roles let them see, and somebody without any whom to ask."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from quarterdeck.console.composition import InstancePorts
from quarterdeck.console.domain.home import SHOWN
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.identity import sessions, users
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.principal import Context, current
from quarterdeck.kernel.vault import Secret
from support.deck import HOME, running, signed_in
from support.served import SOURCE, deployed

FAILED, SECRET = "failed to deploy", "It ended with exit code 3"
FRAME = (">Needs you<", ">Running now<", ">Health<", ">Activity<", "Nothing is deployed yet")


@pytest.fixture
async def deck(tmp_path, database_address):
    """One failed deployment of a resource, and one that runs."""
    async with running(tmp_path, database_address) as made:
        await signed_in(made)
        server = await made.server()
        place = await made.place()
        broken = await deployed(made, await made.resource(place, name="broken", source=SOURCE), server)
        await deployed(made, await made.resource(place, name="busy", source=SOURCE), server)

        def fail(tx):
            row = tx.first(select(Deployment).where(Deployment.ref == broken))
            row.status, row.error_phase, row.error_message, row.finished_at = "failed", "verify", SECRET, tx.now

        await made.instance.db.write(fail)
        yield made


async def stranger(deck) -> str:
    """A session in the organization of somebody without a role there."""

    def verb(tx):
        place = tx.one(select(Organization).where(Organization.ref == HOME), what=HOME)
        user = users.create(tx, username="nora", email="nora@example.com")
        made = sessions.open_session(tx, user, place, kinds=("session",), client_kind="web")
        return made.tokens["session"].reveal()

    return await deck.instance.db.write(verb)


async def page(deck, token: str) -> str:
    deck.client.cookies.set("qd_session", deck.instance.signer.sign(Secret(token)))
    answer = await deck.client.get("/console/")
    assert answer.status_code == 200
    return answer.text


async def test_somebody_without_a_role_is_told_nothing_but_whom_to_ask(deck):
    text = await page(deck, await stranger(deck))
    assert "Ask an owner or administrator of" in text
    for told in (FAILED, SECRET, "broken", "busy", 'class="count', *FRAME):
        assert told not in text, told


async def test_a_member_is_told_all_of_it(deck):
    text = await page(deck, await deck.member("viewer"))
    assert "Ask an owner or administrator of" not in text
    for told in (FAILED, SECRET, "busy", 'class="count', *FRAME[:4]):
        assert told in text, told


@pytest.mark.parametrize("word", SHOWN)
async def test_each_part_asks_for_its_own_permission(deck, word):
    token = deck.token if word == "tasks" else await deck.member("viewer")
    member = await deck.instance.db.read(sessions.authenticate, token)
    who = replace(member, scopes=frozenset({SHOWN[word]}))
    current.set(Context(principal=who))
    ports = InstancePorts(deck.instance)
    view, counts = await ports.home(who), await ports.counts(who)
    seen = {
        "needs": {"deployments", "resources", "servers", "tasks", "infra"},
        "running": {"deployments", "tasks", "infra-jobs"},
        "activity": {"audit"},
        "projects": {"projects"},
    }
    for part, words in seen.items():
        assert (getattr(view, part) is not None) is (word in words), part
    assert [one.title for one in view.needs or ()] == (
        ["Shop / broken v1 failed to deploy"] if word == "deployments" else []
    )
    tiles = {"resources": ["Serving"], "servers": ["Servers", "Workers"], "jobs": ["Ledger"]}
    assert [tile.label for tile in view.tiles] == tiles.get(word, [])
    rooms = {"deployments": "projects", "jobs": "jobs", "tasks": "tasks", "infra-jobs": "infra"}
    assert set(counts) == {"home", *([rooms[word]] if word in rooms else [])}
    assert counts["home"].number == (1 if word == "deployments" else 0)
    assert not view.hidden


async def test_the_programs_own_sessions_are_no_workers(deck):
    """This instance runs without one: its own work is done, and nobody could take a deployment."""
    assert [bool(one.needs) for one in deck.instance.jobs.sessions] == [True, True]
    assert "None is connected" in await page(deck, deck.token)
    assert "in-process" not in (await deck.client.get("/console/fleet")).text
