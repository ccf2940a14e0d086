"""The edge of a server behind SSH: the same Caddy, copied there and started detached, spoken to over the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from quarterdeck.fleet.docker.transport import dialed_transport
from quarterdeck.fleet.edge.holders import Holder
from quarterdeck.fleet.edge.host import busy
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.ports import Sockets
from quarterdeck.fleet.edge.process import Identity, decode_identity, identity_in
from quarterdeck.fleet.edge.program import caddy_program, privilege_arguments, program_version, start_environment
from quarterdeck.fleet.processes.tables import listeners, shared_ports
from quarterdeck.fleet.targets.facts import Machine, own_architecture
from quarterdeck.fleet.targets.files import SshFiles
from quarterdeck.fleet.targets.host import Ran
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel.answers import whole
from quarterdeck.kernel.errors import ProviderFailure, Unavailable
from quarterdeck.kernel.faults import point

LOCKED = 75
PROGRAM = "caddy-"
LOOK_SECONDS = 5.0
USUAL_SPARE = (8080, 8443)
FIRST_SPARE, LAST_SPARE = 18_000, 18_999
USUAL_LOWEST, LAST_PORT = 1024, 65_535

# Nothing that was read from a file is a word of a script: paths are arguments or lines of the input.
UNLOCKED = '[ ! -e "$1" ] || flock -n "$1" true'
# The recorded process if it is this edge's proxy, else whichever process is: by the configuration it was started with.
OWNER = r"""
read -r path; read -r pid
ours() { case "$(tr '\0' ' ' < "/proc/$1/cmdline")" in *" run --resume --config $path ") return 0;; esac; return 1; }
if [ -z "$pid" ] || ! ours "$pid"; then
  pid=; for place in /proc/[0-9]*; do if ours "${place#/proc/}"; then pid=${place#/proc/}; break; fi; done
fi
[ -n "$pid" ] && echo "$pid" && cat "/proc/$pid/stat" /proc/sys/kernel/random/boot_id
"""
IDENTITY = 'cat "/proc/$1/stat" /proc/sys/kernel/random/boot_id'
# The lock's descriptor is inherited, so that the proxy holds it as long as it lives.
START = """
exec 9>>"$1"; flock -n 9 || exit 75
rm -f "$2" "$3"; cd "$4" || exit 1; log=$5; shift 5
setsid "$@" </dev/null >>"$log" 2>&1 & echo $!
"""
END = r"""
same() { case "$(sed 's/.*) //' "/proc/$pid/stat")" in [ZX]*|"") return 1;; esac
  [ "$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)" = "$started" ]; }
pid=$1 started=$2 left=$3
same || exit 3
kill -TERM "$pid"
while same && [ "$left" -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
same && kill -KILL "$pid"; left=100
while same && [ "$left" -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
exit 0
"""
SOCKETS = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/net/tcp /proc/net/tcp6"


@dataclass(frozen=True, slots=True)
class RemoteSockets:
    """As the tables of the host were a moment ago. Whoever cannot have 80 and 443 there is asked for by other ports of
    every address: on its loopback address nobody would reach it.
    """

    tables: str
    lowest: int
    spare_address: str = ""

    def can_listen(self, port: int, address: str) -> bool:
        return port >= self.lowest and all(found.port != port for found in listeners(self.tables))

    def free(self, count: int, address: str) -> Sequence[int]:
        usual = [port for port in USUAL_SPARE if self.can_listen(port, address)]
        if count == len(USUAL_SPARE) == len(usual):
            return usual
        found = (port for port in range(FIRST_SPARE, LAST_SPARE) if self.can_listen(port, address))
        return [port for port, _ in zip(found, range(count), strict=False)]

    def shared(self, port: int) -> bool:
        return port in shared_ports(self.tables)


def lowest_port(told: str) -> int:
    """The first port that an account which is not root may listen on, by the first line of `SOCKETS`."""
    lowest = whole(told.split("\n", 1)[0], LAST_PORT)
    return USUAL_LOWEST if lowest is None else lowest


class SshProxyHost:
    """`root` is the target directory there; the program lies in it, one for each version."""

    def __init__(self, host: SshHost, files: SshFiles, machine: Machine, root: Path) -> None:
        self.files = files
        self._host = host
        self._machine = machine
        self._programs = root / "program"

    def through(self, socket: Path) -> httpx.AsyncBaseTransport:
        return dialed_transport(self._host.dialer, str(socket))

    async def unlocked(self, lock: Path) -> bool:
        return (await self._script(UNLOCKED, str(lock))).status == 0

    async def owner(self, layout: Layout) -> Identity | None:
        recorded = decode_identity(await self.files.read(layout.process))
        lines = f"{layout.starting}\n{recorded.pid if recorded else ''}\n"
        said = (await self._script(OWNER, lines=lines)).text.splitlines()
        pid = whole(said[0]) if len(said) == 3 else None
        return identity_in(pid, said[1], said[2]) if pid is not None else None

    async def lives(self, identity: Identity | None) -> bool:
        if identity is None:
            return False
        return await self._identify(identity.pid) == identity

    async def _identify(self, pid: int) -> Identity | None:
        said = (await self._script(IDENTITY, str(pid))).text.splitlines()
        return identity_in(pid, said[0], said[1]) if len(said) == 2 else None

    async def start(self, layout: Layout) -> Identity:
        program = await self._program()
        environment = [f"{name}={value}" for name, value in start_environment(layout, {}).items()]
        privileges = privilege_arguments(self._machine.uid, None, self._machine.tools.get("setpriv"))
        words = ["env", "-i", *environment, *privileges, str(program)]
        words += ["run", "--resume", "--config", str(layout.starting)]
        places = (layout.process_lock, layout.admin_socket, layout.candidate_socket, layout.empty, layout.start_log)
        point("edge.start")
        began = await self._script(START, *map(str, places), *words)
        point("edge.started")
        if began.status == LOCKED:
            raise busy()
        pid = whole(began.text)
        identity = await self._identify(pid) if pid is not None else None
        if identity is None:
            raise Unavailable(
                f"The edge proxy of {self._host.login.host} ended as soon as it was started.",
                code="edge_proxy_start_failed",
                hint=f"Look at {layout.start_log} there.",
                phase="proxy-bootstrap",
            )
        return identity

    async def _program(self) -> Path:
        """The program there, copied where it is absent or of another version than ours."""
        path = self._path
        if (await self._host.run(["test", "-x", str(path)])).status == 0:
            return path
        if self._machine.architecture != own_architecture():
            raise ProviderFailure(
                f"{self._host.login.host} has a processor of another kind ({self._machine.machine}) than this machine, "
                "and only the edge of this kind is at hand.",
                code="architecture_unsupported",
                hint=f"Use a server of the kind {own_architecture()}, or one without an edge.",
                phase="proxy-bootstrap",
            )
        await self.files.make_directory(self._programs, mode=0o755)
        point("edge.copy")
        await self.files.copy_in(caddy_program(), path, mode=0o755)
        point("edge.copied")
        for name in await self.files.list(self._programs):  # one that still runs keeps what it runs
            if name.startswith(PROGRAM) and name != path.name:
                await self.files.remove(self._programs / name)
        return path

    @property
    def _path(self) -> Path:
        return self._programs / f"{PROGRAM}{program_version()}"

    async def outdated(self, identity: Identity) -> bool:
        """Whether the process runs another program than the one that we bring."""
        told = await self._runs(identity)
        return bool(told) and told != str(self._path)

    async def version(self, identity: Identity) -> str | None:
        """One that came with another version of ours still says which it is, by its name."""
        told = Path(await self._runs(identity))
        ours = told.parent == self._programs and told.name.startswith(PROGRAM)
        return told.name.removeprefix(PROGRAM) if ours else None

    async def _runs(self, identity: Identity) -> str:
        """The path of the program of a process, empty where nobody tells."""
        told = (await self._host.run(["readlink", f"/proc/{identity.pid}/exe"])).text.strip()
        return told.removesuffix(" (deleted)")

    async def end(self, identity: Identity, *, grace_seconds: float) -> bool:
        if not await self.lives(identity):
            return False
        words = (str(identity.pid), str(identity.started), str(int(grace_seconds * 10)))
        return (await self._script(END, *words, seconds=grace_seconds + 30)).status == 0

    async def wait_for_end(self, identity: Identity) -> None:
        while await self.lives(identity):  # noqa: ASYNC110 - another host's process tells nobody
            await asyncio.sleep(LOOK_SECONDS)

    async def sockets(self) -> Sockets:
        told = (await self._script(SOCKETS)).text
        return RemoteSockets(told, 1 if self._machine.uid == 0 else lowest_port(told))

    async def holders(self, port: int, address: str) -> Sequence[Holder]:
        """Empty: what its account may see of the host's processes is seldom what is in the way."""
        return ()

    async def end_forsaken(self, layout: Layout, identity: Identity) -> bool:
        """Never: what else lives on the host is not known here well enough."""
        return False

    async def own(self, directory: Path) -> None:
        """It runs as the account that we sign in as."""

    async def _script(self, text: str, *words: str, lines: str = "", seconds: float = 20.0) -> Ran:
        return await self._host.run(["sh", "-c", text, "edge", *words], stdin=lines.encode(), seconds=seconds)
