"""A saved plan on its way to and from a place: in pieces, each sealed for its job, its upload and its position.

A saved plan holds the whole state and every variable in the clear, so whoever has the files or the bucket, or a backup
without the key, learns nothing of it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault.vault import Vault

TABLE = "infra_artefacts"
PIECE = 1 << 20
"""Bytes of a piece before it is sealed."""
_LENGTH = struct.Struct(">I")
_MOST = PIECE + 1024


def sealed(vault: Vault, key: str, position: int, piece: bytes) -> bytes:
    """One piece with its length before it."""
    job, _, upload = key.partition("/")
    frame = vault.seal_bytes(TABLE, job, f"{upload}/{position}", piece)
    return _LENGTH.pack(len(frame)) + frame


def opened(vault: Vault, key: str, stream: BinaryIO) -> Iterator[bytes]:
    """The pieces in order, as far as they can be opened: what is cut off or altered ends them, and is found by the
    checksum of the whole.
    """
    job, _, upload = key.partition("/")
    position = 0
    while len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
        (length,) = _LENGTH.unpack(head)
        if length > _MOST:
            return
        try:
            yield vault.open_bytes(TABLE, job, f"{upload}/{position}", stream.read(length))
        except Problem:
            return
        position += 1
