"""`qd attach 42` in a real terminal, with a server that speaks the frames of the contract."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from cli.conftest import Result, failed
from cli.contract_server import ContractServer
from cli.installation import Installation
from fakes.pty_server import FORBIDDEN, GONE, UNAUTHENTICATED, PtyServer
from fakes.tasks_api import TOKEN, Refusal, TasksApi
from quarterdeck.cli.detaching import Keys
from quarterdeck.cli.main import run
from quarterdeck.cli.raw_terminal import Modes

Command = Callable[..., Result]
Inside = Callable[..., tuple[int, str]]
LEAVE = b"\x1dq"
TITLE = re.compile(rb"\x1b\]2;([^\x07]*)\x07")
HURRY = (
    "import quarterdeck.cli.attaching as a; a.TRIES, a.LONGEST = 3, 0.1; from quarterdeck.cli.main import main; main()"
)


CONTROLS = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "


class Here:
    """A terminal with `qd` in it, as a terminal emulator has it."""

    def __init__(self, *words: str, program: str = "from quarterdeck.cli.main import main; main()") -> None:
        self.master, self.slave = pty.openpty()
        self.resize(80, 24, tell=False)
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", CONTROLS + program, *words], stdin=self.slave, stdout=self.slave, stderr=self.slave,
            start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def until(self, text: bytes, seconds: float = 40) -> None:
        """Read until this has been shown."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            self._read(0.2)

    def ended(self, seconds: float = 40) -> int:
        """The status, once everything is read."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, self.seen
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            self.seen += os.read(self.master, 65536)
        return bool(ready)

    @property
    def as_before(self) -> bool:
        """Whether the terminal is as it was."""
        return termios.tcgetattr(self.slave) == self.before

    @property
    def titles(self) -> list[str]:
        return [text.decode() for text in TITLE.findall(self.seen)]


@pytest.fixture
def there(tasks: TasksApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[PtyServer]:
    """The terminal of task 42."""
    tasks.add(42)
    with PtyServer(tasks) as made:
        monkeypatch.setenv("QUARTERDECK_URL", made.url)
        monkeypatch.setenv("TERM", "xterm-256color")
        yield made
        assert made.wrong == []


def attached(there: PtyServer, *words: str, program: str | None = None) -> Here:
    here = Here("attach", "42", *words, **({"program": program} if program else {}))
    here.until(b"\x1bc")  # the replay, so it knows that it is let in
    return here


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    """`qd` in this process at a terminal where nobody types: its status, and what was shown. The terminal has to be as
    it was.
    """
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)

    def call(*words: str) -> tuple[int, str]:
        with os.fdopen(os.dup(slave), "r") as keys, os.fdopen(os.dup(slave), "w") as screen:
            monkeypatch.setattr("sys.stdin", keys)
            monkeypatch.setattr("sys.stdout", screen)
            monkeypatch.setattr("sys.stderr", screen)
            code = run(words)
        assert termios.tcgetattr(slave) == before
        seen = b""
        while select.select([master], [], [], 0.05)[0]:
            seen += os.read(master, 65536)
        return code, seen.decode()

    yield call
    os.close(master)
    os.close(slave)


def test_keys_go_there_and_output_comes_here_until_the_program_ends(there: PtyServer) -> None:
    there.echo = True
    there.write(b"before \xe2\x82\xac\r\n")
    with attached(there) as here:
        here.until("before €".encode())
        assert not here.as_before
        here.type(b"make\r")
        here.until(b"make\r")
        here.type(b"\x03\x1a\x1b[A")
        there.until(lambda: there.typed == b"make\r\x03\x1a\x1b[A")
        there.write(b"\x1b[?1049h\x1b[?25l\x1b[?2004h")
        there.exit(0)
        assert here.ended() == 0
        assert here.as_before
        first = here.seen.index(b"Attaching to task #42.   ctrl-] then q leaves it running.")
        assert first < here.seen.index(b"\x1bcbefore")
        assert here.seen.endswith(b"  The terminal of task #42 ended with 0. See:  qd task show 42\r\n")
        for back in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[23;2t"):
            assert here.seen.rindex(back) > here.seen.rindex(b"\x1b[?1049h")
        assert there.hellos[0]["token"] == TOKEN
        assert (there.hellos[0]["mode"], there.hellos[0]["cols"], there.hellos[0]["rows"]) == ("control", 80, 24)


def test_how_the_program_ended_is_told_to_the_caller(there: PtyServer, inside: Inside) -> None:
    there.welcome = lambda: there.exit(3)
    ended, said = inside("attach", "42", "-o", "json")
    assert ended == 1
    assert "The terminal of task #42 ended with 3.\r\nTry:   qd task show 42\r\n" in said
    told = json.loads(said[said.index("{\r\n") :])
    assert (told["exitCode"], told["ended"], told["taskId"]) == (3, True, 42)


def test_ctrl_bracket_and_q_leave_it_running(there: PtyServer) -> None:
    with attached(there) as here:
        here.type(b"a\x1d\x1db\x1dc")
        there.until(lambda: there.typed == b"a\x1db\x1dc")
        here.type(LEAVE + b"not for there")
        assert here.ended() == 0
        assert here.as_before
        assert b"Detached; task #42 goes on. Back again:  qd attach 42" in here.seen
        assert there.typed == b"a\x1db\x1dc"
        assert not there.ended


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_a_signal_gives_the_terminal_back(there: PtyServer, number: signal.Signals, status: int) -> None:
    with attached(there) as here:
        there.write(b"\x1b[?1003hhello")
        here.until(b"hello")
        here.process.send_signal(number)
        assert here.ended() == status
        assert here.as_before
        assert b"\x1b[?1003l" in here.seen


def test_the_size_of_this_terminal_is_that_of_the_holder(there: PtyServer) -> None:
    with attached(there) as here:
        here.resize(132, 43)
        there.until(lambda: there.size == {"cols": 132, "rows": 43})
        here.resize(1, 1)
        there.until(lambda: there.size == {"cols": 2, "rows": 1})
        here.type(LEAVE)
        assert here.ended() == 0


def test_a_cut_connection_goes_on_where_it_broke_off(there: PtyServer) -> None:
    there.write(b"one.")
    with attached(there) as here:
        there.write(b"two.")
        here.until(b"two.")
        there.cut()
        there.write(b"three.")
        there.until(lambda: len(there.hellos) == 2 and there.viewers)
        there.write(b"four.")
        here.until(b"four.")
        shown = TITLE.sub(b"", here.seen)
        assert shown[shown.index(b"\x1bc") :] == b"\x1bcone.two.three.four."
        assert there.hellos[1]["sinceOffset"] == len(b"one.two.")
        assert there.hellos[1]["channelToken"] != there.hellos[0]["channelToken"]
        assert "takeover" not in there.hellos[1]
        here.type(b"x")
        there.until(lambda: there.typed == b"x")
        assert any("reconnecting" in title for title in here.titles)
        here.type(LEAVE)
        assert here.ended() == 0


def test_what_was_lost_meanwhile_is_replaced_by_the_whole(there: PtyServer) -> None:
    there.limit = 10
    there.write(b"one.")
    with attached(there) as here:
        here.until(b"one.")
        there.cut()
        there.write(b"x" * 30 + b"newest.")
        here.until(b"\x1bcxxxnewest.")
        there.write(b"and more.")
        here.until(b"and more.")
        there.behind()
        here.until(b"\x1bc.and more.")
        there.cut()
        there.until(lambda: len(there.hellos) == 3 and there.viewers)
        assert there.hellos[2]["sinceOffset"] == len(there.history)
        here.type(LEAVE)
        assert here.ended() == 0


def test_leaving_works_while_the_connection_is_cut(there: PtyServer, tasks: TasksApi) -> None:
    with attached(there) as here:
        tasks.before["pty_token"] = away
        there.cut()
        here.until(b"Reconnecting, ")
        here.type(LEAVE)
        assert here.ended() == 0
        assert here.as_before


def away(*_: str) -> None:
    raise Refusal(503, "The server starts.", "UNAVAILABLE")


def test_a_server_that_stays_away_ends_it_in_the_end(there: PtyServer, tasks: TasksApi) -> None:
    with attached(there, program=HURRY) as here:
        tasks.before["pty_token"] = away
        there.cut()
        assert here.ended() == 9
        assert here.as_before
        assert b"keeps breaking; the task goes on." in here.seen


def test_who_watches_types_nothing(there: PtyServer) -> None:
    there.holder = {"sessionId": "s-0", "user": "jonas"}
    there.size = {"cols": 120, "rows": 40}
    there.write(b"hello")
    with attached(there, "--watch") as here:
        here.until(b"hello")
        here.type(b"rm -rf\r")
        here.resize(100, 30)
        there.write(b"bye")
        here.until(b"bye")
        here.type(LEAVE)
        assert here.ended() == 0
        assert (there.typed, there.frames, there.modes) == (b"", [], ["watch"])
        assert any("jonas has the keyboard" in title and "larger than this window" in title for title in here.titles)


def test_the_keyboard_is_taken_from_whom_was_named_and_may_be_lost(there: PtyServer) -> None:
    there.holder = {"sessionId": "s-0", "user": "jonas"}
    with attached(there, "--takeover", "--session", "s-0") as here:
        assert (there.hellos[0]["takeover"], there.hellos[0]["sessionId"]) == (True, "s-0")
        here.type(b"mine")
        there.until(lambda: there.typed == b"mine")
        there.taken("jonas")
        there.write(b"his")
        here.until(b"his")
        here.type(b"more")
        there.write(b"\x1b[0mlater")
        here.until(b"later")
        there.cut()
        there.until(lambda: len(there.hellos) == 2 and there.viewers)
        there.write(b"again")
        here.until(b"again")
        assert (there.hellos[1]["mode"], there.modes) == ("watch", ["control", "watch"])
        here.type(LEAVE)
        assert here.ended() == 0
        assert there.typed == b"mine"
        assert here.titles[-1].startswith("#42, jonas has the keyboard")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        (FORBIDDEN, 4, "The terminal of task #42 is closed to you: Jonas has taken it away."),
        (GONE, 6, "Task #42 has no terminal any more."),
    ],
)
def test_an_end_that_is_final_is_told(there: PtyServer, inside: Inside, code: int, status: int, said: str) -> None:
    there.welcome = lambda: there.close(code, "Jonas has taken it away.")
    ended, seen = inside("attach", "42")
    assert ended == status
    assert said in seen


@pytest.mark.parametrize(("code", "status"), [(UNAUTHENTICATED, 3), (FORBIDDEN, 4), (GONE, 6)])
def test_a_terminal_that_is_refused_at_the_door_says_what_to_do(
    there: PtyServer, inside: Inside, code: int, status: int
) -> None:
    there.refuse = code
    ended, seen = inside("attach", "#42")
    assert ended == status
    assert "Try:   qd" in seen


def test_what_is_no_frame_ends_it_without_a_trace(there: PtyServer, inside: Inside) -> None:
    there.welcome = lambda: there.say("<html>")
    ended, seen = inside("attach", "42")
    assert ended == 9
    assert "is not Quarterdeck" in seen
    assert "Traceback" not in seen


def test_signs_of_life_are_answered(there: PtyServer) -> None:
    with attached(there) as here:
        there.say({"type": "ping"})
        there.say({"type": "viewers", "count": 2})
        there.say({"type": "worker", "connected": False})
        there.until(lambda: {"type": "pong"} in there.frames)
        here.until(b"the machine is away")
        here.type(LEAVE)
        assert here.ended() == 0


@pytest.mark.parametrize(
    ("status", "message", "code", "hint"),
    [
        (409, "Task 42 has no terminal now.", 6, "qd task logs 42"),
        (403, "The terminal is its owner's.", 4, "qd attach 42 --watch"),
        (404, "There is no task 42.", 5, "qd task list --status running"),
    ],
)
def test_a_token_that_is_refused_says_what_to_do(
    there: PtyServer, tasks: TasksApi, inside: Inside, status: int, message: str, code: int, hint: str
) -> None:
    def refuse(*_: str) -> None:
        raise Refusal(status, message, "REFUSED")

    tasks.before["pty_token"] = refuse
    ended, seen = inside("attach", "42")
    assert ended == code
    assert f"{message}\r\nTry:   {hint}\r\n" in seen


def test_without_a_terminal_it_says_what_to_do_instead(qd: Command, tasks: TasksApi) -> None:
    tasks.add(42)
    failed(qd("attach", "42"), 2, "needs a terminal", "qd task logs 42 --follow")
    assert tasks.calls == []
    plan = qd("attach", "42", "--watch", "--plan").out
    assert plan.startswith("POST /api/web/tasks/42/pty-token")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["42", "--detach"], "are about deployments"),
        (["42", "--timeout", "5"], "are about deployments"),
        (["42", "--watch", "--takeover"], "not both"),
        (["42", "--session", "s-1"], "--takeover"),
        (["shop", "--watch"], "are about the terminal of a task"),
        (["--takeover"], "are about the terminal of a task"),
    ],
)
def test_options_that_do_not_fit_are_refused(qd: Command, words: list[str], said: str) -> None:
    failed(qd("attach", *words), 2, said)


def test_a_deployment_is_watched_as_before(qd: Command, server: ContractServer, installation: Installation) -> None:
    result = qd("attach", "shop")
    assert (result.code, "There is no resource shop." in result.err) == (5, True)


@pytest.mark.parametrize(
    ("parts", "on", "leaves"),
    [
        ([b"abc"], b"abc", False),
        ([b"\x1d", b"q"], b"", True),
        ([b"a\x1dqb"], b"a", True),
        ([b"\x1d", b"\x1d", b"q"], b"\x1dq", False),
        ([b"\x1dQ"], b"\x1dQ", False),
    ],
)
def test_the_keys_to_leave_are_found_however_they_come(parts: list[bytes], on: bytes, leaves: bool) -> None:
    keys, went, left = Keys(), b"", False
    for part in parts:
        some, left = keys.typed(part)
        went += some
    assert (went, left) == (on, leaves)


@pytest.mark.parametrize(
    ("parts", "back"),
    [
        ([b"plain"], b""),
        ([b"\x1b[?104", b"9h"], b"\x1b[?1049l"),
        ([b"\x1b[?1049h\x1b[?25l"], b"\x1b[?25h\x1b[?1049l"),
        ([b"\x1b[?1049h", b"\x1b[?1049l"], b""),
        ([b"\x1b[?1000;1006h"], b"\x1b[?1006l\x1b[?1000l"),
        ([b"\x1b[?2004h\x1bc"], b""),
        ([b"\x1b[?7777h"], b""),
    ],
)
def test_what_the_output_changed_is_put_back(parts: list[bytes], back: bytes) -> None:
    modes = Modes()
    for part in parts:
        modes.see(part)
    assert modes.back() == b"\x1b[0m\x1b>" + back


def test_nothing_of_a_sequence_is_counted_twice() -> None:
    modes: Any = Modes()
    for part in (b"\x1b[?1049h", b"x", b"\x1b[?1049l", b"y"):
        modes.see(part)
    assert modes.back() == b"\x1b[0m\x1b>"
