"""What a worker proves itself with, in its data directory: mode 0600, written whole or not at all."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.unreadable import UNREADABLE

NAME = "identity.json"


class Papers(msgspec.Struct, kw_only=True, rename="camel"):
    """`server` is where they count, `access_token` None while the machine has only chosen its id; `enrolled_with` is
    the digest of the enrolment token that they were had for, `capabilities` what that was for, where the server said.
    """

    server: str
    machine_id: str
    access_token: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    recovery_secret: str | None = None
    enrolled_with: str | None = None
    capabilities: list[str] | None = None


def load(directory: Path) -> Papers | None:
    """Raises `Invalid` (`worker_identity_unreadable`) for a file that is no such thing."""
    path = directory / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Papers)
    except FileNotFoundError:
        return None
    except UNREADABLE:
        raise Invalid(
            f"{path} does not hold this machine's identity.",
            code="worker_identity_unreadable",
            hint="Put it back from a copy, or remove it and enrol the machine again.",
        ) from None


def save(directory: Path, papers: Papers) -> None:
    partial = directory / f"{NAME}.partial"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(papers))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(directory / NAME)
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
