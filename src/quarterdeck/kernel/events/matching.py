"""Those events of a stream that are of some types, or say something in their message, as pages."""

from __future__ import annotations

from typing import Any

import msgspec

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.events.model import Event
from quarterdeck.kernel.events.stream import COLUMNS, event

_MESSAGE = {
    "sqlite": "json_extract(data, '$.message')",
    # A text with the character 0 is none for PostgreSQL: such an event is found by its type alone.
    "postgresql": r"CASE WHEN strpos(data, '\u0000') > 0 THEN '' ELSE CAST(data AS json) ->> 'message' END",
}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """`types`: none is any. `message`: a text within the field of that name, in any case."""

    types: frozenset[str] = frozenset()
    message: str = ""


def matching(tx: Tx, stream: str, wanted: Wanted, offset: int, limit: int) -> tuple[list[Event], int]:
    """A page of those in order, and how many there are."""
    where, values = "stream = :stream", {"stream": stream}
    if wanted.types:
        named = {f"type{number}": one for number, one in enumerate(sorted(wanted.types))}
        where += f" AND type IN ({', '.join(f':{name}' for name in named)})"
        values |= named
    if wanted.message:
        where += f" AND lower({_MESSAGE[tx.dialect]}) LIKE lower(:said) ESCAPE '!'"
        values["said"] = f"%{_plain(wanted.message)}%"
    page: dict[str, Any] = {**values, "limit": limit, "offset": offset}
    rows = tx.execute(
        f"SELECT {COLUMNS} FROM domain_events WHERE {where} "  # noqa: S608 - own words
        "ORDER BY sequence LIMIT :limit OFFSET :offset",
        page,
    )
    found = [event(row) for row in rows]
    total = tx.execute(f"SELECT COUNT(*) FROM domain_events WHERE {where}", values).scalar_one()  # noqa: S608
    return found, int(total)


def _plain(text: str) -> str:
    """A text in which LIKE finds nothing special."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
