"""Tunnels of real programs: sign-in, restarts, ends, and nothing left running."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from quarterdeck.tasks.tunnels.adapters import ADAPTERS, Adapter
from quarterdeck.tasks.tunnels.carrying import Carrier
from quarterdeck.tasks.tunnels.handler import Beside
from quarterdeck.tasks.tunnels.orders import Told, TunnelOrder
from quarterdeck.tasks.tunnels.states import MOVES, may_move
from quarterdeck.tasks.workspaces.users import AgentUser

USER = AgentUser(environment={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})


class Reports:
    """Reports in order, and a wait for one."""

    def __init__(self) -> None:
        self.reports = []
        self.news = asyncio.Event()

    async def __call__(self, report) -> None:
        self.reports.append(report)
        self.news.set()

    async def when(self, wanted):
        async with asyncio.timeout(60):
            while not (found := [one for one in self.reports if wanted(one)]):
                self.news.clear()
                await self.news.wait()
        return found[-1]

    @property
    def states(self) -> list[str]:
        return [one.state for one in self.reports]


@pytest.fixture
def told() -> Reports:
    return Reports()


def order(path: Path, kind: str = "built-in", *, start: int = 60, life: int = 600) -> TunnelOrder:
    return TunnelOrder(
        task_id=42, kind=kind, path=str(path), organization="home", project_key="WEB", name="task-42",
        start_seconds=start, life_seconds=life,
    )  # fmt: skip


def program(text: str, **changes) -> dict[str, Adapter]:
    return {"built-in": Adapter(argv=(sys.executable, "-c", text, "{name}", "{data}"), **changes)}


def alive(pid: Path) -> bool:
    return Path(f"/proc/{pid.read_text()}").exists()


async def sign_in(prompt: str) -> None:
    where, _, code = prompt.partition("log into ")[2].partition(" and use code ")
    async with httpx.AsyncClient() as client:
        assert (await client.get(where, params={"code": "WRONG"})).status_code == 404
        assert (await client.get(where, params={"code": code})).json() == {"signedIn": True}


async def test_somebody_signs_in_and_the_tunnel_leads_into_the_worktree_until_it_is_closed(tmp_path, told):
    stop = asyncio.Event()
    carrying = asyncio.create_task(Carrier(order(tmp_path), USER, told, stop).run())
    asked = await told.when(lambda one: one.auth_prompt)
    assert (asked.state, asked.kind, asked.name) == ("STARTING", "built-in", "task-42")
    await sign_in(asked.auth_prompt)
    there = await told.when(lambda one: one.state == "CONNECTED")
    assert (there.auth_prompt, there.error) == (None, None)
    async with httpx.AsyncClient() as client:
        assert (await client.get(there.url)).json() == {"name": "task-42", "directory": str(tmp_path)}
        stop.set()
        assert await asyncio.wait_for(carrying, 60) == "CLOSED"
        with pytest.raises(httpx.ConnectError):
            await client.get(there.url)
    assert told.states == ["STARTING", "STARTING", "CONNECTED", "CLOSING", "CLOSED"]


async def test_a_program_that_crashes_is_started_three_times_again(tmp_path, told):
    crash = program(f"open({str(tmp_path / 'n')!r}, 'a').write('x'); print('no licence'); raise SystemExit(7)")
    carrier = Carrier(order(tmp_path), USER, told, asyncio.Event(), crash, pauses=(0.0, 0.0, 0.0))
    assert await carrier.run() == "FAILED"
    assert (tmp_path / "n").read_text() == "xxxx"
    assert told.states == ["STARTING"] * 4 + ["FAILED"]
    assert told.reports[-1].error == "It ended 4 times, at last with: no licence (7)"
    assert Carrier(order(tmp_path), USER, told, asyncio.Event()).pauses == (2.0, 4.0, 8.0)


async def test_one_that_crashed_once_is_there_again(tmp_path, told):
    mark = tmp_path / "crashed"
    text = (
        f"import pathlib, sys, time; mark = pathlib.Path({str(mark)!r}); again = mark.exists(); mark.touch()\n"
        "print('Open this link in your browser https://x.test/tunnel/a.', flush=True)\n"
        "time.sleep(600) if again else sys.exit(1)"
    )
    stop = asyncio.Event()
    carrier = Carrier(order(tmp_path), USER, told, stop, program(text), pauses=(0.0,))
    carrying = asyncio.create_task(carrier.run())
    await told.when(lambda one: one.state == "CONNECTED" and told.states.count("CONNECTED") == 2)
    assert told.states == ["STARTING", "CONNECTED", "STARTING", "CONNECTED"]
    assert told.reports[-1].url == "https://x.test/tunnel/a"
    stop.set()
    assert await asyncio.wait_for(carrying, 60) == "CLOSED"


async def test_one_that_says_nothing_in_time_fails_and_one_whose_time_is_over_expires(tmp_path, told):
    pid = tmp_path / "pid"
    text = rf"trap '' TERM; echo $$ > {pid}; printf '\033[1mThinking\033[0m\a\n'; sleep 600"
    stubborn = {"built-in": Adapter(argv=("/bin/sh", "-c", text))}
    late = Carrier(order(tmp_path, start=3), USER, told, asyncio.Event(), stubborn, stop_seconds=0.2)
    assert await late.run() == "FAILED"
    assert told.reports[-1].error == "It was not there in time. The program said last: Thinking"
    assert not alive(pid)
    short = Carrier(order(tmp_path, life=2), USER, told, asyncio.Event(), stubborn, stop_seconds=0.2)
    assert await short.run() == "EXPIRED"
    assert not alive(pid)


async def test_entering_a_code_has_a_time_of_its_own(tmp_path, told):
    text = "import time; print('Visit https://x.test and enter the code AB-12', flush=True); time.sleep(600)"
    carrier = Carrier(order(tmp_path, start=30), USER, told, asyncio.Event(), program(text), login_seconds=0.2)
    assert await carrier.run() == "FAILED"
    assert told.reports[1].auth_prompt == "Visit https://x.test and enter the code AB-12"


async def test_what_cannot_be_started_is_told(tmp_path, told):
    missing = {"vscode": Adapter(argv=("no-such-editor", "tunnel"))}
    for kind, said in (("vscode", "has no program no-such-editor"), ("cursor", "knows no tunnel of the kind cursor")):
        assert await Carrier(order(tmp_path, kind), USER, told, asyncio.Event(), missing).run() == "FAILED"
        assert said in told.reports[-1].error
    gone = Carrier(order(tmp_path / "gone"), USER, told, asyncio.Event(), program("pass"))
    assert await gone.run() == "FAILED"
    assert "cannot be started" in told.reports[-1].error


async def test_a_flood_of_lines_does_no_harm(tmp_path, told):
    text = (
        "import sys; sys.stdout.write('x' * 3_000_000 + '\\n'); print('y\\n' * 20_000)\n"
        "print('at https://x.test/tunnel/a', flush=True); sys.stdin.read(); import time; time.sleep(600)"
    )
    stop = asyncio.Event()
    carrying = asyncio.create_task(Carrier(order(tmp_path), USER, told, stop, program(text)).run())
    await told.when(lambda one: one.state == "CONNECTED")
    stop.set()
    assert await asyncio.wait_for(carrying, 60) == "CLOSED"


async def test_the_farewell_is_said_after_the_end(tmp_path, told):
    parted = tmp_path / "parted"
    text = "import time; print('https://x.test/tunnel/a', flush=True); time.sleep(600)"
    adapters = program(text, farewell=(sys.executable, "-c", f"open({str(parted)!r}, 'w')", "{name}"))
    stop = asyncio.Event()
    carrying = asyncio.create_task(Carrier(order(tmp_path), USER, told, stop, adapters).run())
    await told.when(lambda one: one.state == "CONNECTED")
    assert not parted.exists()
    stop.set()
    await asyncio.wait_for(carrying, 60)
    assert parted.exists()


async def test_an_attempt_carries_one_tunnel_and_ends_it_with_itself(tmp_path, told):
    text = "import time; print('https://x.test/tunnel/a', flush=True); time.sleep(600)"
    start = Told(action="start", order=order(tmp_path))
    async with Beside(USER, told, program(text)) as tunnel:
        await tunnel.told(start)
        await tunnel.told(msgspec.to_builtins(start))
        await told.when(lambda one: one.state == "CONNECTED")
        await tunnel.told({"action": "stop"})
        assert told.states == ["STARTING", "CONNECTED", "CLOSING", "CLOSED"]
        await tunnel.told(start)
        await told.when(lambda one: told.states.count("CONNECTED") == 2)
    assert told.states[-1] == "CLOSED"


async def test_a_stop_of_what_is_not_carried_is_told_as_its_end(told):
    async with Beside(USER, told) as tunnel:
        await tunnel.told({"action": "stop"})
        assert told.states == ["CLOSED"]


def test_the_editors_commands_are_values():
    data = Path("/home/agent/.quarterdeck-tunnels/task-42")
    assert ADAPTERS["vscode"].command("task-42", data) == (
        "code", "tunnel", "--cli-data-dir", str(data), "--accept-server-license-terms", "--name", "task-42",
    )  # fmt: skip
    assert ADAPTERS["cursor"].command("task-42", data)[0] == "cursor"
    assert ADAPTERS["vscode"].command("task-42", data, ADAPTERS["vscode"].farewell)[-1] == "unregister"
    line = "To grant access to the server, please log into https://github.com/login/device and use code 1A2B-3C4D"
    microsoft = "To sign in, open the page https://microsoft.com/devicelogin and enter the code X1Y2 to authenticate."
    for said in (line, microsoft):
        assert ADAPTERS["vscode"].prompt.search(said)
    where = ADAPTERS["vscode"].address.search("Open this link in your browser https://vscode.dev/tunnel/task-42/work")
    assert where
    assert where[0] == "https://vscode.dev/tunnel/task-42/work"


def test_the_states_are_those_of_the_contract():
    assert [new for new in MOVES if may_move("IDLE", new)] == ["STARTING"]
    assert all(MOVES[over] == {"STARTING"} for over in ("EXPIRED", "CLOSED", "FAILED"))
    assert not may_move("CLOSING", "CONNECTED")


async def test_a_start_while_the_end_of_the_one_before_is_told_is_not_lost(tmp_path, told):
    """The server hears of an end, and says the next start, before the report of the end has come back."""
    heard = asyncio.Event()

    async def slow(report) -> None:
        await told(report)
        if report.state == "FAILED":
            await heard.wait()

    missing = {"vscode": Adapter(argv=("no-such-editor", "tunnel")), "cursor": Adapter(argv=("sleep", "600"))}
    async with Beside(USER, slow, missing) as tunnel:
        await tunnel.told(msgspec.to_builtins(Told(action="start", order=order(tmp_path, "vscode"))))
        failed = await told.when(lambda one: one.state == "FAILED")
        assert "has no program no-such-editor" in failed.error
        next_one = asyncio.create_task(
            tunnel.told(msgspec.to_builtins(Told(action="start", order=order(tmp_path, "cursor"))))
        )
        await asyncio.sleep(0)
        heard.set()
        await next_one
        await told.when(lambda one: (one.state, one.kind) == ("STARTING", "cursor"))


@pytest.mark.root
async def test_the_built_in_one_runs_as_a_user_who_may_read_nothing_of_ours(tmp_path, told):
    if os.geteuid() != 0:
        pytest.skip("only root runs a program as somebody else")
    number = 709_003

    def run_as(argv):
        return ("setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "--", *argv)

    user = AgentUser(run_as, (number, number), {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"})
    stop = asyncio.Event()
    carrying = asyncio.create_task(Carrier(order(Path("/")), user, told, stop).run())
    asked = await told.when(lambda one: one.auth_prompt or one.error)
    assert (asked.state, asked.error) == ("STARTING", None)
    stop.set()
    assert await asyncio.wait_for(carrying, 60) == "CLOSED"
