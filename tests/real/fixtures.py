"""Fixtures for tests that need real parts: a plugin of the whole run, so that one engine serves it.

Importing them into modules would make a fixture of its own for each, and so a second engine beside the first.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from quarterdeck.fleet.docker import containers, images, networks, volumes
from quarterdeck.fleet.docker.address import engine_address
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.kernel.ids import Ids
from real import base_images
from real.engine import RunEngine, running_engine


@pytest.fixture(scope="session")
def run_engine() -> Iterator[RunEngine]:
    """The engine that this run has started. A test that stops it starts it again before it ends."""
    with running_engine() as made:
        yield made


@pytest.fixture(scope="session")
def docker_host(request: pytest.FixtureRequest) -> str:
    """`DOCKER_HOST` of an engine for the whole run, with busybox in it: one that was named to us, or our own."""
    host: str = os.environ.get("QUARTERDECK_TEST_DOCKER_HOST") or request.getfixturevalue("run_engine").host
    base_images.ensure(host, ["busybox"])
    return host


@pytest.fixture(scope="session")
def docker_images(docker_host: str) -> str:
    """The same engine with every base image in it."""
    base_images.ensure(docker_host)
    return docker_host


@pytest.fixture
def mine() -> dict[str, str]:
    """A label of this test alone, for all that it makes."""
    return {"quarterdeck.test": Ids().text(12)}


@pytest.fixture
async def engine(docker_host: str, mine: dict[str, str]) -> AsyncIterator[Engine]:
    """A connection; whatever carries the test's label is gone afterwards."""
    async with await Engine.connect(engine_address({"DOCKER_HOST": docker_host})) as connected:
        try:
            yield connected
        finally:
            for container in await containers.listed(connected, mine):
                await containers.remove(connected, container.id)
            for network in await networks.listed(connected, mine):
                await networks.remove(connected, network.id)
            for volume in await volumes.listed(connected, mine):
                await volumes.remove(connected, volume.name)
            for image in await images.listed(connected, mine):
                await images.remove(connected, image.id, force=True)
