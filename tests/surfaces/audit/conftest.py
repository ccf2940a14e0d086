"""An instance on each database of the run."""

from __future__ import annotations

import pytest

from support.deck import running, signed_in


@pytest.fixture
async def fresh(tmp_path, database_address):
    """Nobody has signed in yet."""
    async with running(tmp_path, database_address) as deck:
        yield deck


@pytest.fixture
async def deck(fresh):
    """Signed in as the first administrator."""
    return await signed_in(fresh)
