"""Data keys under the master keys of one current backend, and of others that still unwrap."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from quarterdeck.kernel.errors import Conflict, Problem
from quarterdeck.kernel.vault import refusals
from quarterdeck.kernel.vault.backend import KeyBackend, Wrapped
from quarterdeck.kernel.vault.rows import DataKeyRow

Others = Mapping[str, Callable[[], KeyBackend]]
NO_OTHERS: Others = MappingProxyType({})
SAME = "Restore database and master key from the same backup."
ELSEWHERE = "See that {backend} is the one that wrapped it, and that its key {master} was not deleted and may still "
ELSEWHERE += "decrypt (a least version, a key that waits for its deletion); else restore both from the same time."


class Standing(msgspec.Struct, frozen=True):
    """How a data key is wrapped; `wrong` says why it does not open, None where it does."""

    row: DataKeyRow
    wrong: Problem | None


class Wrapping:
    """Blocks. Backends are opened when they are first needed."""

    def __init__(self, current: KeyBackend, others: Others) -> None:
        self.current = current
        self._others = others
        self._opened: dict[str, KeyBackend] = {}

    def open(self, rows: Sequence[DataKeyRow]) -> None:
        """Open the current one. Where nothing is wrapped by it, it may make its first master key, once everything that
        is there has opened: settings that are forgotten begin nothing anew.
        """
        first = all(row.backend != self.current.name for row in rows)
        if first:
            for row in rows:
                self.plain(row)
        self.current.open(create=first)
        self._opened[self.current.name] = self.current

    def look(self) -> None:
        """See anew what is current: another process may have rotated it."""
        self.current.open(create=False)
        self._opened[self.current.name] = self.current

    def _named(self, row: DataKeyRow) -> KeyBackend:
        found = self._opened.get(row.backend)
        if found is None:
            if row.backend == self.current.name:
                found = self.current
            elif row.backend in self._others:
                found = self._others[row.backend]()
            else:
                raise refusals.not_configured(row.backend, row.id)
            found.open(create=False)
            self._opened[row.backend] = found
        return found

    def plain(self, row: DataKeyRow) -> bytes:
        """The data key itself. Raises `Conflict`: `data_key_unreadable`, `key_backend_not_configured`, or what the
        backend says.
        """
        backend, wrapped, associated = self._named(row), Wrapped(row.master_key_id, row.wrapped), bound(row.id)
        try:
            try:
                return backend.unwrap(wrapped, associated)
            except ValueError:
                backend.open(create=False)  # another process may have rotated the master key since we looked
                return backend.unwrap(wrapped, associated)
        except ValueError:
            raise Conflict(
                f"The data key {row.id} does not open with the master key {row.master_key_id}.",
                code="data_key_unreadable",
                hint=SAME if backend.here else ELSEWHERE.format(backend=row.backend, master=row.master_key_id),
                backend=row.backend,
            ) from None

    def wrapped(self, key_id: str, plain: bytes) -> Wrapped:
        """A data key under the current master key, proven to open again: one that does not would take what it seals
        with it.
        """
        made = self.current.wrap(plain, bound(key_id))
        try:
            again = self.current.unwrap(made, bound(key_id))
        except ValueError:
            again = b""
        if not hmac.compare_digest(plain, again):
            raise Conflict(
                f"What the key backend {self.current.name} wraps under {made.master_key_id} does not open again. "
                "Nothing was changed.",
                code="key_backend_key_unsuitable",
                hint="Use a key that decrypts what it has encrypted.",
                backend=self.current.name,
            )
        return made

    def standing(self, rows: Sequence[DataKeyRow]) -> list[Standing]:
        return [Standing(row, self._wrong(row)) for row in rows]

    def _wrong(self, row: DataKeyRow) -> Problem | None:
        try:
            self.plain(row)
        except Problem as problem:
            return problem
        return None


def bound(key_id: str) -> bytes:
    """What a wrapped data key is bound to."""
    return f"quarterdeck data key {key_id}".encode()
