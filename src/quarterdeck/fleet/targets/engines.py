"""The Docker engine of a host, wherever its socket is."""

from __future__ import annotations

import os
import pwd
import shlex

from quarterdeck.fleet.docker.address import DEFAULT_SOCKET, EngineAddress
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.targets.host import Host
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.errors import Conflict, Problem, Unavailable

UNIX = "unix://"
# Succeeds when the account is in a group by now that it was not in when it signed in.
ANOTHER_GROUP = """
for group in $(id -nG "$(id -un)"); do case " $(id -nG) " in *" $group "*) ;; *) exit 0 ;; esac; done; exit 1
"""


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
        why = await refused(host, path)
        if isinstance(host, SshHost) and (await host.run(["sh", "-c", ANOTHER_GROUP])).status == 0:
            await host.close()  # groups are those of the sign-in: the next connection has the new ones
        raise why from problem


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


def by_command(host: Host) -> str:
    """The command that looks after the engine of this host; nothing for the control plane's own machine, and for one
    that is not registered.
    """
    return f"qd server engine {host.login.argument}" if isinstance(host, SshHost) and host.login.server else ""


def account(host: Host) -> str:
    """Who we are on this host."""
    if isinstance(host, SshHost):
        return host.login.username
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's user without a name
        return str(os.geteuid())


def not_to_be_used(name: str) -> Conflict:
    """Why a new version gets no engine on a server where somebody has refused it."""
    return Conflict(
        f"The Docker engine of {name} is not to be used.",
        code="engine_refused",
        hint=f"Deploy to another server, or let it be used: qd server engine {shlex.quote(name)}",
    )


async def without_engine(host: Host) -> Unavailable:
    command = by_command(host)
    found = await host.run(["sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; command -v docker || command -v dockerd"])
    if found.status == 0:
        return Unavailable(
            "Docker is installed there and not running.",
            code="docker_unavailable",
            hint=f"Start it: {f'{command}, or on that machine: ' if command else ''}sudo systemctl enable --now docker",
            command="sudo systemctl enable --now docker",
        )
    return NoEngine(
        "There is no Docker engine. Containers need one; static sites and host processes do not.",
        code="docker_unavailable",
        hint="Install Docker Engine 20.10 or newer there."
        + (f" From here, after a question: {command}" if command else ""),
        command="sudo apt-get install docker.io",
    )


async def refused(host: Host, path: str) -> Unavailable:
    if (await host.run(["test", "-w", path])).status != 0:
        command, allow = by_command(host), f"sudo usermod -aG docker {shlex.quote(account(host))}"
        return Unavailable(
            f"The account {account(host)} may not use the Docker engine at {path}.",
            code="docker_unavailable",
            hint=f"Let it: {f'{command}, or ' if command else ''}{allow} on that machine; then test again.",
            command=allow,
        )
    return Unavailable(
        f"Nothing answers at the engine's socket {path}.",
        code="docker_unavailable",
        hint="Start it: sudo systemctl restart docker. If it runs, sshd has to allow AllowStreamLocalForwarding.",
        command="sudo systemctl restart docker",
    )
