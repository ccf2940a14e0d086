"""Keys of the server as an issuer take turns, and no token is ever signed by one that clouds could not have fetched."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet
from sqlalchemy import select

from quarterdeck.infra.clouds import issuing, turning
from quarterdeck.infra.clouds.actions import CloudAction
from quarterdeck.infra.clouds.model import IssuerKey
from quarterdeck.kernel import events
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.vault.local import LocalBackend
from quarterdeck.kernel.vault.vault import Vault
from quarterdeck.notify.door import Door
from support.infra_work_yard import WorkYard

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
def yard(database_address, tmp_path):
    clock, vault = HeldClock(), Vault(LocalBackend(tmp_path / "master.key"))
    door = Door("https://deck.example.com")
    database = open_database(database_address, clock=clock, vault=vault, parts=[door])
    vault.unlock(database)
    made = WorkYard(database, clock, tmp_path)
    yield made
    made.close()
    database.close_sync()


@pytest.fixture
def identity(yard):
    return yard.identity("azure")


def token(yard, identity) -> tuple[str, str]:
    """A token that clouds take now, by what they can fetch, and the `kid` that it names."""
    text = yard.act(issuing.token, identity).reveal()
    jwt.decode(text, KeySet.import_key_set(yard.db.read_sync(issuing.keys)), algorithms=["RS256"])
    return text, str(jws.extract_compact(text.encode()).headers()["kid"])


def published(yard) -> list[str]:
    return [one["kid"] for one in yard.db.read_sync(issuing.keys)["keys"]]


def turn(yard) -> None:
    if yard.db.read_sync(turning.due):
        yard.db.write_sync(turning.turn)


def told(yard) -> list[tuple[str, str]]:
    wanted = select(audit_events.c.action, audit_events.c.detail)
    rows = yard.db.read_sync(lambda tx: tx.execute(wanted.order_by(audit_events.c.id)).all())
    words = {CloudAction.KEY_PUBLISHED, CloudAction.KEY_RETIRED}
    return [(row.action, json.loads(row.detail)["kid"]) for row in rows if row.action in words]


def test_a_new_key_is_published_ahead_and_the_old_one_outlives_its_tokens(yard, identity):
    _, first = token(yard, identity)
    turn(yard)
    yard.clock.advance(90 * DAY - 1)
    turn(yard)
    assert (published(yard), token(yard, identity)[1], told(yard)) == ([first], first, [])
    yard.clock.advance(1)
    turn(yard)
    turn(yard)
    second, old = published(yard)
    assert old == first != second
    assert token(yard, identity)[1] == first, "clouds have not had the time to fetch the new one"
    yard.clock.advance(turning.AHEAD.total_seconds() - 1)
    last, kid = token(yard, identity)
    assert kid == first
    yard.clock.advance(1)
    assert token(yard, identity)[1] == second
    turn(yard)
    jwt.decode(last, KeySet.import_key_set(yard.db.read_sync(issuing.keys)), algorithms=["RS256"])
    yard.clock.advance(turning.LONGEST_LIFE.total_seconds())
    turn(yard)
    assert published(yard) == [second]
    assert told(yard) == [(CloudAction.KEY_PUBLISHED, second), (CloudAction.KEY_RETIRED, first)]
    happened = [one.type for one in yard.db.read_sync(events.read, "cloud-issuer")]
    assert happened == ["cloud-issuer-key-published", "cloud-issuer-key-retired"]
    assert token(yard, identity)[1] == second


def test_a_server_that_was_away_for_long_signs_with_what_is_known_until_the_next_was_published(yard, identity):
    _, first = token(yard, identity)
    yard.clock.advance(400 * DAY)
    assert token(yard, identity)[1] == first
    turn(yard)
    assert (len(published(yard)), token(yard, identity)[1]) == (2, first)
    yard.clock.advance(turning.AHEAD.total_seconds())
    assert token(yard, identity)[1] == published(yard)[0] != first


def test_no_key_is_drawn_before_one_is_needed(yard, identity):
    turn(yard)
    yard.db.write_sync(turning.turn)
    assert published(yard) == []


def test_tokens_live_shorter_than_keys_stay(yard, identity):
    assert turning.LONGEST_LIFE > issuing.LIFE
    assert timedelta(0) < turning.AHEAD < turning.EVERY


async def test_beside_the_server_keys_take_turns_and_only_where_work_is_claimed(yard, identity):
    token(yard, identity)
    yard.clock.advance(91 * DAY)

    class Ledger:
        def __init__(self, claims: bool) -> None:
            self.asked = 0
            self.claims = claims

        def may_claim(self) -> bool:
            self.asked += 1
            if self.asked > 1:
                raise StopIteration
            return self.claims

    for claims, number in ((False, 1), (True, 2)):
        with pytest.raises(RuntimeError):
            await turning.watch(yard.db, Ledger(claims), tick=0)
        assert len(published(yard)) == number


def test_what_is_kept_of_a_key_is_sealed(yard, identity):
    token(yard, identity)
    row = yard.db.read_sync(lambda tx: tx.first(select(IssuerKey)))
    assert {"d", "p", "q"}.isdisjoint(row.public)
    assert '"d"' not in row.sealed
