"""What the broker adds to the echo of a keystroke, over a bare PTY and over SSH.

    python bench/terminal_echo.py [--no-record]

One program (`cat` on a PTY) is typed into three times: through its file descriptor alone, through `ssh` to a server of
this machine, and through everything that stands between a viewer and a worker on another machine: two WebSockets, the
broker, its history and its recording.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import pty
import statistics
import sys
import tempfile
import time
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from record import record

from quarterdeck.fleet.terminals.dialling import Place, SocketUplink
from quarterdeck.fleet.terminals.uplink import Input
from real.sshd import new_key, sshd
from support.crew import Crew
from support.databases import fresh_database
from support.deck import running, signed_in
from support.quay import Line, quay

KEYS = 400
PAUSE = 0.01
"""Seconds between keystrokes: somebody types, nothing floods."""
Wait = Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def echoing(output: Callable[[bytes], None]) -> AsyncIterator[int]:
    """`cat` on a raw PTY whose output goes to `output`; answers the descriptor to type into."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    program = await asyncio.create_subprocess_exec("cat", stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, lambda: output(os.read(master, 65536)))
    try:
        yield master
    finally:
        loop.remove_reader(master)
        program.kill()
        await program.wait()
        os.close(master)


async def typed(press: Callable[[bytes], Awaitable[None]], echoed: Wait) -> list[float]:
    """Milliseconds from each keystroke to its echo."""
    took = []
    for number in range(KEYS):
        begun = time.perf_counter()
        await press(b"%c" % (97 + number % 26))
        await echoed()
        took.append((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(PAUSE)
    return took


async def bare() -> list[float]:
    came: asyncio.Queue[bytes] = asyncio.Queue()
    async with echoing(came.put_nowait) as master:

        async def press(key: bytes) -> None:
            os.write(master, key)

        async def echoed() -> None:
            await came.get()

        return await typed(press, echoed)


async def by_ssh(directory: Path) -> list[float]:
    """`ssh` with a terminal, to a real server on loopback."""
    key = directory / "key"
    with sshd(authorized=[new_key(key)]) as server:
        options = ["-F", "none", "-i", str(key), "-p", str(server.port), "-o", "BatchMode=yes", "-tt"]
        options += ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={directory / 'known'}"]
        program = await asyncio.create_subprocess_exec(
            "ssh", *options, f"{server.username}@127.0.0.1", "stty raw -echo; echo ready; exec cat",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert program.stdin is not None
        assert program.stdout is not None
        stdin, stdout = program.stdin, program.stdout
        async with asyncio.timeout(30):
            while b"ready" not in await stdout.readline():
                pass

        async def press(key: bytes) -> None:
            stdin.write(key)
            await stdin.drain()

        async def echoed() -> None:
            await stdout.read(1)

        try:
            return await typed(press, echoed)
        finally:
            program.kill()
            await program.wait()


async def through(line: Line) -> list[float]:
    async def press(key: bytes) -> None:
        await line.connection.send(key)

    async def echoed() -> None:
        while not isinstance(await line.connection.recv(), bytes):
            pass

    return await typed(press, echoed)


async def brokered(directory: Path) -> list[float]:
    with fresh_database("sqlite", directory, None) as address:
        async with running(directory, address) as deck, quay(Crew(await signed_in(deck))) as harbour:
            crew = harbour.crew
            owner_id, owner = await crew.person("olga", "tasks:developer")
            task = await harbour.task(owner_id)
            machine, secret = await harbour.enrolled()

            async def fresh() -> str:
                return await harbour.worker_token(task, machine)

            place = Place(harbour.url, task, lambda: secret, fresh)
            async with SocketUplink(place, 80, 24) as uplink, echoing(uplink.output) as master:
                working = asyncio.create_task(typing(uplink, master))
                async with asyncio.timeout(30):
                    while harbour.terminals.find(f"task:{task}") is None:  # noqa: ASYNC110 - a moment
                        await asyncio.sleep(0.01)
                async with harbour.watching(task, owner, "control") as line:
                    await line.until("viewers")
                    took = await through(line)
                working.cancel()
                return took


async def typing(uplink: SocketUplink, master: int) -> None:
    async for event in uplink.events():
        if isinstance(event, Input):
            os.write(master, event.data)


async def measure(directory: Path) -> tuple[list[float], list[float], list[float]]:
    return await bare(), await by_ssh(directory), await brokered(directory)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quarterdeck-bench-") as directory:
        alone, ssh, all_of_it = asyncio.run(measure(Path(directory)))
    added = statistics.median(all_of_it) - statistics.median(alone)
    over_ssh = statistics.median(all_of_it) - statistics.median(ssh)
    worst = sorted(all_of_it)[int(KEYS * 0.99)]
    alone_p50, ssh_p50, p50 = (statistics.median(one) for one in (alone, ssh, all_of_it))
    print(f"p50: bare PTY {alone_p50:.2f} ms, ssh {ssh_p50:.2f} ms, the broker {p50:.2f} ms (p99 {worst:.2f} ms)")
    if not options.no_record:
        within = [record("terminal.echo_added", added, "ms", 10), record("terminal.echo_over_ssh", over_ssh, "ms", 10)]
        sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
