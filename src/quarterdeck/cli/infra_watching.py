"""Watching an infrastructure job to its end, and telling how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from quarterdeck.cli import infra_naming, infra_pages, infra_states, infra_streaming
from quarterdeck.cli.failure import Exit, Failure
from quarterdeck.cli.infra_options import Watch
from quarterdeck.cli.infra_states import ENDED
from quarterdeck.cli.infra_streaming import Told
from quarterdeck.cli.names import Row
from quarterdeck.cli.session import Session
from quarterdeck.cli.states import Tone
from quarterdeck.cli.terminal import clean

PAUSE = 2.0
"""Seconds between two questions about a job."""
LOOK = 15.0
"""Seconds between two looks for who could take a job that waits."""
TRIES, LONGEST = infra_streaming.TRIES, infra_streaming.LONGEST
TAIL = 20
STREAMS: dict[str, Tone] = {"STDERR": "bad", "SYSTEM": "idle"}
T = TypeVar("T")


def patient(opened: Session, ask: Callable[[], T]) -> T:
    """The answer of a question that changes nothing, asked again while the server is away, as at a restart. What goes
    wrong is told once. Raises the last `Failure`.
    """
    failed = 0
    while True:
        try:
            answer = ask()
        except Failure as failure:
            away = infra_streaming.is_away(failure) or failure.status == infra_streaming.FULL
            if not away or failed == TRIES:
                raise
            if failed == 0:
                opened.terminal.say(f"  {failure.message} Trying again.")
        else:
            if failed:
                opened.terminal.say("  The server is there again.")
            return answer
        failed += 1
        time.sleep(min(0.2 * 2**failed, LONGEST))


def job_of(opened: Session, job: str) -> Row:
    found: Row = patient(opened, lambda: opened.api.read("infra-jobs.show", jobId=job))
    return found


@contextmanager
def detachable(job: str, log: Log | None = None) -> Iterator[None]:
    """Ctrl-C leaves a job as it is, and says how to come back: with a log, to where it was read last."""
    try:
        yield
    except KeyboardInterrupt:
        after = f" --after {log.after}" if log is not None and log.after else ""
        again = f"qd jobs wait {job}   to watch" if log is None else f"qd jobs logs {job} --follow{after}   to follow"
        raise Failure(
            f"Stopped watching; the job {job} goes on.",
            exit=Exit.INTERRUPTED,
            code="interrupted",
            hint=f"{again} it again, or: qd jobs cancel {job}",
            facts={"job_id": job},
        ) from None


def logs(opened: Session, job: str, after: int = 0) -> Row:
    """One page of what a job has said after a chunk: `{logs, more}`."""
    found: Row = opened.api.read("infra-jobs.logs", {"after": after or None}, jobId=job)
    return found


def all_logs(opened: Session, job: str, after: int = 0) -> list[Row]:
    """Everything that a job has said after a chunk."""
    chunks, more = list[Row](), True
    while more:
        page = patient(opened, partial(logs, opened, job, after))
        chunks += page["logs"]
        after, more = int(chunks[-1]["id"]) if chunks else after, bool(page.get("more"))
    return chunks


class Log:
    """The lines of a job, from where they were read last. A line that ends in a later chunk is shown whole."""

    def __init__(self, opened: Session, job: str, *, after: int = 0, to_stdout: bool = False) -> None:
        self._opened = opened
        self._job = job
        self._to_stdout = to_stdout
        self._begun: dict[str, str] = {}
        self.after = after

    def tell(self) -> None:
        """What has come since."""
        more = True
        while more:
            answer = patient(self._opened, lambda: logs(self._opened, self._job, self.after))
            for chunk in answer["logs"]:
                self.after = max(self.after, int(chunk["id"]))
                self.show(chunk)
            more = bool(answer.get("more"))

    def follow(self, look: Callable[[], None]) -> str | None:
        """What comes, until the job has ended: its status. None where the server has no place for another follower, and
        has to be asked. Looks every `PAUSE` seconds meanwhile, and raises what that raises.
        """
        api = self._opened.api
        return infra_streaming.until_done(api, self._job, self.after, pause=PAUSE, show=self._came, look=look)

    def _came(self, told: Told) -> None:
        terminal = self._opened.terminal
        if told.kind == "chunk":
            self.after = int(told.data["id"])
            self.show(told.data)
        elif told.kind == "lost":
            terminal.say(f"  {told.data} Trying again.")
        elif told.kind == "back":
            terminal.say("  The server is there again.")
        else:
            terminal.say(f"  {told.data} Asking every {PAUSE:g} s instead.")

    def show(self, chunk: Row) -> None:
        terminal = self._opened.terminal
        if terminal.format == "jsonl":
            terminal.document(chunk)
            return
        kind = str(chunk.get("stream_type"))
        *whole, begun = (self._begun.pop(kind, "") + str(chunk["log_chunk"])).split("\n")
        if begun:
            self._begun[kind] = begun
        for line in whole:
            self._line(line, kind)

    def end(self) -> None:
        """Show what was begun and no chunk has gone on with."""
        for kind, line in self._begun.items():
            self._line(line, kind)
        self._begun.clear()

    def _line(self, text: str, kind: str) -> None:
        terminal, tone = self._opened.terminal, STREAMS.get(kind)
        line = clean(text)
        told = terminal.paint(line, tone, terminal.out if self._to_stdout else terminal.err) if tone else line
        if self._to_stdout:
            terminal.line(told)
        else:
            terminal.say_styled(f"    {told}")


class States:
    """Tells the states of a job as they come, until the time is over."""

    def __init__(self, opened: Session, job: str, timeout: float | None) -> None:
        self._opened = opened
        self._job = job
        self._timeout = timeout
        self._until = time.monotonic() + timeout if timeout else None
        self._told: tuple[str, str] | None = None
        self._row: Row = {}
        self._next: float | None = None
        self._why = ""

    def look(self) -> Row:
        """The job now."""
        return self._seen(job_of(self._opened, self._job))

    def glance(self) -> None:
        """The same beside a log, whose stream waits for a server that is away. Raises `Failure` (8)."""
        try:
            self._seen(self._opened.api.read("infra-jobs.show", jobId=self._job))
        except Failure as failure:
            if not infra_streaming.is_away(failure) and failure.status != infra_streaming.FULL:
                raise
        self.hurry()

    def hurry(self) -> None:
        """Raises `Failure` (8) when the time is over and the job was not seen to have ended."""
        if self._until is not None and self._row["status"] not in ENDED and time.monotonic() > self._until:
            raise timed_out(self._row, self._timeout)

    def _seen(self, row: Row) -> Row:
        self._row = row
        now = (str(row["status"]), phase(row))
        if now != self._told:
            _tell(self._opened, row)
            self._told = now
        self._who(row)
        return row

    def _who(self, row: Row) -> None:
        """Say why nobody takes a job that waits, when that is known or has become another reason."""
        if row["status"] != "QUEUED" or row.get("waits_for") != "runner":
            self._next = None
            return
        first = self._next is None
        if self._next is not None and time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LOOK
        if first and not row.get("assigned_worker_id"):
            return  # the server itself, which is in no list, may take it at once
        why = _nobody(self._opened, row)
        if why and why != self._why:
            self._opened.terminal.say(f"  {why}")
        self._why = why


def watched(opened: Session, job: str, watch: Watch) -> Row:
    """The job when it has ended. Its states are told on stderr as they come, and with `follow` its log. Raises
    `Failure` (8) when the time is over first; the job goes on then.
    """
    log, states = Log(opened, job) if watch.follow else None, States(opened, job, watch.timeout)
    with detachable(job, log):
        row = states.look()
        streamed = log is not None and log.follow(states.glance) is not None
        if streamed:
            row = states.look()
        while True:
            if log is not None and not streamed:
                log.tell()
            if row["status"] in ENDED:
                if log is not None:
                    log.end()
                return row
            states.hurry()
            time.sleep(PAUSE)
            row = states.look()


def phase(row: Row) -> str:
    """What a job that runs does now, or what one that waits waits for."""
    if row["status"] == "QUEUED":
        return {"approval": f"qd plan approve {row['id']}", "runner": "for a runner"}.get(str(row.get("waits_for")), "")
    told = (row.get("execution_metadata") or {}).get("phase") or row.get("stage")
    return str(told or "").replace("_", " ") if row["status"] == "PROCESSING" else ""


def _tell(opened: Session, row: Row) -> None:
    terminal = opened.terminal
    state = terminal.state(infra_states.job(row), terminal.err)
    terminal.say_styled(f"  {state}   {terminal.plain(phase(row))}".rstrip())


def _nobody(opened: Session, row: Row) -> str:
    """Why no runner takes a job; empty where one could."""
    pinned = row.get("assigned_worker_id")
    if pinned:
        runner = patient(opened, partial(opened.api.read, "runners.show", runnerId=str(pinned)))["worker"]
        word = infra_states.runner(runner).word
        told = f"It is for {runner['name']} alone, which is {word}: qd jobs pin {row['id']} --runner-id any"
        return "" if runner["status"] == "ONLINE" else told
    some = patient(opened, partial(infra_naming.runners, opened.api))
    able = [one for one in some if row.get("read_only") or not one.get("looks_only")]
    if any(runner["status"] == "ONLINE" for runner in able):
        return ""
    return "No runner that is online can take it, and the server itself has not: qd runner enrol NAME"


def timed_out(row: Row, timeout: float | None) -> Failure:
    waits = row.get("waits_for") == "approval"
    return Failure(
        f"The job {row['id']} still waits for approval after {timeout:g} s."
        if waits
        else f"The job {row['id']} is still {row['status']} after {timeout:g} s; it goes on.",
        exit=Exit.WAITS if waits else Exit.TIMED_OUT,
        code="waits" if waits else "timed_out",
        hint=f"qd plan approve {row['id']}" if waits else f"qd jobs wait {row['id']}",
        facts=facts(row),
    )


def facts(row: Row) -> Row:
    """What a program gets of a job that did not end well."""
    return {"job_id": row["id"], "job_type": row["job_type"], "status": row["status"]}


def succeeded(opened: Session, row: Row, *, shown: bool = False) -> None:
    """Nothing for a job that ended well. Raises `Failure` (1) for another, behind the last lines of its log unless they
    were `shown`.
    """
    if row["status"] == "SUCCESS":
        return
    if row["status"] == "FAILED" and not shown:
        _tail(opened, str(row["id"]))
    why = str(row.get("error_message") or "").strip()
    word = "failed" if row["status"] == "FAILED" else "was canceled"
    left = "  It may have left resources that its state does not know." if row.get("orphan_risk") else ""
    raise Failure(
        f"{infra_pages.deed(row)} {word}{': ' + why if why else '.'}{left}",
        code="job_failed" if row["status"] == "FAILED" else "job_cancelled",
        hint=f"qd jobs logs {row['id']}",
        facts=facts(row),
    )


def _tail(opened: Session, job: str) -> None:
    chunks = all_logs(opened, job)[-TAIL:]
    lines = [line for chunk in chunks for line in clean(str(chunk["log_chunk"])).splitlines()]
    bar = "|" if opened.terminal.ascii else "│"
    for line in lines[-TAIL:]:
        opened.terminal.say(f"  {bar} {line}")


def accepted(opened: Session, row: Row, watch: Watch, *, text: str) -> Row | None:
    """The rest of a command that has made a job: with nobody to watch it is answered as it is, else watched to its good
    end and given back.
    """
    job = str(row["id"])
    opened.terminal.say(f"  {infra_pages.job(opened, row)}")
    if not watch.any:
        opened.terminal.answer(row, name=job, text=text)
        opened.terminal.say(f"  Watch it:  qd jobs wait {job}   or: qd jobs logs {job} --follow")
        return None
    ended = watched(opened, job, watch)
    succeeded(opened, ended, shown=watch.follow)
    return ended
