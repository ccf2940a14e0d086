"""Which agent programs this machine has."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from dataclasses import dataclass

from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.agents.adapter import Adapter
from quarterdeck.tasks.agents.configuration import Configuration
from quarterdeck.tasks.orders import AgentChoice

SECONDS = 20.0
MOST = 64 << 10
ALWAYS = "agent:custom"
"""Every worker can run a program that a project describes."""


@dataclass(frozen=True, slots=True)
class Found:
    """A program that is there. `version` is None where it would not say."""

    type: str
    path: str
    version: str | None

    @property
    def capability(self) -> str:
        return f"agent:{self.type}"


def locate(adapter: Adapter, path: str | None = None) -> str | None:
    """The path of the first of the adapter's programs that `PATH` has."""
    return next((found for name in adapter.programs if (found := shutil.which(name, path=path))), None)


async def probe(adapter: Adapter, path: str | None = None) -> Found | None:
    """Ask a program for its version. None: it is not there, or is another program of this name."""
    program = locate(adapter, path)
    if program is None:
        return None
    if not adapter.probe:
        return Found(adapter.type, program, None)
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *adapter.probe,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            start_new_session=True,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(SECONDS):
            output = process.stdout
            said = "" if output is None else (await output.read(MOST)).decode(errors="replace")
            status = await process.wait()
    except TimeoutError:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        await process.wait()
    version = adapter.version.search(said)
    return Found(adapter.type, program, version.group() if version else None) if status == 0 else None


async def probe_all(configuration: Configuration, path: str | None = None) -> list[Found]:
    """What is there of the table and of what this worker describes itself, at the same time."""
    adapters = []
    for name in configuration.types():
        with contextlib.suppress(Invalid):  # a `custom` without a program is the project's to describe
            adapters.append(configuration.adapter(AgentChoice(type=name)))
    found = await asyncio.gather(*(probe(one, path) for one in adapters))
    return [one for one in found if one is not None]


def capabilities(found: list[Found]) -> frozenset[str]:
    return frozenset({ALWAYS, *(one.capability for one in found)})
