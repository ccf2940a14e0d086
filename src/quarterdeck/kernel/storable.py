"""What programs, workers and file names say, made fit for JSON and for both databases."""

from __future__ import annotations

import re
from typing import Any


def storable(value: Any) -> Any:
    """The same JSON value with texts that UTF-8 and PostgreSQL can hold: no lone surrogates, no NUL."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


_HALF, _OTHER_HALF = rb"u[dD][89abAB][0-9a-fA-F]{2}", rb"u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rb"\\(?:%b\\%b|(u0000|%b|%b)|.)" % (_HALF, _OTHER_HALF, _HALF, _OTHER_HALF), re.DOTALL)
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def storable_json(raw: bytes) -> bytes:
    """JSON as a program wrote it, with `storable` texts: what is no UTF-8, and escapes of a NUL or of half a character,
    become the replacement character.
    """
    try:
        raw.decode()
    except UnicodeDecodeError:
        raw = raw.decode(errors="replace").encode()
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], raw) if _SUSPECT.search(raw) else raw
