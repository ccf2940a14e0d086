"""What may happen to a server behind SSH, or to who works on it, in the middle of a piece of work; and what has to be
true afterwards.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from e2e.client import Application, Client
from e2e.engine import View
from e2e.repositories import Repository
from e2e.server import Deck
from e2e.truth import content, rows, unfinished_jobs, until
from real.host import Machine
from support.run import ALL

SOME = [("container", "sqlite", "remote"), ("stack", "postgresql", "in-process"), ("process", "sqlite", "in-process")]
PLACES = [*itertools.product(("container", "stack", "process"), ("sqlite", "postgresql"), ("in-process", "remote"))]
PLACES = PLACES if ALL else SOME
"""Parameters of yards; modules whose tests name the same one share it."""
SECONDS = 240
WAYS = ("redeployment", "rollback", "first deployment", "failed redeployment", "restart", "stop and start")
BROKEN = "raise SystemExit(3)\n"
QUICK = {"enabled": True, "type": "http", "intervalSeconds": 1, "timeoutSeconds": 2, "retries": 10,
         "startPeriodSeconds": 5, "http": {"path": "/", "method": "GET", "scheme": "http", "host": "localhost",
                                           "expectedStatusCode": 200}}  # fmt: skip


@dataclass
class Yard:
    """One application on a server behind SSH that things happen to again and again.

    `versions` says what each deployment that succeeded answers, in the order of use; the last one serves.
    """

    name: str
    deck: Deck
    client: Client
    there: Machine
    server: str
    repository: Repository
    shape: dict[str, Any]
    cords: dict[str, Path]
    contained: bool
    version: int = 1
    applications: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    application: Application = field(init=False)

    def begin(self) -> None:
        self.application = self.describe()
        self.versions[self.client.deployed(self.application)] = "1"

    def describe(self) -> Application:
        self.applications += 1
        made = self.client.application(f"app-{self.applications}", self.repository.source(), health=QUICK, **self.shape)
        made.server = self.server
        return made

    @property
    def serving(self) -> str:
        return list(self.versions)[-1]

    def release(self, *, broken: bool = False) -> None:
        file = self.repository.directory / "server.py"
        file.write_text(file.read_text().removeprefix(BROKEN))
        self.version += 1
        self.repository.release(str(self.version))
        if broken:
            self.repository.change({"server.py": BROKEN + file.read_text()})

    def start(self) -> None:
        self.deck.start(server_faults=self.cords["server"], worker_faults=self.cords["worker"])

    def has(self, process: str | None) -> bool:
        """Whether it is a process of its own here."""
        return process == "server" or (process == "worker" and self.deck.remote_worker)

    def passed(self) -> Counter[str]:
        """Points that any process of ours has passed since `forget`."""
        return Counter(
            point
            for cord in self.cords.values()
            for point in ((cord / "trace").read_text() if (cord / "trace").exists() else "").split()
        )

    @contextlib.contextmanager
    def held(self, point: str) -> Iterator[None]:
        """While the block runs, whoever of ours comes to the point stays there."""
        for cord in self.cords.values():
            (cord / "held").write_text(point)
        try:
            yield
        finally:
            for cord in self.cords.values():
                (cord / "held").unlink()

    def forget(self) -> None:
        for cord in self.cords.values():
            (cord / "trace").write_text("")

    def answers(self, deployment: str) -> str:
        return self.answered(self.client.hostname(deployment))

    def answered(self, name: str) -> str:
        """What a visitor gets: the first word of a page, else the status or what went wrong."""
        try:
            answer = httpx.get(f"http://{self.there.address}/", headers={"Host": name}, timeout=5, trust_env=False)
        except httpx.HTTPError as error:
            return type(error).__name__
        return answer.text.split()[0] if answer.status_code == 200 else str(answer.status_code)

    def runs(self, application: Application) -> list[str]:
        """Deployments of an application that something runs of; services of a stack are told by their name."""
        if not self.contained:
            return sorted(
                path.name
                for path in self.there.root.glob("processes/instances/*")
                if application.id.encode() in content(path / "spec.json")
            )
        with View(self.there.docker_host) as engine:
            return sorted(
                one["Labels"].get("quarterdeck.service") or one["Labels"]["quarterdeck.deployment"]
                for one in engine.containers(application.id)
                if one["State"] == "running"
            )

    def serving_containers(self) -> list[str]:
        """Ids of what runs of the version that serves."""
        with View(self.there.docker_host) as engine:
            return sorted(
                one["Id"]
                for one in engine.containers(self.application.id)
                if one["Labels"]["quarterdeck.deployment"] == self.serving and one["State"] == "running"
            )

    def strays(self) -> list[str]:
        """What only work in progress may have there."""
        candidates = [path for path in self.there.root.glob("edge/candidates/*") if content(path)]
        return [str(path) for path in (*self.there.root.glob("deployments/*"), *candidates)]

    def status(self, deployment: str) -> str:
        query = f"SELECT status FROM deploy_deployments WHERE ref = '{deployment}'"
        return str(rows(self.deck, query)[0][0])

    def newest(self, application: Application) -> str | None:
        items = self.client.get("/api/deployments", resourceId=application.id)["items"]
        return str(items[0]["id"]) if items else None

    def check(self, application: Application, serving: str | None, said: str | None) -> None:
        """Exactly `serving` is left of an application, and answers what it says."""
        beside = ["store"] if self.shape.get("kind") == "compose-stack" and serving else []
        wanted = [*([serving] if serving else []), *beside]

        def facts() -> Any:
            answer = self.answers(serving) if serving else None
            return self.runs(application), answer, self.strays(), unfinished_jobs(self.deck)

        goal = (sorted(wanted), said, [], [])
        until(lambda: facts() == goal, lambda: (goal, facts(), self.deck.log("server", 25)), SECONDS)


class Piece:
    """A piece of work on the application. `ends` are the ways in which it may end when nothing fails it."""

    ends = ("succeeded",)

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.application = yard.application
        self.before = yard.newest(yard.application)
        self.prepare()

    def prepare(self) -> None:
        self.yard.release()

    def ask(self) -> None:
        self.yard.client.redeploy(self.application)

    def finish(self, *, may_fail: bool) -> None:
        """Wait for its end, then see that the world is as it says."""
        yard, made = self.yard, self.yard.newest(self.application)
        if made is not None and made != self.before:
            ended = str(yard.client.wait(made, SECONDS)["status"]["current"])
            allowed = {*self.ends, *(("failed", "rolled-back") if may_fail else ())}
            assert ended in allowed, (ended, yard.client.told(made))
            if ended == "succeeded":
                self.succeeded(made)
            else:
                shown = yard.client.show(made)
                assert shown.get("latestFailure"), shown
        self.settled(made)

    def succeeded(self, made: str) -> None:
        self.yard.versions[made] = str(self.yard.version)

    def settled(self, _made: str | None) -> None:
        self.yard.check(self.application, self.yard.serving, self.yard.versions[self.yard.serving])


class Rollback(Piece):
    def prepare(self) -> None:
        others = [made for made in self.yard.versions if made != self.yard.serving]
        self.candidate = others[-1]

    def ask(self) -> None:
        assert self.before is not None
        self.yard.client.rollback(self.before, self.candidate)

    def succeeded(self, made: str) -> None:
        self.yard.versions[made] = self.yard.versions[self.candidate]


class First(Piece):
    """Of another application, which is put away afterwards."""

    def prepare(self) -> None:
        self.yard.release()
        self.application = self.yard.describe()
        self.before = None

    def ask(self) -> None:
        self.yard.client.deploy(self.application)

    def succeeded(self, made: str) -> None:
        pass

    def settled(self, made: str | None) -> None:
        yard = self.yard
        serves = made is not None and yard.status(made) == "succeeded"
        yard.check(self.application, made if serves else None, str(yard.version) if serves else None)
        yard.check(yard.application, yard.serving, yard.versions[yard.serving])
        if serves:
            control(yard, self.application, "stop")
        yard.client.post(f"/api/resources/{self.application.id}/archive")


class Failing(Piece):
    ends = ("failed",)

    def prepare(self) -> None:
        self.yard.release(broken=True)


class Restart(Piece):
    operations: tuple[str, ...] = ("restart",)

    def prepare(self) -> None:
        pass

    def ask(self) -> None:
        for operation in self.operations:
            with contextlib.suppress(AssertionError):  # the one before was given up, or still runs: `finish` sees to it
                control(self.yard, self.application, operation)

    def finish(self, *, may_fail: bool) -> None:
        """What was not carried out is asked for again, as a person would who reads that it failed."""
        yard = self.yard
        until(lambda: not waiting(yard), lambda: waiting(yard), SECONDS)
        for _ in range(3):
            if self.well():
                break
            with contextlib.suppress(AssertionError):  # it runs already, it only does not answer yet
                control(yard, self.application, "start")
        self.settled(None)

    def well(self) -> bool:
        """Whether it answers soon."""
        deadline = time.monotonic() + 15
        while self.yard.answers(self.yard.serving) != self.yard.versions[self.yard.serving]:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True


class StopAndStart(Restart):
    operations = ("stop", "start")


PIECES: dict[str, type[Piece]] = {
    "redeployment": Piece,
    "rollback": Rollback,
    "first deployment": First,
    "failed redeployment": Failing,
    "restart": Restart,
    "stop and start": StopAndStart,
}


def waiting(yard: Yard) -> list[Any]:
    return rows(
        yard.deck, "SELECT operation, status FROM deploy_runtime_controls WHERE status IN ('accepted', 'running')"
    )


def control(yard: Yard, application: Application, operation: str) -> None:
    """Stop, start or restart, to the end."""
    path = f"/api/resources/{application.id}/runtime/{operation}"
    yard.client.post(path, {"resourceId": application.id})
    until(lambda: not waiting(yard), lambda: waiting(yard), SECONDS)


@dataclass(frozen=True)
class Event:
    """`begin` happens at the moment of the schedule, `end` some seconds later. `may_fail`: work may end
    as failed, or as rolled back when requests had been led there already. `dies` names the process of ours that does.
    """

    name: str
    begin: Callable[[Yard], Any]
    end: Callable[[Yard, Any], None]
    seconds: float
    may_fail: bool = False
    dies: str | None = None


def _killed(name: str) -> Event:
    def kill(yard: Yard) -> None:
        process = yard.deck.worker if name == "worker" and yard.deck.worker is not None else yard.deck.server
        assert process is not None
        process.kill()
        yard.deck.await_death("worker" if process is yard.deck.worker else "server", 10)

    return Event(f"the {name} is killed", kill, lambda yard, _: yard.start(), 0.5, dies=name)


def _reboot(yard: Yard) -> None:
    yard.there.off()


CUT = Event("the connection is cut", lambda yard: yard.there.cut(), lambda _yard, _: None, 0)
ENGINE_KILLED = Event(
    "the engine is killed",
    lambda yard: yard.there.kill_engine() if yard.contained else yard.there.cut(),
    lambda yard, _: yard.there.start_engine() if yard.contained else None,
    1,
    may_fail=True,
)
REBOOTED = Event("the server is rebooted", _reboot, lambda yard, _: yard.there.on(), 1, may_fail=True)
SMALL = frozenset({"disk_full"})
"""What the doctor says of the machine for as long as it lives: its disk is small, so that it can be filled."""
EVENTS = (
    _killed("server"),
    _killed("worker"),
    CUT,
    Event("the cable is pulled", lambda yard: yard.there.unplug(), lambda yard, _: yard.there.plug(), 14),
    Event("the network loses much", lambda yard: yard.there.lose(0.2), lambda yard, _: yard.there.lose(0), 10),
    ENGINE_KILLED,
    REBOOTED,
    Event(
        "the disk is full",
        lambda yard: yard.there.fill(),
        lambda _yard, file: file.unlink(),
        4,
        may_fail=True,
    ),
)


@contextlib.contextmanager
def happening(yard: Yard, event: Event, point: str, number: int) -> Iterator[threading.Event]:
    """While the block runs the event happens once `point` was passed so often, if it ever is. What is given tells
    whether it has begun; the block is left when it is over.
    """
    begun, leaving = threading.Event(), threading.Event()
    wrong: list[BaseException] = []

    def watch() -> None:
        try:
            while not leaving.is_set():
                if yard.passed()[point] >= number:
                    begun.set()
                    kept = event.begin(yard)
                    time.sleep(event.seconds)
                    event.end(yard, kept)
                    return
                time.sleep(0.002)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            wrong.append(error)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield begun
    finally:
        leaving.set()
        thread.join(120)
        if wrong:
            raise AssertionError(f"{event.name}: {wrong[0]!r}") from wrong[0]
