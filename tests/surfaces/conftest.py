"""An instance with a mail server, on each database of the run."""

from __future__ import annotations

import pytest

from support.deck import running
from support.lodge import Lodge
from support.mailbox import mailbox


@pytest.fixture
async def lodge(tmp_path, database_address):
    """Ada has set the instance up."""
    with mailbox() as box:
        async with running(tmp_path, database_address, **box.settings) as deck:
            yield await Lodge(deck, box).move_in()
