"""Amounts as people write them: `512M`, `2G`, `50%`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
LEAST = 1 << 20


def size(text: Any) -> Any:
    """Bytes of a text such as `512M` or `2 GiB`; what is no text stays as it is. Raises `ValueError`."""
    if not isinstance(text, str):
        return text
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("must be an amount such as 512M or 2G")
    return int(float(found[1]) * _UNITS[found[2].upper()])


Size = Annotated[int, Meta(ge=LEAST)]
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Portion:
    """An amount of bytes, or a share (0 to 1) of what the host has; neither is no limit."""

    size: int | None = None
    share: float | None = None


def portion(given: Any) -> Any:
    """`none`, `75%`, or a size. Raises `ValueError`."""
    if isinstance(given, Portion):
        return given
    text = str(given).strip().lower()
    if text == "none":
        return Portion()
    if text.endswith("%"):
        try:
            share = float(text.removesuffix("%")) / 100
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            raise ValueError("must be a share between 1% and 100%, an amount such as 512M, or none")
        return Portion(share=share)
    amount = size(text)
    if amount < LEAST:
        raise ValueError("must be at least 1M, a share such as 50%, or none")
    return Portion(size=amount)
