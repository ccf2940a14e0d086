"""Secrets that are JSON objects: keys, and values that are texts or what JSON writes them as."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

ONLY = "value"
"""The key under which a secret that is no object is read."""


def parsed(text: str | bytes) -> Any:
    """What a JSON text says. Raises `ValueError`."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def texts(raw: Mapping[str, Any]) -> dict[str, str]:
    """Its values as texts. Raises `ValueError` (`UnicodeError`) for what no text can be."""
    found = {key: _text(value) for key, value in raw.items()}
    "".join((*found, *found.values())).encode()
    return found


def written(values: Mapping[str, str], raw: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept for these texts: a value that is still what it was keeps its type."""
    return {key: raw[key] if key in raw and _text(raw[key]) == text else text for key, text in values.items()}


def encoded(raw: Any) -> str:
    """It as JSON text."""
    return json.dumps(raw, ensure_ascii=False, separators=(",", ":"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else encoded(value)


def _no_number(word: str) -> Any:
    raise ValueError(word)
