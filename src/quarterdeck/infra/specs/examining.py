"""A document looked at without keeping it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quarterdeck.infra.specs.document import examined
from quarterdeck.infra.specs.fields import Report, Wrong
from quarterdeck.infra.specs.specs import known_of
from quarterdeck.kernel.db import Tx


def examine(tx: Tx, raw: Mapping[str, Any]) -> tuple[dict[str, Any] | None, Sequence[Wrong]]:
    """The canonical document, or None and everything that is wrong, at most a hundred fields."""
    known, wrong = known_of(tx, raw)
    report = Report(wrong)
    found = examined(raw, known, report)
    return (None if found is None else found.document), report.wrong
