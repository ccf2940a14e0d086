"""Watching an agent task to its end, and telling how it ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quarterdeck.cli import tasks
from quarterdeck.cli.events import LONGEST, TRIES
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.session import Session
from quarterdeck.cli.states import Tone
from quarterdeck.cli.tasks import ENDED, Row
from quarterdeck.cli.terminal import clean

PAUSE = 1.0
"""Seconds between two questions."""
AT_ONCE = 100
TAIL = 20
QUIET = frozenset({"log", "notify"})
LEVELS: dict[str, Tone] = {"error": "bad", "warn": "warn", "warning": "warn"}
ASKED: Tone = "ask"


def patient(opened: Session, key: str, task: str, query: dict[str, Any] | None = None) -> Row:
    """The answer of a question about a task that is asked again while the server is away. Raises `Failure`."""
    failed = 0
    while True:
        try:
            answer: Row = opened.api.read(key, query, taskId=task)
        except Failure as failure:
            if failure.exit is not Exit.UNREACHABLE or failed == TRIES:
                raise
        else:
            return answer
        failed += 1
        if failed == 1:
            opened.terminal.say("  The connection was lost; trying again.")
        time.sleep(min(0.2 * 2**failed, LONGEST))


@contextmanager
def detachable(task: str) -> Iterator[None]:
    """Ctrl-C leaves a task as it is, and says how to come back."""
    try:
        yield
    except KeyboardInterrupt:
        raise Failure(
            f"Stopped watching; task #{task} goes on.",
            exit=Exit.INTERRUPTED,
            code="interrupted",
            hint=f"qd task logs {task} --follow   to watch it again, or: qd task cancel {task}",
            facts={"taskId": int(task)},
        ) from None


class Gates:
    """Says once of each question of a task that it waits for a person, and how to answer."""

    def __init__(self, opened: Session, task: str) -> None:
        self._opened = opened
        self._task = task
        self._told: set[tuple[Any, Any]] = set()

    def tell(self, task: Row) -> None:
        if not tasks.is_waiting(task):
            return
        asked = patient(self._opened, "tasks.pending-confirm", self._task)
        if not asked.get("pending") or (asked["stageIndex"], asked.get("requestedAt")) in self._told:
            return
        self._told.add((asked["stageIndex"], asked.get("requestedAt")))
        terminal = self._opened.terminal
        until = f", until {tasks.local(asked['expiresAt'])}" if asked.get("expiresAt") else ""
        mark = terminal.paint(terminal.mark(ASKED), ASKED, terminal.err)
        terminal.say_styled(f"  {mark} {clean(str(asked['stageName']))} waits for you{until}: {_prompt(asked)}")
        terminal.say(f"    {tasks.answer_line(self._task, asked)}")


class Waits:
    """Says why a task is not given to a machine yet, when that comes and when it changes."""

    def __init__(self, opened: Session) -> None:
        self._opened = opened
        self._told: str | None = None

    def tell(self, task: Row) -> None:
        why = task.get("queuedReason") if task["status"] == "queued" else None
        if why and why != self._told:
            self._opened.terminal.say(f"  It waits. {clean(str(why))}")
        self._told = why


def _prompt(asked: Row) -> str:
    return clean(str(asked.get("prompt") or "")).replace("\n", " ") or "go on?"


def ended(opened: Session, task: str, *, timeout: float | None = None) -> None:
    """The rest of `qd task create --follow`. Raises `Failure` unless the task was completed."""
    until = time.monotonic() + timeout if timeout else None
    opened.terminal.say(f"  #{task}   {tasks.page(opened, task)}")
    with detachable(task):
        told = _follow(opened, task, until, timeout)
    if told["status"] == "completed":
        text = str(told.get("mrUrl") or told.get("branch") or f"#{task}")
        opened.terminal.answer(told, name=task, text=text)
        return
    raise failure(opened, told)


def _follow(opened: Session, task: str, until: float | None, timeout: float | None) -> Row:
    seen, gates, waits, before = 0, Gates(opened, task), Waits(opened), None
    while True:
        told = patient(opened, "tasks.show", task)
        events = patient(opened, "tasks.events", task, {"offset": seen, "limit": AT_ONCE})["items"]
        for event in events:
            _event(opened, event, before)
            before = event
        seen += len(events)
        if len(events) == AT_ONCE:
            continue
        if told["status"] in ENDED:
            return told
        gates.tell(told)
        waits.tell(told)
        if until is not None and time.monotonic() > until:
            raise _timed_out(told, timeout)
        time.sleep(PAUSE)


def _event(opened: Session, event: Row, before: Row | None) -> None:
    """What failed is an event of its own and one of the state, in the same words: a person is told them once."""
    terminal = opened.terminal
    if terminal.format == "jsonl":
        terminal.document(event)
    if event["type"] in QUIET and not terminal.verbose:
        return
    if before is not None and before["type"] == "status_change" and before.get("message") == event.get("message"):
        return
    tone = LEVELS.get(str(event.get("level") or ""))
    text = clean(str(event.get("message") or event["type"])).replace("\n", " ")
    stage = f"{event['stageName']}: " if event.get("stageName") else ""
    line = f"  {tasks.local(event['createdAt'])[11:]}  {clean(stage)}{text}"
    terminal.say_styled(terminal.paint(line, tone, terminal.err) if tone else line)


def _timed_out(told: Row, timeout: float | None) -> Failure:
    task = str(told["id"])
    waits = tasks.is_waiting(told)
    return Failure(
        f"Task #{task} {'waits for a person' if waits else 'still goes on'} after {timeout:g} s.",
        exit=Exit.WAITS if waits else Exit.TIMED_OUT,
        code="waits" if waits else "timed_out",
        hint=f"qd task show {task}" if waits else f"qd task logs {task} --follow",
        facts={"taskId": told["id"], "status": told["status"]},
    )


def failure(opened: Session, told: Row) -> Failure:
    """Why a task has not been completed, behind the last lines of its log."""
    task = str(told["id"])
    if told["status"] == "failed":
        _tail(opened, task)
    run = next((run for run in told.get("stages") or [] if run["status"] == "failed"), None)
    where = f" in stage {run['name']}" if run else ""
    why = str(told.get("errorMessage") or "").rstrip(".")
    word = "failed" if told["status"] == "failed" else "was canceled"
    return Failure(
        f"Task #{task} {word}{where}: {why}." if why else f"Task #{task} {word}{where}.",
        code=str(told.get("errorCode") or f"task_{told['status']}").lower(),
        hint=f"qd task retry {task}" if told["status"] == "failed" else f"qd task show {task}",
        facts={"taskId": told["id"], "status": told["status"]},
    )


def _tail(opened: Session, task: str) -> None:
    bar = "|" if opened.terminal.ascii else "│"
    for line in last_lines(opened, task, TAIL)["items"]:
        opened.terminal.say(f"  {bar} {clean(str(line['text']))}")


def last_lines(opened: Session, task: str, count: int) -> Row:
    """The page of a log that ends it: offsets count from its beginning."""
    api = opened.api
    total = int(api.read("tasks.logs", {"offset": 0, "limit": 1}, taskId=task)["total"])
    body: Row = api.read("tasks.logs", {"offset": max(total - count, 0), "limit": max(count, 1)}, taskId=task)
    return body if count else {**body, "items": []}
