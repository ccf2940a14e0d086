"""The kinds of work that a kill interrupts, and what has to be true when it has been taken up again."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.afterwards import runtime_of
from e2e.client import Application, Client
from e2e.repositories import Repository
from e2e.server import Deck
from e2e.truth import edge_configuration_names, route_files, rows, runtimes, settled, unfinished_jobs, until

RECOVERY_SECONDS = 120
QUICK = {"enabled": True, "type": "http", "intervalSeconds": 1, "timeoutSeconds": 1, "retries": 10,
         "startPeriodSeconds": 5, "http": {"path": "/health", "method": "GET", "scheme": "http", "host": "localhost",
                                           "expectedStatusCode": 200}}  # fmt: skip
PROGRAM = "server.py"
BROKEN = "raise SystemExit(3)\n"
NOWHERE = {"kind": "docker-image", "locator": "127.0.0.1:9/none:1", "imageName": "127.0.0.1:9/none", "imageTag": "1"}
"""An image of a registry that nobody runs."""


@dataclass
class Installation:
    """One installation that is killed again and again, and the application that serves all the time.

    `versions` says what each deployment that succeeded answers; `serving` is the last of them.
    """

    deck: Deck
    client: Client
    repository: Repository
    runtime: dict[str, Any]
    cords: dict[str, Path]
    version: int = 1
    serving: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    applications: int = 0
    application: Application = field(init=False)

    def begin(self) -> None:
        self.application = self.describe()
        self.serving = self.client.deployed(self.application)
        self.versions[self.serving] = str(self.version)

    def describe(self, source: dict[str, Any] | None = None) -> Application:
        """A new application: of the repository unless a source is named."""
        self.applications += 1
        name, runtime = f"killed-{self.applications}", self.runtime if source is None else {"strategy": "auto"}
        return self.client.application(name, source or self.repository.source(), runtime=runtime, health=QUICK)

    def start(self) -> None:
        self.deck.start(server_faults=self.cords["server"], worker_faults=self.cords["worker"])

    def release(self, *, broken: bool = False) -> None:
        """The next version in the repository; a broken one ends as soon as it is started."""
        text = (self.repository.directory / PROGRAM).read_text().removeprefix(BROKEN)
        (self.repository.directory / PROGRAM).write_text(text)
        self.version += 1
        self.repository.release(str(self.version))
        if broken:
            self.repository.change({PROGRAM: BROKEN + (self.repository.directory / PROGRAM).read_text()})

    def latest(self, application: Application) -> str | None:
        items = self.client.get("/api/deployments", resourceId=application.id)["items"]
        return str(items[0]["id"]) if items else None

    def ended(self, deployment: str) -> str:
        return str(self.client.wait(deployment, RECOVERY_SECONDS)["status"]["current"])

    def answers(self, deployment: str) -> str:
        return self.client.visit(self.client.hostname(deployment)).text.split()[-1]

    def controlled(self, broken: Callable[[], bool] = lambda: False) -> None:
        """Wait for the end of the last stop or start, whoever takes it up, or until it is `broken` off."""
        query = (
            f"SELECT c.status FROM deploy_runtime_controls c JOIN deploy_resources r ON r.id = c.resource_id "
            f"WHERE r.ref = '{self.application.id}' AND c.status IN ('accepted', 'running')"
        )
        until(lambda: broken() or not rows(self.deck, query), lambda: rows(self.deck, query), RECOVERY_SECONDS)

    def death(self) -> Callable[[], bool]:
        """Answers whether a process has come to the passage that is armed now."""
        armed = [cord / "armed" for cord in self.cords.values() if (cord / "armed").exists()]
        return lambda: not all(one.exists() for one in armed)

    def wanted(self) -> str:
        query = f"SELECT wanted FROM deploy_resources WHERE ref = '{self.application.id}'"
        return str(rows(self.deck, query)[0][0])

    def control(self, operation: str) -> None:
        path = f"/api/resources/{self.application.id}/runtime/{operation}"
        self.client.post(path, {"resourceId": self.application.id})

    def quiet(self) -> bool:
        """Whether nothing is left that could pass a point: no attempt, no follow-up, no stop or start."""
        return not unfinished_jobs(self.deck)

    def check(self) -> None:
        """Exactly what serves serves."""
        settled(self.deck, self.client, self.application, self.serving)
        assert self.answers(self.serving) == self.versions[self.serving]


class Work:
    """`prepare` stands before the passage is armed, `ask` may find the server dead, `finish` comes after its restart
    (or straight after `ask` where nobody died) and asserts how the work has ended.
    """

    def __init__(self, place: Installation) -> None:
        self.place = place
        self.before: str | None = None

    def prepare(self) -> None:
        self.place.release()
        self.before = self.place.latest(self.place.application)

    def ask(self) -> None:
        self.place.client.redeploy(self.place.application)

    def finish(self) -> None:
        made = self.place.latest(self.place.application)
        if made != self.before:  # else it died before anything was committed, and nobody was told otherwise
            assert made is not None
            assert self.place.ended(made) == "succeeded", self.place.client.told(made)
            self.succeeded(made)
        self.place.check()

    def succeeded(self, made: str) -> None:
        self.place.serving = made
        self.place.versions[made] = str(self.place.version)


class Redeployment(Work):
    pass


class Rollback(Work):
    """To the version that served before the one that does."""

    candidate = ""

    def prepare(self) -> None:
        self.before = self.place.latest(self.place.application)
        self.candidate = [made for made in self.place.versions if made != self.place.serving][-1]

    def ask(self) -> None:
        assert self.before is not None
        self.place.client.rollback(self.before, self.candidate)

    def succeeded(self, made: str) -> None:
        self.place.serving = made
        # In the order of use: what was given back is the newest that can be given back again.
        self.place.versions[made] = self.place.versions[self.candidate]


class FailedRedeployment(Work):
    def prepare(self) -> None:
        self.place.release(broken=True)
        self.before = self.place.latest(self.place.application)

    def finish(self) -> None:
        made = self.place.latest(self.place.application)
        assert made == self.before or self.place.ended(str(made)) == "failed"
        self.place.check()


class FirstDeployment(Work):
    """Of a new application beside the one that serves."""

    application: Application

    def prepare(self) -> None:
        self.place.release()
        self.application = self.place.describe()

    def ask(self) -> None:
        self.place.client.deploy(self.application)

    def finish(self) -> None:
        made = self.place.latest(self.application)
        if made is not None:
            assert self.place.ended(made) == "succeeded", self.place.client.told(made)
            assert self.place.answers(made) == str(self.place.version)
        settled(self.place.deck, self.place.client, self.application, made)
        self.place.check()


class FailedFirstDeployment(FirstDeployment):
    """Nothing of it stays, not even its route."""

    def prepare(self) -> None:
        self.place.release(broken=True)
        self.application = self.place.describe()

    def finish(self) -> None:
        place, made = self.place, self.place.latest(self.application)
        if made is not None:
            assert place.ended(made) == "failed"
        settled(place.deck, place.client, self.application, None)
        assert self.application.id not in route_files(place.deck)
        assert made is None or not edge_configuration_names(place.deck, place.client.hostname(made))
        place.check()


class FailedPull(FailedFirstDeployment):
    def prepare(self) -> None:
        self.application = self.place.describe(NOWHERE)


class Restart(Work):
    def prepare(self) -> None:
        pass

    def ask(self) -> None:
        self.place.control("restart")

    def finish(self) -> None:
        self.place.controlled()
        self.place.check()


class StopAndStart(Work):
    """Killed in either half; between them nobody is answered."""

    def prepare(self) -> None:
        pass

    def ask(self) -> None:
        died = self.place.death()
        self.place.control("stop")
        self.place.controlled(died)
        if not died():
            self.start(died)

    def start(self, died: Callable[[], bool]) -> None:
        self.place.control("start")

    def finish(self) -> None:
        place = self.place
        place.controlled()
        if place.wanted() == "stopped":
            host = place.client.hostname(place.serving)
            until(lambda: place.client.visit(host).status_code == 503, lambda: place.client.visit(host).text)
            states = runtimes(place.deck, place.application)
            assert states in ({place.serving: "exited"}, {place.serving: "stopped"})
            place.control("start")
            place.controlled()
        place.check()


class RobbedStart(StopAndStart):
    """A stranger has its port meanwhile, and never answers anybody."""

    def start(self, died: Callable[[], bool]) -> None:
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind(("127.0.0.1", int(runtime_of(self.place.deck, self.place.serving)["host_port"])))
            stranger.listen()
            super().start(died)
            self.place.controlled(died)


class RedeploymentWithoutEdge(Redeployment):
    """The edge has just been killed; whoever comes first starts it again."""

    def ask(self) -> None:
        identity = json.loads((self.place.deck.runtime / "edge" / "caddy.pid").read_text())
        os.kill(identity["pid"], signal.SIGKILL)
        super().ask()


class RouteTaken(Work):
    """A redeployment of an application that shall not be reached by a name any more."""

    application: Application

    def prepare(self) -> None:
        self.place.release()
        self.application = self.place.describe()
        self.before = self.place.client.deployed(self.application)
        profile = {"accessProfile": {"generatedAccessMode": "disabled"}}
        self.place.client.post(f"/api/resources/{self.application.id}/access-profile", profile)

    def ask(self) -> None:
        self.place.client.redeploy(self.application)

    def finish(self) -> None:
        made = self.place.latest(self.application)
        assert made is not None
        assert self.place.ended(made) == "succeeded", self.place.client.told(made)
        settled(self.place.deck, self.place.client, self.application, made)
        assert (self.application.id in route_files(self.place.deck)) == (made == self.before)
        self.place.check()


WORKS: dict[str, type[Work]] = {
    "redeployment": Redeployment,
    "first deployment": FirstDeployment,
    "failed redeployment": FailedRedeployment,
    "rollback": Rollback,
    "restart": Restart,
    "failed first deployment": FailedFirstDeployment,
    "stop and start": StopAndStart,
    "start without its port": RobbedStart,
    "redeployment without the edge": RedeploymentWithoutEdge,
    "redeployment without a route": RouteTaken,
}


def works(place: Installation) -> dict[str, type[Work]]:
    """The kinds of work that an installation can do: without an engine nothing is pulled."""
    return {**WORKS, "failed pull": FailedPull} if place.deck.docker_host else WORKS
