"""One installation for each module, whose own worker runs infrastructure jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.client import signed_in
from e2e.conftest import own_database
from e2e.infra.estate import Estate
from e2e.server import deck


@pytest.fixture(scope="module")
def module_database(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    yield from own_database(database_kind, request)


@pytest.fixture(scope="module")
def estate(place: Path, module_database: str | None) -> Iterator[Estate]:
    with deck(place / "deck", database_url=module_database) as made, signed_in(made) as client:
        found = Estate(made, client)
        yield found
        found.stop_fabric()
