"""Clusters (contract: infra §1.5)."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.clouds import clusters
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.infra.shapes import at
from quarterdeck.surfaces.infra.wire import clusters as wire
from quarterdeck.surfaces.shared.values import given


@route("GET", "/api/cli/clusters", permission="infra:clouds.view", errors=((404, "spec_not_found"),))
async def listed(call: Call, query: wire.ClustersQuery) -> wire.Clusters:
    """Clusters that configurations declare or have made, the newest first."""
    rows, more = await call.read(clusters.page, query.limit, given(query.before))
    return wire.Clusters(clusters=[_shape(one) for one in rows], next=rows[-1].spec.uid if more else None)


def _shape(one: clusters.Cluster) -> wire.Cluster:
    spec, said = one.spec, one.declared
    types = said.get("instance_types")
    return wire.Cluster(
        id=spec.uid,
        cluster_name=_text(one.told.get("cluster_name")),
        cluster_version=_text(one.told.get("cluster_version")) or _text(said.get("cluster_version")),
        instance_types=types if isinstance(types, list) else [],
        node_min_size=_number(said.get("node_min_size")),
        node_max_size=_number(said.get("node_max_size")),
        node_desired_size=_number(said.get("node_desired_size")),
        status=one.status,
        status_message=spec.orphan_risk,
        argocd_url=_text(one.told.get("argocd_url")),
        estimated_monthly_cost=spec.estimated_monthly_cost,
        created_at=at(spec.created_at),
        updated_at=at(spec.updated_at),
        spec_project_name=spec.project_name,
        spec_environment=spec.environment_stage,
        spec_region=spec.region,
        vine_project_name=spec.project_name,
        vine_environment=spec.environment_stage,
        vine_region=spec.region,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
