"""Where master keys live."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Wrapped(msgspec.Struct, frozen=True):
    """A data key under a master key."""

    master_key_id: str
    text: str


class KeyBackend(Protocol):
    """Wraps data keys. A backend may hold several master keys: one is current, older ones still unwrap.

    Everything blocks. One that is elsewhere raises `Unavailable` (`key_backend_unavailable`) when it does not answer
    and `Conflict` (`key_backend_refused`, `key_backend_key_missing`, `key_backend_key_unsuitable`) when it says no;
    neither repeats what was answered.
    """

    name: str
    here: bool
    """Whether the master keys lie on this machine: then they change while nobody else changes data keys."""

    def open(self, *, create: bool) -> None:
        """Make ready for use, or look anew at what is current. With `create`, make the first master key where there is
        none, if it is ours to make.
        """
        ...

    @property
    def current(self) -> str:
        """The id of the master key that `wrap` uses, as `open` has seen it."""
        ...

    def wrap(self, data_key: bytes, associated: bytes) -> Wrapped: ...

    def unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        """Raises `ValueError` for a key that is unknown or a text that was altered."""
        ...

    def keeps(self, master_key_id: str) -> bool:
        """Whether what was wrapped under a master key still opens, as far as that is ours to decide. Asks nobody."""
        ...

    def stage(self) -> str:
        """Add a master key and make it current, the older ones kept. Returns the id of the current one."""
        ...

    def retire(self) -> list[str]:
        """Forget every master key but the current one, if they are ours to forget. Returns the ids that are gone."""
        ...
