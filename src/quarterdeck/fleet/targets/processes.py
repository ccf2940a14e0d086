"""Host processes, releases and ports of a server behind SSH. Ports are handed out to containers, too, so that no Python
is needed for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec

from quarterdeck.fleet.processes import log, ports
from quarterdeck.fleet.processes.hosted import INDEX
from quarterdeck.fleet.processes.releases import COMPLETE, packed
from quarterdeck.fleet.processes.spec import ProcessSpec
from quarterdeck.fleet.processes.status import ProcessStatus
from quarterdeck.fleet.processes.tables import listeners
from quarterdeck.fleet.targets.files import SshFiles
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.fleet.targets.steward import Steward, problem_of
from quarterdeck.fleet.targets.tailing import follow
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.unreadable import UNREADABLE
from quarterdeck.kernel.vault import Secret

UNPACK_SECONDS = 300.0
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,5}$")]


class _Book(TypedDict, total=False):
    """Who has which port over there; in another form it is no book of ours."""

    held: dict[str, Port]
    released: dict[Digits, float]
    next: Port


class SshProcesses:
    """`root` is the target directory there."""

    def __init__(
        self, host: SshHost, files: SshFiles, root: Path, steward: Steward, clock: Clock | None = None
    ) -> None:
        self._host = host
        self._steward = steward
        self._files = files
        self._home = root / "processes"
        self._clock = clock or SystemClock()

    async def port(self, instance: str, *, reserved: frozenset[int] = frozenset()) -> int:
        await self._files.make_directory(self._home, mode=0o711)
        heard = await self._heard()
        async with self._files.lock(self._lock):
            book = await self._read()
            before = msgspec.json.encode(book)
            now = self._clock.now().timestamp()
            found = ports.enter(
                book, instance, now, lambda port: port not in heard, place=str(self._home), reserved=reserved
            )
            await self._write(book, before)
        return found

    async def held_port(self, instance: str) -> int | None:
        found: int | None = (await self._read()).get("held", {}).get(instance)
        return found

    async def is_free(self, port: int) -> bool:
        return port not in await self._heard()

    async def account(self, name: str) -> int | None:
        return await self._steward.told(int | None, "account", name=name)  # type: ignore[arg-type] # a union is one

    async def find(self, instance: str) -> ProcessStatus | None:
        if not await self._known(instance):
            return None
        return await self._steward.told(ProcessStatus | None, "find", instance=instance)  # type: ignore[arg-type] # as above

    async def list(self) -> Sequence[ProcessStatus]:
        if not await self._files.list(self._home / "instances"):
            return ()
        return await self._steward.told(list[ProcessStatus], "list")

    async def placed_at(self, instance: str) -> datetime:
        return await self._steward.told(datetime, "placed_at", instance=instance)

    async def start(self, spec: ProcessSpec, *, replace: bool = False) -> ProcessStatus:
        secrets = {key: value.reveal() for key, value in spec.environment.items() if isinstance(value, Secret)}
        document = spec.document()
        return await self._steward.told(ProcessStatus, "start", spec=document, secrets=secrets, replace=replace)

    async def stop(self, instance: str, grace: float | None = None) -> ProcessStatus:
        return await self._steward.told(ProcessStatus, "stop", instance=instance, grace=grace, seconds=_patience(grace))

    async def remove(self, instance: str, grace: float | None = None) -> None:
        if await self._known(instance):
            await self._steward.call("remove", instance=instance, grace=grace, seconds=_patience(grace))
            return
        if await self.held_port(instance) is None:
            return
        async with self._files.lock(self._lock):
            book = await self._read()
            before = msgspec.json.encode(book)
            ports.strike(book, instance, self._clock.now().timestamp())
            await self._write(book, before)

    async def follow_log(self, instance: str) -> AsyncIterator[Sequence[log.Line]]:
        async def live() -> bool:
            found = await self.find(instance)
            return found is not None and found.live

        async for lines in follow(self._files, self._home / "instances" / instance, live):
            yield lines

    async def heard(self, pid: int) -> set[tuple[int, bool]]:
        return await self._steward.told(set[tuple[int, bool]], "heard", pid=pid)

    async def listens(self, pid: int, port: int) -> bool:
        return bool(await self._steward.call("listens", pid=pid, port=port))

    async def _known(self, instance: str) -> bool:
        """Whether there is a process of this name: of most deployments there is none, and no Python is needed."""
        return bool(await self._files.list(self._home / "instances" / instance))

    @property
    def _book(self) -> Path:
        return self._home / "ports.json"

    @property
    def _lock(self) -> Path:
        return self._home / "ports.lock"

    async def _read(self) -> dict[str, Any]:
        content = await self._files.read(self._book)
        try:
            return dict(msgspec.json.decode(content or b"{}", type=_Book))
        except UNREADABLE:
            return {}

    async def _write(self, book: dict[str, Any], before: bytes) -> None:
        content = msgspec.json.encode(book)
        if content != before:
            await self._files.write_atomic(self._book, content)

    async def _heard(self) -> set[int]:
        told = await self._host.run(["cat", "/proc/net/tcp", "/proc/net/tcp6"])
        return {found.port for found in listeners(told.text)}


class SshReleases:
    """Releases of a server behind SSH: packed here, unpacked there."""

    def __init__(self, files: SshFiles, root: Path, steward: Steward) -> None:
        self._files = files
        self._home = root / "releases"
        self._steward = steward

    async def is_complete(self, name: str) -> bool:
        return await self._files.read(self._home / Path(name).name / COMPLETE) is not None

    async def lay_out(self, name: str, source: Path, excluded: Sequence[str], account: int | None) -> Path:
        packed_here, there = source.with_name(f"{source.name}.tar"), self._home / f".{Path(name).name}.tar"
        try:
            await asyncio.to_thread(packed, source, packed_here, excluded)
            await self._files.copy_in(packed_here, there, mode=0o600)
        finally:
            packed_here.unlink(missing_ok=True)
        tree = await self._steward.told(
            str, "lay_out", name=name, archive=str(there), account=account, seconds=UNPACK_SECONDS
        )
        return Path(tree)

    async def publish(self, name: str, directory: str, account: int | None) -> str:
        return await self._steward.told(str, "publish", name=name, directory=directory, account=account)

    async def published(self, name: str, directory: str) -> str:
        return await self._steward.told(str, "published", name=name, directory=directory)

    async def complete(self, name: str) -> None:
        await self._steward.call("complete", name=name)

    async def shortage(self, name: str, least_free: float, most: int) -> Problem | None:
        said = await self._steward.call("shortage", name=name, least_free=least_free, most=most)
        return None if said is None else problem_of(said)

    async def has_index(self, directory: str) -> bool:
        return await self._files.read(Path(directory) / INDEX) is not None

    async def remove(self, name: str) -> None:
        if await self._files.list(self._home / Path(name).name):
            await self._steward.call("forget", name=name, seconds=UNPACK_SECONDS)
        await self._files.remove(self._home / f".{Path(name).name}.tar")


def _patience(grace: float | None) -> float:
    return (grace or 0.0) + 60.0
