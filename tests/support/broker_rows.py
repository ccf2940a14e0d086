"""Rows of the broker as a test wants them, whoever may write such ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.policies.model import Policy
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.tenancy.model import BrokerProject
from quarterdeck.broker.workflows import seeding, versions
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.identity.model import Organization
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.model import Environment, Project
from support.deck import HOME

POINTED_AT = (Connection,)
"""Tables that rows here may point at, whoever else has imported them."""


def organization(tx: Tx, ref: str = HOME) -> Organization:
    found = tx.first(select(Organization).where(Organization.ref == ref))
    return found or tx.add(
        Organization(uid=tx.ids.uid(), ref=ref, name=ref, slug=ref.replace("_", "-"), created_at=tx.now)
    )


def project(tx: Tx, name: str = "payments", *, ref: str = HOME, lifecycle: str = "active") -> Project:
    place = organization(tx, ref)
    made = tx.add(
        Project(
            uid=tx.ids.uid(), ref=tx.ids.ref("prj"), organization_id=place.id, name=name,
            slug=f"{name}-{tx.ids.text(4)}", lifecycle=lifecycle, created_at=tx.now,
        )
    )  # fmt: skip
    tx.add(
        BrokerProject(
            uid=tx.ids.uid(), organization_id=place.id, project_id=made.id, created_at=tx.now, updated_at=tx.now
        )
    )
    return made


def environment(tx: Tx, project: Project, name: str = "live", kind: str = "production") -> Environment:
    return tx.add(
        Environment(
            uid=tx.ids.uid(), ref=tx.ids.ref("env"), organization_id=project.organization_id, project_id=project.id,
            name=name, kind=kind, lifecycle="active", created_at=tx.now,
        )
    )  # fmt: skip


def workflow(tx: Tx, name: str, *, ref: str = HOME, **given: Any) -> Workflow:
    place = organization(tx, ref)
    seeding.lay(tx, place.id)
    values = {
        "min_approvers": 1, "wrap_ttl_created_seconds": 3600, "wrap_ttl_approved_seconds": 600,
        "wrap_ttl_claimed_seconds": 60, "request_ttl_seconds": 3600, "enabled": True, **given,
    }  # fmt: skip
    versions.renew(tx, place.id)
    return tx.add(
        Workflow(uid=tx.ids.uid(), organization_id=place.id, name=name, created_at=tx.now, updated_at=tx.now, **values)
    )


def policy(tx: Tx, name: str, selector: Mapping[str, Any], workflow: Workflow, **given: Any) -> Policy:
    values = {"priority": 100, "enabled": True, **given}
    versions.renew(tx, workflow.organization_id)
    return tx.add(
        Policy(
            uid=tx.ids.uid(), organization_id=workflow.organization_id, name=name, selector=dict(selector),
            workflow_id=workflow.id, **{"created_at": tx.now, "updated_at": tx.now, **values},
        )
    )  # fmt: skip


def request(tx: Tx, workflow: Workflow, **given: Any) -> Request:
    """One that waits, of nobody."""
    values = {
        "requester_id": 1, "kind": "read", "status": "pending", "justification": "because", "provider_type": "vault",
        "secret_ref": "db/password", **given,
    }  # fmt: skip
    return tx.add(
        Request(
            uid=tx.ids.uid(), organization_id=workflow.organization_id, workflow_id=workflow.id, created_at=tx.now,
            updated_at=tx.now, **values,
        )
    )  # fmt: skip
