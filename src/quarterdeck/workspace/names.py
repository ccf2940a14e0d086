"""Slugs and single-line texts."""

from __future__ import annotations

import re
import unicodedata

from quarterdeck.kernel.errors import Invalid


def slug(name: str, fallback: str) -> str:
    """Kebab case of a name, at most 63 characters; `fallback` when nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63].strip("-") or fallback


def check_name(name: str, what: str, most: int = 200) -> str:
    """The name without outer spaces. Raises `Invalid` when empty, too long, or with control characters."""
    trimmed = name.strip()
    if not trimmed or len(trimmed) > most or any(unicodedata.category(c).startswith("C") for c in trimmed):
        raise Invalid(
            f"The {what} must be one line of 1 to {most} characters.",
            hint="Choose a shorter, printable text.",
            field="name",
        )
    return trimmed


def check_reason(reason: str | None) -> str | None:
    """A reason is one line of at most 280 characters."""
    return None if reason is None else check_name(reason, "reason", 280)
