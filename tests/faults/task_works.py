"""The lives of agent tasks that a kill interrupts, and what has to be true when they have been taken up again."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from e2e.agency import Agency
from e2e.client import Refused
from e2e.truth import audit_problems, rows, until
from fakes.forges.gitea import Gitea
from quarterdeck.tasks.running.account import Account
from quarterdeck.tasks.running.machine import Machine
from quarterdeck.tasks.running.worktrees import Workspaces
from real.git_server import git

SECONDS = 240
ENDED = {"completed", "failed", "cancelled"}
QUICK = {"settleSeconds": 0.05, "confirmSeconds": 0.3, "readySeconds": 60}
KILLED = {"worker": "worker_lost", "agent": "agent_exited"}
"""As what an attempt fails whose worker or agent was killed (contract: tasks §3.3); a server's death fails none."""
AGENT, KEEPER = b"fakes/agent/program.py", b"quarterdeck.tasks.running.keeper"
PLACE = Path("team") / "shop.git"


@dataclass
class Yard:
    """An installation whose processes are killed again and again, the forge of its repository, its projects."""

    there: Agency
    forge: Gitea
    keys: dict[str, str] = field(default_factory=dict)
    runs: int = 0

    @property
    def origin(self) -> Path:
        return self.there.home / "served" / PLACE

    def begin(self) -> None:
        home = self.there.home
        self.origin.parent.mkdir()
        git(home, "clone", "--quiet", "--bare", str(home / "source"), str(self.origin))
        git(self.origin, "config", "http.receivepack", "true")
        git(self.origin, "config", "core.logAllRefUpdates", "true")
        for work, kind in WORKS.items():
            self.keys[work] = self.there.project(
                kind.stages, repoUrl=f"{self.there.git_url}/{PLACE}", forge="gitea", forgeUrl=self.forge.url,
                mergeRequests=True, agent=QUICK,
            )  # fmt: skip
            (self.agents(work) / "trace").touch()
            (self.agents(work) / "trace").chmod(0o666)

    def agents(self, work: str) -> Path:
        """Where the agents of a kind of work write down what they were told, and pass their points."""
        return self.there.home / f"fake-{self.keys[work]}"

    def cord(self, work: str, process: str) -> Path:
        return self.agents(work) if process == "agent" else self.there.cords[process]

    def revive(self) -> None:
        """Start again what has died."""
        deck = self.there.deck
        if deck.server is not None and deck.server.poll() is not None:
            deck.server = None
        if deck.server is None:
            deck.start(server_faults=self.there.cords["server"])
        if self.there.worker is not None and self.there.worker.poll() is not None:
            self.there.worker = None
        if self.there.worker is None:
            self.there.start_worker()

    def prompts(self, work: str) -> list[str]:
        path = self.agents(work) / "told.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [said["prompt"] for line in lines if "prompt" in (said := json.loads(line))]

    def leftovers(self, work: str) -> dict[str, object]:
        """What only an attempt that runs may have on its machine."""
        data = self.there.home / "worker"
        assert self.there.worker is not None
        hooks = Path("/tmp").glob(f"{Machine(data, nowhere).hooks}*")
        return {
            "processes": processes_of(self.there),
            "records": [one.name for one in (data / "running").glob("*")],
            "hooks": [one.name for one in hooks],
            "spooled": [one.name for one in (data / "spool").glob("*")],
            "stages": [str(one) for one in (data / "workspaces").glob(f"{self.keys[work].lower()}-*/stages/*")],
        }

    def jobs(self) -> list[tuple[Any, ...]]:
        ended = "'succeeded', 'failed', 'canceled', 'dead-lettered'"
        return rows(self.there.deck, f"SELECT id, state FROM jobs WHERE kind = 'task.run' AND state NOT IN ({ended})")

    def terminals(self) -> list[tuple[Any, ...]]:
        return rows(self.there.deck, "SELECT subject, attempt FROM fleet_terminals WHERE ended_at IS NULL")


def processes_of(there: Agency) -> list[int]:
    """Agents of this installation, and the keepers that its worker has."""
    assert there.worker is not None
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes()
            if AGENT in words and str(there.home).encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
            parent = int((process / "stat").read_text().rpartition(") ")[2].split()[1])
            if KEEPER in words and parent == there.worker.pid:
                found.append(int(process.name))
    return found


def nowhere(_account: Account) -> Workspaces:
    raise AssertionError("only its directory is asked about")


class Life:
    """One task from its creation to its end, carried on by whoever is there, whatever dies meanwhile."""

    stages: list[dict[str, Any]] = [  # noqa: RUF012 - read only
        {"name": "plan", "command": "do say planning {description}\ndo done", "confirm": True},
        {"name": "build", "command": "do say building {description} {choice}\ndo done", "choices": ["red", "blue"]},
    ]
    end = "completed"

    def __init__(self, yard: Yard, work: str) -> None:
        yard.runs += 1
        self.yard, self.work, self.there = yard, work, yard.there
        self.words = f"run {yard.runs} of it"
        self.key = uuid.uuid4().hex
        self.number = 0
        self.killed: str | None = None
        self.retried = 0
        self.before: Counter[str] = Counter()

    def carry(self) -> dict[str, Any]:
        """To the end of the task; raises when there is none."""
        deadline = time.monotonic() + SECONDS
        while True:
            assert time.monotonic() < deadline, f"stuck: {self.told()}"
            try:
                self.yard.revive()
                if not self.number:
                    self.number = self.create()
                task = self.there.task(self.number)
                if task["status"] in ENDED:
                    return task
                self.step(task)
            except httpx.TransportError:
                time.sleep(0.1)
            except Refused as refused:  # what was answered before the server died is not answered again
                if refused.status != 409:
                    raise
            time.sleep(0.05)

    def settle(self, died: Callable[[], bool]) -> None:
        """Until somebody died, or nothing of it is left that could: an attempt goes on for a while after its task."""
        deadline = time.monotonic() + SECONDS
        while not died() and (self.yard.jobs() or any(self.yard.leftovers(self.work).values())):
            assert time.monotonic() < deadline, (self.yard.jobs(), self.yard.leftovers(self.work))
            time.sleep(0.1)

    def create(self) -> int:
        """The same request again makes no second task."""
        body = {"projectKey": self.yard.keys[self.work], "description": self.words}
        http = self.there.client._http
        made = self.there.client._answer(http.post("/api/web/tasks", json=body, headers={"Idempotency-Key": self.key}))
        return int(made["id"])

    def step(self, task: dict[str, Any]) -> None:
        if task["suspendReason"] == "stage_gate":
            result = "confirm" if task["currentStage"] == 0 else "blue"
            self.there.answer(self.number, stageIndex=task["currentStage"], result=result)

    def told(self) -> str:
        try:
            return self.there.told(self.number) if self.number else "no task was made"
        except (AssertionError, httpx.HTTPError) as error:
            return repr(error)

    # Afterwards.

    def finish(self, killed: str | None) -> None:
        """Assert that all is true, whoever was killed."""
        self.killed = killed
        task = self.carry()
        self.require_once(task)
        if task["status"] == "failed" and self.end != "failed":
            assert killed in KILLED, f"a killed {killed} fails no task: {self.told()}"
            assert task["errorCode"] == KILLED[killed], self.told()
            self.there.client.post(f"/api/web/tasks/{self.number}/retry", {})
            self.retried += 1
            self.before = self.executed()
            task = self.carry()
            self.require_once(task)
        assert task["status"] == self.end, self.told()
        assert task["attempt"] == 1 + self.retried, self.told()
        self.check(task)
        nothing: dict[str, object] = {name: [] for name in self.yard.leftovers(self.work)}
        until(lambda: self.yard.leftovers(self.work) == nothing, lambda: self.yard.leftovers(self.work), SECONDS)
        until(lambda: not self.yard.jobs(), self.yard.jobs, SECONDS)
        until(lambda: not self.yard.terminals(), self.yard.terminals, SECONDS)
        assert audit_problems(self.there.deck) == []

    def executed(self) -> Counter[str]:
        """How often the agent was given each stage of this task."""
        found = Counter[str]()
        for prompt in self.yard.prompts(self.work):
            if self.words in prompt:
                found[next(word for word in prompt.split() if word.endswith("ing"))] += 1
        return found

    def require_once(self, task: dict[str, Any]) -> None:
        """No attempt gives the agent the same thing twice."""
        now = self.executed() - self.before
        assert all(count == 1 for count in now.values()), (now, self.told())
        if task["status"] == "completed":
            assert set(now) == {"planning", "building"}, (now, self.told())

    def check(self, task: dict[str, Any]) -> None:
        """It is delivered: one branch, pushed forwards only and once for each attempt, one merge request."""
        branch, origin = task["branch"], self.yard.origin
        assert git(origin, "rev-parse", branch) == task["commitSha"], self.told()
        pushes = git(origin, "reflog", "show", "--format=%H", f"refs/heads/{branch}").splitlines()
        assert 1 <= len(pushes) <= task["attempt"], pushes
        for newer, older in itertools.pairwise(pushes):
            git(origin, "merge-base", "--is-ancestor", older, newer)
        assert git(origin, "rev-parse", "main") == git(self.there.home / "source", "rev-parse", "main")
        requests = [one for one in self.yard.forge.pulls if one["head"]["ref"] == branch]
        assert [one["html_url"] for one in requests] == [task["mrUrl"]], (requests, task)
        assert [one["status"] for one in task["stages"]] == ["completed", "completed"]
        trees = list((self.there.home / "worker" / "workspaces").glob(f"*/tasks/task-{self.number}"))
        assert len(trees) == 1, trees

    def require_not_pushed(self) -> None:
        names = git(self.yard.origin, "for-each-ref", "--format=%(refname:short)").splitlines()
        assert not [one for one in names if one.startswith(f"quarterdeck/{self.number}-")], names


class Cancelled(Life):
    """Somebody cancels it while its agent is at work."""

    stages = [{"name": "plan", "command": "do say planning {description}\ndo hang"}]  # noqa: RUF012
    end = "cancelled"

    def step(self, task: dict[str, Any]) -> None:
        if self.executed()["planning"] > sum(self.before.values()):
            self.there.client.post(f"/api/web/tasks/{self.number}/cancel")

    def require_once(self, task: dict[str, Any]) -> None:
        now = self.executed() - self.before
        assert all(count == 1 for count in now.values()), (now, self.told())

    def check(self, task: dict[str, Any]) -> None:
        self.require_not_pushed()


class Failed(Cancelled):
    """Its agent says that it cannot be done."""

    stages = [{"name": "plan", "command": "do say planning {description}\ndo fail it is too hard"}]  # noqa: RUF012
    end = "failed"

    def step(self, task: dict[str, Any]) -> None:
        pass

    def check(self, task: dict[str, Any]) -> None:
        codes = {"agent_exited", KILLED.get(self.killed or "", "agent_exited")}
        assert task["errorCode"] in codes, self.told()
        self.require_not_pushed()


WORKS: dict[str, type[Life]] = {"delivery": Life, "cancellation": Cancelled, "failure": Failed}
