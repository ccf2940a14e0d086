"""The Docker engine of a host, wherever its socket is."""

from __future__ import annotations

from quarterdeck.fleet.docker.address import DEFAULT_SOCKET, EngineAddress
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.targets.host import Host
from quarterdeck.kernel.errors import Problem, Unavailable

UNIX = "unix://"


class NoEngine(Unavailable):
    """There is neither a socket nor a program: nobody has installed Docker, or somebody has removed it."""

    default_code = "docker_unavailable"


async def open_engine(host: Host, address: EngineAddress | None = None) -> Engine:
    """A connection to the engine. Without an `address`: what DOCKER_HOST says in a session of the account, else the
    usual socket, else that of a rootless engine. Raises `Unavailable` that says which of the usual reasons it is.
    """
    if address is not None:
        return await Engine.connect(address, host.dialer)
    path = await socket_of(host)
    if path is None:
        raise await without_engine(host)
    try:
        return await Engine.connect(EngineAddress(path), host.dialer)
    except Problem as problem:
        if problem.code != "docker_unavailable":
            raise
        raise await refused(host, path) from problem


async def socket_of(host: Host) -> str | None:
    """The path of the engine's socket, None where there is none."""
    named = (await host.run(["printenv", "DOCKER_HOST"])).text.strip()
    if named.startswith(UNIX):
        return named.removeprefix(UNIX)
    account = (await host.run(["id", "-u"])).text.strip()
    for path in (DEFAULT_SOCKET, f"/run/user/{account}/docker.sock"):
        if (await host.run(["test", "-S", path])).status == 0:
            return path
    return None


async def without_engine(host: Host) -> Unavailable:
    found = await host.run(["sh", "-c", "command -v docker || command -v dockerd"])
    if found.status == 0:
        return Unavailable(
            "Docker is installed there and not running.",
            code="docker_unavailable",
            hint="Start it: sudo systemctl enable --now docker",
            command="sudo systemctl enable --now docker",
        )
    return NoEngine(
        "There is no Docker engine. Containers need one; static sites and host processes do not.",
        hint="Install Docker Engine 20.10 or newer there. On Debian and Ubuntu: sudo apt-get install docker.io",
        command="sudo apt-get install docker.io",
    )


async def refused(host: Host, path: str) -> Unavailable:
    if (await host.run(["test", "-w", path])).status != 0:
        return Unavailable(
            f"The account may not use the Docker engine at {path}.",
            code="docker_unavailable",
            hint='Let it: sudo usermod -aG docker "$USER" on that machine, and test again.',
            command='sudo usermod -aG docker "$USER"',
        )
    return Unavailable(
        f"Nothing answers at the engine's socket {path}.",
        code="docker_unavailable",
        hint="Start it: sudo systemctl restart docker. If it runs, sshd has to allow AllowStreamLocalForwarding.",
        command="sudo systemctl restart docker",
    )
