"""Bytes in JSON: standard base64 with padding, and nothing beside it."""

from __future__ import annotations

import base64
import binascii

from quarterdeck.kernel.errors import Invalid


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decoded(text: str, field: str) -> bytes:
    """Raises `Invalid` (`base64_invalid`), which does not repeat the text."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = None
    if found is None or encoded(found) != text:
        raise Invalid(
            f"{field} is not standard base64 with padding.",
            code="base64_invalid",
            hint="Encode the bytes as RFC 4648 section 4 says.",
            field=field,
        )
    return found
