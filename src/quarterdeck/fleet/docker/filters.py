"""The engine's filter parameter, as a value."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

Labels = Mapping[str, str]


def label_terms(labels: Labels) -> list[str]:
    """`name=value`, or the bare name where the value is empty (any value matches)."""
    return [f"{key}={value}" if value else key for key, value in labels.items()]


def filters(labels: Labels | None = None, **others: str | list[str]) -> dict[str, str]:
    """`{"filters": …}` for a query; nothing when nothing is asked."""
    asked: dict[str, list[str]] = {key: [value] if isinstance(value, str) else value for key, value in others.items()}
    if labels:
        asked["label"] = label_terms(labels)
    return {"filters": msgspec.json.encode(asked, order="sorted").decode()} if asked else {}
