"""The containers of a runtime, one or many: how each is, how the worst of them is, and who of them speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from quarterdeck.deploy.observation.observations import Seen, Served
from quarterdeck.deploy.observation.runtime_logs import spoken_by
from quarterdeck.fleet.docker.containers import Listed

REMOVED = Seen("exited", "The container was removed.", lost=True)
WELL = frozenset({"running", "stopped"})
LIFECYCLES = {
    "running": "running",
    "restarting": "restarting",
    "created": "starting",
    "exited": "exited",
    "dead": "exited",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One container. `name` is its service, None for what is no stack; `by` the deployment that started it. `may_end`
    says that it is well when it has ended without an error.
    """

    container: str
    by: str
    number: int
    name: str | None = None
    may_end: bool = False

    @property
    def speaker(self) -> str:
        """What stands in the place of a phase beside its lines."""
        return spoken_by(self.number, self.by, self.name)


def parts(served: Served) -> list[Part]:
    """The containers of a runtime of the kind `container`; of a stack first the one that receives the requests."""
    runtime, services = served.runtime, served.runtime.get("services") or []
    main = Part(str(runtime.get("container")), served.deployment, served.number, runtime.get("target"))
    others = [
        Part(
            str(one["container"]),
            str(one["by"]),
            int(one["number"]),
            str(one["service"]),
            one["policy"]["Name"] != "unless-stopped",
        )
        for one in services
    ]
    return others if services and main.name is None else [main, *others]


def part_seen(part: Part, listed: Mapping[str, Listed], wanted: str) -> Seen:
    """How one container is. `listed` are the containers of the engine by id."""
    row = listed.get(part.container)
    if row is None:
        return REMOVED
    if row.state == "exited" and (wanted == "stopped" or (part.may_end and row.status.startswith("Exited (0)"))):
        return Seen("stopped" if wanted == "stopped" else "running")
    lifecycle = LIFECYCLES.get(row.state, "unknown")
    lost = lifecycle == "exited" and not part.may_end
    return Seen(lifecycle, None if row.state == "running" else row.status, lost=lost)


def worst(found: Sequence[tuple[Part, Seen]]) -> Seen:
    """The state of the whole, naming every service that is not as it should be. Where the one that receives the
    requests runs and another does not, the whole is `degraded`.
    """
    first, seen = found[0]
    if first.name is None:
        return seen
    bad = [one for _, one in found if one.lifecycle not in WELL]
    services = {str(part.name): None if one.lifecycle in WELL else one.message or one.lifecycle for part, one in found}
    if not bad:
        return Seen(seen.lifecycle, services=services)
    told = "; ".join(f"{name}: {wrong}" for name, wrong in services.items() if wrong is not None)
    lost = any(one.lost for one in bad)
    if seen.lifecycle not in WELL:
        return replace(seen, message=told, lost=lost, services=services)
    slow = {one.lifecycle for one in bad} <= {"restarting", "starting"}
    return Seen("restarting" if slow else "degraded", told, lost=lost, services=services)
