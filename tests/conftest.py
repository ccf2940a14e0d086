"""Fixtures that every test may ask for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from quarterdeck.fleet.processes import accounts
from quarterdeck.identity import passwords
from support.databases import database_kinds, fresh_database, postgresql_server, server_directory
from support.remembering import remember, remember_pages, remember_routes, remember_statements

pytest_plugins = ["support.run", "real.fixtures"]
__all__ = ["database", "database_address", "database_kind", "postgresql"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that touches storage runs once on each database of this run."""
    if "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", database_kinds(), scope="session", indirect=True)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hashes in this process cost nothing: thousands of tests sign in, and none is about how long that takes. Servers
    that tests start have the real ones, as `identity/test_passwords.py` shows.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", PasswordHasher.from_parameters(CHEAPEST))
        yield


@pytest.fixture(scope="session", autouse=True)
def user_numbers() -> Iterator[None]:
    """A run as root has a book of user numbers of its own, and leaves that of the host alone."""
    with tempfile.TemporaryDirectory(prefix="qd-accounts-") as directory, pytest.MonkeyPatch.context() as patch:
        patch.setenv(accounts.VARIABLE, f"{directory}/accounts.json")
        yield


@pytest.fixture(scope="session", autouse=True)
def remembered() -> Iterator[None]:
    """Applications after the first one have its routes and its compiled pages."""
    with pytest.MonkeyPatch.context() as patch:
        remember(patch)
        remember_routes(patch)
        remember_pages(patch)
        remember_statements(patch)
        yield


@pytest.fixture(scope="session")
def database_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def postgresql():
    """The address of a PostgreSQL server of this run's own, without a database name."""
    with server_directory() as directory, postgresql_server(directory) as address:
        yield address


@pytest.fixture
def database_address(database_kind: str, tmp_path, request: pytest.FixtureRequest):
    """An empty, migrated database: a file path or a PostgreSQL URL."""
    server = request.getfixturevalue("postgresql") if database_kind == "postgresql" else None
    with fresh_database(database_kind, tmp_path, server) as address:
        yield address


@pytest.fixture
def database(database_address):
    from quarterdeck.kernel.db import open_database

    opened = open_database(database_address)
    yield opened
    opened.close_sync()
