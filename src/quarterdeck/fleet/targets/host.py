"""A machine as the rest of the fleet uses it: run a command, open a socket. This one, or one behind SSH."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from quarterdeck.fleet.docker.dialing import Dialer, LocalDialer
from quarterdeck.kernel.errors import Timeout

COMMAND_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended. `status` is 128 and the signal's number for one that was killed."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace")


class Host(Protocol):
    @property
    def dialer(self) -> Dialer: ...

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = COMMAND_SECONDS) -> Ran:
        """Run one command to its end. Raises `Timeout` (`command_timeout`) when it takes longer."""
        ...


class LocalHost:
    """The machine that we run on."""

    def __init__(self) -> None:
        self.dialer = LocalDialer()

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = COMMAND_SECONDS) -> Ran:
        try:
            child = await asyncio.create_subprocess_exec(
                *argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            return Ran(127, b"", f"{argv[0]}: {error.strerror}".encode())
        try:
            async with asyncio.timeout(seconds):
                stdout, stderr = await child.communicate(stdin)
        except TimeoutError:
            raise too_slow(argv, seconds) from None
        finally:
            if child.returncode is None:
                child.kill()
                await asyncio.shield(child.wait())
        assert child.returncode is not None  # noqa: S101 - it has ended
        status = child.returncode if child.returncode >= 0 else 128 - child.returncode
        return Ran(status, stdout, stderr)


def too_slow(argv: Sequence[str], seconds: float) -> Timeout:
    return Timeout(
        f"{argv[0]} did not end within {seconds:g} seconds.",
        code="command_timeout",
        hint="The machine is very busy, or its disk does not answer. Try again when it has calmed down.",
    )
