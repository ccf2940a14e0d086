"""Where master keys live."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Wrapped(msgspec.Struct, frozen=True):
    """A data key under a master key."""

    master_key_id: str
    text: str


class KeyBackend(Protocol):
    """Wraps data keys. A backend may hold several master keys: one is current, older ones still unwrap."""

    name: str

    def open(self, *, create: bool) -> None:
        """Make ready for use; with `create`, make the first master key where there is none."""
        ...

    def wrap(self, data_key: bytes, associated: bytes) -> Wrapped: ...

    def unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        """Raises `ValueError` for a key that is unknown or a text that was altered."""
        ...

    def stage(self) -> str:
        """Add a master key and make it current, the older ones kept. Returns its id."""
        ...

    def retire(self) -> list[str]:
        """Forget every master key but the current one. Returns the ids that are gone."""
        ...
