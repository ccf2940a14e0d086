"""An instance on each database of the run."""

from __future__ import annotations

import pytest

from support.crew import Crew
from support.deck import running, signed_in
from surfaces.infra.runner_yard import SECRET


@pytest.fixture
async def crew(tmp_path, database_address):
    """Signed in as the first administrator. A pipeline may publish releases."""
    async with running(tmp_path, database_address, release_secret=SECRET) as deck:
        yield Crew(await signed_in(deck))
