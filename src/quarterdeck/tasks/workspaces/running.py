"""Running git, and a project's own commands, under a deadline and a mask; nothing of them is left running."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from quarterdeck.fleet.git.commands import Command
from quarterdeck.fleet.git.running import bound_to_us, masks
from quarterdeck.kernel.vault import Secret
from quarterdeck.tasks.workspaces import failures

RunAs = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Given the argv of a command: the argv that runs it as the agent's user."""
KEPT = 65_536
"""Bytes of output, and of messages, that are looked at: of messages the last ones."""

LOOK_SECONDS = 0.1


def as_ourselves(argv: tuple[str, ...]) -> tuple[str, ...]:
    return argv


@dataclass(frozen=True, slots=True)
class Ended:
    """`output` is whole unless `cut`; both are masked."""

    code: int
    output: str
    messages: str
    cut: bool = False


async def run(
    command: Command,
    what: str,
    seconds: float,
    *,
    stdin: bytes = b"",
    most: int = KEPT,
    run_as: RunAs = as_ourselves,
    source: int | None = None,
    sink: int | None = None,
) -> Ended:
    """Run to the end. Raises `workspace_error` when it takes longer than `seconds` or cannot be started; `what` is
    what it does, for the message. The whole process group is killed afterwards.

    `source` is a descriptor that it reads instead of `stdin`, `sink` one that it writes instead of its output; both are
    closed here.
    """
    secrets = [value.reveal() for value in command.environment.values() if isinstance(value, Secret)]
    try:
        process = await asyncio.create_subprocess_exec(
            *run_as((*bound_to_us(), *command.argv)),
            env=_plain(command.environment),
            cwd=command.directory or "/",
            stdin=asyncio.subprocess.PIPE if source is None else source,
            stdout=asyncio.subprocess.PIPE if sink is None else sink,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise failures.local(f"{what}: {command.argv[0]} cannot be started", f"fatal: {error.strerror}") from None
    finally:
        for descriptor in (source, sink):
            if descriptor is not None:
                os.close(descriptor)
    working = asyncio.create_task(_collect(process, stdin, most, masks(secrets)))
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(working)
    except TimeoutError:
        raise failures.timed_out(what, seconds) from None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await process.wait()


def _plain(environment: Mapping[str, str | Secret[str]]) -> dict[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in environment.items()}


async def _collect(process: asyncio.subprocess.Process, stdin: bytes, most: int, hide: Callable[[str], str]) -> Ended:
    if process.stderr is None:
        raise RuntimeError("started without pipes")
    fed = asyncio.create_task(_feed(process.stdin, stdin))
    reading = asyncio.gather(_first(process.stdout, most), _last(process.stderr))
    try:
        while not reading.done() and process.returncode is None:
            await asyncio.wait({reading}, timeout=LOOK_SECONDS)
        if not reading.done():  # what it left running holds the pipes open
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        output, messages = await reading
        code = await process.wait()
    finally:
        fed.cancel()
        reading.cancel()
        await asyncio.gather(fed, reading, return_exceptions=True)
    return Ended(code, hide(output[:most].decode(errors="surrogateescape")), hide(messages), len(output) > most)


async def _feed(pipe: asyncio.StreamWriter | None, data: bytes) -> None:
    if pipe is None:
        return
    with contextlib.suppress(ConnectionError):
        pipe.write(data)
        await pipe.drain()
        pipe.close()


async def _first(stream: asyncio.StreamReader | None, most: int) -> bytes:
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(65_536)):
        if len(kept) <= most:
            kept += chunk
    return bytes(kept)


async def _last(stream: asyncio.StreamReader) -> str:
    kept = b""
    while chunk := await stream.read(65_536):
        kept = (kept + chunk)[-KEPT:]
    return kept.decode(errors="replace")
