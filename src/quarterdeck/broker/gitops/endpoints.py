"""Servers of ArgoCD: defined, switched, deleted. The token is sealed and never told again."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from sqlalchemy import select

from quarterdeck.broker.gitops.actions import GitopsAction
from quarterdeck.broker.gitops.model import ArgocdEndpoint
from quarterdeck.identity.machine import Machine
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.text import one_line
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify import addresses
from quarterdeck.workspace.model import Environment

TABLE, FIELD = "broker_argocd_endpoints", "token"
MOST = 200
LONGEST_TOKEN = 16_384
PEM = "-----BEGIN CERTIFICATE-----"


def find(tx: Tx, uid: str) -> ArgocdEndpoint:
    """One of the caller's organization. Raises `NotFound` (`argocd_endpoint_not_found`)."""
    here = (ArgocdEndpoint.organization_id == tx.principal.acts_in, ArgocdEndpoint.deleted_at.is_(None))
    found = tx.first(select(ArgocdEndpoint).where(ArgocdEndpoint.uid == uid, *here))
    if found is None:
        raise NotFound(
            "There is no such server of ArgoCD.", code="argocd_endpoint_not_found", hint="List the endpoints."
        )
    return found


def listed(tx: Tx) -> Sequence[ArgocdEndpoint]:
    here = (ArgocdEndpoint.organization_id == tx.principal.acts_in, ArgocdEndpoint.deleted_at.is_(None))
    return list(tx.scalars(select(ArgocdEndpoint).where(*here).order_by(ArgocdEndpoint.name).limit(MOST)))


def create(
    tx: Tx,
    name: str,
    base_url: str,
    token_b64: str,
    *,
    environment_uid: str | None = None,
    tls_ca_pem: str | None = None,
    tls_server_name: str | None = None,
) -> ArgocdEndpoint:
    """Raises `Invalid` for what is malformed, `NotFound` (`environment_not_found`), `Conflict`
    (`argocd_endpoint_name_taken`).
    """
    named = one_line(name, "name")
    url = addresses.check(base_url.strip().rstrip("/"), "base_url", near=near(tx))
    token = _token(token_b64)
    if tls_ca_pem is not None and (not tls_ca_pem.strip().startswith(PEM) or len(tls_ca_pem) > 100_000):
        raise Invalid("tls_ca_pem is not a certificate in PEM form.", code="validation_error", field="tls_ca_pem")
    environment = _environment(tx, environment_uid) if environment_uid else None
    tx.lock(f"broker-argocd:{tx.principal.acts_in}")
    if any(one.name == named for one in listed(tx)):
        raise Conflict(
            f"There is an endpoint {named!r} already.", code="argocd_endpoint_name_taken", hint="Choose another name."
        )
    uid = tx.ids.uid()
    made = tx.add(
        ArgocdEndpoint(
            uid=uid,
            organization_id=tx.principal.acts_in,
            name=named,
            environment_id=environment.id if environment is not None else None,
            base_url=url,
            token=tx.vault.seal(TABLE, uid, FIELD, token),
            kms_key_id="vault",
            tls_ca_pem=tls_ca_pem.strip() if tls_ca_pem else None,
            tls_server_name=one_line(tls_server_name, "tls_server_name", 300) if tls_server_name else None,
            enabled=True,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    tx.flush()
    told(tx, made, GitopsAction.ENDPOINT_CREATED, "created", base_url=url)
    return made


def switch(tx: Tx, uid: str, *, enabled: bool) -> None:
    found = find(tx, uid)
    if found.enabled != enabled:
        found.enabled, found.updated_at = enabled, tx.now
        told(tx, found, GitopsAction.ENDPOINT_SWITCHED, "switched", enabled=enabled)


def delete(tx: Tx, uid: str) -> None:
    """Its token is gone at once, its name free; what is observed there ends unverified by its time."""
    found = find(tx, uid)
    found.deleted_at, found.enabled, found.token, found.updated_at = tx.now, False, "", tx.now
    told(tx, found, GitopsAction.ENDPOINT_DELETED, "deleted")


def token(tx: Tx, endpoint: ArgocdEndpoint) -> Secret[str]:
    return tx.vault.open(TABLE, endpoint.uid, FIELD, endpoint.token)


def near(tx: Tx, organization_id: int | None = None) -> bool:
    """Whether this organization may name private addresses: that of the installation's operators."""
    return Machine.belongs_to(tx, organization_id if organization_id is not None else tx.principal.acts_in)


def told(tx: Tx, endpoint: ArgocdEndpoint, action: GitopsAction, word: str, **detail: object) -> None:
    audit.record(
        tx,
        action,
        resource_type="argocd-endpoint",
        resource_id=endpoint.uid,
        organization_id=endpoint.organization_id,
        detail={"name": endpoint.name, **detail},
    )
    events.append(
        tx,
        f"argocd-endpoint:{endpoint.uid}",
        f"argocd-endpoint-{word}",
        {"name": endpoint.name},
        organization_id=endpoint.organization_id,
    )


def _token(text: str) -> Secret[str]:
    try:
        plain = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        plain = ""
    if not plain.strip() or len(plain) > LONGEST_TOKEN or not plain.strip().isprintable():
        raise Invalid(
            "token_b64 is not the base64 of a token.",
            code="base64_invalid",
            hint="Encode the token.",
            field="token_b64",
        )
    return Secret(plain.strip())


def _environment(tx: Tx, uid: str) -> Environment:
    here = Environment.organization_id == tx.principal.acts_in
    found = tx.first(select(Environment).where(Environment.uid == uid, here))
    if found is None:
        raise NotFound("There is no such environment.", code="environment_not_found", hint="List the environments.")
    return found
