"""What every surface does alike when it reads the audit trail: whose events, which times, in which spelling."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import AuditEvent
from quarterdeck.kernel.audit.keeping import KeepingAction
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.http.failures import Issue, Malformed
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault.secret import MASK

FORMULA = ("=", "+", "-", "@", "\t", "\r")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}")


def organization_of(principal: Principal) -> int:
    """The organization whose events the caller may read: never those of no organization."""
    if principal.organization_id is None:
        raise Forbidden("This credential acts in no organization.", hint="Sign in as a member of one.")
    return principal.organization_id


def moment(text: str, name: str, *, end: bool = False) -> datetime:
    """A time of a query: ISO 8601, without a zone UTC. A day alone is its beginning, as an `end` the next day's; any
    other `end` is included. Raises `Malformed`.
    """
    try:
        told = datetime.fromisoformat(text)
        at = (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
        return at + (timedelta(days=1) if DAY.fullmatch(text) else timedelta(microseconds=1)) if end else at
    except (ValueError, OverflowError):
        message = "There is no such time. Write it as 2026-01-31T12:00:00Z or 2026-01-31."
        raise Malformed(Issue("invalid_format", (name,), message, "query", "date-time")) from None


def spellings(text: str, name: str = "correlation_id") -> tuple[str, ...]:
    """A correlation id, given with dashes or as 32 hex digits, as it was written down. Raises `Malformed`."""
    try:
        known = UUID(text)
    except ValueError:
        raise Malformed(Issue("invalid_format", (name,), f"{name} is not a UUID.", "query", "uuid")) from None
    return (str(known),)


class Words:
    """What a surface calls our actions, where it has a word of its own. One word may stand for several actions."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table

    def told(self, action: str) -> str:
        return self._table.get(action, action)

    def actions(self, word: str) -> tuple[str, ...]:
        """The actions that a word stands for; none for one that the surface calls otherwise."""
        meant = tuple(sorted(action for action, told in self._table.items() if told == word))
        return meant or (() if word in self._table else (word,))

    def below(self, prefix: str) -> tuple[str, ...]:
        """Every action whose word is `prefix.something`."""
        known = {*audit.Actions.all(), *self._table}
        return tuple(sorted(action for action in known if self.told(action).startswith(f"{prefix}.")))


def correlation(event: AuditEvent) -> str:
    """The correlation id as a UUID; of what was written without one, the event's own."""
    try:
        return str(UUID(event.correlation_id))
    except ValueError:
        return event.uid


def flat(detail: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested facts as one level: names joined by dots, lists as lists of text."""
    found: dict[str, Any] = {}
    for key, value in detail.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found.update(flat(value, f"{name}."))
        elif isinstance(value, list):
            found[name] = [one if isinstance(one, str) else msgspec.json.encode(one).decode() for one in value]
        else:
            found[name] = value
    return found


def masked(payload: Mapping[str, Any]) -> list[str]:
    """Names of facts that were masked before they were written down."""
    return sorted(name for name, value in payload.items() if value == MASK)


def note_export(tx: Tx, form: str, asked: Mapping[str, Any]) -> None:
    """Write down that somebody took a copy of the trail away."""
    audit.record(
        tx, KeepingAction.EXPORTED, resource_type="audit-event", resource_id="*", detail={"format": form, **asked}
    )


def cell(value: Any) -> str:
    """A value as a table shows it; nothing that a spreadsheet would calculate."""
    text = "" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_lines(rows: Iterable[Iterable[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([cell(value) for value in row])
    return out.getvalue().encode()


async def written(
    parts: AsyncIterator[list[AuditEvent]],
    form: str,
    columns: tuple[str, ...],
    item: Callable[[AuditEvent], dict[str, Any]],
) -> AsyncIterator[bytes]:
    """Parts of a stream of events as one CSV table or one JSON array, piece by piece."""
    if form == "csv":
        yield csv_lines([columns])
        async for part in parts:
            yield csv_lines(item(event).values() for event in part)
        return
    yield b"["
    first = True
    async for part in parts:
        yield b"".join(
            (b"\n" if first and not at else b",\n") + msgspec.json.encode(item(event)) for at, event in enumerate(part)
        )
        first = False
    yield b"\n]\n"
