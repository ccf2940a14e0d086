"""Control groups of all three kinds of host: version 1, hybrid, and version 2.

A group is made below the one that the supervisor itself is in, so that limits that the host sets on the control plane
hold for what it starts as well.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOME = "quarterdeck"
WANTED = ("memory", "pids", "cpu", "freezer")


@dataclass(frozen=True)
class Mounts:
    """Where each version-1 controller of interest is mounted, and the version-2 tree."""

    first: dict[str, Path]
    unified: Path | None


def parse_mounts(text: str) -> Mounts:
    first: dict[str, Path] = {}
    unified: Path | None = None
    for line in text.splitlines():
        parts = line.split(" ")
        if len(parts) < 4:
            continue
        if parts[2] == "cgroup2":
            unified = Path(parts[1])
        elif parts[2] == "cgroup":
            first.update({name: Path(parts[1]) for name in parts[3].split(",") if name in WANTED})
    return Mounts(first, unified)


def parse_membership(text: str) -> dict[str, str]:
    """/proc/self/cgroup as controller → path; the version-2 tree has the empty name."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            found[name] = path
    return found


@dataclass
class Group:
    """One application's group: a directory per version-1 controller, or one directory of version 2."""

    first: dict[str, Path] = field(default_factory=dict)
    unified: Path | None = None

    @property
    def controllers(self) -> set[str]:
        if self.unified is not None:
            return set(_read(self.unified / "cgroup.controllers").split()) | {"freezer"}
        return set(self.first)

    def directories(self) -> list[Path]:
        return [self.unified] if self.unified is not None else list(self.first.values())

    def dump(self) -> dict[str, Any]:
        return {"first": {k: str(v) for k, v in self.first.items()}, "unified": str(self.unified or "") or None}

    @classmethod
    def load(cls, value: dict[str, Any] | None) -> Group:
        if not value:
            return cls()
        unified = value.get("unified")
        return cls({k: Path(v) for k, v in value.get("first", {}).items()}, Path(unified) if unified else None)

    def enter(self) -> None:
        """Put the calling process into the group; called in the child before it drops its rights."""
        for directory in self.directories():
            (directory / "cgroup.procs").write_text("0")

    def members(self) -> set[int]:
        found: set[int] = set()
        for directory in self.directories():
            found.update(int(pid) for pid in _read(directory / "cgroup.procs").split())
        return found

    def out_of_memory_kills(self) -> int:
        if self.unified is not None:
            return _counter(self.unified / "memory.events", "oom_kill")
        if "memory" in self.first:
            return _counter(self.first["memory"] / "memory.oom_control", "oom_kill")
        return 0

    def kill(self, seconds: float = 10.0) -> bool:
        """End every member, forking ones included; False when some outlived `seconds`."""
        if not self.directories():
            return True
        deadline = time.monotonic() + seconds
        while members := self.members():
            if time.monotonic() > deadline:
                return False
            if self.unified is not None and _write(self.unified / "cgroup.kill", "1"):
                pass
            else:
                self._freeze(frozen=True)
                for pid in self.members() | members:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                self._freeze(frozen=False)
            time.sleep(0.01)
        return True

    def _freeze(self, *, frozen: bool) -> None:
        if self.unified is not None:
            _write(self.unified / "cgroup.freeze", "1" if frozen else "0")
        elif "freezer" in self.first:
            _write(self.first["freezer"] / "freezer.state", "FROZEN" if frozen else "THAWED")

    def remove(self) -> None:
        """Remove the empty group, and the shared home above it when this was the last one."""
        for directory in self.directories():
            for place in (directory, directory.parent):
                if place.name == HOME or place == directory:
                    with contextlib.suppress(OSError):
                        place.rmdir()


def limit_writes(
    controllers: set[str], unified: bool, memory: int | None, cpus: float | None, pids: int | None
) -> list[tuple[str, str, str, bool]]:
    """What to write as (controller, file, value, must succeed), pure."""
    writes: list[tuple[str, str, str, bool]] = []
    if memory and "memory" in controllers:
        if unified:
            writes += [("memory", "memory.max", str(memory), True), ("memory", "memory.swap.max", "0", False)]
            writes += [("memory", "memory.oom.group", "1", False)]
        else:
            writes += [("memory", "memory.limit_in_bytes", str(memory), True)]
            writes += [("memory", "memory.memsw.limit_in_bytes", str(memory), False)]
    if pids and "pids" in controllers:
        writes.append(("pids", "pids.max", str(pids), True))
    if cpus and "cpu" in controllers:
        quota = max(1000, int(cpus * 100_000))
        if unified:
            writes.append(("cpu", "cpu.max", f"{quota} 100000", True))
        else:
            writes += [("cpu", "cpu.cfs_period_us", "100000", True), ("cpu", "cpu.cfs_quota_us", str(quota), True)]
    return writes


def make(name: str, memory: int | None, cpus: float | None, pids: int | None) -> tuple[Group, set[str]]:
    """Make (or take again) the group `name` with its limits; answers it and the controllers that enforce them.

    A host that allows no group gives an empty one: the caller falls back to resource limits.
    """
    mounts = parse_mounts(_read(Path("/proc/mounts")))
    own = parse_membership(_read(Path("/proc/self/cgroup")))
    group = Group()
    for controller, mount in mounts.first.items():
        directory = mount / own.get(controller, "/").lstrip("/") / HOME / name
        with contextlib.suppress(OSError):
            directory.mkdir(parents=True, exist_ok=True)
            group.first[controller] = directory
    if not group.first and mounts.unified is not None:
        group.unified = _make_unified(mounts.unified, own.get("", "/"), name)
    enforced = set()
    for controller, file, value, required in limit_writes(
        group.controllers, group.unified is not None, memory, cpus, pids
    ):
        place = group.unified if group.unified is not None else group.first[controller]
        if _write(place / file, value) and required:
            enforced.add(controller)
    return group, enforced


def _make_unified(mount: Path, own: str, name: str) -> Path | None:
    """Version 2 forbids processes beside sub-groups, so the nearest ancestor is taken that can hand controllers on."""
    place = mount / own.lstrip("/")
    while True:
        home = place / HOME
        try:
            home.mkdir(exist_ok=True)
            for controller in ("memory", "pids", "cpu"):
                _write(place / "cgroup.subtree_control", f"+{controller}")
                _write(home / "cgroup.subtree_control", f"+{controller}")
            if "pids" in _read(home / "cgroup.subtree_control").split():
                (home / name).mkdir(exist_ok=True)
                return home / name
            home.rmdir()
        except OSError:
            pass
        if place == mount:
            return None
        place = place.parent


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _write(path: Path, value: str) -> bool:
    try:
        path.write_text(value, encoding="ascii")
    except OSError:
        return False
    return True


def _counter(path: Path, name: str) -> int:
    for line in _read(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
