"""What of a screen fits patterns: at once where they are the machine's own, else in a process under a deadline.

A pattern may take longer than anybody lives, and Python lets nothing else run meanwhile (ADR 0046).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from quarterdeck.fleet.git.running import bound_to_us
from quarterdeck.tasks.running import matcher
from quarterdeck.tasks.running.failures import failed

ARGV = (sys.executable, "-I", "-S", str(Path(matcher.__file__)))
SECONDS = 60.0
"""For an answer, on whatever machine: what counts is the processor's time, which the process keeps itself."""
LONGEST, MOST = 2000, 500
"""Characters of a line and lines that are looked at."""


class Question(NamedTuple):
    """`anywhere` in a line, else at its beginning."""

    pattern: re.Pattern[str]
    lines: tuple[str, ...]
    anywhere: bool = False


class Found(NamedTuple):
    """`reset` is what a group of that name holds."""

    reset: str | None


class Matching:
    """For one attempt. `foreign` patterns are somebody else's than this machine's."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._known: dict[tuple[re.Pattern[str], bool], tuple[tuple[str, ...], Found | None]] = {}

    async def ask(self, questions: Sequence[Question], *, foreign: bool) -> list[Found | None]:
        """Raises `stage_timeout` where a foreign pattern does not come to an end."""
        if not foreign:
            return [_found(matcher.look(one.pattern, list(one.lines), anywhere=one.anywhere)) for one in questions]
        cut = [one._replace(lines=tuple(line[:LONGEST] for line in one.lines[-MOST:])) for one in questions]
        async with self._turn:
            news = [one for one in cut if self._known.get((one.pattern, one.anywhere), (None,))[0] != one.lines]
            if news:
                for one, answer in zip(news, await self._answers(news), strict=True):
                    self._known[one.pattern, one.anywhere] = (one.lines, answer)
            return [self._known[one.pattern, one.anywhere][1] for one in cut]

    async def _answers(self, questions: list[Question]) -> list[Found | None]:
        told = [(one.pattern.pattern, one.pattern.flags, one.anywhere, one.lines) for one in questions]
        try:
            async with asyncio.timeout(SECONDS):
                line = await self._exchange(json.dumps(told).encode() + b"\n")
        except TimeoutError:
            line = b""
        except BaseException:
            await self.close()  # the answer would be taken for that to another question
            raise
        if not line:
            await self.close()
            raise failed(
                "stage_timeout",
                "A pattern of the project's custom agent could not be matched in time.",
                "Write it without repetitions of repetitions, such as (a+)+, in the project's customAgent.",
            )
        return [_found(one) for one in json.loads(line)]

    async def _exchange(self, told: bytes) -> bytes:
        process = self._process
        if process is None:
            process = self._process = await asyncio.create_subprocess_exec(
                *bound_to_us(),
                *ARGV,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PATH": os.defpath},
                cwd="/",
                start_new_session=True,
                limit=MOST * LONGEST,
            )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("started without pipes")
        with contextlib.suppress(ConnectionError):
            process.stdin.write(told)
            await process.stdin.drain()
        return await process.stdout.readline()

    async def close(self) -> None:
        """End the process; another question begins another one."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _found(said: dict[str, str | None] | None) -> Found | None:
    return None if said is None else Found(said["reset"])
