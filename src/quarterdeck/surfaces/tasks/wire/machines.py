"""Machines and enrolment tokens, as the tasks surface shows and takes them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from quarterdeck.surfaces.tasks.wire.lists import Paging

MachineStatus = Literal["online", "offline", "draining", "decommissioned"]
Word = Annotated[str, Meta(max_length=200)]


class MachinesQuery(Paging, kw_only=True, rename="camel"):
    """`status` may be repeated, or be several words with commas, in any case; `cursor` wins over `page`, which counts
    from 1.
    """

    status: list[Word] = field(default_factory=list)
    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class AllMachinesQuery(MachinesQuery, kw_only=True, rename="camel"):
    include_decommissioned: bool = False


class DegradedAgent(Struct, kw_only=True, rename="camel"):
    """`until` is null where only a restart of the worker ends it."""

    agent: str
    reason: str
    until: str | None


class MachineAgent(Struct, kw_only=True, rename="camel"):
    type: str
    version: str | None
    path: str | None


class MachineHardware(Struct, kw_only=True, rename="camel"):
    """`diskGb` is the size of the disk of the worker's data, `diskFreeGb` what was free when the worker started."""

    cpu_cores: int | None
    cpu_model: str | None
    memory_mb: int | None
    disk_gb: float | None
    disk_free_gb: float | None
    os: str | None
    arch: str | None
    hostname: str | None


class Machine(Struct, kw_only=True, rename="camel"):
    """`capabilities` are the types of agents that it has, `degraded` those among them that are not used now.
    Percentages are as it measured them last. `maxSlots` is what it is given at most: its offer, bounded by an
    administrator.
    """

    id: str
    name: str
    status: MachineStatus
    capabilities: list[str]
    agents: list[MachineAgent]
    degraded: list[DegradedAgent]
    max_slots: int
    used_slots: int
    cpu_percent: float | None
    mem_percent: float | None
    disk_percent: float | None
    load1: float | None
    hardware: MachineHardware
    worker_version: str | None
    projects_cached: list[str]
    drain_reason: str | None
    last_heartbeat_at: str | None
    created_at: str


class Machines(Struct, kw_only=True, rename="camel"):
    items: list[Machine]
    next_cursor: str | None
    total: int


class DrainRequest(Struct, kw_only=True, rename="camel"):
    reason: Annotated[str, Meta(max_length=300)] | UnsetType | None = UNSET


class MachineChange(Struct, kw_only=True, rename="camel"):
    """`status` is `online` or `draining`, in any case."""

    status: Word | UnsetType = UNSET
    name: Word | UnsetType = UNSET
    max_slots: Annotated[int, Meta(ge=0, le=64)] | UnsetType = UNSET


class MachineGone(Struct, kw_only=True, rename="camel"):
    success: bool


class WorkerToken(Struct, kw_only=True, rename="camel"):
    """`createdBy` is null for a token that was made on the server's machine."""

    id: int
    label: str | None
    status: Literal["unused", "used", "revoked", "expired"]
    machine_id: str | None
    created_by: int | None
    created_by_name: str | None
    created_at: str
    used_at: str | None
    expires_at: str | None


class WorkerTokens(Struct, kw_only=True, rename="camel"):
    items: list[WorkerToken]
    next_cursor: str | None
    total: int


class WorkerTokenCreate(Struct, kw_only=True, rename="camel"):
    label: Word | UnsetType | None = UNSET
    expires_in_hours: Annotated[int, Meta(ge=1, le=8760)] | UnsetType | None = UNSET


class NewWorkerToken(WorkerToken, kw_only=True, rename="camel"):
    """`serverUrl` is where machines reach the server, null for one without a public address."""

    token: str
    server_url: str | None


class WorkerTokenStatus(Struct, kw_only=True, rename="camel"):
    id: int
    status: Literal["unused", "used", "revoked", "expired"]
    machine: Machine | None
