"""What programs, workers and file names say, made fit for JSON and for both databases."""

from __future__ import annotations

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
