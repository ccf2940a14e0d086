"""Everything that is needed to sign in to a server, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.kernel.vault import Secret

DEFAULT_USERNAME = "root"


@dataclass(frozen=True, slots=True)
class HostKeyPin:
    """The host key that is expected. Without an `algorithm` any kind of key with this fingerprint will do."""

    fingerprint: str
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """`key` None means the SSH agent of the account that this process runs as; nothing else of that account is used."""

    host: str
    port: int
    username: str
    key: Secret[str] | None
    pin: HostKeyPin | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.username}@{host}:{self.port}"
