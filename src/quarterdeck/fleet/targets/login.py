"""Everything that is needed to sign in to a server, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import msgspec

from quarterdeck.kernel.vault import Secret

DEFAULT_USERNAME = "root"


@dataclass(frozen=True, slots=True)
class HostKeyPin:
    """The host key that is expected. Without an `algorithm` any kind of key with this fingerprint will do."""

    fingerprint: str
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """`key` None means the SSH agent of the account that this process runs as; nothing else of that account is used.
    `credential` is the name under which a key is stored.
    """

    host: str
    port: int
    username: str
    key: Secret[str] | None
    pin: HostKeyPin | None = None
    credential: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.username}@{host}:{self.port}"


class LoginOrder(msgspec.Struct, frozen=True):
    """A login on its way to the worker that uses it. It carries the key unsealed, so it is never stored or shown."""

    host: str
    port: int
    username: str
    key: str | None = None
    fingerprint: str | None = None
    algorithm: str | None = None
    credential: str | None = None

    @classmethod
    def of(cls, login: Login) -> Self:
        pin = login.pin or HostKeyPin("")
        key = login.key.reveal() if login.key is not None else None
        seen = (pin.fingerprint or None, pin.algorithm)
        return cls(login.host, login.port, login.username, key, *seen, login.credential)

    def login(self) -> Login:
        pin = HostKeyPin(self.fingerprint, self.algorithm) if self.fingerprint else None
        key = Secret(self.key) if self.key is not None else None
        return Login(self.host, self.port, self.username, key, pin, self.credential)

    def __repr__(self) -> str:
        return f"LoginOrder({self.username}@{self.host}:{self.port})"
