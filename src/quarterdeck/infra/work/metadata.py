"""What runners tell of a job, merged shallowly (contract: infra §3.2): bounded, plain JSON, without credentials."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.redaction import sensitive
from quarterdeck.kernel.storable import storable
from quarterdeck.kernel.vault.secret import MASK

MOST = 256 << 10
"""Bytes of a job's metadata as JSON, all reports together."""
DEEPEST = 24
OUTPUT = frozenset({"value", "type", "sensitive"})
HIDDEN = {"sensitive": True}
"""What is told of one of Terraform's outputs that it calls sensitive."""
LATE = "late_report"
OURS = frozenset({LATE, "orphan_risk", "plan_summary", "history"})
"""Keys that the server alone writes."""


def merged(kept: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept once a report is heard. Raises `Invalid` (`infra_metadata_too_large`, `infra_metadata_invalid`)."""
    fresh = {key: value for key, value in cleaned(told).items() if key not in OURS}
    return fitting({**kept, **fresh})


def fitting(document: dict[str, Any]) -> dict[str, Any]:
    """The same. Raises `Invalid` (`infra_metadata_too_large`)."""
    if len(msgspec.json.encode(document)) > MOST:
        raise Invalid(
            f"The metadata of a job is more than {MOST >> 10} KiB.",
            code="infra_metadata_too_large",
            hint="Report less; what is long belongs into the log.",
            field="execution_metadata",
        )
    return document


def cleaned(told: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which values under names of credentials are masked, at any depth. Raises `Invalid`
    (`infra_metadata_invalid`) for what is nested too deep or is no JSON.
    """
    found: dict[str, Any] = storable(_cleaned(told, 0))
    return found


def _cleaned(value: Any, depth: int) -> Any:
    if depth > DEEPEST or (isinstance(value, float) and not math.isfinite(value)):
        raise Invalid(
            f"The metadata of a job is nested more than {DEEPEST} deep, or holds a number that JSON has not.",
            code="infra_metadata_invalid",
            hint="Report it flatter; what is long belongs into the log.",
            field="execution_metadata",
        )
    if isinstance(value, Mapping):
        if "sensitive" in value and value.keys() <= OUTPUT and value["sensitive"] is not False:
            return dict(HIDDEN)
        return {
            str(key): MASK if sensitive(str(key)) and item not in (None, "") and not _spared(item)
            else _cleaned(item, depth + 1)
            for key, item in value.items()
        }  # fmt: skip
    if isinstance(value, list):
        return [_cleaned(item, depth + 1) for item in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return value


def _spared(item: Any) -> bool:
    """Flags say nothing: Terraform's own `{"sensitive": true}`, or whether there is a token."""
    return isinstance(item, bool) or item == HIDDEN


def late(kept: Mapping[str, Any], status: str, message: str | None, told: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata with what came after the end. Nothing of it may keep a report from being heard: what is too large is
    left out.
    """
    report: dict[str, Any] = {"status": status, "error_message": storable(message[:2000]) if message else None}
    try:
        more = {**report, "execution_metadata": cleaned(told)} if told else report
        return fitting({**kept, LATE: more})
    except Invalid:
        report["truncated"] = True
    try:
        return fitting({**kept, LATE: report})
    except Invalid:
        return dict(kept)
