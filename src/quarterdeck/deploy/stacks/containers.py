"""Services as containers: names, networks, volumes, and the definition by which an unchanged one is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.deploy.stacks.values import HealthTest, Service
from quarterdeck.fleet.docker.specs import ContainerSpec, Mount, create_spec

SERVICE = "quarterdeck.service"
ATTEMPT = "quarterdeck.attempt"
DEFINITION = "quarterdeck.definition"
"""Marks of the containers of a stack, but for the one that receives the requests: that belongs to its attempt alone and
says so by `quarterdeck.deployment`, which is empty for these.
"""
VOLUME = "quarterdeck.volume"
NANOS = 1_000_000_000


def network_name(instance: str, resource: str) -> str:
    """The network of one stack: its services find each other by name, and nobody else does."""
    return f"quarterdeck-{instance[-8:]}-{resource.replace('_', '-')}"


def volume_name(instance: str, resource: str, volume: str) -> str:
    """A volume of a stack by the resource, whichever version runs."""
    return f"{network_name(instance, resource)}-{volume}"


def service_spec(
    service: Service, image: str, instance: str, resource: str, memory: int | None = None, cpus: float | None = None
) -> ContainerSpec:
    """The container of a service, without marks. `memory` (bytes) and `cpus` are the most that the server grants."""
    return ContainerSpec(
        image=image,
        command=service.command,
        entrypoint=service.entrypoint,
        env=service.environment,
        labels=service.labels,
        memory_bytes=_least(service.memory, memory),
        cpus=_least(service.cpus, cpus),
        healthcheck_disabled=False,
        healthcheck=_health(service.health),
        network=network_name(instance, resource),
        aliases=tuple(dict.fromkeys((service.name, *service.aliases))),
        mounts=tuple(
            Mount(volume_name(instance, resource, one.volume), one.path, one.read_only) for one in service.volumes
        ),
        init=service.init,
        read_only=service.read_only,
        user=service.user,
        working_dir=service.working_dir,
        hostname=service.hostname,
        tmpfs=service.tmpfs,
        stop_signal=service.stop_signal,
        stop_seconds=service.stop_seconds,
    )


def definition_of(spec: ContainerSpec, service: Service) -> str:
    """A digest of all that makes the container what it is, in whose place `spec.image` says what the image holds:
    equal for a service that did not change.
    """
    whole = [create_spec(spec), service.restart, service.restart_retries]
    return hashlib.sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()[:32]


def restart_policy(service: Service) -> dict[str, Any]:
    """As the engine takes it, once the version serves."""
    return {"Name": service.restart, "MaximumRetryCount": service.restart_retries}


def container_ids(runtime: Mapping[str, Any]) -> list[str]:
    """Every container that a runtime names."""
    services = [str(one["container"]) for one in runtime.get("services") or ()]
    return [*([str(runtime["container"])] if runtime.get("container") else []), *services]


def _least(*amounts: float | None) -> Any:
    return min((amount for amount in amounts if amount is not None), default=None)


def _health(test: HealthTest | None) -> dict[str, Any] | None:
    if test is None:
        return None
    times = {"Interval": test.interval, "Timeout": test.timeout, "StartPeriod": test.start_period}
    wishes: dict[str, Any] = {name: round(value * NANOS) for name, value in times.items() if value is not None}
    if test.test:
        wishes["Test"] = list(test.test)
    if test.retries is not None:
        wishes["Retries"] = test.retries
    return wishes
