"""What was measured on a machine, as values. Sizes are bytes."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Disk:
    path: str
    mount: str
    size: int
    used: int
    available: int
    use_percent: float


@dataclass(frozen=True, slots=True)
class Inodes:
    path: str
    mount: str
    used: int
    free: int
    use_percent: float


@dataclass(frozen=True, slots=True)
class Memory:
    total: int | None = None
    available: int | None = None

    @property
    def used(self) -> int | None:
        return None if self.total is None or self.available is None else self.total - self.available

    @property
    def use_percent(self) -> float | None:
        return None if not self.total or self.used is None else round(100 * self.used / self.total, 1)


@dataclass(frozen=True, slots=True)
class Cpu:
    logical_cores: int | None = None
    load: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container that carries our labels."""

    id: str
    name: str
    running: bool
    status: str
    writable_bytes: int | None
    deployment: str | None
    resource: str | None


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine keeps on its disk. `dangling` are images without a name that nothing uses."""

    images: int = 0
    reclaimable_images: int = 0
    dangling: int = 0
    build_cache: int = 0
    reclaimable_build_cache: int = 0
    containers: int = 0
    volumes: int = 0
    ours: tuple[Container, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """`size` None: there is no such directory, or it could not be measured in time."""

    path: str
    size: int | None = None
    exists: bool = False


@dataclass(frozen=True, slots=True)
class Workspace:
    deployment: str
    path: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Warned:
    code: str
    message: str
    path: str | None = None
    mount: str | None = None
    resource: str | None = None


@dataclass(slots=True)
class Capacity:
    disk: list[Disk] = field(default_factory=list)
    inodes: list[Inodes] = field(default_factory=list)
    engine: Engine = field(default_factory=Engine)
    memory: Memory = field(default_factory=Memory)
    cpu: Cpu = field(default_factory=Cpu)
    roots: dict[str, Directory] = field(default_factory=dict)
    workspaces: list[Workspace] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    partial: bool = False
