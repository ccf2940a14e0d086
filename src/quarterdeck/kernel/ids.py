"""Identifiers and randomness come in through the kernel, so that a test can hold them."""

from __future__ import annotations

import random
import secrets
import threading
import uuid
from typing import Protocol

from quarterdeck.kernel.clock import Clock, SystemClock

REF_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class Entropy(Protocol):
    def randbits(self, count: int) -> int: ...


class SystemEntropy:
    def randbits(self, count: int) -> int:
        return secrets.randbits(count)


class SeededEntropy:
    """Repeatable bits; for tests only."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - chosen by a test that wants repeatable ids

    def randbits(self, count: int) -> int:
        return self._random.getrandbits(count)


class Ids:
    """Draws every identifier and token of the program.

    `uid` values are UUIDv7 and grow within one process even inside one millisecond.
    """

    def __init__(self, clock: Clock | None = None, entropy: Entropy | None = None) -> None:
        self._clock = clock or SystemClock()
        self._entropy = entropy or SystemEntropy()
        self._lock = threading.Lock()
        self._last = 0

    def uid(self) -> str:
        """A UUIDv7 in canonical text form (36 characters)."""
        with self._lock:
            stamp = int(self._clock.now().timestamp() * 4_096_000)  # milliseconds and 12 bits below them
            self._last = stamp if stamp > self._last else self._last + 1
            millis, fraction = self._last >> 12, self._last & 0xFFF
        tail = self._entropy.randbits(62)
        value = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail
        return str(uuid.UUID(int=value))

    def ref(self, prefix: str) -> str:
        """`<prefix>_` and twelve characters of `[0-9a-z]`: the documented form of deploy identifiers."""
        return f"{prefix}_{self.text(12)}"

    def text(self, length: int) -> str:
        """Random characters of `[0-9a-z]`."""
        value = self._entropy.randbits(length * 6)
        drawn = []
        for _ in range(length):
            value, digit = divmod(value, 36)
            drawn.append(REF_ALPHABET[digit])
        return "".join(drawn)

    def hex(self, length: int) -> str:
        """Random lower-case hexadecimal digits."""
        return f"{self._entropy.randbits(length * 4):0{length}x}"

    def token(self, size: int = 32) -> str:
        """An opaque credential of `size` random bytes, as hexadecimal digits."""
        return self.hex(size * 2)

    def randbytes(self, size: int) -> bytes:
        return self._entropy.randbits(size * 8).to_bytes(size, "big")
