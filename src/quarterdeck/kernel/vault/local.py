"""Master keys in a file beside the database, readable by its owner alone."""

from __future__ import annotations

import base64
import errno
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.vault.backend import Wrapped

VERSION = "v1"
NONCE = 12


class LocalBackend:
    """Lines of `v1 <key id> <32 bytes, base64>`; the last one is current. Every change replaces the file whole."""

    name = "local"
    here = True

    def __init__(self, path: Path, ids: Ids | None = None) -> None:
        self.path = path
        self._ids = ids or Ids()
        self._keys: dict[str, bytes] = {}

    def open(self, *, create: bool) -> None:
        try:
            text = self._read()
        except FileNotFoundError:
            if not create:
                raise Conflict(
                    f"The master key {self.path} is missing, but secrets sealed with it exist.",
                    code="master_key_missing",
                    hint="Put the file back from your backup. A new key could not open what the old one sealed.",
                ) from None
            self._keys = {}
            self._add()
            self._write(first=True)
            text = self._read()
        except (OSError, UnicodeDecodeError) as error:
            raise Conflict(
                f"The master key {self.path} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'}).",
                code="master_key_unreadable",
                hint=f"It has to be a file of the user that runs Quarterdeck: chown {os.geteuid()} {self.path}",
            ) from None
        self._keys = self._parse(text)

    def _read(self) -> str:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):  # `open` would leave the descriptor behind
            os.close(descriptor)
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with open(descriptor, encoding="ascii") as file:  # noqa: PTH123 - a descriptor, so that we read what we checked
            status = os.fstat(file.fileno())
            mode = stat.S_IMODE(status.st_mode)
            if mode & 0o077 or status.st_uid != os.geteuid():
                raise Conflict(
                    f"The master key {self.path} can be read by others (mode {mode:04o}, owner {status.st_uid}).",
                    code="master_key_permissions",
                    hint=f"Run: chown {os.geteuid()} {self.path} && chmod 600 {self.path}. If others may have read it,"
                    " also rotate it with `qd vault rotate`.",
                )
            return file.read()

    def _parse(self, text: str) -> dict[str, bytes]:
        keys: dict[str, bytes] = {}
        for line in text.splitlines():
            words = line.split()
            try:
                version, key_id, encoded = words
                key = base64.b64decode(encoded, validate=True)
            except ValueError:
                version, key_id, key = "", "", b""
            if version != VERSION or len(key) != 32:
                raise Conflict(
                    f"The master key file {self.path} is damaged at line {len(keys) + 1}.",
                    code="master_key_damaged",
                    hint="Put the file back from your backup.",
                )
            keys[key_id] = key
        if not keys:
            raise Conflict(
                f"The master key file {self.path} is empty.",
                code="master_key_damaged",
                hint="Put the file back from your backup.",
            )
        return keys

    def _add(self) -> str:
        key_id = self._ids.text(8)
        self._keys[key_id] = self._ids.randbytes(32)
        return key_id

    def _write(self, *, first: bool = False) -> None:
        """Durable before it returns. With `first`, a file that another process made meanwhile wins."""
        text = "".join(f"{VERSION} {key_id} {base64.b64encode(key).decode()}\n" for key_id, key in self._keys.items())
        draft = self.path.with_name(f".{self.path.name}.{self._ids.text(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 - the descriptor carries the mode
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if first:
                try:
                    os.link(draft, self.path)
                except FileExistsError:
                    return
            else:
                draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)
        directory = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    @property
    def current(self) -> str:
        return next(reversed(self._keys))

    def wrap(self, data_key: bytes, associated: bytes) -> Wrapped:
        nonce = self._ids.randbytes(NONCE)
        sealed = AESGCM(self._keys[self.current]).encrypt(nonce, data_key, associated)
        return Wrapped(self.current, base64.b64encode(nonce + sealed).decode())

    def unwrap(self, wrapped: Wrapped, associated: bytes) -> bytes:
        key = self._keys.get(wrapped.master_key_id)
        if key is None:
            raise ValueError(f"no master key {wrapped.master_key_id}")
        try:
            raw = base64.b64decode(wrapped.text, validate=True)
            return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], associated)
        except InvalidTag:
            raise ValueError("altered") from None

    def keeps(self, master_key_id: str) -> bool:
        self.open(create=False)
        return master_key_id in self._keys

    def stage(self) -> str:
        key_id = self._add()
        self._write()
        return key_id

    def retire(self) -> list[str]:
        gone = [key_id for key_id in self._keys if key_id != self.current]
        self._keys = {self.current: self._keys[self.current]}
        self._write()
        return gone
