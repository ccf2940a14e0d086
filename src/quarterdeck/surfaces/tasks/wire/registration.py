"""What machines say to become workers and to stay it, and what they are answered."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from quarterdeck.fleet.workers.description import MOST_AGENTS, Agent, AgentType, Hardware

Secret = Annotated[str, Meta(max_length=500)]


class WorkerRegisterRequest(Struct, kw_only=True, rename="camel"):
    """`machineId` is a UUID that the machine has drawn and keeps. `capabilities` are types of agents; `agents` says
    more of them.
    """

    token: Secret
    machine_id: Annotated[str, Meta(max_length=64)] | None = None
    name: Annotated[str, Meta(max_length=200)] = ""
    capabilities: Annotated[list[AgentType], Meta(max_length=MOST_AGENTS)] = field(default_factory=list)
    agents: Annotated[list[Agent], Meta(max_length=MOST_AGENTS)] = field(default_factory=list)
    max_slots: Annotated[int, Meta(ge=1, le=1000)] = 2
    worker_version: Annotated[str, Meta(max_length=100)] = ""
    protocol_version: int = 1
    hardware: Hardware = field(default_factory=Hardware)


class WorkerAccess(Struct, kw_only=True, rename="camel"):
    """`token` repeats `workerJwt`."""

    machine_id: str
    worker_jwt: str
    token: str
    expires_at: str


class WorkerAdmitted(WorkerAccess, kw_only=True, rename="camel"):
    """`capabilities` is what the machine was enrolled for: what it may be given, where it offers that."""

    recovery_secret: str
    heartbeat_interval_sec: int
    control_path: str
    server_time: str
    capabilities: list[str]


class WorkerRecover(Struct, kw_only=True, rename="camel"):
    machine_id: Annotated[str, Meta(max_length=64)]
    recovery_secret: Secret


class WorkersHealth(Struct, kw_only=True, rename="camel"):
    """How many workers are connected to the process that answers."""

    status: str
    connected_workers: int
    version: str
