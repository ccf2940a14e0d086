"""How much of large bodies is in memory at once: whoever sends many of them slowly shall not fill it.

A body counts with the length that it announces, or with the most that its route takes, from before it is read until its
request is answered. It gives up its place with its connection, which the frame ends where the body is late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from litestar import Request

from quarterdeck.kernel.errors import RateLimited

SMALL = 256 << 10
"""Bytes of a body that is not counted."""
SOON = 5
"""Seconds after which there may be room."""


class Bodies:
    """Room for so many bytes together, and for so many bodies of one key."""

    def __init__(self, total: int, per_key: int) -> None:
        self._total = total
        self._per_key = per_key
        self._taken = 0
        self._of: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._taken

    @property
    def free(self) -> int:
        return self._total - self._taken

    @contextmanager
    def room(self, key: str, size: int) -> Iterator[None]:
        """Raises `RateLimited` where there is none."""
        if size <= SMALL:
            yield
            return
        if self._of[key] >= self._per_key:
            raise _full(f"{self._per_key} large bodies are being read for this already.")
        if self._taken + size > self._total:
            raise _full("Too many large bodies are being read.")
        self._taken += size
        self._of[key] += 1
        try:
            yield
        finally:
            self._taken -= size
            self._of[key] -= 1
            if not self._of[key]:
                del self._of[key]

    def place(self, parameter: str, most: int) -> Callable[[Request[Any, Any, Any]], AbstractContextManager[None]]:
        """For `Endpoint.place`: the key is a parameter of the path, `most` the route's limit."""

        def of(request: Request[Any, Any, Any]) -> AbstractContextManager[None]:
            said = request.headers.get("content-length", "")
            size = int(said) if said.isascii() and said.isdigit() and len(said) < 12 else most
            return self.room(str(request.path_params.get(parameter)), min(size, most))

        return of


def _full(told: str) -> RateLimited:
    return RateLimited(told, retry_after=SOON, hint="Send it again in a moment.")
