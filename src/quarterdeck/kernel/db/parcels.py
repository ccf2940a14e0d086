"""Wake-ups as text between processes: packed into notifications of PostgreSQL, and unpacked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from quarterdeck.kernel.bus import Concern

MOST_BYTES = 7_900
"""Of one notification; PostgreSQL takes fewer than 8000."""
MOST_PARCELS = 4
"""What does not fit into so many notifications is told as one bare wake-up: look, all of you."""
EVERYTHING = ("", None)
"""A wake-up of everybody, about nothing in particular."""


class Unknown:
    """Stands for a payload that was too large to be sent."""


UNKNOWN = Unknown()


def spelt(topic: str, payload: Any) -> str:
    """One wake-up as JSON: `["topic"]`, or with a payload `["topic", {kind: value}]`; only its topic, marked as having
    lost its payload, where that is too large or no plain value.
    """
    try:
        text = msgspec.json.encode([topic] if payload is None else [topic, _boxed(payload)]).decode()
    except (TypeError, ValueError):
        text = ""
    if not text or len(text.encode()) > MOST_BYTES - 64:
        return msgspec.json.encode([topic, {"lost": None}]).decode()
    return text


def _boxed(payload: Any) -> dict[str, Any]:
    match payload:
        case Concern():
            return {"about": list(payload)}
        case frozenset():
            return {"abouts": [list(one) for one in payload if isinstance(one, Concern)]}
        case tuple():
            return {"many": msgspec.to_builtins(payload)}
        case _:
            return {"one": msgspec.to_builtins(payload)}


def _unboxed(box: dict[str, Any]) -> Any:
    ((kind, value),) = box.items()
    match kind:
        case "about":
            return Concern(*value)
        case "abouts":
            return frozenset(Concern(*one) for one in value)
        case "many":
            return tuple(value)
        case "one":
            return value
        case _:
            return UNKNOWN


def packed(sender: str, wakes: Iterable[str]) -> list[str]:
    """Spelt wake-ups in as few notifications as they need; a bare one where those would be too many."""
    parcels: list[list[str]] = [[]]
    room = MOST_BYTES - len(sender) - 16
    left = room
    for one in wakes:
        size = len(one.encode()) + 1
        if size > left and parcels[-1]:
            parcels.append([])
            left = room
        parcels[-1].append(one)
        left -= size
    if len(parcels) > MOST_PARCELS:
        return [bare(sender)]
    return [f'["{sender}",{",".join(parcel)}]' for parcel in parcels if parcel]


def bare(sender: str) -> str:
    return f'["{sender}",[""]]'


def opened(parcel: str, sender: str) -> Iterator[tuple[str, Any]]:
    """Topics and payloads of a notification, none for one of our own; `UNKNOWN` for a payload that was not sent, and
    `EVERYTHING` for what cannot be read.
    """
    try:
        author, *wakes = msgspec.json.decode(parcel)
        if author == sender:
            return
        found = [(str(one[0]), _unboxed(one[1]) if len(one) > 1 else None) for one in wakes]
    except (msgspec.DecodeError, TypeError, ValueError, IndexError, AttributeError):
        found = [EVERYTHING]  # of another release, perhaps
    yield from found
