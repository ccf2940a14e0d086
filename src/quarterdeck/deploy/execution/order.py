"""The work order of a deployment: everything that a worker needs, and no database.

It is made at claim time, travels to the worker that claimed the job, and is never stored: it carries unsealed values.
"""

import msgspec

from quarterdeck.fleet.targets.login import LoginOrder
from quarterdeck.kernel.disk import LEAST_FREE


class VariableValue(msgspec.Struct, frozen=True):
    """A variable as it is handed to a build (`build-time`) or a process (`runtime`)."""

    key: str
    value: str
    exposure: str
    secret: bool

    def __repr__(self) -> str:
        return f"VariableValue({self.key}=****)"


class TargetOrder(msgspec.Struct, frozen=True):
    """The host to work on: `local` is the worker's own, where `root` is the target directory and `docker_host` the
    engine's address (None for the default one); `ssh` is one to sign in to, whose directories are found there.
    """

    kind: str
    root: str
    instance: str
    docker_host: str | None = None
    edge_enabled: bool = True
    edge_http_port: int | None = None
    edge_https_port: int | None = None
    ssh: LoginOrder | None = None
    engine_refused: str | None = None
    """The name of a server whose engine is not to be used for anything new."""


class RouteOrder(msgspec.Struct, frozen=True):
    """The public way in: host names that lead to the resource. `id` is the resource's, stable over deployments; `owner`
    its organization's, whose names they are.
    """

    id: str
    owner: str
    hostnames: list[str]
    path_prefix: str = "/"


class Retained(msgspec.Struct, frozen=True):
    """What an earlier attempt packaged and this one starts again without building."""

    deployment: str
    artifact: dict[str, object]
    plan: dict[str, object]


class Serving(msgspec.Struct, frozen=True):
    """The runtime that answers now and is left untouched until the cut-over. `stopped`: it was, and answers nobody."""

    deployment: str
    runtime: dict[str, object]
    route: RouteOrder | None = None
    stopped: bool = False


class Limits(msgspec.Struct, frozen=True):
    """Bounds of a build, of its source and of what runs. Bytes, seconds, cores, tasks; None is no limit. Of the disk
    the share that has to stay free.
    """

    build_memory: int = 2 << 30
    build_cpus: float = 2.0
    build_tasks: int = 2048
    build_seconds: int = 1800
    build_disk: int = 10 << 30
    source_bytes: int = 1 << 30
    source_seconds: int = 600
    run_memory: int | None = None
    run_memory_share: float | None = None
    """Of the memory of the host that runs it, where no amount is set."""
    run_cpus: float | None = None
    least_free_disk: float = LEAST_FREE


class DeploymentOrder(msgspec.Struct, frozen=True):
    """One attempt. Profiles are in the spelling of the contract; `done` holds the results of phases that ended in an
    earlier execution of the same attempt, by phase.
    """

    deployment: str
    number: int
    resource: str
    resource_slug: str
    resource_kind: str
    organization: str
    trigger: str
    target: TargetOrder
    source: dict[str, object]
    runtime: dict[str, object]
    network: dict[str, object] | None
    health: dict[str, object] | None
    route: RouteOrder | None
    variables: list[VariableValue]
    limits: Limits
    retained: Retained | None = None
    serving: Serving | None = None
    done: dict[str, dict[str, object]] = {}
    source_credential: str | None = None
    commit: str | None = None
    """The commit that an earlier execution, or the attempt that is tried again, has found."""
    source_within: list[str] = []
    """Directories, in one of which a source on the host has to lie."""
    build: TargetOrder | None = None
    """Where images are built, if that is not the target; `build_name` is what a person calls it."""
    build_name: str | None = None
    resumed: str | None = None
    """The phase in which an earlier execution of this attempt was interrupted."""
    patient: bool = False
    """Whether the server is waited for when it does not answer from the start: somebody was at work there just now."""

    def __repr__(self) -> str:
        return f"DeploymentOrder({self.deployment})"


class RuntimeOrder(msgspec.Struct, frozen=True):
    """Stop, start, restart or retire what a deployment started. `artifact` is what `clean` and `forget` may remove:
    empty where another deployment still needs it. `serving` is where the route leads while this one is cleaned away.
    """

    operation: str
    deployment: str
    resource: str
    target: TargetOrder
    runtime: dict[str, object]
    grace_seconds: float = 30.0
    route: RouteOrder | None = None
    again: DeploymentOrder | None = None
    """The attempt itself, as if it were given back: what starting a host process anew needs."""
    artifact: dict[str, object] = {}
    serving: Serving | None = None
    in_containers: bool = False
    """Its traces are in an engine: without one nothing can be said to be removed."""

    def __repr__(self) -> str:
        return f"RuntimeOrder({self.operation} {self.deployment})"


class CleanupOrder(msgspec.Struct, frozen=True):
    """Everything that is left of a preview, newest first."""

    orders: list[RuntimeOrder]
