"""A database with projects and people of the tasks surface, and workers that speak to the ledger by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from quarterdeck.access import Access, grants, seeding
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.identity import setup, users
from quarterdeck.identity.model import User
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.kernel.events import Event
from quarterdeck.kernel.jobs.session import Seat
from quarterdeck.kernel.logs import Logs
from quarterdeck.kernel.principal import Context, current
from quarterdeck.tasks.dispatching import dispatch
from quarterdeck.tasks.dispatching.machines import seated
from quarterdeck.tasks.projects.model import TaskProject
from quarterdeck.tasks.settings import change
from quarterdeck.tasks.work import acting, answering, creating, kind, silence
from quarterdeck.tasks.work.model import Gate, StageRun, Task
from quarterdeck.workspace.model import Project

LANES = ("urgent", "normal", "background")
STAGES = ({"name": "plan", "command": "/plan {description}"}, {"name": "build", "command": "/build {description}"})


@dataclass
class Machine:
    """A worker that is driven by hand. `held` is what it runs, by job: fence and the number of its last report."""

    yard: TaskYard
    row: Worker
    slots: int = 2
    agents: tuple[str, ...] = ("claude",)
    held: dict[int, list[int]] = field(default_factory=dict)
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    connected: bool = True

    @property
    def owner(self) -> str:
        return f"worker:{self.row.uid}"

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset({"tasks", *(f"agent:{agent}" for agent in self.agents)})

    @property
    def seat(self) -> Seat:
        return Seat(self.row.id, self.capabilities, False, self.slots, self.slots - len(self.held), 1, 1)

    def take(self) -> list[int]:
        """Claim what waits for it. Answers the jobs."""
        claimant = jobs.Claimant(
            self.owner, self.capabilities, LANES, self.slots - len(self.held), self.row.id, **self.yard.claiming
        )
        claimed = self.yard.db.write_sync(jobs.claim, claimant)
        for one in claimed:
            self.held[one.job.id] = [one.job.fence, 0]
            self.orders[one.job.id] = msgspec.json.decode(one.order)
        return [one.job.id for one in claimed]

    def say(self, job_id: int, kind: str, data: Any = None) -> Any:
        """One report of a running attempt, and its answer."""
        place = self.held[job_id]
        place[1] += 1
        told = msgspec.to_builtins(data)
        return self.yard.db.write_sync(jobs.record, job_id, place[0], place[1], kind, told, self.owner)

    def again(self, job_id: int, kind: str, data: Any = None) -> Any:
        """The last report once more: its acknowledgement got lost."""
        fence, number = self.held[job_id]
        told = msgspec.to_builtins(data)
        return self.yard.db.write_sync(jobs.record, job_id, fence, number, kind, told, self.owner)

    def beat(self) -> tuple[set[int], set[int]]:
        """Renew what it holds. Answers what is lost to it and what shall stop."""
        places = [(job_id, fence) for job_id, (fence, _) in self.held.items()]
        if not places:
            return set(), set()
        found: tuple[set[int], set[int]] = self.yard.db.write_sync(jobs.heartbeat, places, self.owner)
        return found

    def end(self, job_id: int, state: str = "succeeded", **more: Any) -> Any:
        """Tell the end of an attempt. None where it is nobody's any more."""
        fence, _ = self.held.pop(job_id)
        result = more.pop("result", None)
        outcome = jobs.Outcome(
            state,  # type: ignore[arg-type]
            result=None if result is None else msgspec.json.encode(result).decode(),
            **more,
        )
        report = jobs.Report(job_id, fence, outcome, owner=self.owner)
        return self.yard.db.write_sync(jobs.complete_many, [report])[0]


class TaskYard:
    """`ada` is the first administrator. Verbs act for her unless `by` names somebody else."""

    def __init__(self, database: Database, clock: HeldClock, directory: Path) -> None:
        self.db = database
        self.clock = clock
        self.access = Access()
        self.logs = Logs(directory / "lines.db", clock=clock)
        jobs.kinds.register(kind.kind(self.logs))
        database.write_sync(seeding.seed)
        self.ada, self.organization = database.write_sync(
            setup.create_first_administrator,
            self.access,
            email="ada@example.com",
            username="ada",
            display_name="Ada",
            password_hash="hash",
        )
        self.began: datetime = clock.now()
        self.machines: list[Machine] = []
        self.claiming: dict[str, Any] = {"organization_id": self.organization.id}

    def close(self) -> None:
        self.logs.shut_sync()

    def act(self, verb: Callable[..., Any], *args: Any, by: User | None = None, **more: Any) -> Any:
        token = current.set(self.context(by))
        try:
            return self.db.write_sync(verb, *args, **more)
        finally:
            current.reset(token)

    def context(self, by: User | None = None) -> Context:
        return Context(users.principal(by or self.ada, self.organization.id), "req_1", "cor_1")

    def person(self, name: str, *roles: str, project: TaskProject | None = None, role: str = "tasks:member") -> User:
        """Somebody with roles of the organization, and perhaps one in a project."""

        def verb(tx: Tx) -> User:
            user = users.create(tx, email=f"{name}@example.com", username=name)
            tx.flush()
            for one in roles or ("tasks:developer",):
                grants.give(tx, self.access, user.id, self.organization.id, one)
            if project is not None:
                grants.give(tx, self.access, user.id, self.organization.id, role, project_id=project.project_id)
            return user

        found: User = self.act(verb)
        return found

    def project(self, key: str = "WEB", **fields: Any) -> TaskProject:
        def verb(tx: Tx) -> TaskProject:
            here = self.organization.id
            project = tx.add(
                Project(
                    uid=tx.ids.uid(), ref=tx.ids.ref("prj"), organization_id=here, name=key, slug=key.lower(),
                    created_at=tx.now,
                )
            )  # fmt: skip
            values = {"repo_url": "https://git.example.com/web.git", "pipeline": [dict(one) for one in STAGES]}
            return tx.add(
                TaskProject(
                    uid=tx.ids.uid(), project_id=project.id, organization_id=here, key=key, default_branch="main",
                    merge_requests=True, created_at=tx.now, **{**values, **fields},
                )
            )  # fmt: skip

        found: TaskProject = self.act(verb)
        return found

    def machine(
        self, name: str = "forge", slots: int = 2, agents: tuple[str, ...] = ("claude",), **facts: Any
    ) -> Machine:
        def verb(tx: Tx) -> Worker:
            words = ["tasks", *(f"agent:{agent}" for agent in agents)]
            return tx.add(
                Worker(
                    uid=tx.ids.uid(), organization_id=self.organization.id, name=name, capabilities=words,
                    offered=words, slots=slots, created_at=tx.now, recovery_hash=tx.ids.hex(64), **facts,
                )
            )  # fmt: skip

        made = Machine(self, self.act(verb), slots, agents)
        self.machines.append(made)
        return made

    def settings(self, **values: Any) -> None:
        self.act(change, values)

    def create(self, text: str = "Fix the login", *, by: User | None = None, **more: Any) -> int:
        wanted = creating.Wanted(project_key=more.pop("project", "WEB"), description=text, **more)
        task: Task = self.act(creating.create, self.access, wanted, by=by)
        return task.id

    def dispatch(self) -> list[int]:
        """Give machines to what waits, as the loop does."""
        seats = seated(machine.seat for machine in self.machines if machine.connected)
        given: list[int] = []
        for organization_id in self.db.read_sync(dispatch.waiting):
            given += self.db.write_sync(dispatch.dispatch, organization_id, seats)
        return given

    def look(self) -> None:
        """What time does, as the loop does it."""
        for task_id in self.db.read_sync(silence.due, self.began):
            self.db.write_sync(silence.tend, task_id, self.began)

    def restart(self) -> None:
        """Another process of the server begins."""
        self.began = self.clock.now()
        for task_id in self.db.read_sync(silence.offline):
            self.db.write_sync(silence.give_up, task_id)

    def started(self, machine: Machine, text: str = "Fix the login", **more: Any) -> tuple[int, int]:
        """A task whose first stage runs on a machine: its number and its job."""
        task_id = self.create(text, **more)
        assert task_id in self.dispatch()
        (job_id,) = machine.take()
        machine.say(job_id, "stage", {"index": 0, "status": "running"})
        assert self.task(task_id).status == "running"
        return task_id, job_id

    def cancel(self, task_id: int, by: User | None = None) -> Task:
        return self.act(acting.cancel, self.access, task_id, by=by)

    def retry(self, task_id: int, by: User | None = None, **more: Any) -> Task:
        return self.act(acting.retry, self.access, task_id, by=by, **more)

    def answer(self, task_id: int, by: User | None = None, **given: Any) -> Task:
        return self.act(answering.answer, self.access, task_id, answering.Answer(**given), by=by)

    def task(self, task_id: int) -> Task:
        found = self.db.read_sync(lambda tx: tx.get(Task, task_id))
        assert found is not None
        return found

    def stages(self, task_id: int) -> list[StageRun]:
        query = select(StageRun).where(StageRun.task_id == task_id).order_by(StageRun.position)
        return self.db.read_sync(lambda tx: list(tx.scalars(query)))

    def gates(self, task_id: int) -> list[Gate]:
        query = select(Gate).where(Gate.task_id == task_id).order_by(Gate.id)
        return self.db.read_sync(lambda tx: list(tx.scalars(query)))

    def events(self, task_id: int) -> list[Event]:
        return self.db.read_sync(events.read, f"task:{task_id}")

    def words(self, task_id: int) -> list[str]:
        return [one.type for one in self.events(task_id)]


def gate(index: int = 0, kind: str = "confirm", **more: Any) -> dict[str, Any]:
    return {"index": index, "kind": kind, "prompt": "Go on?", "seconds": 600, **more}
