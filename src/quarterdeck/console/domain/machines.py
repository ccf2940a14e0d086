"""What was seen of a machine, as its page shows it."""

from __future__ import annotations

from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.fleet import CapacityView, LeftRow, Looked, LookedAt, SurveyView, lets_in
from quarterdeck.console.words import counted, size
from quarterdeck.fleet.capacity.values import Capacity
from quarterdeck.fleet.edge.edge import EdgeStatus
from quarterdeck.fleet.targets.connectivity import Check, Examined
from quarterdeck.fleet.targets.surroundings import Surroundings
from quarterdeck.fleet.targets.uninstalling import Left

CHECKS = {
    "tcp": "Reached",
    "ssh-handshake": "SSH",
    "host-key": "Host key",
    "authentication": "Signing in",
    "sudo": "Root",
    "architecture": "Architecture",
    "docker-engine": "Docker engine",
    "clock": "Clock",
    "disk": "Disk",
    "sftp": "Files (SFTP)",
    "edge-ports": "Edge ports",
}


def looked(found: Examined, line: str = "") -> Looked:
    """`line` is what belongs into authorized_keys, where that is known."""
    return Looked(
        found.status,
        tuple(_check(check, line) for check in found.checks),
        found.host_key.fingerprint if found.host_key else "",
    )


def _check(check: Check, line: str) -> LookedAt:
    command = check.facts.get("command", "")
    if line and check.facts.get("code") == "ssh_authentication_failed":
        command = lets_in(line)
    message = check.message
    if command and message.endswith(command):  # it stands beside, to be copied
        message = message.removesuffix(command).rstrip().rstrip(":") + ":"
    return LookedAt(
        CHECKS.get(check.name, check.name.replace("-", " ").capitalize()),
        check.status,
        message,
        check.seconds,
        check.facts.get("shownFingerprint", ""),
        command,
        check.status == "passed" and "code" in check.facts,
    )


def capacity(found: Capacity) -> CapacityView:
    bars = [
        (f"Disk {row.mount}", row.use_percent, f"{size(row.available)} free of {size(row.size)}") for row in found.disk
    ]
    bars += [(f"Inodes {row.mount}", row.use_percent, f"{row.free:,} free") for row in found.inodes]
    if found.memory.use_percent is not None:
        bars.append(("Memory", found.memory.use_percent, f"{size(found.memory.available)} free"))
    facts = []
    if found.cpu.load is not None:
        facts.append(Fact("Load", ", ".join(f"{value:g}" for value in found.cpu.load)))
    if found.cpu.logical_cores is not None:
        facts.append(Fact("Processors", str(found.cpu.logical_cores)))
    if not any(warned.code == "docker-unavailable" for warned in found.warnings):
        engine = found.engine
        facts += [
            Fact("Images", f"{size(engine.images)}, {size(engine.reclaimable_images)} unused"),
            Fact("Build cache", f"{size(engine.build_cache)}, {size(engine.reclaimable_build_cache)} unused"),
            Fact("Volumes", size(engine.volumes)),
        ]
    roots = {"runtime": "Releases and work", "state": "All data"}
    facts += [
        Fact(label, size(found.roots[name].size))
        for name, label in roots.items()
        if name in found.roots and found.roots[name].size is not None
    ]
    return CapacityView(tuple(bars), tuple(facts), tuple(warned.message for warned in found.warnings))


def survey(found: Surroundings) -> SurveyView:
    status = found.edge
    facts = []
    if found.engine:
        facts.append(Fact("Containers of ours", f"{found.ours:,}"))
        facts.append(Fact("Containers of others", f"{len(found.neighbours):,} run, {found.further:,} more do not"))
    if found.installations:
        facts.append(Fact("Also used by", counted(found.installations, "other installation")))
    return SurveyView(
        edge=_edge_state(status),
        edge_facts=_edge_facts(status),
        facts=tuple(facts),
        others=tuple((one.name, one.image) for one in found.neighbours),
        problems=tuple(found.problems),
    )


def _edge_state(status: EdgeStatus | None) -> str:
    """As a state of an edge's configuration."""
    if status is None:
        return "unknown"
    if not status.running:
        return "not-configured" if status.generation is None else "not-ready"
    return "applied" if status.loaded else "stale"


def _edge_facts(status: EdgeStatus | None) -> tuple[Fact, ...]:
    if status is None:
        return ()
    facts = [Fact("Runs", f"yes, as process {status.pid}" if status.running else "no")]
    if status.running:
        facts.append(Fact("Version", status.version or "another than the one that Quarterdeck brings"))
    if status.generation:
        facts.append(Fact("Configuration", status.generation, True))
    if status.ports:
        where = f" of {status.ports.address}" if status.ports.address else ""
        facts.append(Fact("Ports", f"{status.ports.http} and {status.ports.https}{where}"))
    facts.append(Fact("Routes", f"{len(status.routes):,}"))
    return tuple(facts)


def left(found: list[Left]) -> tuple[LeftRow, ...]:
    return tuple(LeftRow(one.kind, one.name, one.removed, one.kept or "") for one in found)
