from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import quarterdeck
from fleet.processes.conftest import lines, tagged, until
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.spec import ProcessSpec, RestartPolicy
from quarterdeck.fleet.processes.supervisor.record import STATE, read_json, write_json
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.vault import Secret

SERVER = "import http.server,os; http.server.test(http.server.SimpleHTTPRequestHandler, port=int(os.environ['PORT']))"
FAST = RestartPolicy(first_delay=0.05, longest_delay=0.1, give_up_after=2, stable_after=5)


def sleeper(name: str, work: Path, **changes) -> ProcessSpec:
    values = {"instance": name, "argv": ("/bin/sleep", "300"), "directory": str(work), "environment": {"TAG": name}}
    return ProcessSpec(**(values | changes))


def answer(port: int) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/hello", timeout=1) as response:
            return response.read().decode()
    except OSError:
        return None


def proc(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


async def test_a_web_server_gets_its_port_and_answers(processes, work):
    (work / "hello").write_text("ahoy")
    port = processes.port("dep_web-0")
    spec = ProcessSpec("dep_web-0", (sys.executable, "-c", SERVER), str(work), port=port)
    status = await processes.start(spec)
    assert status.phase == "running"
    assert status.port == port
    assert await until(lambda: answer(port)) == "ahoy"
    await processes.stop("dep_web-0")
    assert answer(port) is None


async def test_starting_the_same_specification_twice_starts_one_process(processes, work):
    first, second = await asyncio.gather(
        processes.start(sleeper("dep_twice-0", work)), processes.start(sleeper("dep_twice-0", work))
    )
    assert first.pid == second.pid
    assert len(tagged("dep_twice-0")) == 1


async def test_another_specification_under_the_same_name_is_refused_unless_it_replaces(processes, work):
    first = await processes.start(sleeper("dep_other-0", work))
    changed = sleeper("dep_other-0", work, argv=("/bin/sleep", "301"))
    with pytest.raises(Conflict):
        await processes.start(changed)
    second = await processes.start(changed, replace=True)
    assert second.pid != first.pid
    assert tagged("dep_other-0") == {second.pid}


async def test_a_killed_starter_leaves_the_process_running_and_it_is_found_again(processes, root, work):
    script = f"""
import asyncio, os, signal
from pathlib import Path
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.fleet.processes.spec import ProcessSpec
spec = ProcessSpec("dep_kept-0", ("/bin/sleep", "300"), {str(work)!r}, {{"TAG": "dep_kept-0"}})
print(asyncio.run(Processes(Path({str(root)!r})).start(spec)).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    source = str(Path(quarterdeck.__file__).parents[1])
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, env=os.environ | {"PYTHONPATH": source}, stdout=subprocess.PIPE
    )
    printed, _ = await starter.communicate()
    assert starter.returncode == -signal.SIGKILL
    found = Processes(root).status("dep_kept-0")
    assert found.phase == "running"
    assert found.pid == int(printed)
    assert (await processes.start(sleeper("dep_kept-0", work))).pid == found.pid


async def test_a_reused_pid_is_never_mistaken(processes, root, work):
    await processes.start(sleeper("dep_reused-0", work))
    path = processes.directory("dep_reused-0") / STATE
    state = read_json(path)
    pid, start, boot = state["supervisor"]
    write_json(path, state | {"supervisor": [pid, start - 1, boot]})
    assert processes.status("dep_reused-0").phase == "lost"
    write_json(path, state | {"supervisor": [pid, start, "another-boot"]})
    assert processes.status("dep_reused-0").phase == "lost"
    write_json(path, state)
    assert processes.status("dep_reused-0").phase == "running"


async def test_stop_leaves_no_orphan_not_even_of_a_double_fork(processes, work):
    script = "(setsid sh -c 'trap \"\" TERM; sleep 300 & sleep 300' &) ; sleep 300 & (sleep 300 &) ; wait"
    spec = sleeper("dep_forks-0", work, argv=("/bin/sh", "-c", script), grace=0.3)
    await processes.start(spec)
    await until(lambda: len(tagged("dep_forks-0")) >= 5)
    status = await processes.stop("dep_forks-0")
    assert status.phase == "stopped"
    assert tagged("dep_forks-0") == set()


async def test_stop_lets_the_process_finish_within_its_grace(processes, work):
    script = "trap 'sleep 0.3; echo finished; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    await processes.start(sleeper("dep_grace-0", work, argv=("/bin/sh", "-c", script)))
    await until(lambda: [line for line in lines(processes, "dep_grace-0") if line.text == "ready"])
    await processes.stop("dep_grace-0", grace=5)
    assert lines(processes, "dep_grace-0")[-1].text == "finished"


async def test_a_crash_loop_backs_off_and_gives_up(processes, work):
    spec = sleeper("dep_crash-0", work, argv=("/bin/sh", "-c", "echo oops >&2; exit 7"), restart=FAST)
    await processes.start(spec)
    await until(lambda: processes.status("dep_crash-0").phase == "gave-up")
    status = processes.status("dep_crash-0")
    assert [e.code for e in status.exits] == [7, 7, 7]
    assert status.restarts == 2
    assert "3 times in a row" in status.message
    assert [line.stream for line in lines(processes, "dep_crash-0")] == ["stderr"] * 3 + ["supervisor"]


async def test_a_clean_end_is_final_on_failure_only_and_restarted_always(processes, work):
    once = sleeper("dep_once-0", work, argv=("/bin/true",), restart=FAST)
    always = sleeper("dep_always-0", work, argv=("/bin/true",), restart=RestartPolicy("always", 0.05, 0.1, 1))
    await processes.start(once)
    await processes.start(always)
    await until(lambda: processes.status("dep_once-0").phase == "exited")
    await until(lambda: processes.status("dep_always-0").phase == "gave-up")
    assert processes.status("dep_once-0").restarts == 0
    assert processes.status("dep_always-0").restarts == 1


async def test_a_missing_program_is_refused_with_a_reason_and_leaves_nothing(processes, work):
    with pytest.raises(Invalid) as caught:
        await processes.start(sleeper("dep_missing-0", work, argv=("/no/such/program",)))
    assert caught.value.code == "process_start_failed"
    assert "No such file" in caught.value.message
    assert not processes.status("dep_missing-0").live


async def test_a_mistyped_program_is_named_whatever_directories_its_user_may_not_enter(processes, work):
    shut = work / "shut"
    shut.mkdir(mode=0o700)
    (shut / "inner").mkdir()
    name = "dep_mistyped-0"
    path = f"{shut}/inner:/usr/bin:/bin"
    spec = sleeper(name, work, argv=("slep", "300"), environment={"PATH": path}, account="res_mistyped")
    with pytest.raises(Invalid) as caught:
        await processes.start(spec)
    assert "there is no program 'slep'" in caught.value.message
    assert caught.value.message.count("slep'") == 1
    assert "ermission" not in caught.value.message
    tell = ("sh", "-c", "echo PATH is $PATH; sleep 300")
    await processes.start(sleeper("dep_typed-0", work, argv=tell, environment={"PATH": path}, account="res_mistyped"))
    await until(lambda: lines(processes, "dep_typed-0"))
    kept = path if os.geteuid() else "/usr/bin:/bin"
    assert lines(processes, "dep_typed-0")[0].text == f"PATH is {kept}"


async def test_a_missing_directory_is_refused_with_a_reason(processes, work):
    with pytest.raises(Invalid, match="directory"):
        await processes.start(sleeper("dep_nowhere-0", work / "gone"))


async def test_a_killed_supervisor_takes_its_family_along_and_reconcile_starts_it_again(processes, work):
    script = "(setsid sleep 300 &) ; exec sleep 300"
    await processes.start(sleeper("dep_lost-0", work, argv=("/bin/sh", "-c", script)))
    await until(lambda: len(tagged("dep_lost-0")) == 2)
    before = tagged("dep_lost-0")
    supervisor = read_json(processes.directory("dep_lost-0") / STATE)["supervisor"][0]
    os.kill(supervisor, signal.SIGKILL)
    await until(lambda: processes.status("dep_lost-0").phase == "lost")
    assert [r.action for r in await processes.reconcile()] == ["started"]
    await until(lambda: len(tagged("dep_lost-0")) == 2)
    assert not before & tagged("dep_lost-0")


async def test_reconcile_after_a_reboot_starts_what_ran_and_not_what_was_stopped(processes, work):
    await processes.start(sleeper("dep_ran-0", work))
    await processes.start(sleeper("dep_stopped-0", work))
    await processes.start(sleeper("dep_never-0", work, restart=RestartPolicy("never")))
    await processes.stop("dep_stopped-0")
    for name in ("dep_ran-0", "dep_never-0"):
        path = processes.directory(name) / STATE
        state = read_json(path)
        os.kill(state["supervisor"][0], signal.SIGKILL)
        write_json(path, state | {"supervisor": [*state["supervisor"][:2], "the-boot-before"]})
    actions = {r.instance: r.action for r in await processes.reconcile()}
    assert actions == {"dep_ran-0": "started", "dep_stopped-0": "left", "dep_never-0": "left"}
    assert processes.status("dep_ran-0").phase == "running"
    assert processes.status("dep_never-0").phase == "exited"
    assert tagged("dep_never-0") == set()


async def test_secrets_reach_the_process_but_no_argument_file_or_state(processes, work):
    secret = "hunter2-very-secret"
    spec = sleeper("dep_secret-0", work, environment={"TAG": "s", "KEY": Secret(secret)})
    status = await processes.start(spec)
    assert f"KEY={secret}".encode() in proc(status.pid, "environ").split(b"\0")
    for pid in (status.pid, read_json(processes.directory("dep_secret-0") / STATE)["supervisor"][0]):
        assert secret.encode() not in proc(pid, "cmdline")
    supervisor = read_json(processes.directory("dep_secret-0") / STATE)["supervisor"][0]
    assert secret.encode() not in proc(supervisor, "environ")
    for file in processes.directory("dep_secret-0").rglob("*"):
        assert secret.encode() not in file.read_bytes()


async def test_reconcile_asks_for_secrets_that_were_never_written(processes, work):
    spec = sleeper("dep_again-0", work, environment={"TAG": "dep_again-0", "KEY": Secret("one")})
    await processes.start(spec)
    os.kill(read_json(processes.directory("dep_again-0") / STATE)["supervisor"][0], signal.SIGKILL)
    await until(lambda: processes.status("dep_again-0").phase == "lost")
    assert [r.action for r in await processes.reconcile()] == ["blocked"]
    assert [r.action for r in await processes.reconcile(lambda _: {"KEY": Secret("two")})] == ["started"]
    pid = processes.status("dep_again-0").pid
    assert b"KEY=two" in proc(pid, "environ").split(b"\0")


async def test_remove_forgets_the_process_and_is_repeatable(processes, work):
    processes.port("dep_gone-0")
    await processes.start(sleeper("dep_gone-0", work))
    await processes.remove("dep_gone-0", grace=1)
    await processes.remove("dep_gone-0")
    assert tagged("dep_gone-0") == set()
    with pytest.raises(NotFound):
        processes.status("dep_gone-0")
