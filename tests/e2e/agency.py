"""An installation with one machine that runs agents: a server, `qd worker` or the server's own machine, a git server,
and the scripted agent.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from e2e.client import Client, signed_in
from e2e.server import PROGRAM, Deck, deck, environment
from real.git_server import git, repository, running

TOKEN = "s3cr3t-t0ken"
AGENT = Path(__file__).parents[1] / "fakes" / "agent" / "program.py"
SECONDS = 180
STAGES = [
    {"name": "plan", "command": "do say planning {description}\ndo done", "confirm": True, "timeout": 60},
    {"name": "build", "command": "do say colour {choice}\ndo done", "choices": ["red", "blue"], "timeout": 60},
    {"name": "name", "command": "do say called {input}\ndo done", "input": True, "timeout": 60},
]


@dataclass
class Agency:
    deck: Deck
    client: Client
    home: Path
    git_url: str
    own: bool = False
    """Whether agents run on the server's own machine, in its process."""
    worker: subprocess.Popen[bytes] | None = None
    token: str = ""
    keys: int = 0
    cords: dict[str, Path] = field(default_factory=dict)
    """Directories of the points (`kernel.faults`) of `server` and `worker`."""
    slots: int = 2
    within: tuple[str, ...] = ()
    """The command that runs the worker elsewhere, such as in a network namespace."""
    dialled: str = "127.0.0.1"
    """The address of this machine as the worker sees it."""

    @property
    def origin(self) -> Path:
        return self.home / "served" / "shop.git"

    def start_worker(self) -> None:
        """`qd worker`, enrolled at its first start by a token that an administrator has made; or the server."""
        if self.own:
            if self.deck.server is None:
                self.deck.start()
                self.client.sign_in()
            self.await_machine()
            return
        file = self.home / "worker-token"
        if not self.token:
            self.token = self.client.post("/api/admin/worker-tokens", {"label": "forge"})["token"]
            file.touch(mode=0o600)
            file.write_text(self.token)
        data = self.home / "worker"
        arguments = [
            "worker",
            "--server",
            f"http://{self.dialled}:{self.deck.port}",
            "--token",
            f"@{file}",
            "--capability",
            "tasks",
        ]
        arguments += ["--slots", str(self.slots), "--name", "forge", "--data-dir", str(data)]
        with (self.home / "worker.log").open("ab") as output:
            self.worker = subprocess.Popen(
                [*self.within, *PROGRAM, *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment(None, **({"QUARTERDECK_FAULTS": str(self.cords["worker"])} if self.cords else {})),
                cwd=self.home,
                start_new_session=True,
            )
        self.await_machine()

    def await_machine(self) -> None:
        self.until(lambda: [one for one in self.machines_now() if one["status"] == "online"], "a machine online")

    @property
    def log(self) -> Path:
        """Where the worker says what it does."""
        return self.deck.data.parent / "server.log" if self.own else self.home / "worker.log"

    def kill_worker(self) -> None:
        if self.own:
            self.deck.stop(graceful=False)
            return
        assert self.worker is not None
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()
        self.worker = None

    def machines_now(self) -> list[dict[str, Any]]:
        return self.client.get("/api/web/machines")["items"]

    def project(self, stages: list[dict[str, Any]] | None = None, **more: Any) -> str:
        self.keys += 1
        key = f"WEB{self.keys}"
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
        fake = self.home / f"fake-{key}"  # agents run as a user of their own for each project
        fake.mkdir()
        fake.chmod(0o777)
        agent = {
            "argv": [python, str(AGENT), "--session", "{session}"],
            "resume": [python, str(AGENT), "--resume", "{session}"],
            "namesSession": True,
            "env": {"FAKE_AGENT_HOME": str(fake)},
            "readyPattern": "fake>",
        }
        body = {
            "key": key, "name": f"Shop {self.keys}", "repoUrl": f"{self.git_url}/shop.git", "agentType": "custom",
            "customAgent": {**agent, **more.pop("agent", {})}, "pipeline": stages or STAGES, "mergeRequests": False,
            "setupCommand": "date > made.txt", **more,
        }  # fmt: skip
        self.client.post("/api/admin/projects", body)
        self.put(f"/api/web/projects/{key}/git-token", {"token": TOKEN})
        return key

    def put(self, path: str, body: Any) -> Any:
        return self.client._answer(self.client._http.put(path, json=body))

    def create(self, key: str, description: str = "the page", **more: Any) -> int:
        made = self.client.post("/api/web/tasks", {"projectKey": key, "description": description, **more})
        return int(made["id"])

    def task(self, number: int) -> dict[str, Any]:
        return self.client.get(f"/api/web/tasks/{number}")

    def await_task(self, number: int, *statuses: str, reason: str | None = None, stage: int | None = None) -> Any:
        def stands() -> Any:
            task = self.task(number)
            right = task["status"] in statuses and (reason is None or task["suspendReason"] == reason)
            return task if right and (stage is None or task["currentStage"] == stage) else None

        return self.until(stands, f"task {number} {statuses} {reason or ''}", lambda: self.told(number))

    def answer(self, number: int, **body: Any) -> Any:
        return self.client.post(f"/api/web/tasks/{number}/confirm-stage", body)

    def events(self, number: int) -> list[dict[str, Any]]:
        return self.client.get(f"/api/web/tasks/{number}/events", limit=100)["items"]

    def lines(self, number: int) -> str:
        return "\n".join(one["text"] for one in self.client.get(f"/api/web/tasks/{number}/logs", limit=1000)["items"])

    def told(self, number: int) -> str:
        events = "\n".join(f"{one['type']} {one['message']}" for one in self.events(number)[-20:])
        log = self.log.read_text(errors="replace")[-3000:]
        task = self.task(number)
        facts = {name: task[name] for name in ("status", "suspendReason", "queuedReason", "errorCode", "errorMessage")}
        return f"{facts}\n{events}\n{self.lines(number)[-1500:]}\n{log}"

    def until(self, condition: Callable[[], Any], what: str, more: Callable[[], str] = str) -> Any:
        deadline = time.monotonic() + SECONDS
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {SECONDS} s: {what}\n{more()}")
            time.sleep(0.1)
        return found

    def qd(self, *words: str) -> str:
        """The command line, as the same administrator."""
        bearer = str(self.client._http.headers["Authorization"]).removeprefix("Bearer ")
        made = {"QUARTERDECK_URL": self.deck.url, "QUARTERDECK_TOKEN": bearer, "HOME": str(self.home)}
        done = subprocess.run(
            [*PROGRAM, *words], env=environment(None, **made), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"qd {' '.join(words)}: {done.returncode} {done.stdout} {done.stderr}"
        return done.stdout


@contextlib.contextmanager
def agency(
    place: Path,
    database_url: str | None,
    cords: dict[str, Path] | None = None,
    *,
    own: bool = False,
    **options: Any,
) -> Iterator[Agency]:
    """`options` are fields of `Agency`."""
    host = "127.0.0.1" if "dialled" not in options else "0.0.0.0"  # noqa: S104 - both sides of a cable
    home = Path(tempfile.mkdtemp(prefix="agency-", dir=place))  # of one module there may be one after the other
    home.chmod(0o711)
    repository(home / "source", {"app.py": "print('one')\n"})
    served = home / "served"
    served.mkdir()
    git(home, "clone", "--quiet", "--bare", str(home / "source"), str(served / "shop.git"))
    git(served / "shop.git", "config", "http.receivepack", "true")
    with (
        running(served, "x-access-token", TOKEN, host=host) as server,
        deck(
            home / "deck",
            database_url=database_url,
            host=host,
            server_faults=(cords or {}).get("server"),
            flags=["--agents"] if own else [],
        ) as made,
        signed_in(made) as client,
    ):
        url = f"http://{options.get('dialled', host)}:{server.server_address[1]}"
        agency = Agency(made, client, home, url, own, cords=cords or {}, **options)
        try:
            # A machine that tests share with the server is busy, and its agent fails on purpose.
            agency.put("/api/admin/settings", {"loadThresholdPercent": 100, "degradeAfterFailures": 100})
            agency.start_worker()
            yield agency
        finally:
            if agency.worker is not None:
                agency.kill_worker()
