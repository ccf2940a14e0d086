"""A build as a value: what is wanted, and the query that asks either builder for it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from quarterdeck.fleet.docker.build.context import Context
from quarterdeck.fleet.docker.build.limits import PERIOD, BuildLimits
from quarterdeck.fleet.docker.images import RegistryAuth
from quarterdeck.kernel.vault import Secret

Builder = Literal["buildkit", "classic"]


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """One image to build. `args` end up in the image's history: what is secret goes into `secrets`, which a step reads
    with `RUN --mount=type=secret,id=NAME` (BuildKit alone).
    """

    context: Context
    tags: tuple[str, ...] = ()
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret[str]] = field(default_factory=dict)
    registries: tuple[RegistryAuth, ...] = ()
    target: str | None = None
    platform: str | None = None
    network: str | None = None
    no_cache: bool = False
    pull: bool = False
    limits: BuildLimits = field(default_factory=BuildLimits)
    builder: Builder | None = None


def build_query(spec: BuildSpec, builder: Builder, ident: str) -> list[tuple[str, str]]:
    """The query of `POST /build`."""
    wishes: list[tuple[str, str | None]] = [
        ("dockerfile", spec.context.dockerfile),
        *(("t", tag) for tag in spec.tags),
        ("buildargs", as_json(spec.args)),
        ("labels", as_json(spec.labels)),
        ("target", spec.target),
        ("platform", spec.platform),
        ("networkmode", spec.network),
        ("nocache", "1" if spec.no_cache else None),
        ("pull", "1" if spec.pull else None),
        ("rm", "1"),
        ("forcerm", "1"),
    ]
    if builder == "buildkit":
        wishes += [("version", "2"), ("buildid", ident), ("session", ident)]
    else:
        limits = spec.limits
        wishes += [
            ("version", "1"),
            ("memory", str(limits.memory_bytes) if limits.memory_bytes else None),
            ("memswap", str(limits.memory_bytes) if limits.memory_bytes else None),
            ("cpuperiod", str(PERIOD) if limits.cpus else None),
            ("cpuquota", str(round(limits.cpus * PERIOD)) if limits.cpus else None),
        ]
    return [(key, value) for key, value in wishes if value]


def as_json(values: Mapping[str, str]) -> str | None:
    return msgspec.json.encode(dict(values), order="sorted").decode() if values else None


def registries_header(registries: Sequence[RegistryAuth]) -> dict[str, str]:
    """`X-Registry-Config` for the classic builder; made right before it is sent, because it holds passwords."""
    if not registries:
        return {}
    known = {
        "https://index.docker.io/v1/" if auth.server == "docker.io" else auth.server: {
            "username": auth.username,
            "password": auth.password.reveal(),
        }
        for auth in registries
    }
    return {"X-Registry-Config": base64.urlsafe_b64encode(msgspec.json.encode(known)).decode()}
