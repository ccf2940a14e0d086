"""What a worker says of itself: its machine at each hello, how it is with each heartbeat. All of it is hearsay."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from quarterdeck.kernel.text import shown

MOST_SLOTS = 64
"""A worker is given at most so many jobs at a time, whatever it offers."""
MOST_AGENTS, MOST_PROJECTS = 50, 1000
AGENT = r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,79}$"
Word = Annotated[str, Meta(max_length=200)]
Size = Annotated[int, Meta(ge=0, le=2**40)]
AgentType = Annotated[str, Meta(pattern=AGENT)]
Projects = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=MOST_PROJECTS)]


class Agent(Struct, kw_only=True, rename="camel", frozen=True):
    """An agent program that is installed: `claude`, `codex`, `cursor`, `gemini`, `custom:…`."""

    type: AgentType
    version: Word | None = None
    path: Annotated[str, Meta(max_length=1000)] | None = None


class Hardware(Struct, kw_only=True, rename="camel", frozen=True):
    """Memory in megabytes, disks in gigabytes, of the disk that holds the worker's data."""

    hostname: Word | None = None
    os: Word | None = None
    arch: Word | None = None
    cpu_model: Word | None = None
    cpu_cores: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    memory_mb: Size | None = None
    disk_total_gb: Annotated[float, Meta(ge=0, le=1e9)] | None = None
    disk_free_gb: Annotated[float, Meta(ge=0, le=1e9)] | None = None


class Ailing(Struct, kw_only=True, rename="camel", frozen=True):
    """An agent that the worker itself knows it cannot run now."""

    agent: AgentType
    reason: Word = ""


class About(Struct, kw_only=True, rename="camel", frozen=True):
    """Of a hello; what is left out stays as it was."""

    agents: Annotated[list[Agent], Meta(max_length=MOST_AGENTS)] | None = None
    hardware: Hardware | None = None
    projects: Projects | None = None


class Condition(Struct, kw_only=True, rename="camel", frozen=True):
    """Of a heartbeat: which projects have a base clone there (by key), which agents do not work."""

    projects: Projects | None = None
    degraded: Annotated[list[Ailing], Meta(max_length=MOST_AGENTS)] | None = None


def plain(value: Any) -> Any:
    """A struct of this page as it is kept: what misleads in its texts is shown as lost."""
    return _clean(msgspec.to_builtins(value))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value, 1000)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return {name: _clean(one) for name, one in value.items()} if isinstance(value, dict) else value


def percent(value: float | None) -> float | None:
    return None if value is None else min(max(float(value), 0.0), 100.0)
