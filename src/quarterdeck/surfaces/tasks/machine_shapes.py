"""Machines as search finds them: `machine_shape` is the one place."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.kernel.clock import wire_time
from quarterdeck.surfaces.tasks.shapes import at
from quarterdeck.surfaces.tasks.wire import machine_shapes as wire
from quarterdeck.tasks.overview.machines import Machine


def machine_shape(rows: Sequence[Machine]) -> list[wire.Machine]:
    return [
        wire.Machine(
            id=one.worker.uid,
            name=one.worker.name,
            status=one.status,
            capabilities=sorted(one.worker.offered or one.worker.capabilities),
            max_slots=one.worker.slots,
            used_slots=one.worker.used_slots,
            worker_version=one.worker.version,
            last_heartbeat_at=at(one.worker.last_seen_at),
            created_at=wire_time(one.worker.created_at),
        )
        for one in rows
    ]
