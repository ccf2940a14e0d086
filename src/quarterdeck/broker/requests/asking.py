"""Asking for a secret: to read some of it, or to have it changed (contract: broker §1.7, §4.2, §4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from quarterdeck.access import Access
from quarterdeck.broker.connections import connections
from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.own import variables
from quarterdeck.broker.policies.facts import facts
from quarterdeck.broker.policies.resolving import Resolution, resolve
from quarterdeck.broker.requests import breaking, checking, direct, finding, granting
from quarterdeck.broker.requests.actions import RequestAction
from quarterdeck.broker.requests.finding import REQUEST
from quarterdeck.broker.requests.happenings import audited, happened
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import PATCH, PENDING, READ, UPDATE
from quarterdeck.broker.tenancy import environments, projects
from quarterdeck.broker.workflows.steps import steps
from quarterdeck.broker.wraps import keeping
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.faults import committing
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace.model import Environment, Project


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for. `values`: key to new value (patch, update); `keys`: which are read (none: all) or made
    anew (rotate). `connection` names where the secret is kept. `direct`: without approval, where a policy lets one;
    `emergency`: without approval, to be reviewed afterwards. `on_behalf`: the piece of work that needs it.
    """

    kind: str
    provider_type: str
    secret_ref: str
    justification: str
    project_uid: str | None = None
    environment: str | None = None
    provider_config: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Secret[str]] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    recipient_key: str | None = None
    rotation: Mapping[str, Any] | None = None
    direct: bool = False
    emergency: bool = False
    on_behalf: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """What a wish is about, as rows."""

    project: Project | None
    environment: Environment | None
    connection: Connection | None
    production: bool


def ask(tx: Tx, access: Access, wish: Wish) -> Request:
    """Make a request: with its values sealed, its workflow chosen, and set off at once where a grant, a policy or an
    emergency lets it.

    Raises `Invalid` for what is malformed or unknown, `NotFound` (`project_not_found`), `Forbidden` (the permission is
    missing, `production_needs_approval`, `session_not_fresh`, `emergency_not_allowed`), `Conflict`
    (`project_archived`).
    """
    if tx.principal.kind != "user":
        raise Forbidden("Only people ask for secrets, for themselves or their work.", code="requester_unknown")
    checked = checking.check(wish)
    where = place(tx, checked)
    about = finding.where(
        tx.principal.acts_in,
        where.project.uid if where.project is not None else None,
        where.environment.name if where.environment is not None else None,
        checked.provider_type,
        checked.secret_ref,
    )
    access.require(tx.principal, REQUEST, about)
    found = resolution(tx, checked, where)
    checking.justified(checked, found.workflow)
    request = _row(tx, checked, where, found)
    life = timedelta(seconds=found.workflow.wrap_ttl_created_seconds)
    for key, value in checked.values.items():
        keeping.put(tx, request, "in", key, Secret(value.reveal().encode()), life)
    audited(
        tx,
        request,
        RequestAction.SUBMIT,
        workflow_id=found.workflow.uid,
        target_provider_type=request.provider_type,
        target_secret_ref=request.secret_ref,
        key_count=len(request.keys),
        min_approvers=sum(max(1, one.approvers) for one in steps(found.workflow)),
        request_type=request.kind,
        on_behalf=request.on_behalf,
    )
    happened(tx, request, "asked", f"{tx.principal.label} asks to {request.kind} {request.secret_ref}.")
    if checked.emergency:
        breaking.go_ahead(tx, request, found.workflow)
    elif checked.direct:
        direct.go_ahead(tx, access, request, found, about)
    elif request.kind == READ:
        granting.use(tx, request, found.workflow)
    committing(tx, "broker.ask")
    return request


def place(tx: Tx, wish: Wish) -> Where:
    """The rows that a wish names. An environment without a project means nothing and is refused."""
    project = projects.usable(tx, wish.project_uid) if wish.project_uid is not None else None
    environment = environments.named(tx, project, wish.environment) if wish.environment is not None else None
    variables.require_here(wish.provider_type, wish.secret_ref, project, environment)
    connection = connections.choose(
        tx,
        tx.principal.acts_in,
        wish.provider_type,
        wish.provider_config,
        project,
        environment.name if environment is not None else None,
    )
    return Where(project, environment, connection, environments.production(environment))


def resolution(tx: Tx, wish: Wish, where: Where) -> Resolution:
    operation = "read" if wish.kind == READ else "patch"
    here = tx.principal.acts_in
    return resolve(tx, facts(here, where.project, where.environment, wish.provider_type, wish.secret_ref, operation))


def _row(tx: Tx, wish: Wish, where: Where, found: Resolution) -> Request:
    changes = wish.kind in {PATCH, UPDATE}
    made = tx.add(
        Request(
            uid=tx.ids.uid(),
            organization_id=tx.principal.acts_in,
            requester_id=tx.principal.id,
            on_behalf=wish.on_behalf,
            kind=wish.kind,
            status=PENDING,
            justification=wish.justification,
            revision=1,
            workflow_id=found.workflow.id,
            explanation=found.explanation,
            connection_id=where.connection.id if where.connection is not None else None,
            provider_type=wish.provider_type,
            provider_config=dict(wish.provider_config),
            secret_ref=wish.secret_ref,
            keys=sorted(wish.values) if changes else list(wish.keys),
            project_id=where.project.id if where.project is not None else None,
            environment_id=where.environment.id if where.environment is not None else None,
            environment_name=where.environment.name if where.environment is not None else None,
            production=where.production,
            recipient_key=wish.recipient_key,
            rotation=dict(wish.rotation) if wish.rotation is not None else None,
            break_glass=False,
            expires_at=tx.now + timedelta(seconds=found.workflow.request_ttl_seconds),
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    tx.flush()
    return made
