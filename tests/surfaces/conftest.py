"""An instance on each database of the run: by itself, signed in to, and with a mail server."""

from __future__ import annotations

import pytest

from support.deck import running, signed_in
from support.lodge import Lodge
from support.mailbox import mailbox


@pytest.fixture
async def fresh(tmp_path, database_address):
    """Nobody has signed in yet."""
    async with running(tmp_path, database_address) as deck:
        yield deck


@pytest.fixture
async def deck(fresh):
    """Signed in as the first administrator."""
    return await signed_in(fresh)


@pytest.fixture
async def lodge(tmp_path, database_address):
    """Ada has set the instance up, with a mail server."""
    with mailbox() as box:
        async with running(tmp_path, database_address, **box.settings) as deck:
            yield await Lodge(deck, box).move_in()
