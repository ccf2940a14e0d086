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
