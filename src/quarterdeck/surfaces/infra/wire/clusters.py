"""Clusters (contract: infra §1.5)."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

ClusterPageSize = Annotated[int, Meta(ge=1, le=500)]


class ClustersQuery(Struct, kw_only=True):
    """`before` is the id of the last cluster of the page before."""

    limit: ClusterPageSize = 500
    before: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET


class Cluster(Struct, kw_only=True):
    """`id` is that of its configuration. The last three are what programs of an older generation read."""

    id: str
    cluster_name: str | None
    cluster_version: str | None
    instance_types: list[Any]
    node_min_size: int | None
    node_max_size: int | None
    node_desired_size: int | None
    status: str
    status_message: str | None
    argocd_url: str | None
    estimated_monthly_cost: float | None
    created_at: str
    updated_at: str
    spec_project_name: str
    spec_environment: str
    spec_region: str
    vine_project_name: str
    vine_environment: str
    vine_region: str


class Clusters(Struct, kw_only=True):
    """`next` is what to ask for as `before`; null on the last page."""

    clusters: list[Cluster]
    next: str | None
