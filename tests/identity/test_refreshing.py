"""A refresh token is good once; whoever comes with it again ends the session."""

from __future__ import annotations

import asyncio
import threading

import pytest

from quarterdeck.identity import sessions, setup, users
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Unauthenticated


@pytest.fixture
def opened(database):
    def make(tx: Tx) -> sessions.Opened:
        user = users.create(tx, username="ada")
        organization = setup.default_organization(tx)
        return sessions.open_session(tx, user, organization, kinds=("access", "refresh"), client_kind="web")

    return database.write_sync(make)


def reuses(tx: Tx) -> list[tuple[str, str]]:
    found = tx.execute("SELECT resource_id, outcome FROM audit_events WHERE action = 'session.refresh-reused'")
    return [tuple(row) for row in found]


def ended(tx: Tx) -> bool:
    return tx.execute("SELECT revoked_at FROM identity_sessions").scalar() is not None


def test_a_token_that_comes_again_ends_the_session_and_is_audited(database, opened):
    token = opened.tokens["refresh"].reveal()
    fresh = database.write_sync(sessions.refresh, token)
    assert not database.read_sync(ended)
    assert database.write_sync(sessions.refresh, token) is None
    assert database.read_sync(ended)
    assert database.read_sync(reuses) == [(opened.session.uid, "denied")]
    for name in ("access", "long"):
        assert database.read_sync(sessions.authenticate, fresh.tokens[name].reveal()) is None
    with pytest.raises(Unauthenticated):
        database.write_sync(sessions.refresh, fresh.tokens["refresh"].reveal())
    assert len(database.read_sync(reuses)) == 1


async def test_two_that_come_at_once_are_one_too_many(database, opened):
    """The second looks while the first has written and not yet committed."""
    token = opened.tokens["refresh"].reveal()
    written = threading.Event()

    def first(tx: Tx) -> sessions.Opened | None:
        made = sessions.refresh(tx, token)
        tx.flush()
        written.set()
        threading.Event().wait(0.3)
        return made

    one = asyncio.create_task(database.write(first))
    await asyncio.to_thread(written.wait, 10)
    two = await database.write(sessions.refresh, token)
    assert isinstance(await one, sessions.Opened)
    assert two is None
    assert await database.read(ended)
    assert len(await database.read(reuses)) == 1
