"""Zones (contract: infra §1.1)."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

ZoneName = Annotated[str, Meta(max_length=400)]
ZoneDescription = Annotated[str, Meta(max_length=4000)]
People = Annotated[int, Meta(ge=0, le=20)]
ZonePageSize = Annotated[int, Meta(ge=1, le=500)]


class ZoneCreate(Struct, kw_only=True):
    name: ZoneName | UnsetType | None = UNSET
    description: ZoneDescription | UnsetType | None = UNSET


class ZoneChange(Struct, kw_only=True):
    """What is left out stays. `approvals` and `destroy_approvals` are for those who have `infra:zones.policy`."""

    name: ZoneName | UnsetType = UNSET
    description: ZoneDescription | UnsetType | None = UNSET
    approvals: People | UnsetType = UNSET
    destroy_approvals: People | UnsetType = UNSET


class ZonesQuery(Struct, kw_only=True):
    """`before` is the id of the last zone of the page before."""

    limit: ZonePageSize = 500
    before: str | UnsetType = UNSET


class ZoneSpec(Struct, kw_only=True):
    id: str
    project_name: str
    environment_stage: str
    status: str
    region: str
    provider: str


class InfraZone(Struct, kw_only=True):
    """`approvals` is how many people have to agree to a plan before it is applied, `destroy_approvals` to a
    destruction. `specs` are the newest, `spec_count` says how many there are.
    """

    id: str
    user_id: str
    name: str
    description: str | None
    approvals: int
    destroy_approvals: int
    created_at: str
    updated_at: str
    spec_count: int | UnsetType = UNSET
    specs: list[ZoneSpec] | UnsetType = UNSET


class OneZone(Struct, kw_only=True):
    zone: InfraZone


class InfraZones(Struct, kw_only=True):
    """`next` is what to ask for as `before`; null on the last page."""

    zones: list[InfraZone]
    next: str | None
