"""What a runner reports of a plan, as it is kept: bounded, plain, without what goes under the name of a secret.

Runners leave out what Terraform calls sensitive; what they send is looked at here once more, for runners are programs
that others run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.infra.execution import reasons
from quarterdeck.infra.execution.planning import ACTIONS
from quarterdeck.kernel.redaction import redact
from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.text import shown

COUNTED = (*ACTIONS, "drifted", "imported")
CHANGING = frozenset({"create", "update", "delete", "replace", "forget"})
MOST_CHANGES = 2000
MOST_BYTES = 256 << 10
"""Bytes of all changes of a plan as JSON; what comes beyond keeps its address and action while there is room."""
MOST_LISTED = 384 << 10
MOST_COST = 32 << 10
LONGEST_ADDRESS, LONGEST_TYPE = 500, 200
LARGEST = 2**31 - 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


def counts(said: Any) -> dict[str, int]:
    """How many resources each action is for; words that nobody knows are left out."""
    given = said if isinstance(said, Mapping) else {}
    found = {}
    for word in COUNTED:
        value = given.get(word, 0)
        found[word] = min(max(value, 0), LARGEST) if isinstance(value, int) and not isinstance(value, bool) else 0
    return found


def changes(said: Any) -> tuple[list[dict[str, Any]], bool]:
    """The changes that are kept, and whether something of them was left out."""
    kept: list[dict[str, Any]] = []
    values = listed = 0
    cut = False
    for entry in said if isinstance(said, list) else ():
        told = _change(entry)
        if told is None:
            continue
        size = len(msgspec.json.encode(told))
        if values + size > MOST_BYTES:
            told = {**told, "before": None, "after": None, "truncated": True}
            size = len(msgspec.json.encode(told))
        else:
            values += size
        if len(kept) >= MOST_CHANGES or listed + size > MOST_LISTED:
            return kept, True
        listed += size
        cut = cut or told.get("truncated") is True
        kept.append(told)
    return kept, cut


def _change(entry: Any) -> dict[str, Any] | None:
    if not isinstance(entry, Mapping) or entry.get("action") not in ACTIONS:
        return None
    told = {
        "address": shown(str(storable(str(entry.get("address") or ""))), LONGEST_ADDRESS),
        "type": shown(str(storable(str(entry.get("type") or ""))), LONGEST_TYPE),
        "action": entry["action"],
        "before": _values(entry.get("before")),
        "after": _values(entry.get("after")),
    }
    why = reasons.reason(entry.get("reason"))
    if why is not None:
        told["reason"] = why
    if entry["action"] == "replace" and (forced_by := _places(entry.get("forced_by"))):
        told["forced_by"] = forced_by
    for flag in ("truncated", "deposed"):
        if entry.get(flag) is True:
            told[flag] = True
    return told


def _places(said: Any) -> list[str]:
    texts = [one for one in said if isinstance(one, str) and one] if isinstance(said, list) else []
    return [shown(str(storable(one)), reasons.LONGEST_PATH) for one in texts[: reasons.MOST_PATHS]]


def _values(value: Any) -> Any:
    return _numbered(storable(redact(value)))


def _numbered(value: Any) -> Any:
    """Numbers that both databases hold."""
    if isinstance(value, dict):
        return {key: _numbered(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbered(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**53) <= value <= 2**53:
        return str(value)
    return value


def cost(said: Any) -> dict[str, Any] | None:
    """What the plan would cost, as far as it was estimated; one that is too long to keep is none."""
    if not isinstance(said, Mapping) or not said:
        return None
    told: dict[str, Any] = _values(said)
    return told if len(msgspec.json.encode(told)) <= MOST_COST else None


def checksum(said: Any) -> str | None:
    """A SHA-256 in hexadecimal digits."""
    text = said.lower() if isinstance(said, str) else ""
    return text if _SHA256.fullmatch(text) else None


def basis(report: Mapping[str, Any]) -> tuple[int | None, str | None]:
    """Serial and lineage of the state that a plan was made on; both None where there was none."""
    serial, lineage = report.get("serial"), report.get("lineage")
    if not isinstance(serial, int) or isinstance(serial, bool) or not isinstance(lineage, str) or not lineage:
        return None, None
    return serial, str(storable(lineage))[:100]
