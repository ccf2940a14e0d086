"""Where mails are handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quarterdeck.kernel.vault import Secret


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed in. `tls`: "starttls" asks for it, "tls" begins with it, "off" is for this machine."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "off"]
    sender: str
    username: str | None = None
    password: Secret[str] | None = None
