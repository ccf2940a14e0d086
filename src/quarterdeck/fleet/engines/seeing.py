"""Looking at the engine of a server: whether there is one, whose, how new, whether we may use it. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quarterdeck.fleet.docker import system as engine_system
from quarterdeck.fleet.docker.address import EngineAddress
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.engines import packages
from quarterdeck.fleet.engines.values import Mark, Seen, State, System
from quarterdeck.fleet.targets.engines import refused, socket_of, without_engine
from quarterdeck.fleet.targets.host import Host
from quarterdeck.kernel.errors import Problem

PROGRAMS = ("apt-get", "dnf", "apk", "dockerd", "usermod")
# A session that is not a login has no /usr/sbin in its path on some systems, and the engine is there.
LOOK = """
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
say() { printf '%s=%s\\n' "$1" "$2"; }
say account "$(id -un)"; say groups "$(id -nG "$(id -un)")"
if [ "$(id -u)" = 0 ]; then say becoming root
elif ! command -v sudo >/dev/null; then say becoming missing
elif sudo -n true >/dev/null 2>&1; then say becoming yes
else say becoming password; fi
if [ -d /run/systemd/system ]; then say init systemd
elif command -v rc-service >/dev/null; then say init openrc
elif command -v service >/dev/null; then say init service; fi
for tool in "$@"; do command -v "$tool" >/dev/null && say program "$tool"; done
(. /etc/os-release && say id "$ID" && say like "$ID_LIKE" && say name "$PRETTY_NAME") 2>/dev/null
say named "$DOCKER_HOST"
"""


async def look(host: Host) -> Seen:
    """Raises the problem of a connection that is cut meanwhile."""
    facts = (await host.run(["sh", "-c", LOOK, "look", *PROGRAMS])).text
    system, named = system_of(facts), bool(_words(facts, "named"))
    mark = mark_of((await host.run(["cat", packages.MARK])).text)
    state, version, socket, trouble = await _engine(host, system)
    if state == "stopped" and await _half_ours(host, mark):
        state, version = "absent", None
    origin = None if state == "absent" else "installed" if await _ours(host, mark) else "found"
    return Seen(state, system, version, socket, origin, named, mark, trouble)  # type: ignore[arg-type]


async def _engine(host: Host, system: System) -> tuple[State, str | None, str | None, Problem | None]:
    socket = await socket_of(host)
    if socket is None:
        there = "dockerd" in system.programs
        version = await _told_version(host) if there else None
        return "stopped" if there else "absent", version, None, await without_engine(host)
    try:
        async with await Engine.connect(EngineAddress(socket), host.dialer) as engine:
            return "ready", (await engine_system.version(engine)).version, socket, None
    except Problem as problem:
        if problem.code == "docker_too_old":
            return "too-old", await _told_version(host), socket, problem
        if problem.code != "docker_unavailable":
            raise
    if (await host.run(["test", "-S", socket])).status != 0:
        return "stopped", await _told_version(host), socket, await without_engine(host)
    usable = (await host.run(["test", "-w", socket])).status == 0
    return "stopped" if usable else "closed", await _told_version(host), socket, await refused(host, socket)


async def _told_version(host: Host) -> str | None:
    """What the program says of itself, where the engine says nothing."""
    command = 'PATH="$PATH:/usr/sbin:/sbin"; dockerd --version || docker --version'
    found = re.search(r"version ([0-9][0-9A-Za-z.+~-]*)", (await host.run(["sh", "-c", command])).text)
    return found[1] if found else None


async def _half_ours(host: Host, mark: Mark | None) -> bool:
    """Whether our own installation was interrupted: then it is begun once more, and not started as it is."""
    manager = packages.named(mark.manager, mark.package) if mark else None
    return manager is not None and manager.half is not None and (await host.run(manager.half)).status == 0


async def _ours(host: Host, mark: Mark | None) -> bool:
    """Whether what the mark tells of is what is installed: somebody may have replaced it since."""
    manager = packages.named(mark.manager, mark.package) if mark else None
    return manager is not None and (await host.run(manager.installed)).status == 0


def system_of(said: str) -> System:
    becoming, init = _word(said, "becoming"), _word(said, "init")
    return System(
        id=_word(said, "id"),
        like=tuple(_words(said, "like")),
        name=" ".join(_words(said, "name")),
        account=_word(said, "account"),
        becoming=becoming if becoming in {"root", "yes", "password"} else "missing",  # type: ignore[arg-type]
        init=init if init in {"systemd", "openrc", "service"} else "none",  # type: ignore[arg-type]
        programs=frozenset(_words(said, "program")),
        groups=frozenset(_words(said, "groups")),
    )


def mark_of(said: str) -> Mark | None:
    """The mark, of a file that a repeated installation has added to. The first lines say who began."""
    instance, manager, package = (_word(said, name) for name in ("instance", "manager", "package"))
    if not (instance and manager and re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", package)):
        return None
    return Mark(instance, manager, package, tuple(sorted(set(_words(said, "new")))))


def _words(said: str, name: str) -> Sequence[str]:
    lines = (line.partition("=") for line in said.splitlines())
    return [word for key, _, value in lines if key == name for word in value.split()]


def _word(said: str, name: str) -> str:
    return next(iter(_words(said, name)), "")
