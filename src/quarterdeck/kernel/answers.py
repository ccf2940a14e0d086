"""Numbers and times in what another machine says: nobody has to believe it, and none of it may be more than a database
or a browser can hold. On the standard library alone: it is used on servers, too.
"""

from __future__ import annotations

from datetime import UTC, datetime

MOST = (1 << 53) - 1
"""The largest whole number that every reader of JSON keeps as it is; both databases hold it 1024 times."""
KIBIBYTES = MOST >> 10
LONGEST = 18
LAST_SECOND = 253_402_214_400
"""A day before the last that a date can be, so that it can be told in every zone."""


def whole(text: str | bytes, most: int = MOST) -> int | None:
    """A whole number of decimal digits up to `most`; None for everything else that another machine may say."""
    word = text.strip()
    if not (word.isascii() and word.isdigit() and len(word) <= LONGEST):
        return None
    number = int(word)
    return number if number <= most else None


def moment(seconds: str | int) -> datetime | None:
    """A time told in seconds since the epoch; None for what is none."""
    told = whole(seconds, LAST_SECOND) if isinstance(seconds, str) else seconds
    return datetime.fromtimestamp(told, UTC) if told is not None and 0 <= told <= LAST_SECOND else None
