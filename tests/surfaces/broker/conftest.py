"""An instance on each database of the run."""

from __future__ import annotations

import pytest

from support.crew import Crew
from support.deck import running, signed_in


@pytest.fixture
async def crew(tmp_path, database_address):
    """Signed in as the first administrator."""
    async with running(tmp_path, database_address) as deck:
        yield Crew(await signed_in(deck))
