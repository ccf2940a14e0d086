"""`quarterdeck worker`: work for a server, from wherever this machine is.

An idle worker holds little: what runs jobs is imported when the first one comes.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from cyclopts import Parameter, validators

from quarterdeck.cli.failure import Exit, usage
from quarterdeck.cli.profiles import origin

if TYPE_CHECKING:
    from quarterdeck.fleet.edge.edges import Edges
    from quarterdeck.fleet.workers.offering import Saying
    from quarterdeck.infra.execution.machine import Machine
    from quarterdeck.kernel.datadir import DataDirectory
    from quarterdeck.kernel.jobs.handlers import WorkerHandlers, WorkerRun
    from quarterdeck.tasks.workshop import Workshop as TaskWorkshop

TASKS, INFRA, DRIFT, DEPLOY = "tasks", "infra", "infra:drift", "deploy"
KNOWN = ("deploy", "local", "infra", "tasks", "secrets", "runbooks")
WORD = re.compile(r"[a-z0-9][a-z0-9:._-]{0,62}")


def worker(
    *,
    server: str,
    token: str | None = None,
    capability: str | None = None,
    slots: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=64))] = 4,
    name: str | None = None,
    data_dir: Path | None = None,
    log_level: str = "info",
) -> int:
    """Dial in to a server and take jobs. The first SIGTERM finishes what runs, the second one hands it back.

    The first start enrols this machine with the token, and keeps its identity in the data directory; later ones need
    no token.

    quarterdeck worker --server https://deck.example.com --token @/etc/quarterdeck/worker.token
    quarterdeck worker --server https://deck.example.com --token - --capability deploy,infra --slots 8
    quarterdeck worker --server https://deck.example.com

    Parameters
    ----------
    server
        The address of the server.
    token
        The enrolment token, for the first start: @FILE that holds it, or - to read it from stdin.
    capability
        What it does, separated by commas, such as deploy,infra,tasks,secrets,runbooks; infra:drift takes looks for
        drift and no other infrastructure job. Default: what its token is for.
    slots
        How many jobs run at a time.
    name
        What the worker is called. Default: as its token was labelled, or the name of this machine.
    data_dir
        Where its identity, unsent reports and sources on their way are kept; each worker of a machine needs one of its
        own. Default: a directory `worker` in the user's data directory.
    log_level
        debug, info, warning or error.
    """
    capabilities = None if capability is None else asked_for(capability)
    address = origin(server)

    from quarterdeck.fleet.workers import papers
    from quarterdeck.fleet.workers.client import enrolled_for, run_worker
    from quarterdeck.kernel import telemetry
    from quarterdeck.kernel.datadir import DataDirectory
    from quarterdeck.kernel.places import default_data_dir
    from quarterdeck.kernel.vault import Secret

    telemetry.configure(log_level)
    directory = data_dir or default_data_dir() / "worker"
    alone(DataDirectory.open(directory))
    enrolled = papers.load(directory)
    needed = enrolled is None or enrolled.access_token is None
    secret = read_token(token, needed=needed) if token is not None else None

    async def work() -> None:
        token = Secret(secret) if secret else None
        async with Workshop(directory, address) as workshop:
            does = capabilities or await enrolled_for(address, token, directory, name=name, slots=slots) or [DEPLOY]
            offered = {*does, *await workshop.begin(does)} - workshop.unable
            await run_worker(
                address,
                token,
                offered,
                slots,
                directory,
                handlers=workshop,
                name=name,
                saying=workshop.saying,
                departing=workshop.depart,
            )

    asyncio.run(work())
    return int(Exit.DONE)


def asked_for(text: str) -> list[str]:
    """The capabilities in a text. A word that nothing asks for would make a worker that waits for ever."""
    words = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in words if not WORD.fullmatch(part) or part.partition(":")[0] not in KNOWN]
    if wrong or not words:
        raise usage(
            f"{', '.join(wrong) or 'Nothing'} is not a capability; there are {', '.join(KNOWN)}.",
            "--capability deploy,infra",
        )
    return words


def alone(data: DataDirectory) -> None:
    """Hold the directory until the process ends: two workers in it would be one machine, and send each other away.
    Raises `Conflict` (`data_directory_in_use`) that names who holds it.
    """
    from quarterdeck.kernel.errors import Conflict

    try:
        data.lock()
    except Conflict as held:
        process = held.details.get("pid", "unknown")
        raise Conflict(
            f"Another process ({process}) works in {data.path}; the identity in it is that of one worker.",
            code=held.code,
            hint=f"Give this one a directory of its own with --data-dir, or stop process {process}.",
            pid=process,
        ) from None


class Workshop:
    """What runs jobs, opened when it is first asked for."""

    def __init__(self, directory: Path, server: str) -> None:
        self._directory = directory
        self._server = server
        self._edges: Edges | None = None
        self._handlers: WorkerHandlers | None = None
        self._tending: list[asyncio.Task[None]] = []
        self._tasks: TaskWorkshop | None = None
        self.saying: Saying | None = None
        self.unable = frozenset[str]()
        """What it was asked to do and cannot: that is not offered."""

    async def begin(self, capabilities: list[str]) -> frozenset[str]:
        """Look what this machine has for what it is to do. Answers the capabilities that it offers besides."""
        infra = not {INFRA, DRIFT}.isdisjoint(capabilities)
        self._leave_nothing_behind(infra)
        programs = await self._look_for_programs() if infra else frozenset[str]()
        if TASKS not in capabilities:
            return programs
        from quarterdeck.fleet.workers import papers
        from quarterdeck.fleet.workers.offering import Saying
        from quarterdeck.tasks.workshop import Dialled
        from quarterdeck.tasks.workshop import Workshop as TaskWorkshop

        if os.geteuid() == 0:
            self._directory.chmod(0o711)  # agents run as users of their own and have to reach their worktrees

        def credential() -> str | None:
            held = papers.load(self._directory)
            return None if held is None else held.access_token

        self._tasks = TaskWorkshop(self._directory, Dialled(self._server, credential))
        self.saying = Saying(agents=self._tasks.agents, projects=self._tasks.projects)
        return programs | await self._tasks.begin()

    async def _look_for_programs(self) -> frozenset[str]:
        from quarterdeck.infra.execution import programs

        found = await programs.present(os.environ)
        if not found:
            self.unable = frozenset({INFRA, DRIFT})
            sys.stderr.write(
                "This machine has neither OpenTofu (tofu) nor Terraform (terraform) where PATH finds it: it takes no "
                "infrastructure jobs. Install one and start the worker again; none is ever downloaded by itself.\n"
            )
        return programs.words(found)

    def _machine(self) -> Machine:
        from quarterdeck.infra.execution.machine import Machine

        return Machine(self._directory, lambda: self._server)

    def _leave_nothing_behind(self, wanted: bool) -> None:
        """Take away what a worker that was killed has left here of infrastructure jobs."""
        if not wanted or not (self._directory / "infra-work").is_dir():
            return
        from quarterdeck.infra.execution.leftovers import Leftovers

        tend = Leftovers(self._machine()).tend()
        self._tending.append(asyncio.get_running_loop().create_task(tend))

    async def depart(self) -> None:
        """The machine was decommissioned: deal with what tasks have left on it."""
        if self._tasks is not None:
            await self._tasks.depart()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tending:
            task.cancel()
        if self._edges is not None:
            await self._edges.close()

    def find(self, kind: str) -> WorkerRun | None:
        """The handler of a kind of job; called on the worker's loop."""
        if self._handlers is None:
            from quarterdeck.fleet.edge.edges import Edges
            from quarterdeck.instance import handlers_with

            self._edges = Edges(self._directory)
            self._tending.append(asyncio.get_running_loop().create_task(self._edges.connections.tend()))
            self._handlers = handlers_with(self._edges, self._machine())
            if self._tasks is not None:
                self._tasks.register(self._handlers)
        return self._handlers.find(kind)


def read_token(given: str, *, needed: bool = True) -> str | None:
    """Credentials come from a file or stdin, because every user of a machine can read its command lines. Without
    `needed`, a file that is gone is no failure: the token was for the first start.
    """
    if given == "-":
        return sys.stdin.readline().strip()
    if not given.startswith("@"):
        raise usage(
            "--token takes a file or stdin, because every user of this machine can read command lines.",
            "Write the token into a file and give --token @FILE.",
        )
    try:
        text = Path(given[1:]).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        if not needed:
            return None
        raise usage(f"The token cannot be read from {given[1:]} ({error.strerror}).") from None
    if needed and not text:
        raise usage(f"There is no token in {given[1:]}: the file is empty.", "Put an enrolment token into it.")
    return text or None
