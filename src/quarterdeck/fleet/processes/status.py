"""What is known of a host process, read from its supervisor's record and checked against the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from quarterdeck.fleet.processes.supervisor.identity import Identity, is_alive
from quarterdeck.fleet.processes.supervisor.record import STATE, read_json
from quarterdeck.kernel.clock import instant

Phase = Literal["running", "restarting", "stopping", "stopped", "exited", "gave-up", "lost"]

_PHASES: dict[str, Phase] = {
    "running": "running",
    "backing-off": "restarting",
    "stopping": "stopping",
    "stopped": "stopped",
    "exited": "exited",
    "gave-up": "gave-up",
}
LIVE: frozenset[Phase] = frozenset({"running", "restarting", "stopping"})


@dataclass(frozen=True)
class Exit:
    """One end of the application: an exit code or the signal that ended it."""

    code: int | None
    signal: int | None
    ran_seconds: float
    at: datetime
    out_of_memory: bool


@dataclass(frozen=True)
class ProcessStatus:
    """`lost` means that the record says alive and the supervisor is gone (killed, or the host was restarted).

    `pid` is the application's. `enforced` says how each limit is held: `cgroup`, `rlimit` or `none`.
    """

    instance: str
    phase: Phase
    digest: str
    pid: int | None
    started_at: datetime | None
    restarts: int
    exits: tuple[Exit, ...]
    message: str | None
    port: int | None
    labels: dict[str, str]
    enforced: dict[str, str]

    @property
    def live(self) -> bool:
        """Whether a supervisor still looks after it."""
        return self.phase in LIVE


def identity(value: Any) -> Identity | None:
    return Identity(*value) if value else None


def read_status(directory: Path) -> ProcessStatus | None:
    state = read_json(directory / STATE)
    if state is None:
        return None
    phase = _PHASES.get(str(state.get("phase")), "lost")
    if phase in LIVE and not is_alive(identity(state.get("supervisor"))):
        phase = "lost"
    child = identity(state.get("child"))
    alive = phase in LIVE and is_alive(child)
    return ProcessStatus(
        instance=state["instance"],
        phase=phase,
        digest=state["digest"],
        pid=child.pid if child and alive else None,
        started_at=instant(state["startedAt"]) if state.get("startedAt") else None,
        restarts=state["restarts"],
        exits=tuple(
            Exit(e["code"], e["signal"], e["ranSeconds"], instant(e["at"]), e["outOfMemory"]) for e in state["exits"]
        ),
        message=state.get("message"),
        port=state.get("port"),
        labels=state.get("labels") or {},
        enforced=state.get("enforced") or {},
    )
