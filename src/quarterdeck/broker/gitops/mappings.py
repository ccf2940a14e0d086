"""Which applications use what: a whole connection, or one discovered secret."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from quarterdeck.broker.connections import connections
from quarterdeck.broker.discovered import listing
from quarterdeck.broker.gitops import endpoints
from quarterdeck.broker.gitops.actions import GitopsAction
from quarterdeck.broker.gitops.model import AppMapping, ArgocdEndpoint
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.text import one_line

MOST = 1000
LONGEST = 300


def find(tx: Tx, uid: str) -> AppMapping:
    """One of the caller's organization. Raises `NotFound` (`app_mapping_not_found`)."""
    here = (AppMapping.organization_id == tx.principal.acts_in, AppMapping.deleted_at.is_(None))
    found = tx.first(select(AppMapping).where(AppMapping.uid == uid, *here))
    if found is None:
        raise NotFound("There is no such mapping.", code="app_mapping_not_found", hint="List the mappings.")
    return found


def listed(tx: Tx) -> Sequence[AppMapping]:
    """By the name of the application."""
    here = (AppMapping.organization_id == tx.principal.acts_in, AppMapping.deleted_at.is_(None))
    query = select(AppMapping).where(*here).order_by(AppMapping.application_name, AppMapping.id)
    return list(tx.scalars(query.limit(MOST)))


def create(
    tx: Tx,
    endpoint_uid: str,
    application_name: str,
    *,
    secret_uid: str | None = None,
    connection_uid: str | None = None,
    application_namespace: str | None = None,
    project_name: str | None = None,
    cluster_name: str | None = None,
) -> AppMapping:
    """Raises `Invalid` (`mapping_scope`) unless exactly one of both is named, and `NotFound`."""
    if (secret_uid is None) == (connection_uid is None):
        raise Invalid(
            "A mapping names a secret or a connection, and not both.",
            code="mapping_scope",
            hint="Send secret_mapping_id or provider_connection_id.",
            field="secret_mapping_id",
        )
    endpoint: ArgocdEndpoint = endpoints.find(tx, endpoint_uid)
    secret = listing.find(tx, secret_uid) if secret_uid is not None else None
    connection = connections.find(tx, connection_uid) if connection_uid is not None else None

    def word(text: str | None, field: str) -> str | None:
        return one_line(text, field, LONGEST) if text else None

    made = tx.add(
        AppMapping(
            uid=tx.ids.uid(),
            organization_id=tx.principal.acts_in,
            secret_id=secret.id if secret is not None else None,
            connection_id=connection.id if connection is not None else None,
            endpoint_id=endpoint.id,
            application_name=one_line(application_name, "application_name", LONGEST),
            application_namespace=word(application_namespace, "application_namespace"),
            project_name=word(project_name, "project_name"),
            cluster_name=word(cluster_name, "cluster_name"),
            enabled=True,
            created_at=tx.now,
        )
    )
    tx.flush()
    _told(tx, made, GitopsAction.MAPPING_CREATED, "created")
    return made


def delete(tx: Tx, uid: str) -> None:
    found = find(tx, uid)
    found.deleted_at, found.enabled = tx.now, False
    _told(tx, found, GitopsAction.MAPPING_DELETED, "deleted")


def _told(tx: Tx, mapping: AppMapping, action: GitopsAction, word: str) -> None:
    detail = {"application_name": mapping.application_name}
    audit.record(
        tx,
        action,
        resource_type="gitops-app-mapping",
        resource_id=mapping.uid,
        organization_id=mapping.organization_id,
        detail=detail,
    )
    events.append(
        tx,
        f"gitops-app-mapping:{mapping.uid}",
        f"gitops-app-mapping-{word}",
        detail,
        organization_id=mapping.organization_id,
    )
