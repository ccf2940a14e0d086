"""What happens to containers of a server is told by its engine, so that nobody has to look all the time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from quarterdeck.deploy.observation import distant
from quarterdeck.deploy.observation.observer import PERIOD
from quarterdeck.deploy.observation.places import RemotePlace
from quarterdeck.fleet.targets.host import LocalHost
from quarterdeck.kernel.bus import Bus

HEAD = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\n"


class Teller:
    """The part of an engine that tells: `say` lets something happen to a container, `hush` ends the stream."""

    def __init__(self) -> None:
        self.listening = asyncio.Event()
        self.asked = ""
        self._writer: asyncio.StreamWriter | None = None
        self._serving: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
            self._serving.append(writer)
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
                if "/events" not in path:
                    writer.write(HEAD + b"Content-Length: 2\r\n\r\nOK")
                    continue
                self.asked, self._writer = path, writer
                writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
                self.listening.set()

    def say(self, action: str) -> None:
        assert self._writer is not None
        line = json.dumps({"Type": "container", "Action": action}).encode() + b"\n"
        self._writer.write(b"%x\r\n%s\r\n" % (len(line), line))

    async def end(self) -> None:
        for one in self._serving:
            one.close()
            with contextlib.suppress(ConnectionError):
                await one.wait_closed()

    def hush(self) -> None:
        assert self._writer is not None
        self._writer.close()


@pytest.fixture
async def teller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Teller]:
    made = Teller()
    server = await asyncio.start_unix_server(made.serve, tmp_path / "docker.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    yield made
    server.close()
    await made.end()


async def test_a_change_ends_the_pause_and_a_silent_engine_is_asked_again(teller: Teller) -> None:
    place = RemotePlace(cast("Any", SimpleNamespace(host=LocalHost(), processes=None)))
    try:
        with Bus().subscribe("runtimes") as inbox:
            async with asyncio.timeout(30):
                assert not place.told
                assert await place.engine() is not None
                assert place.told
                await teller.listening.wait()
                assert "health_status" in teller.asked
                assert "exec" not in teller.asked
                waiting = asyncio.create_task(place.pause(inbox, 3600))
                await asyncio.sleep(0)
                assert not waiting.done()
                teller.say("die")
                assert await waiting
                # What came while nobody waited is not lost, and wakes once.
                teller.say("start")
                await place.stirred.wait()
                assert await place.pause(inbox, 3600)
                assert not await place.pause(inbox, 0.01)
                waiting = asyncio.create_task(place.pause(inbox, 3600))
                teller.hush()
                assert await waiting
                assert not place.told
                teller.listening.clear()
                await place.engine()  # the next look listens again
                await teller.listening.wait()
                assert place.told
    finally:
        await place.leave_engine()
    assert not place.told


def test_what_has_settled_is_looked_at_seldom_and_more_often_where_nobody_tells() -> None:
    def observer(*, settled: bool, only_containers: bool) -> Any:
        return SimpleNamespace(settled=settled, only_containers=only_containers)

    assert distant.pace(observer(settled=False, only_containers=True), told=True) == PERIOD
    assert distant.pace(observer(settled=True, only_containers=True), told=True) == distant.QUIET_PERIOD
    assert distant.pace(observer(settled=True, only_containers=True), told=False) == distant.UNTOLD_PERIOD
    assert distant.pace(observer(settled=True, only_containers=False), told=True) == distant.UNTOLD_PERIOD
    assert PERIOD < distant.UNTOLD_PERIOD < distant.QUIET_PERIOD
