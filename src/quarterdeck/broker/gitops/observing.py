"""Watching applications after a secret of theirs was changed (contract: broker §4.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from quarterdeck.broker.discovered.model import DiscoveredSecret
from quarterdeck.broker.gitops import endpoints
from quarterdeck.broker.gitops.actions import GitopsAction
from quarterdeck.broker.gitops.argocd import Application, Server
from quarterdeck.broker.gitops.judging import observed, verdict
from quarterdeck.broker.gitops.model import AppMapping, ArgocdEndpoint, Observation
from quarterdeck.broker.gitops.switch import Gitops
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.broker.work.transitions import SUCCEEDED
from quarterdeck.broker.work.types import OF_REQUESTS, READ
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx

QUEUED, ACTIVE = "queued", "active"
APPLIED, FAILED, UNVERIFIED = "applied", "failed", "applied_unverified"
LIVE = (QUEUED, ACTIVE)
WATCHED = timedelta(minutes=30)
MOST, BATCH = 50, 20
MOVES: dict[str, frozenset[str]] = {
    QUEUED: frozenset({ACTIVE, APPLIED, FAILED, UNVERIFIED}),
    ACTIVE: frozenset({APPLIED, FAILED, UNVERIFIED}),
    APPLIED: frozenset(),
    FAILED: frozenset(),
    UNVERIFIED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be asked for one observation; `server` is None where nobody may be asked."""

    id: int
    application: str
    server: Server | None


def job_ended(tx: Tx, job: BrokerJob) -> None:
    """A change was carried out: whoever uses what was changed is watched from now on."""
    if job.status != SUCCEEDED or job.job_type not in OF_REQUESTS or job.job_type == READ or job.request_id is None:
        return
    request = tx.get(Request, job.request_id)
    if request is None or not tx.part(Gitops).enabled:
        return
    mappings = concerned(tx, request)
    action = GitopsAction.OBSERVATION_STARTED if mappings else GitopsAction.OBSERVATION_SKIPPED
    detail = (
        {"applications_observed": len(mappings), "timeout_at": (tx.now + WATCHED).isoformat()}
        if mappings
        else {"reason": "no application is mapped to it"}
    )
    _audited(tx, request, action, **detail)
    for mapping in mappings:
        tx.add(
            Observation(
                uid=tx.ids.uid(),
                request_id=request.id,
                mapping_id=mapping.id,
                application_name=mapping.application_name,
                application_namespace=mapping.application_namespace,
                state=QUEUED,
                executed_at=tx.now,
                timeout_at=tx.now + WATCHED,
                created_at=tx.now,
            )
        )
    tx.flush()


def concerned(tx: Tx, request: Request) -> Sequence[AppMapping]:
    """Mappings of the request's connection, and of the discovered secret that it is about; at endpoints of its
    environment, or of none.
    """
    same = select(DiscoveredSecret.id).where(
        DiscoveredSecret.organization_id == request.organization_id,
        DiscoveredSecret.provider_type == request.provider_type,
        DiscoveredSecret.secret_ref == request.secret_ref,
    )
    by_connection = AppMapping.connection_id == request.connection_id
    query = (
        select(AppMapping)
        .join(ArgocdEndpoint, ArgocdEndpoint.id == AppMapping.endpoint_id)
        .where(
            AppMapping.organization_id == request.organization_id,
            AppMapping.deleted_at.is_(None),
            AppMapping.enabled,
            ArgocdEndpoint.deleted_at.is_(None),
            or_(ArgocdEndpoint.environment_id.is_(None), ArgocdEndpoint.environment_id == request.environment_id),
            or_(AppMapping.secret_id.in_(same), by_connection),
        )
        .order_by(AppMapping.application_name, AppMapping.id)
        .limit(MOST)
    )
    return list(tx.scalars(query))


def of_request(tx: Tx, request: Request) -> Sequence[Observation]:
    query = select(Observation).where(Observation.request_id == request.id)
    return list(tx.scalars(query.order_by(Observation.application_name, Observation.id).limit(MOST)))


def due(tx: Tx) -> Sequence[Look]:
    """The next to be asked about, those first that were not for the longest."""
    query = select(Observation).where(Observation.terminal_at.is_(None), Observation.timeout_at > tx.now)
    order = (Observation.last_polled_at.is_not(None), Observation.last_polled_at, Observation.id)
    return [
        Look(one.id, one.application_name, _server(tx, one)) for one in tx.scalars(query.order_by(*order).limit(BATCH))
    ]


def _server(tx: Tx, one: Observation) -> Server | None:
    mapping = tx.get(AppMapping, one.mapping_id)
    endpoint = tx.get(ArgocdEndpoint, mapping.endpoint_id) if mapping is not None else None
    return None if endpoint is None or not endpoint.enabled else server(tx, endpoint)


def server(tx: Tx, endpoint: ArgocdEndpoint) -> Server:
    """How an endpoint is asked."""
    return Server(
        endpoint.base_url,
        endpoints.token(tx, endpoint),
        endpoint.tls_ca_pem,
        endpoint.tls_server_name,
        endpoints.near(tx, endpoint.organization_id),
    )


def heard(tx: Tx, look: Look, seen: Application | None, error: str | None) -> str | None:
    """Keep what was seen, or why nothing was; answers the state."""
    query = select(Observation).where(Observation.id == look.id).with_for_update()
    one = tx.first(query.execution_options(populate_existing=True))
    if one is None or one.state not in LIVE:
        return None
    one.last_polled_at, one.last_error = tx.now, error
    one.polls += 1
    if look.server is not None:
        _health(tx, one, error)
    if seen is None:
        return one.state
    found = verdict(seen, one.executed_at, one.before)
    one.observed = observed(seen)
    if not one.before:
        one.before = one.observed
    if found != "unknown":
        _end(tx, one, APPLIED if found == "applied" else FAILED)
    elif one.state == QUEUED:
        one.state = ACTIVE
    tx.flush()
    return one.state


def give_up(tx: Tx, now: datetime | None = None) -> int:
    """End those that nobody could verify in time; answers how many."""
    query = select(Observation).where(Observation.terminal_at.is_(None), Observation.timeout_at <= (now or tx.now))
    late = list(tx.scalars(query.with_for_update().limit(BATCH)))
    for one in late:
        _end(tx, one, UNVERIFIED)
    return len(late)


def _health(tx: Tx, one: Observation, error: str | None) -> None:
    mapping = tx.get(AppMapping, one.mapping_id)
    endpoint = tx.get(ArgocdEndpoint, mapping.endpoint_id) if mapping is not None else None
    if endpoint is not None:
        endpoint.last_health_at, endpoint.health_error = tx.now, error


def _end(tx: Tx, one: Observation, state: str) -> None:
    if state not in MOVES[one.state]:
        return
    one.state, one.terminal_at = state, tx.now
    request = tx.get(Request, one.request_id)
    if request is None:
        return
    tx.flush()
    _audited(
        tx,
        request,
        GitopsAction.OBSERVATION_ENDED,
        application=one.application_name,
        state=state,
        outcome="failure" if state == FAILED else "success",
    )
    events.append(
        tx,
        f"secret-request:{request.uid}",
        f"secret-request-rollout-{state.replace('_', '-')}",
        {"application": one.application_name, "message": f"{one.application_name}: {state.replace('_', ' ')}."},
        organization_id=request.organization_id,
    )


def _audited(
    tx: Tx, request: Request, action: GitopsAction, *, outcome: audit.Outcome = "success", **detail: object
) -> None:
    audit.record(
        tx,
        action,
        resource_type="request",
        resource_id=request.uid,
        organization_id=request.organization_id,
        outcome=outcome,
        detail=detail,
        correlation_id=request.uid,
    )
