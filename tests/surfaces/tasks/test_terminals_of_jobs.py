"""Whose a terminal is, when it ends, who may type in it, and what its output may cost everybody else."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, update

from quarterdeck.fleet.terminals import tokens
from quarterdeck.fleet.terminals.dialling import Place, SocketUplink
from quarterdeck.fleet.terminals.model import TerminalRow
from quarterdeck.tasks.work.model import Task
from quarterdeck.tasks.workspaces import retention
from support.proxy import HOST, proxy
from support.quay import LONG, quay


@pytest.fixture
async def harbour(crew):
    async with quay(crew) as made:
        yield made


async def test_a_token_that_may_only_read_watches_and_neither_types_nor_answers(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()

    narrowed = {"label": "reader", "scopes": ["tasks:read"]}
    reader = (await crew.ok("POST", "/api/web/profile/tokens", narrowed, status=201, token=owner))["token"]
    async with harbour.worker(task, machine, secret) as worker:
        path = f"/api/web/tasks/{task}/pty-token"
        await crew.refused(403, "TASK_NOT_YOURS", "POST", path, {"mode": "control"}, token=reader)
        issued = await crew.ok("POST", path, {}, status=201, token=reader)
        assert issued["mode"] == "watch"
        # One that the owner's session was given opens no more for the token that is narrowed.
        channel = await harbour.token(task, owner, "control")
        async with harbour.dialled(f"/ws/pty/{task}") as line:
            await line.send({"type": "auth", "token": reader, "channelToken": channel})
            assert (await line.until("ready"))["mode"] == "watch"
            await line.send(b"rm -rf /\r")
            assert (await line.until("error"))["code"] == "READ_ONLY"
        async with harbour.watching(task, owner, "control") as holder:
            await worker.until("control")
            await holder.send(b"ls\r")
            assert await worker.next() == b"ls\r"


async def test_a_terminal_is_dialled_through_the_proxy_of_the_environment(harbour, crew, monkeypatch):
    for name in ("no_proxy", "all_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()

    async def fresh():
        return await harbour.worker_token(task, machine)

    async with proxy(harbour.port) as between:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{between.port}")
        place = Place(f"http://{HOST}:{harbour.port}", task, lambda: secret, fresh)
        async with SocketUplink(place, 80, 24) as up:
            up.output(b"begun\r\n")
            async with asyncio.timeout(LONG):
                while harbour.terminals.find(f"task:{task}") is None:
                    await asyncio.sleep(0.01)
            monkeypatch.delenv("http_proxy")
            async with harbour.watching(task, owner) as line:
                await line.shows("begun")
            assert between.tunnels == 1


async def test_the_terminal_of_a_job_that_was_put_back_is_no_terminal_of_the_next_one(harbour, crew):
    """The attempt keeps its number: what the first machine sends, or has sent, is none of the second one's output."""
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    (first, first_secret), (second, second_secret) = await harbour.enrolled("first"), await harbour.enrolled("second")

    async def channel(machine, fence):
        made = tokens.for_worker
        about = (f"task:{task}", machine.organization_id, machine.id, 1)
        return (await crew.db.write(lambda tx: made(tx, *about, fence=fence))).reveal()

    async def opened(line, secret, token):
        await line.send({"type": "auth", "workerJwt": secret, "channelToken": token})
        ready = await line.until("ready")
        await line.send({"type": "pty_open", "cols": 80, "rows": 24, "offset": 0})
        return ready

    stale = await channel(first, 7)
    path = f"/api/workers/pty/{task}"
    async with harbour.dialled(path) as before, harbour.dialled(path) as after:
        await opened(before, first_secret, await channel(first, 7))
        await before.send(b"what the first machine wrote")
        async with asyncio.timeout(LONG):
            while (found := harbour.terminals.find(f"task:{task}")) is None or not found.history.head:
                await asyncio.sleep(0.01)
        assert (await opened(after, second_secret, await channel(second, 8)))["offset"] == 0
        assert await before.until(1000) == 1000
        await after.send(b"what the second one wrote")
        async with harbour.watching(task, owner) as line:
            await line.shows("what the second one wrote")
            assert "first" not in line.watcher.text
        async with harbour.dialled(path) as again:
            await opened(again, first_secret, stale)
            assert await again.until(4403) == 4403


async def test_a_terminal_ends_with_its_attempt_whatever_its_machine_does(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task, lost = await harbour.task(owner_id), await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    async with harbour.worker(task, machine, secret) as worker, harbour.watching(task, owner) as line:
        async with harbour.worker(lost, machine, secret):
            pass
        await harbour.terminals.end_those_over()
        assert harbour.terminals.find(f"task:{task}") is not None
        await crew.db.write(lambda tx: tx.execute(update(Task).where(Task.id == task).values(status="failed")))
        await crew.db.write(lambda tx: tx.execute(update(Task).where(Task.id == lost).values(attempt=2)))
        harbour.terminals._terminals.pop(f"task:{lost}").recording.close()  # a process that began after that connection
        await harbour.terminals.end_those_over()
        assert (await line.until("exit"))["reason"] == "attempt_over"
        assert (await worker.until("exit"))["reason"] == "attempt_over"
    asked = select(TerminalRow).where(TerminalRow.ended_at.is_(None))
    assert await crew.db.read(lambda tx: tx.first(asked)) is None


async def test_a_worktree_stays_while_somebody_types_at_its_terminal(harbour, crew):
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()

    def held(tx):
        row = tx.get(Task, task)
        row.finished_at = tx.now
        return retention.held(tx, row)

    async with harbour.worker(task, machine, secret) as worker:
        async with harbour.watching(task, owner, "control"):
            await worker.until("control")
            assert "terminal" in await crew.db.write(held)
        await worker.until("control", holder=None)
        assert await crew.db.write(held) is None


async def test_output_that_is_costly_to_show_keeps_nobody_else_from_their_turn(harbour, crew):
    """What took the server minutes: others have their turn all the while, and its own terminal goes on."""
    owner_id, owner = await crew.person("olga", "tasks:developer")
    task = await harbour.task(owner_id)
    machine, secret = await harbour.enrolled()
    late = []

    async def heartbeat():
        clock = asyncio.get_running_loop().time
        while True:
            before = clock()
            await asyncio.sleep(0.01)
            late.append(clock() - before)

    costly = b"\x1b[" + b"1" * 60_000 + b"\x7f" * 200_000 + b"m" + ("漢" + "\x1b[9999b" * 3000 + "\x1b#8").encode()
    async with harbour.worker(task, machine, secret, cols=500, rows=300) as worker:
        beating = asyncio.create_task(heartbeat())
        for start in range(0, len(costly), 30_000):
            await worker.send(costly[start : start + 30_000])
        await worker.send(b"\x07" * 300_000 + b"\x1b[2J\x1b[Hshown")
        sent = len(costly) + 300_000 + len(b"\x1b[2J\x1b[Hshown")
        async with asyncio.timeout(LONG * 4):
            while harbour.terminals.find(f"task:{task}").history.head < sent:
                await asyncio.sleep(0.01)
        beating.cancel()
        async with harbour.watching(task, owner) as line:
            line.rendering = False
            await line.until("replay_end")
    assert max(late) < 5.0, "on a machine that many share; it was for ever"
