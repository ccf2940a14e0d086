"""A real mail server on loopback that keeps what it is handed."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

from aiosmtpd.controller import Controller

LINK = re.compile(r"https?://\S+#(\S+)")


class Mailbox:
    """`settings` are those of an instance that hands its mail in here."""

    def __init__(self) -> None:
        self.port = 0
        self.letters: list[Message] = []

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "smtp_host": "127.0.0.1",
            "smtp_port": self.port,
            "smtp_tls": "off",
            "smtp_sender": "Quarterdeck <deck@example.com>",
        }

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.letters.append(message_from_bytes(envelope.content))
        return "250 kept"

    async def wait(self, count: int, seconds: float = 30) -> Message:
        """The newest letter, once there are so many."""
        end = time.monotonic() + seconds
        while len(self.letters) < count:
            assert time.monotonic() < end, f"{len(self.letters)} of {count} letters came"
            await asyncio.sleep(0.02)
        assert len(self.letters) == count
        return self.letters[-1]


def text(letter: Message) -> str:
    parts = [part for part in letter.walk() if part.get_content_type() == "text/plain"]
    return bytes(parts[0].get_payload(decode=True)).decode()


def token(letter: Message) -> str:
    """The token of the link in a letter."""
    found = LINK.search(text(letter))
    assert found is not None, text(letter)
    return found.group(1)


@contextlib.contextmanager
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
