"""Which machine this is: work for `local-shell` servers may only be done where the server itself runs."""

from __future__ import annotations

import hashlib
import socket
from functools import cache
from pathlib import Path


@cache
def fingerprint() -> str:
    """Twelve hex digits that are the same for every process of this machine (its machine-id, else its host name)."""
    for source in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            identity = Path(source).read_text().strip()
        except OSError:
            continue
        if identity:
            break
    else:
        identity = socket.gethostname()
    return hashlib.sha256(f"quarterdeck:{identity}".encode()).hexdigest()[:12]
