"""What is said of a runner, in a form that may be kept and shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.redaction import sensitive
from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.vault.secret import MASK

LARGEST = 256 << 10
"""Bytes of JSON."""
DEEPEST = 32


def kept(said: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without credentials: what goes under the name of one is masked. Raises `Invalid` for more than 256 KiB,
    and for what is nested deeper than 32 levels.
    """
    size = len(msgspec.json.encode(said))
    if size > LARGEST:
        raise Invalid(
            f"metadata has {size} bytes, of at most {LARGEST}.", hint="Leave out what nobody reads.", field="metadata"
        )
    copy: dict[str, Any] = storable(_masked(said, 0))
    return copy


def _masked(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise Invalid("metadata is nested too deep.", hint=f"Use at most {DEEPEST} levels.", field="metadata")
    if isinstance(value, Mapping):
        return {
            key: MASK if sensitive(key) and item not in (None, "") else _masked(item, depth + 1)
            for key, item in value.items()
        }
    return [_masked(item, depth + 1) for item in value] if isinstance(value, list) else value
