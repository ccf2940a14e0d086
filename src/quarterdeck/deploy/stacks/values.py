"""A stack as values. Seconds, bytes, cores; paths of the source are relative to it, with `/`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Condition = Literal["service_started", "service_healthy", "service_completed_successfully"]
Restart = Literal["no", "on-failure", "unless-stopped"]


class Build(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`context` is a directory of the source, `dockerfile` a file relative to it."""

    context: str
    dockerfile: str = "Dockerfile"
    args: dict[str, str] = {}
    target: str | None = None


class Mounted(Struct, frozen=True, omit_defaults=True):
    """A named volume of the stack at a path of the container."""

    volume: str
    path: str
    read_only: bool = False


class Copied(Struct, frozen=True):
    """A file or directory of the source that the file mounts read-only: it is copied into an image of the service, so
    that it is there without the source, also after a rollback.
    """

    source: str
    path: str


class Dependency(Struct, frozen=True):
    service: str
    condition: Condition


class HealthTest(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`test` as the engine takes it: `("CMD", …)`, `("CMD-SHELL", text)`, `("NONE",)`, or empty for the image's own."""

    test: tuple[str, ...] = ()
    interval: float | None = None
    timeout: float | None = None
    start_period: float | None = None
    retries: int | None = None


class Service(Struct, frozen=True, omit_defaults=True, kw_only=True):
    name: str
    image: str | None = None
    build: Build | None = None
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    environment: dict[str, str] = {}
    ports: tuple[int, ...] = ()
    """TCP ports of the container that the file publishes or exposes, published ones first."""
    published: bool = False
    """Whether the file publishes any."""
    volumes: tuple[Mounted, ...] = ()
    copies: tuple[Copied, ...] = ()
    tmpfs: tuple[str, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    health: HealthTest | None = None
    restart: Restart = "unless-stopped"
    restart_retries: int = 0
    user: str | None = None
    working_dir: str | None = None
    hostname: str | None = None
    labels: dict[str, str] = {}
    aliases: tuple[str, ...] = ()
    init: bool = False
    read_only: bool = False
    stop_signal: str | None = None
    stop_seconds: int | None = None
    memory: int | None = None
    cpus: float | None = None

    def __repr__(self) -> str:
        return f"Service({self.name})"  # its environment holds secrets


class Stack(Struct, frozen=True, kw_only=True):
    """Services in the order in which they start, without those whose profile is not asked for."""

    file: str
    services: tuple[Service, ...]
    volumes: tuple[str, ...] = ()

    def service(self, name: str) -> Service:
        return next(service for service in self.services if service.name == name)

    def waited_for(self, name: str) -> Condition:
        """The strictest condition that another service sets on this one."""
        asked = {one.condition for service in self.services for one in service.depends_on if one.service == name}
        for condition in ("service_completed_successfully", "service_healthy"):
            if condition in asked:
                return condition
        return "service_started"
