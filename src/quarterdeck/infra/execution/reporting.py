"""How a job tells what it does: phases before their effects, lines with every secret masked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from quarterdeck.kernel.faults import point
from quarterdeck.kernel.jobs import Canceled, Fenced, JobContext
from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.vault import MASK

MOST = 16 << 20
"""Bytes of terraform's output that one attempt keeps."""
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
        self._secrets: set[str] = set()
        self.keep_secret(secrets)

    def keep_secret(self, secrets: Iterable[str]) -> None:
        """Nothing that is said from here on has one of these in it; texts of several lines count line by line."""
        for secret in secrets:
            self._secrets.update(part for part in (secret, *secret.splitlines()) if len(part) >= SHORTEST)

    def is_lost(self) -> bool:
        """Whether another attempt may run by now: then nothing is done any more."""
        return self.context.lost

    def hide(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, MASK)
        return text

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
        """Lines of a program; of one that writes without end only the beginning."""
        if self._left <= 0 or not lines:
            return
        self.context.log(
            [storable(self.hide(line)) for line in lines], stream=stream, source="terraform", phase=self.phase
        )
        self._left -= sum(len(line) + LINE_BYTES for line in lines)
        if self._left <= 0:
            self.say(f"More than {MOST >> 20} MB were written: what follows is not kept.", level="warn")
