"""What the database knows of terminals: when they were, how they ended, who took one over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import delete, select, update

from quarterdeck.fleet.terminals.model import TerminalRow
from quarterdeck.fleet.terminals.tokens import TerminalAction
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound


def opened(
    tx: Tx,
    subject: str,
    organization_id: int,
    attempt: int,
    worker_id: int | None,
    process: str,
    columns: int,
    rows: int,
    fence: int = 0,
) -> TerminalRow:
    """The terminal of an attempt, new or the one that its worker comes back to. Those of earlier attempts, and of
    earlier jobs of the same attempt, are over. Raises `Conflict` (`terminal_stale`) for an attempt that is over itself,
    or was followed by another.
    """
    tx.lock(f"terminal:{subject}")
    last = tx.first(select(TerminalRow).where(TerminalRow.subject == subject).order_by(TerminalRow.id.desc()).limit(1))
    mine, before = (attempt, fence), None if last is None else (last.attempt, last.fence)
    if last is not None and before is not None and (before > mine or (before == mine and last.ended_at is not None)):
        raise Conflict(
            f"Attempt {attempt} of {subject} has no terminal any more.",
            code="terminal_stale",
            hint="Stop this attempt: another has followed, or it was ended.",
        )
    if last is not None and before == mine:
        last.process = process
        return last
    if last is not None and last.ended_at is None:
        last.ended_at, last.reason = tx.now, "superseded"
    row = TerminalRow(
        uid=tx.ids.uid(),
        organization_id=organization_id,
        subject=subject,
        attempt=attempt,
        fence=fence,
        worker_id=worker_id,
        process=process,
        columns=columns,
        rows=rows,
        opened_at=tx.now,
    )
    return tx.add(row)


def noted(tx: Tx, uid: str, size: int, truncated: bool, columns: int, rows: int) -> None:
    tx.execute(
        update(TerminalRow)
        .where(TerminalRow.uid == uid)
        .values(size=size, truncated=truncated, columns=columns, rows=rows)
    )


def ended(tx: Tx, uid: str, code: int | None, reason: str) -> None:
    """Once: how a terminal ended first is how it ended."""
    tx.execute(
        update(TerminalRow)
        .where(TerminalRow.uid == uid, TerminalRow.ended_at.is_(None))
        .values(ended_at=tx.now, exit_code=code, reason=reason[:40])
    )


class Happened(Protocol):
    """See `broker.Subjects.happened`."""

    def __call__(self, tx: Tx, subject: str, word: str, message: str, **data: Any) -> None: ...


def taken(tx: Tx, subject: str, organization_id: int, before: str | None, happened: Happened) -> None:
    """The caller takes a terminal from whoever typed in it."""
    kind, _, resource_id = subject.partition(":")
    detail = {"by": tx.principal.label, "from": before}
    told = f"{tx.principal.label} types into the terminal now"
    happened(tx, subject, "control_taken", f"{told}, and {before} watches." if before else f"{told}.", **detail)
    audit.record(
        tx,
        TerminalAction.TAKEN,
        resource_type=kind,
        resource_id=resource_id,
        organization_id=organization_id,
        detail=detail,
    )


def of_subject(tx: Tx, subject: str) -> list[TerminalRow]:
    """Newest first."""
    return list(
        tx.scalars(select(TerminalRow).where(TerminalRow.subject == subject).order_by(TerminalRow.id.desc()).limit(100))
    )


def live(tx: Tx, subject: str) -> TerminalRow | None:
    """The one that has not ended, on whichever process it is."""
    return tx.first(
        select(TerminalRow)
        .where(TerminalRow.subject == subject, TerminalRow.ended_at.is_(None))
        .order_by(TerminalRow.id.desc())
        .limit(1)
    )


def live_here(tx: Tx, process: str, spare: frozenset[str], limit: int = 200) -> list[TerminalRow]:
    """Those of a process that have not ended, but those that are open there."""
    query = select(TerminalRow).where(TerminalRow.process == process, TerminalRow.ended_at.is_(None))
    if spare:
        query = query.where(TerminalRow.uid.not_in(spare))
    return list(tx.scalars(query.order_by(TerminalRow.id).limit(limit)))


def recorded(tx: Tx, subject: str, uid: str) -> TerminalRow:
    """Raises `NotFound`."""
    row = tx.first(select(TerminalRow).where(TerminalRow.subject == subject, TerminalRow.uid == uid))
    if row is None:
        raise NotFound(
            f"There is no recording {uid[:40]} of {subject}.",
            code="recording_not_found",
            hint="List the recordings; those that are too old are gone.",
        )
    return row


def prune(tx: Tx, before: datetime, spare: frozenset[str], limit: int) -> list[str]:
    """Remove terminals that began before an instant, but those that are open here; answers their uids."""
    old = select(TerminalRow.id, TerminalRow.uid).where(TerminalRow.opened_at < before)
    if spare:
        old = old.where(TerminalRow.uid.not_in(spare))
    found = tx.execute(old.order_by(TerminalRow.id).limit(limit)).all()
    if found:
        tx.execute(delete(TerminalRow).where(TerminalRow.id.in_([row.id for row in found])))
    return [str(row.uid) for row in found]


def forget(tx: Tx, subjects: Sequence[str]) -> list[str]:
    """Remove every terminal of subjects that are no more; answers their uids, whose recordings are to go next."""
    found = tx.execute(select(TerminalRow.id, TerminalRow.uid).where(TerminalRow.subject.in_(subjects))).all()
    if found:
        tx.execute(delete(TerminalRow).where(TerminalRow.id.in_([row.id for row in found])))
    return [str(row.uid) for row in found]


def exists(tx: Tx, uid: str) -> bool:
    return tx.first(select(TerminalRow.id).where(TerminalRow.uid == uid)) is not None
