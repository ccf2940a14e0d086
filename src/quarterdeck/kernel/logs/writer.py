"""The thread that stores lines: everything that waits is masked, numbered and committed together."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from quarterdeck.kernel.clock import Clock
from quarterdeck.kernel.errors import Unavailable
from quarterdeck.kernel.logs.line import Batch, Line, split
from quarterdeck.kernel.logs.masking import Mask
from quarterdeck.kernel.logs.store import Store

R = TypeVar("R")
GATHER = 0.02  # seconds between commits, so that followers get batches worth sending
HOLD = 0.08  # seconds that a line waits whose end may be the beginning of a secret
AGAIN = 1.0  # seconds until lines that could not be stored are tried again
BATCH = 20_000
WAITING = 500_000  # lines that may wait before droppable ones are dropped
log = structlog.get_logger("quarterdeck.logs")


@dataclass(slots=True)
class Entry:
    """Lines on their way in. `future` is answered with the number of the last one."""

    stream: str
    lines: Sequence[Line]
    future: Future[int] | None
    droppable: bool = False
    closing: bool = False


def promise() -> Future[Any]:
    """A future that whoever waits for it may leave but not cancel: it is the writer's to answer, and one that was
    cancelled would end its thread.
    """
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


@dataclass(slots=True)
class _Call:
    run: Callable[[Connection], Any]
    future: Future[Any]


@dataclass(slots=True)
class _Held:
    entries: list[Entry] = field(default_factory=list)
    until: float = 0.0


class Writer:
    def __init__(self, store: Store, clock: Clock, publish: Callable[[list[Batch], set[str]], None]) -> None:
        self._store = store
        self._clock = clock
        self._publish = publish
        self._queue: queue.SimpleQueue[Entry | _Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._dropped: dict[str, int] = {}
        self._masks: dict[str, Mask] = {}
        self._held: dict[str, _Held] = {}
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="log-write", daemon=True)
        self._thread.start()

    # -- from any thread

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def put(self, entry: Entry) -> None:
        with self._lock:
            if entry.droppable and self._waiting + len(entry.lines) > WAITING:
                self._dropped[entry.stream] = self._dropped.get(entry.stream, 0) + len(entry.lines)
                return
            self._waiting += len(entry.lines)
        self._queue.put(entry)

    def call(self, run: Callable[[Connection], R]) -> Future[R]:
        """Run something between two commits."""
        future = promise()
        self._queue.put(_Call(run, future))
        return future

    def mask(self, stream: str, values: Sequence[str]) -> None:
        with self._lock:
            self._masks.setdefault(stream, Mask()).add(values)

    def hidden(self, stream: str) -> Sequence[str]:
        with self._lock:
            mask = self._masks.get(stream)
        return mask.texts if mask is not None else ()

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join(timeout=30)

    # -- on the writer's thread

    def _run(self) -> None:
        last = 0.0
        while True:
            taken, calls, stop = self._take()
            pause = last + GATHER - time.monotonic()
            if taken and pause > 0 and not stop:
                time.sleep(pause)
                more, later, stop = self._take(wait=False)
                taken, calls = taken + more, calls + later
            try:
                if taken or self._held:
                    self._store_all(taken, force=stop)
                    last = time.monotonic()
            except Exception:
                # Nothing is known that leads here; without this thread all work would wait for ever.
                log.exception("log_lines_lost", lines=sum(len(entry.lines) for entry in taken))
                self._give_up(taken)
            for call in calls:
                self._answer(call)
            if stop:
                if self._connection is not None:
                    self._connection.close()
                return

    def _take(self, *, wait: bool = True) -> tuple[list[Entry], list[_Call], bool]:
        entries: list[Entry] = []
        calls: list[_Call] = []
        count = 0
        timeout = None
        if self._held:
            timeout = max(0.001, min(held.until for held in self._held.values()) - time.monotonic())
        while count < BATCH:
            try:
                item = self._queue.get(block=wait and not entries and not calls, timeout=timeout)
            except queue.Empty:
                break
            if item is None:
                return entries, calls, True
            if isinstance(item, _Call):
                calls.append(item)
            else:
                entries.append(item)
                count += len(item.lines)
        return entries, calls, False

    def _store_all(self, taken: list[Entry], *, force: bool) -> None:
        by_stream: dict[str, list[Entry]] = {name: held.entries for name, held in self._held.items()}
        for entry in taken:
            by_stream.setdefault(entry.stream, []).append(entry)
        now = time.monotonic()
        groups: dict[str, list[Line]] = {}
        counts: dict[str, list[int]] = {}
        ready: dict[str, list[Entry]] = {}
        for name, entries in by_stream.items():
            if self._hold(name, entries, now, force=force):
                continue
            ready[name] = entries
            groups[name], counts[name] = self._prepare(name, entries)
        closing = {name for name, entries in ready.items() if entries[-1].closing}
        if not ready:
            return
        try:
            numbered = self._store.write(self._connect(), groups, closing, self._clock.now())
        except Exception as error:  # noqa: BLE001 - the thread must live on, and every waiting caller hear of it
            self._fail(ready, error)
            return
        self._publish([Batch(name, lines) for name, lines in numbered.items() if lines], closing)
        with self._lock:
            self._waiting -= sum(len(entry.lines) for entries in ready.values() for entry in entries)
            for name in closing:
                self._masks.pop(name, None)
        for name, entries in ready.items():
            number = numbered[name][0].number - 1 if numbered[name] else 0
            for entry, count in zip(entries, counts[name], strict=True):
                number += count
                if entry.future is not None:
                    entry.future.set_result(number)

    def _hold(self, name: str, entries: list[Entry], now: float, *, force: bool) -> bool:
        """Keep a stream back for a moment when its last line may end inside a secret."""
        held = self._held.get(name)
        mask = self._masks.get(name)
        expired = held is not None and held.until <= now
        if mask is None or force or expired or entries[-1].closing:
            self._held.pop(name, None)
            return False
        if not mask.open([line for entry in entries[-64:] for line in entry.lines[-64:]]):
            self._held.pop(name, None)
            return False
        self._held[name] = _Held(entries, held.until if held is not None else now + HOLD)
        return True

    def _prepare(self, name: str, entries: list[Entry]) -> tuple[list[Line], list[int]]:
        """The lines as they will stand in the store, and how many of them came of each entry."""
        whole = [line for entry in entries for line in entry.lines]
        with self._lock:
            mask = self._masks.get(name)
            dropped = self._dropped.pop(name, 0)
        # Without the lock, which `put` takes on the event loop: looking through many lines takes half a second.
        masked = mask.apply(whole) if mask is not None else whole
        lines: list[Line] = []
        counts: list[int] = []
        at = 0
        for entry in entries:
            before = len(lines)
            for line in masked[at : at + len(entry.lines)]:
                parts = split(line.message)
                if len(parts) == 1 and parts[0] is line.message:
                    lines.append(line)
                else:
                    lines += [Line(line.time, line.source, line.stream, line.phase, line.level, part) for part in parts]
            at += len(entry.lines)
            counts.append(len(lines) - before)
        if dropped:
            told = f"{dropped} lines were dropped here: more was written than could be stored."
            lines.append(Line(self._clock.now(), "quarterdeck", "system", None, "warn", told))
        return lines, counts

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._store.writer()
        return self._connection

    def _fail(self, ready: dict[str, list[Entry]], error: Exception) -> None:
        log.error("log_lines_not_stored", reason=type(error).__name__)
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
        problem = _unavailable()
        problem.__cause__ = error
        for name, entries in ready.items():
            kept = []
            for entry in entries:
                if entry.future is not None:
                    entry.future.set_exception(problem)
                    with self._lock:
                        self._waiting -= len(entry.lines)
                else:
                    kept.append(entry)
            if kept:
                self._held[name] = _Held(kept, time.monotonic() + AGAIN)

    def _give_up(self, taken: list[Entry]) -> None:
        with self._lock:
            self._waiting -= sum(len(entry.lines) for entry in taken)
        for entry in taken:
            if entry.future is not None and not entry.future.done():
                entry.future.set_exception(_unavailable())

    def _answer(self, call: _Call) -> None:
        try:
            call.future.set_result(call.run(self._connect()))
        except Exception as error:  # noqa: BLE001 - handed to the caller
            call.future.set_exception(error)


def _unavailable() -> Unavailable:
    return Unavailable(
        "The log lines could not be stored.",
        code="logs_unavailable",
        hint="Check free space and permissions of the data directory, then try again.",
    )
