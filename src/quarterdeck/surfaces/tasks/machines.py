"""Machines: what everybody sees, what leads drain, what administrators change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast, get_args

from msgspec import UNSET

from quarterdeck.access import Access
from quarterdeck.fleet.workers import degradation, standing
from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.fleet.workers.model import Worker
from quarterdeck.fleet.workers.standing import Status
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.http.failures import Issue, Malformed
from quarterdeck.surfaces.shared.values import given
from quarterdeck.surfaces.tasks.shapes import at, cut, position
from quarterdeck.surfaces.tasks.wire import machines as wire
from quarterdeck.tasks import machines

VIEW, DRAIN, MANAGE = "tasks:machines.view", "tasks:machines.drain", "tasks:machines.manage"
MISSING = (404, "worker_not_found")
GONE = (409, "worker_decommissioned")
OFFLINE = (409, "machine_offline")
STATUSES = get_args(wire.MachineStatus)


def shape(tx: Tx, worker: Worker) -> wire.Machine:
    """A machine as every answer of this surface shows it."""
    made = worker.hardware
    return wire.Machine(
        id=worker.uid,
        name=worker.name,
        status=machines.status(tx, worker),
        capabilities=sorted({one["type"] for one in worker.agents}),
        agents=[
            wire.MachineAgent(type=one["type"], version=one.get("version"), path=one.get("path"))
            for one in worker.agents
        ],
        degraded=[
            wire.DegradedAgent(agent=one.agent, reason=one.reason, until=at(one.until))
            for one in degradation.degraded(worker, tx.now)
        ],
        max_slots=standing.slots(worker),
        used_slots=worker.used_slots,
        cpu_percent=worker.cpu_percent,
        mem_percent=worker.mem_percent,
        disk_percent=worker.disk_percent,
        load1=worker.load1,
        hardware=wire.MachineHardware(
            cpu_cores=made.get("cpuCores"),
            cpu_model=made.get("cpuModel"),
            memory_mb=made.get("memoryMb"),
            disk_gb=made.get("diskTotalGb"),
            disk_free_gb=made.get("diskFreeGb"),
            os=made.get("os"),
            arch=made.get("arch"),
            hostname=made.get("hostname"),
        ),
        worker_version=worker.version,
        projects_cached=worker.projects,
        drain_reason=worker.drain_reason,
        last_heartbeat_at=at(worker.last_seen_at),
        created_at=wire_time(worker.created_at),
    )


def statuses(words: Iterable[str]) -> list[Status]:
    """Status words of a filter, repeated or with commas, in any case. Raises `Malformed`."""
    found = [word.strip().lower() for said in words for word in said.split(",") if word.strip()]
    for word in found:
        if word not in STATUSES:
            told = f"{word[:40]!r} is no status of a machine: {', '.join(STATUSES)}."
            raise Malformed(Issue("invalid_value", ("status",), told, "query"))
    return [cast("Status", word) for word in found]


def _page(tx: Tx, query: wire.MachinesQuery, *, decommissioned: bool) -> wire.Machines:
    before = position(query)
    found, total = machines.page(
        tx,
        statuses(query.status),
        decommissioned=decommissioned,
        before=before,
        skip=0 if before is not None else (query.page - 1) * query.limit,
        limit=query.limit + 1,
    )
    shown, cursor = cut(found, lambda one: one.id, query)
    return wire.Machines(items=[shape(tx, one) for one in shown], next_cursor=cursor, total=total)


@route("GET", "/api/web/machines", permission=VIEW, errors=((400, "validation_error"), (403, "machines_hidden")))
async def listed(call: Call, query: wire.MachinesQuery, access: Access) -> wire.Machines:
    """The machines that are in service, newest first."""

    def verb(tx: Tx) -> wire.Machines:
        machines.require_visible(tx, access)
        return _page(tx, query, decommissioned=False)

    return await call.read(verb)


@route("GET", "/api/web/machines/{id}", permission=VIEW, errors=(MISSING, (403, "machines_hidden")))
async def show(call: Call, access: Access) -> wire.Machine:
    """One machine, a decommissioned one too."""

    def verb(tx: Tx) -> wire.Machine:
        machines.require_visible(tx, access)
        return shape(tx, machines.find(tx, call.path["id"]))

    return await call.read(verb)


@route("POST", "/api/web/machines/{id}/drain", permission=DRAIN, errors=(MISSING, GONE, OFFLINE))
async def drain(call: Call, body: wire.DrainRequest, workers: WorkerControl) -> wire.Machine:
    """Give a machine no new tasks; those that it has go on."""
    return await _changed(call, workers, lambda tx: machines.drain(tx, call.path["id"], given(body.reason)))


@route("POST", "/api/web/machines/{id}/undrain", permission=DRAIN, errors=(MISSING, GONE))
async def undrain(call: Call, workers: WorkerControl) -> wire.Machine:
    """Give a machine tasks again."""
    return await _changed(call, workers, lambda tx: machines.undrain(tx, call.path["id"]))


@route("GET", "/api/admin/machines", permission=MANAGE, errors=((400, "validation_error"),))
async def all_listed(call: Call, query: wire.AllMachinesQuery) -> wire.Machines:
    """The machines, newest first; with `includeDecommissioned` all that there ever were."""
    return await call.read(_page, query, decommissioned=query.include_decommissioned)


@route(
    "PUT",
    "/api/admin/machines/{id}",
    permission=MANAGE,
    errors=((400, "validation_error"), MISSING, GONE, OFFLINE),
)
async def change(call: Call, body: wire.MachineChange, workers: WorkerControl) -> wire.Machine:
    """Drain a machine or end that, rename it, bound what it is given."""
    status = None
    if body.status is not UNSET:
        status = body.status.strip().lower()
        if status not in {"online", "draining"}:
            raise Malformed(Issue("invalid_value", ("status",), "A machine is set to online or draining."))
    named = {"name": given(body.name), "max_slots": given(body.max_slots)}
    return await _changed(call, workers, lambda tx: machines.change(tx, call.path["id"], status=status, **named))


@route("DELETE", "/api/admin/machines/{id}", permission=MANAGE, errors=(MISSING, (409, "runner_busy")))
async def decommission(call: Call, workers: WorkerControl) -> wire.MachineGone:
    """Send a machine away for good. What it had is queued again or fails; its row stays."""
    worker = await call.write(machines.decommission, call.path["id"])
    await workers.send_away(worker.id)
    return wire.MachineGone(success=True)


async def _changed(call: Call, workers: WorkerControl, verb: object) -> wire.Machine:
    def unit(tx: Tx) -> tuple[Worker, wire.Machine]:
        worker: Worker = verb(tx)  # type: ignore[operator]
        return worker, shape(tx, worker)

    worker, shown = await call.write(unit)
    await workers.follow(worker)
    return shown
