"""The first administrator, and the organization that every instance starts with."""

from __future__ import annotations

from sqlalchemy import func, select

from quarterdeck.access import Access, grants
from quarterdeck.access.model import Grant
from quarterdeck.identity import users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import NotFound
from quarterdeck.kernel.principal import Principal

ORGANIZATION = "org_self_hosted"
SLUG = "self-hosted-appaloft"  # documented: existing clients compare it


def default_organization(tx: Tx) -> Organization:
    """The organization of this instance, made at first need."""
    found = tx.first(select(Organization).where(Organization.ref == ORGANIZATION))
    if found is not None:
        return found
    return tx.add(Organization(uid=tx.ids.uid(), ref=ORGANIZATION, name="Self-hosted", slug=SLUG, created_at=tx.now))


def administrator_exists(tx: Tx) -> bool:
    return bool(tx.execute(select(func.count()).select_from(Grant).where(Grant.role == "organization:owner")).scalar())


def already() -> NotFound:
    return NotFound(
        "The first administrator exists already.",
        code="first_admin_bootstrap_disabled",
        hint="Sign in, or ask for an invitation.",
    )


def create_first_administrator(
    tx: Tx,
    access: Access,
    *,
    email: str | None,
    username: str | None,
    display_name: str | None,
    password_hash: str,
    organization_name: str | None = None,
    organization_slug: str | None = None,
) -> tuple[User, Organization]:
    """Create the first administrator with the highest role of each family, in the organization of this instance, which
    may be called otherwise. Raises `NotFound` once one exists.
    """
    tx.lock("identity:first-administrator")
    if administrator_exists(tx):
        raise already()
    organization = default_organization(tx)
    organization.name = organization_name or organization.name
    organization.slug = organization_slug or organization.slug
    user = users.create(tx, email=email, username=username, display_name=display_name, password_hash=password_hash)
    for role in ("organization:owner", "tasks:admin", "broker:admin", "runbooks:super-admin"):
        grants.give(tx, access, user.id, organization.id, role)
    tx.act_as(Principal(kind="user", id=user.id, uid=user.uid, label=user.username, organization_id=organization.id))
    audit.record(
        tx,
        IdentityAction.FIRST_ADMINISTRATOR,
        resource_type="user",
        resource_id=user.uid,
        organization_id=organization.id,
    )
    events.append(
        tx, f"user:{user.uid}", "first-administrator-created", {"userId": user.uid}, organization_id=organization.id
    )
    return user, organization
