"""The main job, once from end to end: a server, a git repository, a deployment, an address.

Everything is kept in `.demo` (or QUARTERDECK_DEMO): data, repository, ports, and the administrator's login (0600).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "tests" / "apps" / "flask"
EMAIL = "admin@demo.example"
NAME = "hello"
START_SECONDS = 60
STOP_SECONDS = 30
REVIVE_SECONDS = 30  # within which the server has started again what --stop has ended
NO_ENGINE = "unix:///nonexistent/docker.sock"
LONGEST_DIRECTORY = 75  # the edge's sockets lie below it, and the kernel bounds their paths
QUARTERDECK = [sys.executable, "-c", "import sys; from quarterdeck.cli.main import main; sys.exit(main())"]


def say(text: str) -> None:
    print(f"demo: {text}", flush=True)


class Demo:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.state_file = home / "demo.json"
        self.state: dict[str, Any] = {}
        self.server: subprocess.Popen[bytes] | None = None
        self.without_engine = False  # for this run alone

    def find(self) -> bool:
        """Whether there was a run before."""
        if self.state_file.exists():
            self.state = json.loads(self.state_file.read_text())
        return "password" in self.state

    def open(self) -> None:
        self.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        if "password" not in self.state:
            self.state = {"email": EMAIL, "password": secrets.token_urlsafe(15), "data": str(self._data())}
            self.state |= {name: free_port() for name in ("port", "edge_http_port", "edge_https_port")}
            self.keep()  # before anything is made with this password
            inside = self.home / "data"
            if self.state["data"] != str(inside):
                inside.symlink_to(self.state["data"])  # what the README says of .demo/data holds wherever it lies
        if not free(self.state["port"]):
            self.state["port"] = free_port()  # kept once the server has really started there
        self.find_edge_ports()

    def find_edge_ports(self) -> None:
        """Other ports for those that somebody has taken, unless an application's address names them: then the end."""
        taken = [name for name in ("edge_http_port", "edge_https_port") if not free(self.state[name])]
        if not taken or self.edge_runs():
            return
        if "application" in self.state:
            port = self.state[taken[0]]
            sys.exit(
                f"demo: another program has port {port} of the demo's edge, so {self.state['application']} is not ours."
                f"\ndemo: which one says: ss -ltnp 'sport = :{port}'. End it, then: script/demo"
            )
        self.state |= {name: free_port() for name in taken}

    def edge_runs(self) -> bool:
        from quarterdeck.fleet.edge.edge import Edge

        async def asked() -> bool:
            async with Edge(root) as edge:
                return (await edge.status()).running

        root = Path(self.state["data"]) / "runtime"
        return (root / "edge").exists() and asyncio.run(asked())

    def keep(self) -> None:
        self.state_file.touch(mode=0o600)
        self.state_file.chmod(0o600)
        self.state_file.write_text(json.dumps(self.state, indent=2) + "\n")

    def _data(self) -> Path:
        """In `.demo`, unless host processes of other users or the edge's sockets could not live there."""
        inside = self.home / "data"
        shut = os.geteuid() == 0 and any(
            not parent.stat().st_mode & stat.S_IXOTH for parent in [self.home, *self.home.parents]
        )
        if not shut and len(str(inside)) <= LONGEST_DIRECTORY and not set(str(inside)) & set("{}\n"):
            return inside
        return Path("/var/tmp" if Path("/var/tmp").is_dir() else "/tmp") / f"quarterdeck-demo-{secrets.token_hex(4)}"  # noqa: S108 - a directory of our own there, 0700

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.state['port']}"

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("QUARTERDECK_")}
        kept["XDG_CONFIG_HOME"] = str(self.home / "config")
        if self.without_engine:
            kept["DOCKER_HOST"] = NO_ENGINE
        return kept

    def start(self) -> None:
        state = self.state
        flags = ["--port", str(state["port"]), "--data-dir", state["data"]]
        flags += ["--edge-http-port", str(state["edge_http_port"])]
        flags += ["--edge-https-port", str(state["edge_https_port"])]
        with (self.home / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [*QUARTERDECK, "serve", *flags],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment(), start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200:
                    self.keep()
                    return
            if self.server.poll() is not None or time.monotonic() > deadline:
                tail = (self.home / "server.log").read_text(errors="replace").splitlines()[-12:]
                sys.exit("\n".join([*tail, f"demo: the server did not start; its log is {self.home}/server.log"]))
            time.sleep(0.1)

    def stop(self) -> None:
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            try:
                self.server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()

    def wait(self) -> int:
        """Until the server ends; 0 when it was asked to."""
        assert self.server is not None  # noqa: S101 - started before
        status = self.server.wait()
        if status == 0:
            say("the server has been stopped")
            return 0
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        say(f"the server {how}; applications keep running; its log is {self.home}/server.log. Again: script/demo")
        return 1

    def sign_in(self) -> bool:
        """Create the first administrator, once, and sign the command line in, unless it is. Who has changed the
        password or asks for a second factor signs it in themselves: False, and they have been told how.
        """
        with httpx.Client(base_url=f"{self.url}/api", trust_env=False, timeout=30) as client:
            if client.get("/bootstrap/auth/status").json()["bootstrapRequired"]:
                body = {"email": self.state["email"], "displayName": "Demo", "password": self.state["password"]}
                client.post("/bootstrap/auth/first-admin", json=body).raise_for_status()
        profile = self.url.partition("://")[2]
        if all(self.command(*words).returncode == 0 for words in (("profiles", profile), ("whoami",))):
            return True
        login = ["login", self.url, "--username", self.state["email"]]
        done = self.command(*login, "--password", "-", given=self.state["password"])
        if done.returncode:
            say(f"the command line could not be signed in: {done.stderr.strip()}")
            say("sign it in with the password and the code that hold now, in a second terminal:")
            say(f"  XDG_CONFIG_HOME={self.home / 'config'} {Path(sys.executable).parent / 'qd'} {' '.join(login)}")
        return not done.returncode

    def command(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*QUARTERDECK, *arguments], input=given, capture_output=True, text=True, check=False, env=self.environment()
        )

    def repository(self) -> Path:
        """A git repository with the sample application: yours to change."""
        place = self.home / "repository"
        if not (place / ".git").exists():
            shutil.copytree(SAMPLE, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            # An identity of its own, so that whoever changes it can commit on a machine without one.
            who = (["config", "user.name", "Demo"], ["config", "user.email", EMAIL])
            for arguments in (["init", "--quiet", "-b", "main"], *who, ["add", "."], ["commit", "-qm", "Begin"]):
                subprocess.run(["git", *arguments], cwd=place, check=True)
        return place

    def answers(self, url: str) -> bool:
        """Whether the address answers through the edge, which marks what it passes on with a request id.

        The name is not left to this machine's resolver.
        """
        parts = urlsplit(url)
        with contextlib.suppress(httpx.HTTPError):
            address = f"http://127.0.0.1:{parts.port or 80}{parts.path or '/'}"
            answer = httpx.get(address, headers={"Host": parts.hostname or ""}, trust_env=False, timeout=10)
            return "X-Request-Id" in answer.headers and answer.status_code < 500 and answer.status_code != 404
        return False

    def comes_back(self, url: str) -> bool:
        """Whether the application still answers, or again: the server starts what should run and does not."""
        deadline = time.monotonic() + REVIVE_SECONDS
        while not self.answers(url):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.5)
        return True

    def deploy(self) -> None:
        known = self.state.get("application")
        if known and self.comes_back(known):
            if "engine_failed" in self.state and self.engine_answers():
                self.try_engine_again()
            return
        why = self._deploy()
        if why and self.engine_answers():
            say("the deployment as a container failed (above); trying it as a host process, without the Docker engine")
            self.state["engine_failed"] = why
            self.without_engine = True
            self.stop()
            self.start()
            why = self._deploy() if self.sign_in() else "the command line is not signed in"
        if why:
            self.stop()
            sys.exit(f"demo: the deployment failed: {why}\ndemo: the server's log is {self.home}/server.log")

    def try_engine_again(self) -> None:
        """What was deployed as a host process because the engine's deployment failed."""
        say(f"last time the deployment as a container failed: {self.state['engine_failed']}")
        say("trying it again with the Docker engine")
        why = self._deploy()
        if why:
            say("it failed again (above); the application goes on as a host process")
            self.state["engine_failed"] = why
        else:
            del self.state["engine_failed"]
        self.keep()

    def engine_answers(self) -> bool:
        from quarterdeck.fleet.docker.address import engine_address
        from quarterdeck.fleet.docker.engine import Engine
        from quarterdeck.kernel.errors import Problem

        async def asked() -> None:
            async with await Engine.connect(engine_address(self.environment())):
                pass

        try:
            asyncio.run(asked())
        except Problem:
            return False
        return True

    def _deploy(self) -> str | None:
        """Answers why it failed; None when it has not."""
        locator = f"file://{self.repository()}"
        say(f"deploying {locator}")
        arguments = ["deploy", locator, "--name", NAME, "--project", "demo", "--branch", "main", "--port", "3000"]
        with subprocess.Popen(
            [*QUARTERDECK, *arguments, "-o", "json"],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=self.environment(), text=True,
            process_group=0,  # Ctrl-C is for us: its advice would be to go on at a server that stops
        ) as running:  # fmt: skip
            assert running.stdout is not None  # noqa: S101 - asked for above
            try:
                said = running.stdout.read()
            except KeyboardInterrupt:
                running.terminate()
                raise
        try:
            answer = json.loads(said)
        except ValueError:
            answer = {}
        if running.returncode or answer.get("status") != "succeeded":
            told = (answer.get("error") or {}).get("message")
            return str(told or f"qd deploy ended with status {running.returncode}")
        self.state["application"] = answer["url"]
        self.keep()
        return None

    def tell(self) -> None:
        why = self.state.get("engine_failed")
        runs = f"\n  Runs as       a host process; as a container it failed: {why}" if why else ""
        print(
            f"\n  Application   {self.state.get('application', 'not deployed yet')}"
            f"{runs}"
            f"\n  Console       {self.url}/console/"
            f"\n  Login         {self.state['email']}  {self.state['password']}"
            f"\n  Repository    {self.home / 'repository'}   (change it, commit, deploy again)"
            f"\n\n  Ctrl-C stops the server; applications keep running. script/demo --stop ends everything.\n",
            flush=True,
        )

    def runs(self) -> bool:
        """Whether a server has the data directory."""
        from quarterdeck.kernel.datadir import DataDirectory
        from quarterdeck.kernel.errors import Problem

        data = DataDirectory(Path(self.state["data"]))
        try:
            data.lock()
        except Problem:
            return True
        except OSError:
            return False
        data.release()
        return False

    def end_server(self) -> bool:
        """End the server that has the data directory, whoever started it. Answers whether it is gone."""
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((Path(self.state["data"]) / "lock").read_text().split()[0]), signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.runs():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    async def clear(self) -> None:
        """End what outlives the server: containers, host processes, the edge."""
        from quarterdeck.fleet.docker import containers
        from quarterdeck.fleet.docker.address import engine_address
        from quarterdeck.fleet.docker.engine import Engine
        from quarterdeck.fleet.edge.edge import Edge
        from quarterdeck.fleet.processes.runtime import Processes
        from quarterdeck.kernel.errors import Problem

        root = Path(self.state["data"]) / "runtime"
        if (root / "edge").exists():
            edge = Edge(root)
            await edge.stop()
            await edge.close()
        processes = Processes(root)
        for status in processes.list():
            await processes.remove(status.instance, grace=5)
        with contextlib.suppress(Problem):
            async with await Engine.connect(engine_address(os.environ)) as engine:
                for resource in root.glob("edge/routes/res_*.json"):
                    for found in await containers.listed(engine, {"quarterdeck.resource": resource.stem}):
                        await containers.remove(engine, found.id)


def free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def interrupted(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    demo = Demo(Path(os.environ.get("QUARTERDECK_DEMO", ROOT / ".demo")).absolute())
    before = demo.find()
    if sys.argv[1:] == ["--stop"]:
        if not before:
            say("there is nothing to stop")
            return 0
        if demo.runs():
            say("stopping the server")
            if not demo.end_server():
                say(f"the server does not end; its process is named in {demo.state['data']}/lock")
                return 1
        asyncio.run(demo.clear())
        say("every application and the edge have ended; script/demo starts again what was running")
        return 0
    if before and demo.runs():
        say("already running")
        demo.tell()
        if "application" in demo.state and not demo.answers(demo.state["application"]):
            say(f"but the application does not answer through the demo's edge. See: qd status {NAME}")
        return 0
    demo.open()
    signal.signal(signal.SIGTERM, interrupted)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup script/demo outlives its terminal
        signal.signal(signal.SIGHUP, interrupted)
    try:
        say("starting the server")
        demo.start()
        if demo.sign_in():
            demo.deploy()
        demo.tell()
        return demo.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):  # the terminal may be gone
            print(flush=True)
            say("stopping the server")
        return 0
    finally:
        demo.stop()


if __name__ == "__main__":
    sys.exit(main())
