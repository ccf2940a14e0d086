"""What may be written down about a value: secrets are masked by type, and by the name they go under."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.vault.secret import MASK, Secret

SENSITIVE = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|credential|authori[sz]ation|cookie|private_?key|api_?key|access_?key|dsn$"
    r"|database_?url",
    re.IGNORECASE,
)
HARMLESS = re.compile(r"(_?(id|uid|ref|name|count|kind|type|key_id|expires_?at)|(Id|Ref|Name|Count|Kind|Type|At))$")
LONGEST = 4096
DEEPEST = 8


def sensitive(name: str) -> bool:
    """True for a name under which secrets go (`dbPassword`), false for what only speaks of one (`tokenId`)."""
    return SENSITIVE.search(name) is not None and HARMLESS.search(name) is None


def redact(value: Any, *, depth: int = 0) -> Any:
    """A copy that is plain JSON: secrets masked, texts bounded, other objects by their type's name."""
    if isinstance(value, Secret):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + "…"
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        return {
            str(key): MASK if sensitive(str(key)) and item not in (None, "") else redact(item, depth=depth + 1)
            for key, item in _items(value)
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth=depth + 1) for item in value]
    if isinstance(value, datetime):
        return wire_time(value)
    return f"<{type(value).__name__}>"


def _items(value: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    # A Secret refuses comparison, so it is masked before `redact` compares what stands under a sensitive name.
    return [(key, MASK if isinstance(item, Secret) else item) for key, item in value.items()]
