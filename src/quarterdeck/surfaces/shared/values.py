"""What a wire value says that was left out."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET


def given(value: Any) -> Any:
    """None for a wire value that was left out."""
    return None if value is UNSET else value
