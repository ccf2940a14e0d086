"""Generated images are built and run on a real engine, and answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from quarterdeck.deploy.detection import DirectoryTree, detect
from quarterdeck.deploy.planning import plan
from quarterdeck.fleet.docker import containers, images
from quarterdeck.fleet.docker.build.builder import build
from quarterdeck.fleet.docker.build.context import Context
from quarterdeck.fleet.docker.build.request import BuildSpec
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.specs import ContainerSpec

APPS = Path(__file__).parents[2] / "apps"
SERVERS = ("flask", "fastapi", "django", "wsgi", "express", "dockerfile")
SITES = ("vite", "static")
pytestmark = pytest.mark.engine


@asynccontextmanager
async def _answering(engine: Engine, mine: dict[str, str], name: str) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """The application as its plan builds and runs it, once it answers, and its image's id."""
    made = plan(detect(DirectoryTree(APPS / name)), source_kind="local-folder")
    context = Context(
        APPS / name,
        dockerfile=made.dockerfile_path or "Dockerfile",
        overlay={file.path: file.text.encode() for file in made.context_files},
        extra_ignore=made.ignore,
    )
    built = await build(engine, BuildSpec(context, labels=mine))
    spec = ContainerSpec(
        image=built.image_id, env=made.environment, labels=mine, internal_port=made.internal_port, init=made.use_init
    )
    container = await containers.create(engine, spec)
    await containers.start(engine, container)
    host = (await containers.inspect(engine, container)).address()
    url = f"http://{host}:{made.internal_port}"
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
        await _first_answer(client)
        yield client, built.image_id


async def _first_answer(client: httpx.AsyncClient) -> None:
    deadline = asyncio.get_running_loop().time() + 30
    while True:
        try:
            await client.get("/health")
        except httpx.TransportError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            return


@pytest.mark.parametrize("name", SERVERS)
async def test_a_generated_image_of_a_server_answers_as_an_ordinary_user(
    docker_images: str, engine: Engine, mine: dict[str, str], name: str
) -> None:
    async with _answering(engine, mine, name) as (client, image):
        home, health = await client.get("/"), await client.get("/health")
    assert (home.status_code, home.text) == (200, f"{name} 1\n")
    assert health.status_code == 200
    config = (await images.inspect(engine, image)).config
    assert config is not None
    assert config.user.split(":")[0] not in {"", "0", "root"}


@pytest.mark.parametrize("name", SITES)
async def test_a_generated_image_of_a_site_falls_back_to_its_index_but_not_for_assets(
    docker_images: str, engine: Engine, mine: dict[str, str], name: str
) -> None:
    async with _answering(engine, mine, name) as (client, _):
        answers = {
            path: await client.get(path) for path in ("/", "/deep/link", "/missing.css", "/.quarterdeck/nginx.conf")
        }
    assert f"{name} 1" in answers["/"].text
    assert answers["/deep/link"].text == answers["/"].text
    assert [answer.status_code for answer in answers.values()] == [200, 200, 404, 404]
