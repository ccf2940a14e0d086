"""The SSH hosts we have met: pinned at the first meeting in a file of ours."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path

from quarterdeck.fleet.git.locators import Address


def entry_name(address: Address) -> str:
    """How OpenSSH writes a host into its file."""
    host = address.host or ""
    return f"[{host}]:{address.port}" if address.port and address.port != 22 else host


def fingerprint(known_hosts: Path, address: Address) -> str | None:
    """`SHA256:…` of the key that is pinned for the host, or None when we have not met."""
    name = entry_name(address)
    try:
        text = known_hosts.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    for line in text.splitlines():
        parts = line.split()
        if len(parts) >= 3 and not parts[0].startswith(("#", "@")) and name in parts[0].split(","):
            try:
                digest = hashlib.sha256(base64.b64decode(parts[2], validate=True)).digest()
            except binascii.Error:
                continue
            return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    return None
