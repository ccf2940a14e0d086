"""Private keys as people give them: a file, stdin, or a new one."""

from __future__ import annotations

import sys
from pathlib import Path

from quarterdeck.cli.failure import usage

LONGEST = 100_000


def private_key(place: str) -> str:
    """The text of a key file; `-` is stdin."""
    if place == "-":
        text = sys.stdin.read(LONGEST)
    else:
        path = Path(place).expanduser()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise usage(
                f"{path} cannot be read: {reason.lower()}.", "--key ~/.ssh/id_ed25519", code="key_file"
            ) from None
    if not text.strip():
        raise usage("The key is empty.", "Give the whole private key file.", code="key_file")
    return text


def new_pair() -> tuple[str, str]:
    """A new Ed25519 key: the private text, and the line for authorized_keys."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
