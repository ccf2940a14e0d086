"""Variables of environments that Quarterdeck itself keeps: the server reads and writes them, by reports of the attempt.
A reference is `PROJECT/ENVIRONMENT`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from quarterdeck.broker.execution.providers.protocol import Bundle, Found
from quarterdeck.kernel.jobs import JobContext

READ, WRITE, FIND = "own-read", "own-write", "own-find"


class OwnProvider:
    """A `Provider`. Only an attempt of the server's own worker is answered."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    async def read(self, ref: str) -> Bundle | None:
        found = await self._context.record(READ, {"ref": ref})
        return None if found is None else Bundle(found["values"], found["version"])

    async def write(self, ref: str, values: Mapping[str, str], seen: Bundle | None) -> None:
        version = seen.version if seen is not None else None
        await self._context.record(WRITE, {"ref": ref, "values": dict(values), "version": version})

    async def find(self, labels: Mapping[str, str]) -> AsyncIterator[Found]:
        for one in await self._context.record(FIND, {}) or []:
            if all(one["labels"].get(word) == value for word, value in labels.items()):
                yield Found(one["secret_ref"], one["labels"])

    async def close(self) -> None:
        pass
