"""What one language contributes to a plan, before the resource's own commands and ports are applied."""

from __future__ import annotations

from msgspec import Struct

from quarterdeck.deploy.detection.values import Issue
from quarterdeck.deploy.planning.values import ToolRequirement


class Where(Struct, frozen=True):
    """How the start command names its port and address: fixed in a container, from PORT on a host."""

    port: str
    address: str


CONTAINER_ADDRESS = "0.0.0.0"  # noqa: S104 - inside a container only the container's own network can reach it
ON_HOST = Where('"$PORT"', "127.0.0.1")


class Draft(Struct, frozen=True, kw_only=True):
    base_image: str
    runtime_image: str | None = None
    """When set and no explicit command interferes, the result is copied onto this smaller image."""
    setup: tuple[str, ...] = ()
    """Shell lines run as root in the build image before anything is copied."""
    manifests: tuple[str, ...] = ()
    """Files that suffice for `install`; empty means that it needs the whole source."""
    install: str | None = None
    cached_install: str | None = None
    """What replaces `install` while only the manifests are there; then `install` runs again after the source came."""
    extra_install: str | None = None
    """Installs the application server that the start command needs and the project does not list."""
    build: str | None = None
    package: str | None = None
    start: str | None = None
    start_directory: str = "."
    artifacts: tuple[str, ...] = ()
    """Paths copied from the build stage onto the runtime image, beside the source."""
    with_source: bool = False
    environment: dict[str, str] = {}
    build_environment: dict[str, str] = {}
    writable: tuple[str, ...] = ()
    """Directories outside the source that the build user must own."""
    issues: tuple[Issue, ...] = ()
    publish_directory: str | None = None
    host_prepare: str | None = None
    host_install: str | None = None
    host_environment: dict[str, str] = {}
    host_path: tuple[str, ...] = ()
    tools: tuple[ToolRequirement, ...] = ()
