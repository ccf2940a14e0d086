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
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest

from cli.conftest import Result, failed
from cli.contract_server import ContractServer
from cli.installation import Installation
from fakes.pty_server import FORBIDDEN, GONE, UNAUTHENTICATED, PtyServer
from fakes.tasks_api import TOKEN, Refusal, TasksApi
from quarterdeck.cli import attaching
from quarterdeck.cli.detaching import Keys
from quarterdeck.cli.main import run
from quarterdeck.cli.raw_terminal import Modes

Command = Callable[..., Result]
LEAVE = b"\x1dq"
TITLE = re.compile(rb"\x1b\]2;([^\x07]*)\x07")


PROGRAM = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from quarterdeck.cli.main import main; main()"


class Emulator:
    """A terminal, as a terminal emulator has it: what is typed, and what was shown."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(80, 24)
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.master)
        os.close(self.slave)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def until(self, text: bytes, seconds: float = 40) -> None:
        """Read until this has been shown."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            self.read(0.2)

    def read(self, seconds: float) -> bool:
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


class Here(Emulator):
    """With `qd` in it as a program of its own, whose controlling terminal it is."""

    def __init__(self, *words: str) -> None:
        super().__init__()
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words], stdin=self.slave, stdout=self.slave, stderr=self.slave,
            start_new_session=True,
        )  # fmt: skip

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        super().__exit__()

    def ended(self, seconds: float = 40) -> int:
        """The status, once everything is read."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, self.seen
            self.read(0.05)
        while self.read(0):
            pass
        return self.process.returncode


Act = Callable[[Emulator], None]
Inside = Callable[..., tuple[int, Emulator]]


@pytest.fixture
def there(tasks: TasksApi, monkeypatch: pytest.MonkeyPatch) -> Iterator[PtyServer]:
    """The terminal of task 42."""
    tasks.add(42)
    with PtyServer(tasks) as made:
        monkeypatch.setenv("QUARTERDECK_URL", made.url)
        monkeypatch.setenv("TERM", "xterm-256color")
        yield made
        assert made.wrong == []


def attached(there: PtyServer, *words: str) -> Here:
    here = Here("attach", "42", *words)
    here.until(b"\x1bc")  # the replay, so it knows that it is let in
    return here


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    """`qd` in this process, at a terminal where `act` types once the replay is there; then somebody leaves. Answers the
    status and the terminal, which has to be as it was.
    """
    with Emulator() as here:

        def call(*words: str, act: Act | None = None) -> tuple[int, Emulator]:
            wrong: list[BaseException] = []

            def person() -> None:
                try:
                    here.until(b"\x1bc")
                    assert act is not None
                    act(here)
                except BaseException as error:  # noqa: BLE001 - it is raised again below
                    wrong.append(error)
                finally:
                    here.type(LEAVE)

            acting = threading.Thread(target=person, daemon=True)
            with os.fdopen(os.dup(here.slave), "r") as keys, os.fdopen(os.dup(here.slave), "w") as screen:
                monkeypatch.setattr("sys.stdin", keys)
                monkeypatch.setattr("sys.stdout", screen)
                monkeypatch.setattr("sys.stderr", screen)
                if act is not None:
                    acting.start()
                code = run(words)
            if act is not None:
                acting.join(60)
            if wrong:
                raise wrong[0]
            assert here.as_before
            while here.read(0.05):
                pass
            return code, here

        yield call


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
    code, here = inside("attach", "42", "-o", "json")
    said = here.seen.decode()
    assert code == 1
    assert "The terminal of task #42 ended with 3.\r\nTry:   qd task show 42\r\n" in said
    told = json.loads(said[said.index("{\r\n") :])
    assert (told["exitCode"], told["ended"], told["taskId"]) == (3, True, 42)


def test_ctrl_bracket_and_q_leave_it_running(there: PtyServer, inside: Inside) -> None:
    def act(here: Emulator) -> None:
        here.type(b"a\x1d\x1db\x1dc")
        there.until(lambda: there.typed == b"a\x1db\x1dc")
        here.type(LEAVE + b"not for there")

    code, here = inside("attach", "42", act=act)
    assert code == 0
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


def test_a_cut_connection_goes_on_where_it_broke_off(there: PtyServer, inside: Inside) -> None:
    there.write(b"one.")

    def act(here: Emulator) -> None:
        there.write(b"two.")
        here.until(b"two.")
        there.cut()
        there.write(b"three.")
        there.until(lambda: len(there.hellos) == 2 and there.viewers)
        there.write(b"four.")
        here.until(b"four.")
        shown = TITLE.sub(b"", here.seen)
        assert shown[shown.index(b"\x1bc") :] == b"\x1bcone.two.three.four."
        here.type(b"x")
        there.until(lambda: there.typed == b"x")

    code, here = inside("attach", "42", act=act)
    assert code == 0
    assert there.hellos[1]["sinceOffset"] == len(b"one.two.")
    assert there.hellos[1]["channelToken"] != there.hellos[0]["channelToken"]
    assert (there.hellos[1]["takeover"], there.hellos[1]["sessionId"]) == (True, "s-1"), "from itself alone"
    assert any("reconnecting" in title for title in here.titles)


def test_what_was_lost_meanwhile_is_replaced_by_the_whole(there: PtyServer, inside: Inside) -> None:
    there.limit = 10
    there.write(b"one.")

    def act(here: Emulator) -> None:
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

    assert inside("attach", "42", act=act)[0] == 0
    assert there.hellos[2]["sinceOffset"] == len(there.history)


def test_leaving_works_while_the_connection_is_cut(
    there: PtyServer, tasks: TasksApi, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attaching, "SOON", 0.01)

    def act(here: Emulator) -> None:
        tasks.before["pty_token"] = away
        there.cut()
        here.until(b"Reconnecting, ")

    code, here = inside("attach", "42", act=act)
    assert code == 0
    assert b"Detached; task #42 goes on." in here.seen


def away(*_: str) -> None:
    raise Refusal(503, "The server starts.", "UNAVAILABLE")


def test_a_server_that_stays_away_ends_it_in_the_end(
    there: PtyServer, tasks: TasksApi, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attaching, "SOON", 0.001)

    def act(here: Emulator) -> None:
        tasks.before["pty_token"] = away
        there.cut()
        here.until(b"keeps breaking; the task goes on.")

    assert inside("attach", "42", act=act)[0] == 9
    assert len(there.hellos) == 1


def test_who_watches_types_nothing(there: PtyServer, inside: Inside) -> None:
    there.holder = {"sessionId": "s-0", "user": "jonas"}
    there.size = {"cols": 120, "rows": 40}
    there.write(b"hello")

    def act(here: Emulator) -> None:
        here.until(b"hello")
        here.type(b"rm -rf\r")
        here.resize(100, 30)
        os.kill(os.getpid(), signal.SIGWINCH)
        there.write(b"bye")
        here.until(b"bye")

    code, here = inside("attach", "42", "--watch", act=act)
    assert code == 0
    assert (there.typed, there.frames, there.modes) == (b"", [], ["watch"])
    assert any("jonas has the keyboard" in title and "larger than this window" in title for title in here.titles)


def test_the_keyboard_is_taken_from_whom_was_named_and_may_be_lost(there: PtyServer, inside: Inside) -> None:
    there.holder = {"sessionId": "s-0", "user": "jonas"}

    def act(here: Emulator) -> None:
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

    code, here = inside("attach", "42", "--takeover", "--session", "s-0", act=act)
    assert code == 0
    assert (there.hellos[0]["takeover"], there.hellos[0]["sessionId"]) == (True, "s-0")
    assert (there.hellos[1]["mode"], there.modes) == ("watch", ["control", "watch"])
    assert "takeover" not in there.hellos[1]
    assert there.typed == b"mine"
    assert here.titles[-1].startswith("#42, jonas has the keyboard")


def test_a_keyboard_that_nobody_has_is_asked_for_by_typing(there: PtyServer, inside: Inside) -> None:
    def act(here: Emulator) -> None:
        there.taken("jonas")
        here.until(b"jonas has the keyboard")
        there.taken(None)
        here.until(b"nobody has the keyboard")
        here.type(b"x")
        there.until(lambda: {"type": "control_request"} in there.frames)
        there.until(lambda: there.viewers[0].mode == "control")
        there.write(b"yours")
        here.until(b"yours")
        here.type(b"y")
        there.until(lambda: there.typed == b"y")

    assert inside("attach", "42", act=act)[0] == 0


def test_a_keyboard_that_was_taken_while_the_connection_was_cut_stays_taken(there: PtyServer, inside: Inside) -> None:
    def act(here: Emulator) -> None:
        there.holder = {"sessionId": "s-other", "user": "jonas"}
        there.cut()
        here.until(b"jonas has the keyboard")
        here.type(b"x")

    assert inside("attach", "42", act=act)[0] == 0
    assert (there.typed, there.hellos[1]["takeover"]) == (b"", True)


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        (FORBIDDEN, 4, "The terminal of task #42 is closed to you: Jonas has taken it away."),
        (GONE, 6, "Task #42 has no terminal any more."),
    ],
)
def test_an_end_that_is_final_is_told(there: PtyServer, inside: Inside, code: int, status: int, said: str) -> None:
    there.welcome = lambda: there.close(code, "Jonas has taken it away.")
    ended, here = inside("attach", "42")
    assert ended == status
    assert said.encode() in here.seen


@pytest.mark.parametrize(("code", "status"), [(UNAUTHENTICATED, 3), (FORBIDDEN, 4), (GONE, 6)])
def test_a_terminal_that_is_refused_at_the_door_says_what_to_do(
    there: PtyServer, inside: Inside, code: int, status: int
) -> None:
    there.refuse = code
    ended, here = inside("attach", "#42")
    assert ended == status
    assert b"Try:   qd" in here.seen


def test_what_is_no_frame_ends_it_without_a_trace(there: PtyServer, inside: Inside) -> None:
    there.welcome = lambda: there.say("<html>")
    ended, here = inside("attach", "42")
    assert ended == 9
    assert b"is not Quarterdeck" in here.seen
    assert b"Traceback" not in here.seen


def test_signs_of_life_are_answered(there: PtyServer, inside: Inside) -> None:
    def act(here: Emulator) -> None:
        there.say({"type": "ping"})
        there.say({"type": "viewers", "count": 2})
        there.say({"type": "worker", "connected": False})
        there.until(lambda: {"type": "pong"} in there.frames)
        here.until(b"the machine is away")

    assert inside("attach", "42", act=act)[0] == 0


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
    ended, here = inside("attach", "42")
    assert ended == code
    assert f"{message}\r\nTry:   {hint}\r\n".encode() in here.seen


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
        ([b"\x1b[93;5u", b"q"], b"", True),
        ([b"\x1b[93;5:1u\x1b[93;5:3u", b"\x1b[113u"], b"", True),
        ([b"a\x1b[27;5;93~qb"], b"a", True),
        ([b"\x1b[9", b"3;5u", b"q"], b"", True),
        ([b"\x1b[93;5ux"], b"\x1b[93;5ux", False),
        ([b"\x1b", b"\x1b[A", b"\x1b[91;5u"], b"\x1b\x1b[A\x1b[91;5u", False),
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
        ([b"\x1b[>1u\x1b[>7u\x1b[<u"], b"\x1b[<1u"),
        ([b"\x1b[>4;2m"], b"\x1b[>4m"),
        ([b"\x1b[>4;2m\x1b[>4m"], b""),
        ([b"\x1b[5 q\x1b[2;20r"], b"\x1b[0 q\x1b7\x1b[r\x1b8"),
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
