"""Containers as values: what we want to run, and the request body that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

RestartPolicy = Literal["no", "on-failure", "unless-stopped", "always"]


@dataclass(frozen=True, slots=True)
class Mount:
    """A named volume (`source` without a slash) or a directory of the host, at `target` in the container."""

    source: str
    target: str
    read_only: bool = False

    def body(self) -> dict[str, Any]:
        kind = "bind" if self.source.startswith("/") else "volume"
        return {"Type": kind, "Source": self.source, "Target": self.target, "ReadOnly": self.read_only}


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container. Defaults are hardened: no new privileges, no published port, bounded logs and processes.

    `image` is best an image id: a tag may move between build and start. A host port is always named by us, because
    one chosen by the engine changes at restart, and is published on loopback unless `host_address` says otherwise.
    """

    image: str
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    internal_port: int | None = None
    host_port: int | None = None
    host_address: str = "127.0.0.1"
    memory_bytes: int | None = None
    cpus: float | None = None
    pids_limit: int | None = 4096
    restart: RestartPolicy = "no"
    restart_retries: int = 0
    healthcheck_disabled: bool = True
    healthcheck: Mapping[str, Any] | None = None
    """As the engine spells it, in the place of the image's own."""
    network: str | None = None
    aliases: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    log_max_bytes: int = 10 * 1024 * 1024
    log_files: int = 3
    init: bool = True
    read_only: bool = False
    cap_drop: tuple[str, ...] = ("NET_RAW", "MKNOD", "AUDIT_WRITE", "SETFCAP")
    no_new_privileges: bool = True
    user: str | None = None
    working_dir: str | None = None
    hostname: str | None = None
    extra_hosts: tuple[str, ...] = ()
    tmpfs: tuple[str, ...] = ()
    stop_signal: str | None = None
    stop_seconds: int | None = None
    tty: bool = False


def create_spec(spec: ContainerSpec) -> dict[str, Any]:
    """The body of `POST /containers/create`. Unset wishes are left out, so that the image's own settings hold."""
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{key}={value}" for key, value in spec.env.items()],
        "Labels": dict(spec.labels),
        "HostConfig": host_config(spec),
    }
    wishes: dict[str, Any] = {
        "Cmd": list(spec.command) if spec.command is not None else None,
        "Entrypoint": list(spec.entrypoint) if spec.entrypoint is not None else None,
        "User": spec.user,
        "WorkingDir": spec.working_dir,
        "Hostname": spec.hostname,
        "StopSignal": spec.stop_signal,
        "StopTimeout": spec.stop_seconds,
        "Tty": spec.tty or None,
        "ExposedPorts": {f"{spec.internal_port}/tcp": {}} if spec.internal_port else None,
        "Healthcheck": {"Test": ["NONE"]} if spec.healthcheck_disabled else spec.healthcheck,
    }
    body |= {key: value for key, value in wishes.items() if value is not None}
    if spec.network is not None:
        endpoint = {"Aliases": list(spec.aliases)} if spec.aliases else {}
        body["NetworkingConfig"] = {"EndpointsConfig": {spec.network: endpoint}}
    return body


def host_config(spec: ContainerSpec) -> dict[str, Any]:
    config: dict[str, Any] = {
        "RestartPolicy": {"Name": spec.restart, "MaximumRetryCount": spec.restart_retries},
        "LogConfig": {
            "Type": "json-file",
            "Config": {"max-size": str(spec.log_max_bytes), "max-file": str(spec.log_files)},
        },
        "Init": spec.init,
        "SecurityOpt": ["no-new-privileges"] if spec.no_new_privileges else [],
        "CapDrop": list(spec.cap_drop),
        "ReadonlyRootfs": spec.read_only,
    }
    wishes: dict[str, Any] = {
        "Memory": spec.memory_bytes,
        "MemorySwap": spec.memory_bytes,  # equal to Memory: no swap on top
        "NanoCpus": round(spec.cpus * 1_000_000_000) if spec.cpus else None,
        "PidsLimit": spec.pids_limit,
        "NetworkMode": spec.network,
        "Mounts": [mount.body() for mount in spec.mounts] or None,
        "ExtraHosts": list(spec.extra_hosts) or None,
        "Tmpfs": dict.fromkeys(spec.tmpfs, "") or None,
    }
    config |= {key: value for key, value in wishes.items() if value is not None}
    if spec.internal_port and spec.host_port:
        published = {"HostIp": spec.host_address, "HostPort": str(spec.host_port)}
        config["PortBindings"] = {f"{spec.internal_port}/tcp": [published]}
    return config
