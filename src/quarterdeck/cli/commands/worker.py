"""`quarterdeck worker`: work for a server, from wherever this machine is."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from quarterdeck.cli.failure import Exit, usage
from quarterdeck.cli.profiles import origin

WORD = re.compile(r"[a-z0-9][a-z0-9:._-]{0,62}")


def worker(
    *,
    server: str,
    token: str,
    capability: str = "deploy",
    slots: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=64))] = 4,
    name: str | None = None,
    data_dir: Path | None = None,
    log_level: str = "info",
) -> int:
    """Dial in to a server and take jobs. The first SIGTERM finishes what runs, the second one hands it back.

    quarterdeck worker --server https://deck.example.com --token @/etc/quarterdeck/worker.token
    quarterdeck worker --server https://deck.example.com --token - --capability deploy,infra --slots 8

    Parameters
    ----------
    server
        The address of the server.
    token
        The worker's token: @FILE that holds it, or - to read it from stdin.
    capability
        What it does, separated by commas, such as deploy,infra,tasks,secrets,runbooks.
    slots
        How many jobs run at a time.
    name
        What the worker is called. Default: the name of this machine.
    data_dir
        Where unsent reports and sources on their way are kept. Default: a directory `worker` in the user's data
        directory.
    log_level
        debug, info, warning or error.
    """
    capabilities = [part.strip() for part in capability.split(",") if part.strip()]
    wrong = [part for part in capabilities if not WORD.fullmatch(part)]
    if wrong or not capabilities:
        raise usage(f"{', '.join(wrong) or 'Nothing'} is not a capability.", "--capability deploy,infra")
    address, secret = origin(server), read_token(token)

    from quarterdeck.fleet.edge.edges import Edges
    from quarterdeck.fleet.workers.client import run_worker
    from quarterdeck.instance import handlers_with
    from quarterdeck.kernel import telemetry
    from quarterdeck.kernel.settings import default_data_dir
    from quarterdeck.kernel.vault import Secret

    telemetry.configure(log_level)
    directory = data_dir or default_data_dir() / "worker"
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def work() -> None:
        async with Edges(directory) as edges:
            tending = asyncio.create_task(edges.connections.tend())
            handlers = handlers_with(edges)
            try:
                await run_worker(address, Secret(secret), capabilities, slots, directory, handlers=handlers, name=name)
            finally:
                tending.cancel()

    asyncio.run(work())
    return int(Exit.DONE)


def read_token(given: str) -> str:
    """Credentials come from a file or stdin, because every user of a machine can read its command lines."""
    if given == "-":
        return sys.stdin.readline().strip()
    if not given.startswith("@"):
        raise usage(
            "--token takes a file or stdin, because every user of this machine can read command lines.",
            "Write the token into a file and give --token @FILE.",
        )
    try:
        return Path(given[1:]).expanduser().read_text(encoding="utf-8").strip()
    except OSError as error:
        raise usage(f"The token cannot be read from {given[1:]} ({error.strerror}).") from None
