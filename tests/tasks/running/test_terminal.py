"""Real programs in real terminals: floods, families, users, environments, leftovers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.tasks.running.desk import Desk, Wire, stage
from tests.tasks.running.test_failures import alive, run, until

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.agents.configuration import Configuration, Run
from quarterdeck.tasks.running import orphans
from quarterdeck.tasks.running.account import account_of
from quarterdeck.tasks.running.pipeline import run_task
from quarterdeck.tasks.running.program import NotStarted, Start, start
from quarterdeck.tasks.running.screen import Reader
from quarterdeck.tasks.running.terminal import Terminal
from quarterdeck.tasks.running.transcript import Transcript

SHELL = {"PATH": "/usr/bin:/bin"}


def wanted(bench, *argv, **more):
    return Start(list(argv), bench.directory, SHELL, f"test-{os.getpid()}-{bench.directory.name}",
                 bench.directory / "record.json", **more)  # fmt: skip


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_flood_of_100_mb_neither_fills_memory_nor_keeps_other_work_from_its_turn(bench, desk):
    late: list[float] = []
    grown: list[int] = []

    async def heartbeat():
        while True:
            before = asyncio.get_running_loop().time()
            await asyncio.sleep(0.05)
            late.append(asyncio.get_running_loop().time() - before - 0.05)
            grown.append(resident() - start)

    start = resident()
    beating = asyncio.create_task(heartbeat())
    async with asyncio.timeout(600):
        order = bench.order(stage("flood 100000000", "say after it", "done", timeout=600))
        await run_task(bench.machine, desk, order)
    beating.cancel()
    assert bench.wire.total > 99_000_000
    assert max(grown) < 80 << 20, "the lines that this test keeps are 16 MiB and what Python adds to each"
    assert sorted(late)[int(len(late) * 0.99)] < 1.0
    assert desk.drained > 20, "the program was held back while the server caught up"
    assert "The log of this attempt is full" in desk.text("system")
    assert "● after it" in desk.text(), "what stands at the end of a stage is logged however full the log is"


WRITES = "import os, tty; tty.setraw(1)\nwhile True: os.write(1, '\u4e00\\x1b[9999b'.encode() * 500)"
ECHOES = "import os, tty; tty.setraw(0)\nwhile True: os.write(1, os.read(0, 100))"


async def test_four_programs_that_storm_leave_the_loop_its_time_and_a_fifth_its_echo(bench):
    """Each wrote 80 lines with eleven bytes, without end: nothing else had a turn for a minute."""
    wires, late, echoed = [Wire() for _ in range(5)], [], []
    terminals = [Terminal(Desk(), wire, lambda: None) for wire in wires]

    async def heartbeat():
        while True:
            before = asyncio.get_running_loop().time()
            await asyncio.sleep(0.01)
            late.append(asyncio.get_running_loop().time() - before - 0.01)

    try:
        async with asyncio.timeout(120):
            for number, (terminal, program) in enumerate(zip(terminals, [WRITES] * 4 + [ECHOES], strict=True)):
                terminal.watch = str
                marker, record = f"storm-{os.getpid()}-{number}", bench.directory / f"storm-{number}.json"
                argv = [sys.executable, "-S", "-c", program]
                await terminal.open(Start(argv, bench.directory, SHELL, marker, record))
            beating, quiet = asyncio.create_task(heartbeat()), terminals[4]
            for typed in range(1, 11):
                before = asyncio.get_running_loop().time()
                await quiet.program.write(b"x")
                while wires[4].total < typed:
                    await asyncio.sleep(0.005)
                echoed.append(asyncio.get_running_loop().time() - before)
            beating.cancel()
    finally:
        await asyncio.gather(*(terminal.close() for terminal in terminals))
    assert all(wire.total for wire in wires)
    assert sorted(late)[len(late) // 2] < 0.2
    assert sorted(echoed)[5] < 2.0


async def test_a_program_that_nobody_reads_from_waits(bench):
    program = await start(wanted(bench, "/bin/sh", "-c", "yes 12345678 | head -c 1000000; echo over >done"))
    try:
        await asyncio.sleep(0.5)
        assert not (bench.directory / "done").exists(), "a megabyte went nowhere"
        total = 0
        async with asyncio.timeout(30):
            while data := await program.read():
                total += len(data)
        assert total > 1_000_000
        assert (bench.directory / "done").exists()
    finally:
        await program.end()
        program.close()


async def test_a_program_has_a_session_and_a_terminal_of_its_own(bench):
    program = await start(
        wanted(bench, "/bin/sh", "-c", "ps -o pid=,sid=,pgid=,tpgid= -p $$; stty size", columns=99, rows=33)
    )
    try:
        said = b""
        async with asyncio.timeout(30):
            while data := await program.read():
                said += data
        numbers, size = said.decode().split("\r\n")[:2]
        assert numbers.split() == [str(program.pid)] * 4
        assert size == "33 99"
    finally:
        await program.end()
        program.close()


async def test_what_is_typed_to_a_program_that_does_not_read_waits_and_is_let_go(bench):
    program = await start(wanted(bench, "/bin/sh", "-c", "stty raw -echo; echo ready; sleep 60"))
    async with asyncio.timeout(30):
        assert b"ready" in await program.read()
    typing = asyncio.create_task(program.write(b"x" * 1_000_000))
    await asyncio.sleep(0.3)
    assert not typing.done()
    await program.end()
    async with asyncio.timeout(10):
        await typing
    program.close()


async def test_a_program_that_is_none_says_which_step_failed(bench):
    with pytest.raises(NotStarted) as refused:
        await start(wanted(bench, "/no/such/program"))
    assert refused.value.step == "program"
    assert not (bench.directory / "record.json").exists()


async def test_a_program_gets_no_more_memory_than_it_may_have(bench):
    """By a control group, or by the program's own limit where the host has none."""
    taking = "b = bytearray(600 << 20); print('all of it')"
    program = await start(wanted(bench, "/usr/bin/env", "python3", "-c", taking, memory=200 << 20))
    try:
        async with asyncio.timeout(120):
            await program.exited.wait()
        assert program.status != 0
    finally:
        await program.end()
        program.close()


async def test_a_keeper_that_is_killed_takes_the_program_with_it(bench):
    program = await start(wanted(bench, "/bin/sleep", "600"))
    record = json.loads((bench.directory / "record.json").read_text())
    os.kill(record["keeper"][0], signal.SIGKILL)
    async with asyncio.timeout(30):
        await program.exited.wait()
    await until(lambda: not alive(program.pid))
    await program.end()
    program.close()


async def test_what_an_earlier_worker_left_is_ended_and_what_only_has_its_number_is_not(bench):
    """The worker is killed, and its keeper too: what the agent had started lives on until the next start."""
    records = bench.directory / "running"
    records.mkdir()
    stubborn = "trap '' TERM HUP INT; echo $$ >stubborn; while :; do sleep 1; done"
    program = await start(
        Start(
            ["/bin/sh", "-c", f'setsid sh -c "{stubborn.replace("$", chr(92) + "$")}" & sleep 600'],
            bench.directory,
            SHELL,
            f"orphan-{os.getpid()}",
            records / "one.json",
        )
    )
    path = bench.directory / "stubborn"
    await until(lambda: path.exists() and path.read_text().strip())
    left = int(path.read_text())
    record = json.loads((records / "one.json").read_text())
    os.kill(record["keeper"][0], signal.SIGKILL)
    await until(lambda: not alive(program.pid))
    assert alive(left)
    stranger = await asyncio.create_subprocess_exec("/bin/sleep", "600")
    (records / "two.json").write_text(
        json.dumps({"marker": "nobody", "keeper": None, "program": [stranger.pid, 1, record["program"][2]]})
    )
    (records / "broken.json").write_text("{")
    try:
        assert await orphans.reaped(records, grace=0.5) >= 1
        assert not alive(left)
        assert alive(stranger.pid)
        assert list(records.iterdir()) == []
    finally:
        stranger.kill()
        await stranger.wait()
        await program.end()
        program.close()


WORKER = """
import asyncio, os, sys
from pathlib import Path
from tests.tasks.running.desk import Bench, Desk, stage
from quarterdeck.tasks.running.pipeline import run_task

async def main():
    bench, desk = Bench(Path(sys.argv[1])), Desk()
    await run_task(bench.machine, desk, bench.order(stage("child", "hang")))

asyncio.run(main())
"""


async def test_a_worker_that_is_killed_leaves_no_agent(tmp_path):
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root / "src"), str(root / "tests")])}
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, str(tmp_path), env=environment)
    try:
        child = tmp_path / "fake" / "child"
        await until(lambda: child.exists() and child.read_text())
        told = [json.loads(line) for line in (tmp_path / "fake" / "told.jsonl").read_text().splitlines()]
    finally:
        worker.kill()
        await worker.wait()
    await until(lambda: not alive(told[0]["pid"]) and not alive(int(child.read_text())))


@pytest.mark.root
async def test_an_agent_of_a_worker_that_is_root_runs_as_a_user_of_its_own_in_a_clean_environment(bench, desk):
    machine = bench.machine
    machine.configuration = Configuration(run=Run(own_user=True, memory=1 << 30, stop_seconds=2.0))
    machine.environment = {"PATH": os.environ["PATH"], "QUARTERDECK_DATABASE_URL": "secret", "HTTPS_PROXY": "http://p"}
    bench.home.chmod(0o777)
    custom = bench.custom(envNames=["NAMED"])
    order = bench.order(stage("environment", "hook turn-ended", "hang"), custom=custom,
                        environment={"TOKEN": "t", "LD_PRELOAD": "x", "QUARTERDECK_HOOK_TOKEN": "y"})  # fmt: skip
    await run(bench, desk, order)
    written = bench.home / "environment.json"
    given = json.loads(written.read_text())
    assert written.stat().st_uid == bench.folder.uid >= 700_000
    home = machine.directory / "homes" / str(bench.folder.uid)
    assert (given["HOME"], home.stat().st_uid, home.stat().st_mode & 0o777) == (str(home), bench.folder.uid, 0o700)
    assert (given["TOKEN"], given["TERM"], given["HTTPS_PROXY"]) == ("t", "xterm-256color", "http://p")
    assert given["GIT_AUTHOR_NAME"] == "Ada"
    assert given["QUARTERDECK_HOOK_TOKEN"] != "y"
    assert not {"QUARTERDECK_DATABASE_URL", "LD_PRELOAD", "NAMED", "SUDO_USER"} & given.keys()
    assert desk.stages()[-1] == (0, "completed", 1), "its hook reached the worker"


@pytest.mark.root
def test_an_account_is_the_same_for_ever_and_each_projects_own(tmp_path):
    tmp_path.chmod(0o711)
    first = account_of(Run(), tmp_path, "one", "WEB")
    assert account_of(Run(), tmp_path, "one", "WEB") == first != account_of(Run(), tmp_path, "two", "WEB")
    done = subprocess.run(first.run_as(("id", "-u")), capture_output=True, text=True, check=True)
    assert int(done.stdout) == first.uid
    assert first.owner == (first.uid, first.uid)
    assert account_of(Run(own_user=False), tmp_path, "one", "WEB").run_as(("id",)) == ("id",)
    assert account_of(Run(user="nobody"), tmp_path, "one", "WEB").uid == 65_534
    with pytest.raises(Invalid):
        account_of(Run(user="nobody-else"), tmp_path, "one", "WEB")


def transcript(most=1 << 20):
    lines, notes, at = [], [], [0.0]
    return Transcript(lines.extend, notes.append, lambda: at[0], most), lines, notes, at


def feed(script, screen, data):
    screen.feed(data)
    script.took(screen, screen.take_scrolled())


def test_lines_are_logged_as_they_end_and_once():
    script, lines, _, _ = transcript()
    screen = Reader(10, 3)
    for data in (b"one\r\n", b"10%\r20%\r30%", b"\r\n\r\n\r\nlonger than ten", b"\r\nfour\r\nlast"):
        feed(script, screen, data)
    assert lines == ["one", "30%", "", "longer than ten", "four"]
    script.flush(screen)
    script.flush(screen)
    assert lines[-1] == "last"
    assert len(lines) == 6


def test_a_program_that_draws_is_logged_as_rows_leave_and_where_it_stands():
    script, lines, _, _ = transcript()
    screen = Reader(20, 4)
    feed(script, screen, b"\x1b[2J\x1b[H")
    for number in range(50):
        feed(script, screen, b"\x1b[1;1H\x1b[2Kspinner %d" % number)
    assert lines == []
    feed(script, screen, b"\r\nanswer\r\na\r\nb\r\nc")
    assert lines == ["spinner 49"]
    script.flush(screen)
    assert lines == ["spinner 49", "answer", "a", "b", "c"]


def test_rows_that_left_are_logged_in_portions_as_they_are_at_once():
    at_once, lines, _, _ = transcript()
    portions, others, _, _ = transcript()
    screen = Reader(10, 3)
    for data in (b"one\r\ntwo\r\n", b"longer than ten " * 9 + b"\r\n" * 4, b"a\r\nb\r\nc\r\nd\r\ne"):
        screen.feed(data)
        scrolled = screen.take_scrolled()
        at_once.took(screen, scrolled)
        for place in range(len(scrolled)):
            portions.left(scrolled[place : place + 1])
        portions.took(screen, [])
    for script in (at_once, portions):
        script.flush(screen)
    assert others == lines
    assert (lines[0], lines[-1]) == ("one", "e")


def test_a_log_that_is_full_goes_on_as_a_trickle():
    script, lines, notes, at = transcript(most=100)
    screen = Reader(20, 4)
    for second in (0, 1, 2):
        at[0] = 10.0 + second
        feed(script, screen, b"0123456789\r\n" * 100)
    assert "The log of this attempt is full" in notes[0]
    assert notes[1:] == ["77 lines were left out."]
    assert len(lines) == 100 + 20 + 20
