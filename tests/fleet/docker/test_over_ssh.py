"""The same client, with the engine's socket reached through an SSH connection."""

from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest

from quarterdeck.fleet.docker import containers, execution
from quarterdeck.fleet.docker.address import engine_address
from quarterdeck.fleet.docker.build.builder import build
from quarterdeck.fleet.docker.build.context import Context
from quarterdeck.fleet.docker.build.request import BuildSpec
from quarterdeck.fleet.docker.dialing import Stream
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.logs import logs
from quarterdeck.fleet.docker.specs import ContainerSpec
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.vault import Secret


class Server(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return False

    def unix_connection_requested(self, dest_path: str) -> bool:
        return True


class SshDialer:
    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection = connection

    async def open(self, path: str) -> Stream:
        try:
            return await self._connection.open_unix_connection(path, encoding=None)
        except asyncssh.ChannelOpenError as error:
            raise ConnectionError(str(error)) from error


@pytest.mark.engine
async def test_calls_logs_terminals_and_builds_pass_through_ssh(
    docker_host: str, engine: Engine, mine: dict[str, str], tmp_path: Path
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox:latest\nRUN --mount=type=secret,id=s wc -c < /run/secrets/s > /n\nCMD cat /n; sleep 60\n"
    )
    async with (
        asyncssh.listen("127.0.0.1", 0, server_host_keys=[key], server_factory=Server) as listener,
        asyncssh.connect(
            "127.0.0.1",
            listener.get_port(),
            known_hosts=None,
            config=None,
            agent_path=None,
            username="x",
            client_keys=None,
        ) as connection,
    ):
        dialer = SshDialer(connection)
        with pytest.raises(Unavailable):
            await Engine.connect(engine_address({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}), dialer)
        async with await Engine.connect(engine_address({"DOCKER_HOST": docker_host}), dialer) as remote:
            spec = BuildSpec(Context(tmp_path), labels=mine, secrets={"s": Secret("x" * 100_000)})
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
