"""A whole instance behind a real server on loopback, with tasks that have terminals: people and workers dial in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from sqlalchemy import select
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from quarterdeck.access import grants
from quarterdeck.access.model import Grant
from quarterdeck.fleet.terminals import tokens
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.doorkeeper import Patience
from quarterdeck.kernel.http.patience import patient
from quarterdeck.kernel.principal import Principal
from quarterdeck.tasks.work.model import Task
from quarterdeck.workspace import projects
from support.crew import Crew
from support.deck import HOME
from support.emulator import Size, Watcher
from support.enrolled import enrolled

LONG = 30.0
"""Seconds that a test waits for what comes at once."""


class Line:
    """A connection, by frames. `watcher` shows what an honest client would."""

    def __init__(self, connection: ClientConnection, columns: int = 80, rows: int = 24) -> None:
        self.connection = connection
        self.watcher = Watcher(columns, rows)
        self.offset = 0
        self.rendering = True
        self._live = False

    async def send(self, frame: Any) -> None:
        """What a closed connection does not take is told by `next`."""
        with contextlib.suppress(ConnectionClosed):
            await self.connection.send(frame if isinstance(frame, bytes) else json.dumps(frame))

    async def next(self) -> Any:
        """Bytes, or a frame; an integer once the other side has closed: the code."""
        async with asyncio.timeout(LONG):
            try:
                said = await self.connection.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006
        if isinstance(said, bytes):
            if self.rendering:
                self.watcher.take(said)
            if self._live:
                self.offset += len(said)
            return said
        frame = json.loads(said)
        if frame["type"] in {"resized", "replay_begin"}:
            self.watcher.take(Size(frame["cols"], frame["rows"]))
            self._live = False if frame["type"] == "replay_begin" else self._live
        if frame["type"] == "replay_end":
            self.offset, self._live = frame["offset"], True
        return frame

    async def until(self, wanted: str | int, **values: Any) -> Any:
        """The first frame of a type with these values, or the close code."""
        while True:
            found = await self.next()
            if isinstance(found, int) or (
                isinstance(found, dict)
                and found["type"] == wanted
                and all(found[key] == value for key, value in values.items())
            ):
                assert not isinstance(found, int) or found == wanted, found
                return found

    async def shows(self, text: str) -> None:
        while text not in self.watcher.text:
            assert not isinstance(await self.next(), int), self.watcher.text


class Quay:
    def __init__(self, crew: Crew, port: int) -> None:
        self.crew, self.port = crew, port
        self.instance = crew.deck.instance
        self.db = self.instance.db
        self.terminals = self.instance.terminals

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def task(self, developer_id: int, organization: str = HOME) -> int:
        """A task of somebody, that is about to have a terminal."""

        def verb(tx: Tx) -> int:
            place = tx.one(select(Organization).where(Organization.ref == organization), what="organization")
            tx.act_as(Principal("user", developer_id, "somebody", "somebody", place.id))
            project = projects.create(tx, f"Project {tx.ids.text(6)}")
            task = Task(
                uid=tx.ids.uid(), organization_id=place.id, project_id=project.id, description="d", status="running",
                agent_type="claude", developer_id=developer_id, created_by=developer_id, source="web", depends_on=[],
                branch="b", base_branch="main", pipeline=[], attempt=1, created_at=tx.now, updated_at=tx.now,
                budget_usd=None, priority=0, from_stage=0,
            )  # fmt: skip
            tx.add(task)
            tx.flush()
            holders = select(Grant.user_id).where(Grant.organization_id == place.id, Grant.role == "tasks:developer")
            for user_id in tx.session.execute(holders).scalars().all():
                grants.give(tx, self.instance.access, user_id, place.id, "tasks:member", project_id=project.id)
            return task.id

        return await self.db.write(verb)

    async def enrolled(self, name: str = "shed") -> tuple[Worker, str]:
        def verb(tx: Tx) -> tuple[Worker, str]:
            place = tx.one(select(Organization).where(Organization.ref == HOME), what="organization")
            tokens = self.crew.deck.instance.worker_tokens
            made = enrolled(tx, ["tasks"], organization_id=place.id, tokens=tokens, name=name)
            return made.worker, made.access.reveal()

        return await self.db.write(verb)

    async def worker_token(self, task_id: int, worker: Worker, attempt: int = 1) -> str:
        token = await self.db.write(tokens.for_worker, f"task:{task_id}", worker.organization_id, worker.id, attempt)
        return token.reveal()

    async def token(self, task_id: int, bearer: str, mode: str | None = None) -> str:
        body = {} if mode is None else {"mode": mode}
        answer = await self.crew.ok("POST", f"/api/web/tasks/{task_id}/pty-token", body, status=201, token=bearer)
        assert answer["wsPath"] == f"/ws/pty/{task_id}"
        return answer["channelToken"]

    @contextlib.asynccontextmanager
    async def dialled(self, path: str, **headers: str) -> AsyncIterator[Line]:
        address = f"ws://127.0.0.1:{self.port}{path}"
        async with connect(
            address, proxy=None, additional_headers=headers, max_size=None, compression=None
        ) as connection:
            yield Line(connection)

    @contextlib.asynccontextmanager
    async def worker(self, task_id: int, worker: Worker, token: str, **opened: Any) -> AsyncIterator[Line]:
        """A worker's terminal, open; `opened` are fields of `pty_open`."""
        async with self.dialled(f"/api/workers/pty/{task_id}") as line:
            channel = await self.worker_token(task_id, worker, opened.pop("attempt", 1))
            await line.send({"type": "auth", "workerJwt": token, "channelToken": channel})
            await line.until("ready")
            await line.send({"type": "pty_open", "cols": 80, "rows": 24, **opened})
            async with asyncio.timeout(LONG):
                while (found := self.terminals.find(f"task:{task_id}")) is None or found.line is None:
                    await asyncio.sleep(0.01)
            yield line

    @contextlib.asynccontextmanager
    async def watching(self, task_id: int, bearer: str, mode: str | None = None, **auth: Any) -> AsyncIterator[Line]:
        """A person's view; the frame `ready` has come and stands in `line.ready`."""
        channel = await self.token(task_id, bearer, mode)
        async with self.dialled(f"/ws/pty/{task_id}") as line:
            await line.send({"type": "auth", "token": bearer, "channelToken": channel, **auth})
            line.ready = await line.until("ready")  # type: ignore[attr-defined]
            yield line


@contextlib.asynccontextmanager
async def quay(crew: Crew) -> AsyncIterator[Quay]:
    """The crew's application on a port of loopback."""
    app = crew.deck.client._transport.app  # type: ignore[attr-defined]
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(
                app, log_config=None, ws="websockets-sansio", http=patient(Patience()), lifespan="off",
                ws_max_size=16 << 20, timeout_graceful_shutdown=1,
            )
        )  # fmt: skip
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        serving = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield Quay(crew, port)
        finally:
            server.should_exit = True
            await serving
