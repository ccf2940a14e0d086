"""How a job tells what it does: phases before their effects, lines with every secret masked."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from quarterdeck.kernel.faults import point
from quarterdeck.kernel.jobs import Canceled, Fenced, JobContext
from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.vault import MASK

MOST = 16 << 20
"""Bytes of terraform's output that one attempt keeps."""
SIGN_SECONDS = 300.0
"""How often a program whose lines are not kept any more is told to go on."""
LINE_BYTES = 64
"""What a line takes beside its text."""
SHORTEST = 6
"""Characters of a secret that is masked within a line: a shorter one would take half of the log with it."""


class Reporter:
    """One attempt's words to the server."""

    def __init__(self, context: JobContext, secrets: Iterable[str] = ()) -> None:
        self.context = context
        self.phase = "prepare"
        self._left = MOST
        self._dropped = 0
        self._told_at = 0.0
        self._secrets: set[str] = set()
        self._hidden: re.Pattern[str] | None = None
        self.keep_secret(secrets)

    def keep_secret(self, secrets: Iterable[str]) -> None:
        """Nothing that is said from here on has one of these in it; texts of several lines count line by line."""
        known = len(self._secrets)
        for secret in secrets:
            self._secrets.update(part for part in (secret, *secret.splitlines()) if len(part) >= SHORTEST)
        if len(self._secrets) > known:  # the longest first: one may be a part of another
            self._hidden = re.compile("|".join(map(re.escape, sorted(self._secrets, key=len, reverse=True))))

    def is_lost(self) -> bool:
        """Whether another attempt may run by now: then nothing is done any more."""
        return self.context.lost

    def hide(self, text: str) -> str:
        return self._hidden.sub(MASK, text) if self._hidden is not None else text

    async def begin(self, phase: str, progress: str) -> None:
        """Durable before the effects of the phase. Raises `Canceled` or `Fenced`, and then nothing of it may happen."""
        self.phase = phase
        point(f"infra.{phase}.begin")
        await self.context.record("phase", {"phase": phase, "progress": progress})
        point(f"infra.{phase}.recorded")
        self.say(progress)

    async def record(self, kind: str, data: dict[str, Any]) -> None:
        point(f"infra.{kind}.tell")
        await self.context.record(kind, storable(data))
        point(f"infra.{kind}.told")

    async def record_if_heard(self, kind: str, data: dict[str, Any]) -> None:
        """As `record`, for what a job that was asked to stop would say as well, if the ledger still took it."""
        with contextlib.suppress(Canceled, Fenced):
            await self.record(kind, data)

    def say(self, text: str, level: str = "info") -> None:
        self.context.log(
            [storable(self.hide(text))], stream="system", source="quarterdeck", phase=self.phase, level=level
        )

    def output(self, lines: Sequence[str], stream: str) -> None:
        """Lines of a program; of one that writes without end only the beginning, and now and then that it goes on: a
        job of which nothing is heard counts as stalled.
        """
        if self._left <= 0 or not lines:
            self._dropped += len(lines)
            now = asyncio.get_running_loop().time()
            if self._dropped and now - self._told_at >= SIGN_SECONDS:
                self.say(f"It goes on: {self._dropped} more lines were written and not kept.")
                self._dropped, self._told_at = 0, now
            return
        self.context.log(
            [storable(self.hide(line)) for line in lines], stream=stream, source="terraform", phase=self.phase
        )
        self._left -= sum(len(line) + LINE_BYTES for line in lines)
        if self._left <= 0:
            self._told_at = asyncio.get_running_loop().time()
            self.say(f"More than {MOST >> 20} MB were written: what follows is not kept.", level="warn")
