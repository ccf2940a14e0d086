"""Times and ids as this surface writes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from quarterdeck.kernel.errors import Invalid

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def at(moment: datetime) -> str:
    """RFC 3339 with what it has of microseconds."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds(moment: datetime) -> str:
    """RFC 3339 in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def nanoseconds(moment: datetime) -> str:
    """RFC 3339 with nine digits of a second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def uid(text: str, name: str = "id") -> str:
    """An id in the form that is stored. Raises `Invalid` (`id_malformed`) for any other text."""
    plain = text.strip().lower()
    if not UUID.fullmatch(plain):
        raise Invalid(f"invalid {name}: {text[:40]!r} is no UUID.", code="id_malformed", hint="Give the id of a list.",
                      field=name)  # fmt: skip
    return plain


def after(text: str | None) -> str | None:
    """The id of the last one of the page before, where there was one."""
    return uid(text, "after") if text else None
