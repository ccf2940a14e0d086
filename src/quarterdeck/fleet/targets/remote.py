"""A server behind SSH at the end of one connection: what it is, its files, its edge, its processes, turns on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.targets import refusals
from quarterdeck.fleet.targets.edge_host import SshProxyHost
from quarterdeck.fleet.targets.facts import CONTROL_PLANE, Machine, Room, look
from quarterdeck.fleet.targets.files import HELD, SshFiles
from quarterdeck.fleet.targets.processes import SshProcesses, SshReleases
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.fleet.targets.steward import Steward
from quarterdeck.kernel.answers import KIBIBYTES, whole
from quarterdeck.kernel.datadir import KEPT_IN

BEAT_SECONDS = 5.0
WORD = 4096
# Held until its input ends or is silent for longer than a connection may be before we give it up ourselves: a server
# that was cut off learns of it late, and would keep the turn for hours. The file goes with whoever had the turn, so
# that one which is locked has to be still the one of that name.
TURN = """
exec 9>>"$1" || exit 1
until flock -w 1 9 && [ "$(stat -Lc %i /proc/$$/fd/9)" = "$(stat -c %i "$1" 2>/dev/null)" ]; do
  exec 9>&-; exec 9>>"$1"
done
echo held
while [ -n "$(timeout 30 head -c 1 9>&-)" ]; do :; done
rm -f "$1"
"""
# A power cut leaves the files of turns that nobody has any more.
SWEEP = 'for file in "$1"/*.lock; do [ -e "$file" ] && flock -n "$file" rm -f "$file"; done; true'


@dataclass(slots=True)
class Remote:
    """Everything shares the connection and ends with it."""

    host: SshHost
    machine: Machine
    files: SshFiles
    processes: SshProcesses
    releases: SshReleases
    steward: Steward
    proxy: SshProxyHost
    edge: Edge
    others: frozenset[str] = frozenset()
    """Other installations that were found there when we entered, by their own names."""
    _entering: asyncio.Lock = field(default_factory=asyncio.Lock)
    _entered: bool = False

    @classmethod
    async def look(cls, host: SshHost) -> Self:
        """Raises `ProviderFailure` (`remote_tool_missing`, `ssh_command_refused`) where nothing can be done."""
        machine, files = await look(host), SshFiles(host)
        root = machine.root
        proxy, steward = SshProxyHost(host, files, machine, root), Steward(host, files, machine, root)
        processes, releases = SshProcesses(host, files, root, steward), SshReleases(files, root, steward)
        return cls(host, machine, files, processes, releases, steward, proxy, Edge(root, host=proxy))

    @property
    def root(self) -> Path:
        return self.machine.root

    async def enter(self, instance: str) -> None:
        """Make the directories that others of that machine may pass through, to what is theirs alone, and leave the
        name of this installation there. Raises `Conflict` (`server_in_use`) for the home of a control plane.
        """
        marker = self.root / "installations" / instance
        async with self._entering:
            if self._entered and await self.files.read(marker) is not None:
                return
            self.left()  # somebody may have taken all of it away since
            await self.refuse_control_plane()
            for directory, mode in (
                (self.root.parent, 0o711), (self.root, 0o711), (self.root / "locks", 0o700),
                (self.root / "releases", 0o711), (self.root / "installations", 0o700),
            ):  # fmt: skip
                await self.files.make_directory(directory, mode=mode)
            await self.host.run(["sh", "-c", SWEEP, "sweep", str(self.root / "locks")])
            await self.files.write_atomic(marker, b"")
            self.others = frozenset(await self.installations()) - {instance}
            self._entered = True

    async def refuse_control_plane(self) -> None:
        """Raise `Conflict` where a control plane lives in the same directory: each would clear away what the other has
        there as something that nobody needs.
        """
        if await self.has_control_plane():
            raise refusals.runs_control_plane(self.host.login)

    def left(self) -> None:
        """Nothing is there any more: who comes next begins anew."""
        self._entered = False
        self.steward.forget()

    async def installations(self) -> Sequence[str]:
        """Those that have worked with this account, by their own names."""
        return await self.files.list(self.root / "installations")

    async def has_control_plane(self) -> bool:
        """Whether a control plane runs there from the directory that we would work in."""
        files = [str(self.root.parent / name) for name in (CONTROL_PLANE, KEPT_IN)]
        return (await self.host.run(["test", "-e", files[0], "-o", "-e", files[1]])).status == 0

    @contextlib.asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait until nobody else works on this name there. It ends with the connection at the latest."""
        import asyncssh

        path = self.root / "locks" / f"{name}.lock"
        async with self.host.held(["sh", "-c", TURN, "turn", str(path)], "turn") as process:
            try:
                said = await process.stdout.readline()
            except (asyncssh.Error, OSError) as error:
                raise refusals.cut(self.host.login) from error
            if said.strip() != HELD.encode():
                raise refusals.cut(self.host.login)

            async def beat() -> None:
                with contextlib.suppress(asyncssh.Error, OSError):
                    while True:
                        process.stdin.write(b".")
                        await asyncio.sleep(BEAT_SECONDS)

            here, over = asyncio.current_task(), asyncio.Event()

            async def watch() -> None:
                """It ends by itself only when the turn is lost: we were silent for too long, or somebody ended it."""
                try:
                    while await process.stdout.read(WORD):
                        pass  # nothing that it says is kept
                except (asyncssh.Error, OSError):
                    return  # the connection is gone, which whatever is done over it finds out
                if here is not None and not self.host.closed:
                    over.set()
                    here.cancel()

            beating, watching = asyncio.create_task(beat()), asyncio.create_task(watch())
            try:
                yield
            except asyncio.CancelledError:
                if over.is_set() and here is not None:
                    here.uncancel()
                    raise refusals.cut(self.host.login) from None
                raise
            finally:
                beating.cancel()
                watching.cancel()
                with contextlib.suppress(asyncssh.Error, OSError):
                    process.stdin.write_eof()
                    await process.wait_closed()

    async def outdated_edge(self) -> bool:
        """Whether an edge runs whose program is not the one that we bring."""
        identity = await self.proxy.owner(self.edge.layout)
        return identity is not None and await self.proxy.outdated(identity)

    async def free(self) -> float | None:
        """The share of the disk of the target directory that is free to us, 0 to 1; None where nobody tells."""
        words = await self._disk()
        used, free = (whole(word) for word in words[2:4]) if words else (None, None)
        return free / (used + free) if used is not None and free is not None and used + free else None

    async def room(self) -> Room | None:
        """How much room there is on that disk; None where nobody tells."""
        words = await self._disk()
        size, free = (whole(words[place], KIBIBYTES) for place in (1, 3)) if words else (None, None)
        return Room(free * 1024, size * 1024, words[5]) if size is not None and free is not None else None

    async def _disk(self) -> list[str]:
        """The fields of that disk in the table of disks, or none."""
        fields = (await self.host.run(["df", "-Pk", str(self.root)])).text.splitlines()[-1:]
        words = fields[0].split() if fields else []
        return words if len(words) >= 6 else []

    async def memory(self) -> int:
        """Bytes of memory of the machine; 0 where nobody tells."""
        words = (await self.host.run(["grep", "-m", "1", "^MemTotal:", "/proc/meminfo"])).text.split()
        kibibytes = whole(words[1], KIBIBYTES) if len(words) > 1 else None
        return (kibibytes or 0) * 1024

    async def close(self) -> None:
        await self.edge.close()
        with contextlib.suppress(Exception):  # of a connection that is gone
            await self.files.close()
