"""A server's side of an attempt in memory, which keeps what the Protocol of a job's context promises."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck.fleet.terminals.uplink import Uplink, UplinkEvent
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.jobs import JobContext
from quarterdeck.kernel.jobs.handlers import JobInfo
from quarterdeck.kernel.jobs.refusals import canceled, fenced
from quarterdeck.tasks.agents.configuration import Configuration, Run
from quarterdeck.tasks.orders import (
    AgentChoice,
    DeliveredReport,
    DeliverReport,
    DiffReport,
    FollowUp,
    GateAnswer,
    GateReport,
    MessagesAnswer,
    Person,
    Repository,
    Stage,
    TaskOrder,
    UsageAnswer,
)
from quarterdeck.tasks.running.machine import Machine

FAKE = Path(__file__).parents[2] / "fakes" / "agent" / "program.py"
PATIENCE = 120.0


class Desk:
    """Implements `JobContext`. Gates are answered by what a test says; everything recorded is kept."""

    def __init__(self) -> None:
        self.job = JobInfo(1, Ids().uid(), "task.run", 1, 1, "task:42")
        self.canceled = asyncio.Event()
        self.lost = False
        self.told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.records: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[tuple[str, str]] = []
        self.drained = 0
        self.slow = 0.0
        self.answers: Callable[[GateReport], GateAnswer] = lambda report: GateAnswer(state="open")
        self.messages: list[FollowUp] = []
        self.budget: int | None = None
        self._changed = asyncio.Condition()

    async def record(self, kind: str, data: Any) -> Any:
        self._check()
        built = msgspec.to_builtins(data)
        reply = msgspec.to_builtins(self._reply(kind, built))
        async with self._changed:
            self.records.append((kind, built))
            self._changed.notify_all()
        await asyncio.sleep(0)
        return reply

    def _reply(self, kind: str, data: dict[str, Any]) -> Any:
        if kind in ("gate", "gate-check"):
            return self.answers(msgspec.convert(data, GateReport))
        if kind == "messages":
            return MessagesAnswer(messages=tuple(one for one in self.messages if one.id > data["after"]))
        if kind == "usage":
            return UsageAnswer(spent=self.budget is not None and data["output_tokens"] > self.budget)
        return None

    def log(self, lines, stream="stdout", *, source="", phase=None, level="info") -> None:
        self.lines.extend((stream, line) for line in lines)

    async def drain(self) -> None:
        self.drained += 1
        await asyncio.sleep(self.slow)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._check()

    def read(self, order):
        raise AssertionError("the order is given")

    def _check(self) -> None:
        if self.lost:
            raise fenced(1, 1)
        if self.canceled.is_set():
            raise canceled(1)

    # What tests ask.

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for one, data in self.records if one == kind]

    def text(self, stream: str = "pty") -> str:
        return "\n".join(line for one, line in self.lines if one == stream)

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(condition)

    def stages(self) -> list[tuple[int, str, int]]:
        return [(one["index"], one["status"], one.get("number", 1)) for one in self.of("stage")]


@dataclass
class Tree:
    path: Path
    branch: str
    base_branch: str
    head: str = "a" * 40
    size: int = 0


class Folder:
    """Workspaces without a forge: a directory that belongs to the account."""

    def __init__(self, root: Path, uid: int | None) -> None:
        self.root, self.uid = root, uid
        self.delivered: list[str] = []
        self.compared: list[str | None] = []
        self.left = 0

    async def prepare(self, order, note):
        path = self.root / f"task-{order.task_id}"
        path.mkdir(parents=True, exist_ok=True)
        if self.uid is not None:
            os.chown(path, self.uid, self.uid)
        note("The worktree is there.")
        return Tree(path, order.branch, order.base_branch)

    async def deliver(self, worktree, order, message, may_push):
        await may_push(DeliverReport(branch=worktree.branch, commit="b" * 40))
        self.delivered.append(message)
        return DeliveredReport(branch=worktree.branch, commit="b" * 40, pushed=True)

    async def compare(self, worktree, order, commit=None):
        self.compared.append(commit)
        return DiffReport(base="a" * 40, commit=commit, files_changed=1, insertions=2, patch=f"+{commit}\n")

    async def leave(self, worktree, order):
        self.left += 1


class Wire:
    """An uplink whose other end is the test."""

    def __init__(self) -> None:
        self.shown = bytearray()
        self.inputs: asyncio.Queue[UplinkEvent] = asyncio.Queue()
        self.closed: list[int | None] = []
        self.total = 0

    def output(self, data: bytes) -> None:
        self.total += len(data)
        self.shown += data
        del self.shown[: -(1 << 20)]

    async def events(self):
        while True:
            yield await self.inputs.get()

    async def close(self, code: int | None) -> None:
        self.closed.append(code)


class Bench:
    """A machine with the fake agent, and the folder of its tasks."""

    def __init__(self, directory: Path, **run: Any) -> None:
        self.directory = directory
        self.home = directory / "fake"
        self.home.mkdir()
        self.wire = Wire()
        self.folder = Folder(directory / "trees", None)
        self.machine = Machine(
            directory,
            self._workspaces,
            uplink=self._uplink,
            configuration=Configuration(run=Run(**{"own_user": False, "stop_seconds": 2.0, **run})),
        )

    def _workspaces(self, account) -> Folder:
        self.folder.uid = account.uid
        return self.folder

    async def _uplink(self, context: JobContext, order: TaskOrder) -> Uplink:
        return self.wire

    def custom(self, *flags: str, **more: Any) -> dict[str, Any]:
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
        said = {
            "argv": [python, str(FAKE), "--session", "{session}", *flags],
            "resume": [python, str(FAKE), "--resume", "{session}", *flags],
            "namesSession": True,
            "env": {"FAKE_AGENT_HOME": str(self.home)},
            "readyPattern": "^fake>",
            "readySeconds": 30,
            "settleSeconds": 0.05,
            "confirmSeconds": 0.3,
            "authPatterns": ["Not logged in"],
            "rateLimitPatterns": ["Usage limit reached.*resets (?P<reset>in [^.]+)"],
            "questionPattern": r"^\? ",
        }
        return {name: value for name, value in {**said, **more}.items() if value is not None}

    def told(self, what: str) -> list[Any]:
        path = self.home / "told.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [said[what] for line in lines if what in (said := json.loads(line))]

    def order(self, *stages: Stage, custom: dict[str, Any] | None = None, **more: Any) -> TaskOrder:
        resume = more.pop("resume", None)
        said = {
            "task_id": 42,
            "attempt": 1,
            "organization": "one",
            "project_key": "WEB",
            "description": "Make it blue",
            "pipeline": stages,
            "branch": "overlord/42-make-it-blue",
            "base_branch": "main",
            "repository": Repository(url="https://git.example.com/web.git", default_branch="main"),
            "developer": Person(name="Ada", email="ada@example.com"),
            "agent": AgentChoice(type="custom", custom=custom or self.custom(), resume=resume),
            "stage_seconds": 600,
            "gate_seconds": 60,
        }
        return TaskOrder(**{**said, **more})


def stage(*verbs: str, name: str = "develop", **more: Any) -> Stage:
    """A stage whose command is a list of things for the fake agent to do."""
    return Stage(name=name, command="\n".join(f"do {verb}" for verb in verbs), **more)
