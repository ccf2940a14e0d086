"""The terminals of one server process, by their subjects: workers bring them, people join them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import structlog

from quarterdeck.access import Access
from quarterdeck.fleet.terminals import frames, rows
from quarterdeck.fleet.terminals.history import REPLAYED, History, Size
from quarterdeck.fleet.terminals.model import TerminalRow
from quarterdeck.fleet.terminals.recording import Recording
from quarterdeck.fleet.terminals.terminal import Line, Terminal
from quarterdeck.fleet.terminals.viewing import Right, Viewer, Visitor
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated

WATCHED_EVERY = 1.0
"""Seconds between two looks at who may still be here (contract of the lock: two seconds from revoke to end)."""
DOUBT_SECONDS = 10.0
"""For how long nobody's right can be asked before everybody has to come again."""
AWAY_SECONDS = 900.0
"""A worker that is away for longer has lost its terminal, whatever became of its work."""
MOST_VIEWERS = 100
ATTEMPT_OVER = "attempt_over"
log = structlog.get_logger("quarterdeck.terminals")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the room that a subject belongs to says of it: whose it is, and how many bytes are kept for replays."""

    organization_id: int
    replayed: int = REPLAYED


class Subjects(Protocol):
    """Asked about every terminal that a worker opens. Implemented right of here, wired in `instance`."""

    def terms(self, tx: Tx, subject: str) -> Terms:
        """Raises `NotFound`."""
        ...

    def happened(self, tx: Tx, subject: str, word: str, message: str, **data: Any) -> None:
        """Tell in the events of a subject what happened to its terminal, as everything else of it is told there."""
        ...

    def over(self, tx: Tx, subject: str, attempt: int, fence: int) -> bool:
        """Whether an attempt (its number and its job) is none of the subject's any more."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What a worker brings. `fence`: the job that the attempt is. `offset`: of the first byte that it will send, None
    where it does not count. `asks`: is it still known? asked again and again.
    """

    subject: str
    attempt: int
    size: Size
    worker_id: int | None = None
    offset: int | None = None
    asks: Callable[[Tx], bool] | None = None
    fence: int = 0


class Broker:
    """One server works on each database, and others pass on to it (ADR 0039), so that a terminal whose worker is
    connected is here. `require_here` says where that is not so; what brings bytes from another process would stand
    behind `find`.
    """

    def __init__(self, db: Database, access: Access, directory: Path, process: str, subjects: Subjects) -> None:
        self._db, self._access = db, access
        self._directory, self._process, self._subjects = directory, process, subjects
        self._terminals: dict[str, Terminal] = {}
        self._asks: dict[Line, Callable[[Tx], bool]] = {}
        self._writing: set[asyncio.Future[None]] = set()
        self._sure = db.clock.monotonic()

    # What others ask.

    def find(self, subject: str) -> Terminal | None:
        """The live terminal of a subject, where its worker's connection is (or was a moment ago) in this process."""
        terminal = self._terminals.get(subject)
        return None if terminal is None or terminal.over else terminal

    def watched(self, subject: str) -> int:
        """How many people look at it."""
        terminal = self.find(subject)
        return 0 if terminal is None else len(terminal.viewers)

    def held_by(self, subject: str) -> str | None:
        """Who types in it."""
        terminal = self.find(subject)
        return None if terminal is None or terminal.holder is None else terminal.holder.visitor.user

    def require_here(self, tx: Tx, subject: str) -> None:
        """Raises `Conflict`: `terminal_not_live`, or `terminal_elsewhere` where another server process has it."""
        if self.find(subject) is not None:
            return
        row = rows.live(tx, subject)
        if row is not None and row.process != self._process:
            raise Conflict(
                f"The terminal of {subject} is connected to another server process, {row.process}.",
                code="terminal_elsewhere",
                hint="Terminals are served by the server that has the worker's connection: ask there.",
            )
        raise Conflict(
            f"{subject} has no live terminal.",
            code="terminal_not_live",
            hint="Wait until it runs on a machine; of one that has ended there are recordings.",
        )

    def file(self, uid: str) -> Path:
        """Where a recording lies."""
        return self._directory / f"{uid}.cast"

    def write_out(self, subject: str) -> None:
        """What waits of a live recording goes to its file."""
        terminal = self.find(subject)
        if terminal is not None:
            terminal.recording.flush()

    @property
    def open_uids(self) -> frozenset[str]:
        return frozenset(terminal.uid for terminal in self._terminals.values())

    def older_files(self, instant: datetime) -> list[str]:
        """Of the recordings that were written last before an instant, the terminals' uids."""
        if not self._directory.is_dir():
            return []
        files = [file for file in self._directory.glob("*.cast") if file.stat().st_mtime < instant.timestamp()]
        return [file.stem for file in files if file.stem not in self.open_uids]

    # Workers.

    async def open(self, opening: Opening) -> Line:
        """The terminal of an attempt, or the connection of a worker that comes back to it. Raises `NotFound`,
        `Conflict` (`terminal_stale`) and `Invalid` for a size that no terminal has.
        """
        if not opening.size.sound:
            raise Invalid("A terminal has 2 to 500 columns and 1 to 300 rows.", code="terminal_size_invalid")
        row, terms = await self._db.write(self._opened, opening)
        known = self._terminals.get(opening.subject)
        if known is not None and (known.uid != row.uid or known.over):
            known.end(None, "superseded")
            known = None
        terminal = known or self._made(opening, row, terms)
        terminal.worker_id = opening.worker_id
        line = terminal.attach()
        if opening.asks is not None:
            self._asks[line] = opening.asks
        head = terminal.history.head
        if opening.offset is not None and opening.offset > head:  # what lay between is lost to this process
            line.restart(opening.offset, opening.size, b"")
        return line

    def _opened(self, tx: Tx, opening: Opening) -> tuple[TerminalRow, Terms]:
        terms = self._subjects.terms(tx, opening.subject)
        columns, lines = opening.size
        row = rows.opened(
            tx,
            opening.subject,
            terms.organization_id,
            opening.attempt,
            opening.worker_id,
            self._process,
            columns,
            lines,
            opening.fence,
        )
        return row, terms

    def _made(self, opening: Opening, row: TerminalRow, terms: Terms) -> Terminal:
        """Nothing is awaited here: two connections of one attempt find the same terminal."""
        recording = Recording(self.file(row.uid), opening.size, row.opened_at, self._db.clock)
        terminal = Terminal(
            opening.subject,
            row.uid,
            terms.organization_id,
            (opening.attempt, opening.fence),
            History(opening.size, terms.replayed),
            recording,
        )
        self._terminals[opening.subject] = terminal
        return terminal

    def known_offset(self, subject: str, attempt: int, fence: int = 0) -> int:
        """How many bytes of an attempt's output are here."""
        terminal = self.find(subject)
        return terminal.history.head if terminal is not None and terminal.attempt == (attempt, fence) else 0

    async def detach(self, line: Line) -> None:
        """The connection has ended, the terminal has not."""
        self._asks.pop(line, None)
        line.terminal.detach(line, self._db.clock.monotonic())
        if not line.terminal.over:
            line.terminal.recording.flush()
            await self._surely(lambda tx: self._noted(tx, line.terminal))

    async def exited(self, line: Line, code: int | None, reason: str = "exited") -> None:
        """The program has ended."""
        if line.current:
            await self._end(line.terminal, code, reason)

    async def end(self, subject: str, reason: str, code: int | None = None) -> None:
        """Whoever a subject belongs to says that it is over, whatever its worker does; harmless where it is."""
        terminal = self.find(subject)
        if terminal is not None:
            await self._end(terminal, code, reason)
            return

        def verb(tx: Tx) -> None:
            row = rows.live(tx, subject)
            if row is not None:
                rows.ended(tx, row.uid, code, reason)

        await self._db.write(verb)

    async def _end(self, terminal: Terminal, code: int | None, reason: str) -> None:
        terminal.end(code, reason)
        if self._terminals.get(terminal.subject) is terminal:
            del self._terminals[terminal.subject]

        def verb(tx: Tx) -> None:
            self._noted(tx, terminal)
            rows.ended(tx, terminal.uid, code, reason)

        await self._surely(verb)

    @staticmethod
    def _noted(tx: Tx, terminal: Terminal) -> None:
        recording, size = terminal.recording, terminal.history.size
        rows.noted(tx, terminal.uid, recording.size, recording.truncated, size.columns, size.rows)

    async def _surely(self, verb: Callable[[Tx], None]) -> None:
        """Write it, though whoever asks for it is canceled meanwhile: the connection that said so ends with it."""
        writing = asyncio.ensure_future(self._db.write(verb))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        await asyncio.shield(writing)

    # People.

    def join(
        self, subject: str, visitor: Visitor, *, controls: bool, since: int | None = None, size: Size | None = None
    ) -> Viewer:
        """Begin to watch, and to type where that is wanted and nobody does. Raises `NotFound`, and `Conflict` for one
        more viewer than a terminal has.
        """
        terminal = self.find(subject)
        if terminal is None:
            raise NotFound(f"{subject} has no live terminal.", code="terminal_not_live", hint="See its recordings.")
        if len(terminal.viewers) >= MOST_VIEWERS:
            raise Conflict(f"{MOST_VIEWERS} people watch {subject} already.", code="terminal_crowded")
        viewer = Viewer(self._db.ids.uid(), visitor, terminal.replay)
        terminal.join(viewer, since)
        if controls and viewer.may_control and terminal.holder is None:
            terminal.hold(viewer)
        if size is not None and terminal.holder is viewer:
            terminal.sized(viewer, size)
        return viewer

    async def take(self, subject: str, viewer: Viewer, holder: str | None = None) -> None:
        """Type instead of whoever does, who watches from then on. `holder`: only if it is that session. Raises
        `Forbidden` and `Conflict`; who takes is told in the events of the subject and in the audit trail.
        """
        terminal = self.find(subject)
        if terminal is None or viewer.session_id not in terminal.viewers:
            return
        if not viewer.may_control:
            raise Forbidden("You may only watch this terminal.", code="read_only")
        before = terminal.holder
        if holder is not None and (before is None or before.session_id != holder):
            raise Conflict("Somebody else types here by now.", code="holder_changed", hint="Look who does.")
        if before is not None and before is not viewer:
            await self._db.write(
                rows.taken, subject, terminal.organization_id, before.visitor.user, self._subjects.happened
            )
        if viewer.may_control and viewer.session_id in terminal.viewers and terminal.holder in {before, None}:
            terminal.hold(viewer)

    # Beside the server.

    async def run(self) -> None:
        """Asks every second who may still be here and whose attempt is over, writes recordings out, gives up terminals
        of lost workers.
        """
        clock = self._db.clock
        beat = 0
        while True:
            await asyncio.sleep(WATCHED_EVERY)
            beat += 1
            for terminal in list(self._terminals.values()):
                terminal.recording.flush()
                if terminal.away_since is not None and clock.monotonic() - terminal.away_since > AWAY_SECONDS:
                    await self._end(terminal, None, "worker_lost")
            await self.end_those_over(unknown_too=beat % 10 == 1)
            await self.watch(workers_too=beat % 10 == 0)

    async def end_those_over(self, *, unknown_too: bool = True) -> None:
        """End every terminal whose attempt has ended or was given up, whatever its worker does. `unknown_too`: also
        those that a worker never came back to since this process began.
        """
        mine = list(self._terminals.values())

        def over(tx: Tx) -> list[Terminal]:
            return [one for one in mine if self._subjects.over(tx, one.subject, *one.attempt)]

        def left(tx: Tx) -> None:
            for row in rows.live_here(tx, self._process, self.open_uids):
                if self._subjects.over(tx, row.subject, row.attempt, row.fence):
                    rows.ended(tx, row.uid, None, ATTEMPT_OVER)

        try:
            for terminal in await self._db.read(over) if mine else []:
                await self._end(terminal, None, ATTEMPT_OVER)
            if unknown_too:
                await self._db.write(left)
        except Exception as error:  # noqa: BLE001 - it is asked again a second later
            log.warning("terminals_not_ended", reason=repr(error)[:200])

    async def watch(self, *, workers_too: bool = True) -> None:
        """Ask about everybody once. Where that cannot be asked for ten seconds, everybody has to come again."""
        viewers = [(one, viewer) for one in self._terminals.values() for viewer in one.viewers.values()]
        lines = list(self._asks.items()) if workers_too else []
        now = self._db.clock.monotonic()
        if not viewers and not lines:
            self._sure = now
            return
        try:
            await self._access.ready(self._db)
            rights = await self._db.read(_rights, [viewer for _, viewer in viewers])
            known = await self._db.read(lambda tx: [asks(tx) for _, asks in lines]) if lines else []
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody was found to be allowed
            log.warning("terminals_unwatched", reason=repr(error)[:200])
            if now - self._sure > DOUBT_SECONDS:
                for _, viewer in viewers:
                    viewer.leave(1013, "rights cannot be asked for")
            return
        self._sure = now
        for (terminal, viewer), right in zip(viewers, rights, strict=True):
            terminal.judge(viewer, right)
        for (line, _), still in zip(lines, known, strict=True):
            if not still:
                line.leave(frames.UNAUTHENTICATED, "this worker is not known any more")

    async def close(self) -> None:
        """Write everything out; the workers go on and come back to the next process."""
        for terminal in self._terminals.values():
            terminal.recording.close()
        self._terminals.clear()
        await asyncio.gather(*self._writing, return_exceptions=True)


def _rights(tx: Tx, viewers: list[Viewer]) -> list[Right | None]:
    found: list[Right | None] = []
    for viewer in viewers:
        try:
            found.append(viewer.visitor.asks(tx))
        except (Forbidden, NotFound, Unauthenticated):
            found.append(None)
    return found


__all__ = ["Broker", "Opening", "Subjects", "Terms"]
