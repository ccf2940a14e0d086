"""What of ArgoCD this surface tells."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.discovered.model import DiscoveredSecret
from quarterdeck.broker.gitops.model import AppMapping, ArgocdEndpoint, Observation
from quarterdeck.broker.requests.model import Request
from quarterdeck.kernel.db import Tx
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.wire import gitops as wire
from quarterdeck.workspace.model import Environment


def endpoint(tx: Tx, one: ArgocdEndpoint) -> wire.ArgocdEndpoint:
    environment = tx.get(Environment, one.environment_id) if one.environment_id is not None else None
    return wire.ArgocdEndpoint(
        id=one.uid,
        name=one.name,
        base_url=one.base_url,
        enabled=one.enabled,
        kms_key_id=one.kms_key_id,
        environment_id=environment.uid if environment is not None else UNSET,
        tls_server_name=one.tls_server_name or UNSET,
        last_health_at=shapes.seconds(one.last_health_at) if one.last_health_at is not None else UNSET,
        health_error=one.health_error or UNSET,
    )


def mapping(tx: Tx, one: AppMapping) -> wire.AppMapping:
    at = tx.get(ArgocdEndpoint, one.endpoint_id)
    secret = tx.get(DiscoveredSecret, one.secret_id) if one.secret_id is not None else None
    connection = tx.get(Connection, one.connection_id) if one.connection_id is not None else None
    return wire.AppMapping(
        id=one.uid,
        argocd_endpoint_id=at.uid if at is not None else "",
        application_name=one.application_name,
        enabled=one.enabled,
        secret_mapping_id=secret.uid if secret is not None else UNSET,
        provider_connection_id=connection.uid if connection is not None else UNSET,
        application_namespace=one.application_namespace or UNSET,
        project_name=one.project_name or UNSET,
        cluster_name=one.cluster_name or UNSET,
    )


def observation(request: Request, one: Observation, of: AppMapping | None) -> wire.Observation:
    told = one.terminal_at or one.last_polled_at or one.created_at
    return wire.Observation(
        id=one.uid,
        request_id=request.uid,
        application_name=one.application_name,
        application_namespace=one.application_namespace or UNSET,
        project_name=(of.project_name if of is not None else None) or UNSET,
        cluster_name=(of.cluster_name if of is not None else None) or UNSET,
        polling_state=one.state,  # type: ignore[arg-type]  # one of the states
        status=one.state,  # type: ignore[arg-type]  # the same
        observed_state=dict(one.observed),
        polls_count=one.polls,
        last_polled_at=shapes.seconds(one.last_polled_at) if one.last_polled_at is not None else UNSET,
        last_error=one.last_error or UNSET,
        timeout_at=shapes.seconds(one.timeout_at),
        terminal_at=shapes.seconds(one.terminal_at) if one.terminal_at is not None else UNSET,
        created_at=shapes.seconds(one.created_at),
        updated_at=shapes.seconds(told),
    )
