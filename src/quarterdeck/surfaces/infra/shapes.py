"""Small pieces that the routes of the infra surface answer with."""

from __future__ import annotations

from datetime import datetime
from typing import Any, overload

from msgspec import UNSET

from quarterdeck.kernel.clock import wire_time


@overload
def at(moment: datetime) -> str: ...
@overload
def at(moment: None) -> None: ...
def at(moment: datetime | None) -> str | None:
    """RFC 3339 with `T` and a zone: another form makes published clients refuse the whole answer."""
    return None if moment is None else wire_time(moment)


def told(**values: Any) -> dict[str, Any]:
    """What a body gave, without what it left out; null stays None."""
    return {name: value for name, value in values.items() if value is not UNSET}
