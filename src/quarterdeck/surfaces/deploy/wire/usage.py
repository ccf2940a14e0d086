"""Shapes that several rooms share. Written by script/generate_deploy_wire; edit that instead."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from quarterdeck.surfaces.deploy.wire.scalars import Text


class RuntimeUsageScope(Struct, kw_only=True, rename="camel", tag_field="kind", tag="environment"):
    environment_id: str


class Cpu(Struct, kw_only=True, rename="camel"):
    logical_cores: float | UnsetType = UNSET
    load_average1m: float | UnsetType = field(name="loadAverage1m", default=UNSET)
    load_average5m: float | UnsetType = field(name="loadAverage5m", default=UNSET)
    load_average15m: float | UnsetType = field(name="loadAverage15m", default=UNSET)
    container_cpu_percent: float | UnsetType = UNSET


class Disk(Struct, kw_only=True, rename="camel"):
    total_bytes: float | UnsetType = UNSET
    used_bytes: float | UnsetType = UNSET
    available_bytes: float | UnsetType = UNSET
    attributed_bytes: float | UnsetType = UNSET


class Memory(Struct, kw_only=True, rename="camel"):
    total_bytes: float | UnsetType = UNSET
    used_bytes: float | UnsetType = UNSET
    available_bytes: float | UnsetType = UNSET
    container_used_bytes: float | UnsetType = UNSET


class TotalsInode(Struct, kw_only=True, rename="camel"):
    total: float | UnsetType = UNSET
    used: float | UnsetType = UNSET
    available: float | UnsetType = UNSET


class TotalsDocker(Struct, kw_only=True, rename="camel"):
    image_bytes: float | UnsetType = UNSET
    build_cache_bytes: float | UnsetType = UNSET
    container_writable_bytes: float | UnsetType = UNSET


class TotalsNetwork(Struct, kw_only=True, rename="camel"):
    rx_bytes: float | UnsetType = UNSET
    tx_bytes: float | UnsetType = UNSET


class Totals(Struct, kw_only=True, rename="camel"):
    cpu: Cpu | UnsetType = UNSET
    memory: Memory | UnsetType = UNSET
    disk: Disk | UnsetType = UNSET
    inode: TotalsInode | UnsetType = UNSET
    docker: TotalsDocker | UnsetType = UNSET
    network: TotalsNetwork | UnsetType = UNSET


class RuntimeMonitoringThresholdsScope(Struct, kw_only=True, rename="camel", tag_field="kind", tag="project"):
    project_id: Text


class RuntimeMonitoringThresholdsScope2(Struct, kw_only=True, rename="camel", tag_field="kind", tag="server"):
    server_id: Text


RuntimeUsageKind = Literal[
    "active-runtime",
    "rollback-candidate",
    "source-workspace",
    "docker-image",
    "docker-build-cache",
    "appaloft-state-root",
    "volume",
    "unknown",
]
