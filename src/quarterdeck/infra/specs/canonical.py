"""The hash of a configuration: what a plan was made from, and what an apply must find unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec


def text(value: Any) -> bytes:
    """Canonical JSON: keys in order at every depth, no blanks."""
    return msgspec.json.encode(value, order="deterministic")


def hashed(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON, in hexadecimal digits. `document` holds declared configuration alone: no status,
    no time, no cost, no output and no token is ever part of it.
    """
    return hashlib.sha256(text(document)).hexdigest()
