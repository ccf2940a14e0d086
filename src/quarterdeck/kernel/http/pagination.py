"""Opaque keyset cursors: where a list goes on, signed so that nobody can make one up."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import msgspec

from quarterdeck.kernel.http.failures import Issue, Malformed

MARK = 12  # bytes of signature
Key = Sequence[int | str | None]


class Cursors:
    """Makes and reads cursors of one list. `secret` is the instance's, `purpose` names the list and its order.

    A cursor made for one list is refused by every other.
    """

    def __init__(self, secret: bytes, purpose: str, *, parameter: str = "cursor") -> None:
        self._key = hashlib.blake2b(purpose.encode(), key=secret[:64], digest_size=32).digest()
        self.parameter = parameter

    def _sign(self, payload: bytes) -> bytes:
        return hmac.new(self._key, payload, hashlib.sha256).digest()[:MARK]

    def make(self, key: Key) -> str:
        """The cursor after the row with this key (the values of the ORDER BY columns)."""
        payload = msgspec.json.encode(list(key))
        return base64.urlsafe_b64encode(self._sign(payload) + payload).rstrip(b"=").decode()

    def read(self, cursor: str) -> list[Any]:
        """The key inside. Raises Malformed for anything that `make` did not make."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        mark, payload = raw[:MARK], raw[MARK:]
        if not payload or not hmac.compare_digest(mark, self._sign(payload)):
            message = "This cursor was not issued by this list; start again without one."
            raise Malformed(Issue("invalid_cursor", (self.parameter,), message, "query"))
        key: list[Any] = msgspec.json.decode(payload)
        return key


def page(rows: Sequence[Any], limit: int) -> tuple[Sequence[Any], bool]:
    """The first `limit` of `limit + 1` fetched rows, and whether there are more."""
    return rows[:limit], len(rows) > limit
