"""The same client, with the engine's socket reached through a connection to a real SSH server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from quarterdeck.fleet.capacity import measuring
from quarterdeck.fleet.docker import containers, execution
from quarterdeck.fleet.docker.address import engine_address
from quarterdeck.fleet.docker.build.builder import build
from quarterdeck.fleet.docker.build.context import Context
from quarterdeck.fleet.docker.build.request import BuildSpec
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.logs import logs
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.fleet.targets import connectivity
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.clock import SystemClock
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.vault import Secret
from real.sshd import Sshd, new_key, sshd

pytestmark = [pytest.mark.engine, pytest.mark.sshd]


@pytest.fixture
def server(docker_host: str, tmp_path: Path) -> Iterator[Sshd]:
    """Its accounts are told where the engine is, as those of a rootless engine are."""
    with sshd(authorized=[new_key(tmp_path / "key")], settings=[f"SetEnv DOCKER_HOST={docker_host}"]) as running:
        yield running


@pytest.fixture
def login(server: Sshd, tmp_path: Path) -> Login:
    return Login("127.0.0.1", server.port, server.username, Secret((tmp_path / "key").read_text()))


async def test_calls_logs_terminals_and_builds_pass_through_ssh(
    docker_host: str, engine: Engine, mine: dict[str, str], login: Login, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "Dockerfile").write_text(
        "FROM busybox:latest\nRUN --mount=type=secret,id=s wc -c < /run/secrets/s > /n\nCMD cat /n; sleep 60\n"
    )
    async with await SshHost.connect(login) as host:
        with pytest.raises(Unavailable):
            await Engine.connect(engine_address({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}), host.dialer)
        async with await Engine.connect(engine_address({"DOCKER_HOST": docker_host}), host.dialer) as remote:
            spec = BuildSpec(Context(source), labels=mine, secrets={"s": Secret("x" * 100_000)})
            image = (await build(remote, spec)).image_id
            container = await containers.create(remote, ContainerSpec(image, labels=mine))
            await containers.start(remote, container)
            result = await execution.run(remote, container, ["cat"], input=b"through")
            assert (result.exit_code, result.stdout) == (0, b"through")
            async with execution.open_exec(remote, container, ["sh"], tty=True) as session:
                await session.write(b"exit 4\n")
                while await session.read():
                    pass
                assert await session.exit_code() == 4
            await containers.kill(remote, container)
            assert [line.text async for line in logs(remote, container, follow=True)] == ["100000"]


async def test_the_engine_is_found_and_its_version_told(login: Login) -> None:
    found = await connectivity.examine(login, SystemClock())
    check = next(one for one in found.checks if one.name == "docker-engine")
    assert check.status == "passed", check
    assert check.facts["version"]


async def test_a_cut_connection_is_an_engine_that_does_not_answer(login: Login, server: Sshd) -> None:
    async with await SshHost.connect(login) as host, await open_engine(host) as remote:
        server.cut()
        while not host.closed:
            await asyncio.sleep(0.01)
        with pytest.raises(Unavailable) as gone:
            await containers.listed(remote, {"quarterdeck.test": "none"})
        assert gone.value.code == "docker_unavailable"


async def test_what_docker_keeps_is_measured_through_ssh(engine: Engine, mine: dict[str, str], login: Login) -> None:
    labels = {**mine, "quarterdeck.managed": "true", "quarterdeck.deployment": "dep_000000000000"}
    container = await containers.create(
        engine, ContainerSpec("busybox:latest", ["sh", "-c", "dd if=/dev/zero of=/big bs=1M count=3"], labels=labels)
    )
    await containers.start(engine, container)
    await containers.wait(engine, container)
    async with await SshHost.connect(login) as host:
        found = await measuring.measure(host, measuring.REMOTE, None)
    assert not [warned for warned in found.warnings if warned.resource == "docker"]
    ours = next(one for one in found.engine.ours if one.deployment == "dep_000000000000")
    assert (ours.running, ours.writable_bytes) == (False, 3 << 20)
    assert found.engine.images > 0
    assert found.engine.containers >= 3 << 20
