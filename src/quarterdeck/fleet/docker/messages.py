"""The engine's streams of JSON messages: progress, build output, errors that arrive inside a 200."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from quarterdeck.kernel.errors import ProviderFailure
from quarterdeck.kernel.unreadable import UNREADABLE

LONGEST_MESSAGE = 8 * 1024 * 1024


class Message(msgspec.Struct):
    id: str = ""
    status: str = ""
    stream: str = ""
    error: str = ""
    aux: Any = None


DECODER = msgspec.json.Decoder(Message)


async def lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines of a byte stream, without their ends; the last one also when it has no end."""
    rest = bytearray()
    async for chunk in chunks:
        rest += chunk
        if len(rest) > LONGEST_MESSAGE:
            raise ProviderFailure("Docker sent a message without an end", code="docker_error")
        *whole, tail = rest.split(b"\n")
        rest = tail
        for line in whole:
            yield bytes(line)
    if rest:
        yield bytes(rest)


async def messages(chunks: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    async for line in lines(chunks):
        if line.strip():
            try:
                yield DECODER.decode(line)
            except UNREADABLE as error:
                raise ProviderFailure(f"Docker's progress could not be read: {error}", code="docker_error") from error
