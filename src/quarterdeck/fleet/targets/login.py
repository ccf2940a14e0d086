"""Everything that is needed to sign in to a server, as a value."""

from __future__ import annotations

import hashlib
import shlex
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
    `credential` is the name under which a key is stored, `server` that of the server itself, which commands that a hint
    names are given; who signs in to one that is not registered has none. Neither says where or how one signs in.
    """

    host: str
    port: int
    username: str
    key: Secret[str] | None
    pin: HostKeyPin | None = None
    credential: str | None = None
    server: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.username}@{host}:{self.port}"

    @property
    def called(self) -> str:
        """What people call it: the name of the server, else its address."""
        return self.server or self.host

    @property
    def argument(self) -> str:
        """The server as the argument of a command, quoted for a shell."""
        return shlex.quote(self.called)

    @property
    def way(self) -> str:
        """Where one signs in, as whom and with which key, which stands in it as a digest."""
        key = hashlib.sha256(self.key.reveal().encode()).hexdigest() if self.key is not None else "agent"
        return f"{self}|{key}"


class LoginOrder(msgspec.Struct, frozen=True):
    """A login on its way to the worker that uses it. It carries the key unsealed, so it is never stored or shown."""

    host: str
    port: int
    username: str
    key: str | None = None
    fingerprint: str | None = None
    algorithm: str | None = None
    credential: str | None = None
    server: str | None = None

    @classmethod
    def of(cls, login: Login) -> Self:
        pin = login.pin or HostKeyPin("")
        key = login.key.reveal() if login.key is not None else None
        seen = (pin.fingerprint or None, pin.algorithm)
        return cls(login.host, login.port, login.username, key, *seen, login.credential, login.server)

    def login(self) -> Login:
        pin = HostKeyPin(self.fingerprint, self.algorithm) if self.fingerprint else None
        key = Secret(self.key) if self.key is not None else None
        return Login(self.host, self.port, self.username, key, pin, self.credential, self.server)

    def __repr__(self) -> str:
        return f"LoginOrder({self.username}@{self.host}:{self.port})"
