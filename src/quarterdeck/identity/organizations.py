"""Organizations: names, membership, and which one a session acts in."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy import select

from quarterdeck.access import Access, Place, grants
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import Organization
from quarterdeck.identity.sessions import bound, require_in_person
from quarterdeck.identity.setup import default_organization
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound
from quarterdeck.kernel.text import misleads

LONGEST_ADDRESS, LONGEST_NAME, LONGEST_SLUG = 2000, 120, 80
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
PICTURE = re.compile(r"https?://[^\s\x00-\x1f\x7f\"'<>]+")
RANK = ("owner", "admin", "developer", "billing", "viewer")


def ref_of(tx: Tx, organization_id: int) -> str:
    """The documented id of an organization."""
    found = tx.get(Organization, organization_id)
    if found is None:
        raise NotFound("The organization is gone.")
    return found.ref


def of_user(tx: Tx, user_id: int) -> list[Organization]:
    """The organizations that a user is a member of, by a role of any surface, narrowed or not; oldest first."""
    held = grants.everywhere(tx, user_id)
    return list(tx.scalars(select(Organization).where(Organization.id.in_(held)).order_by(Organization.id)))


def role_of(tx: Tx, user_id: int, organization_id: int) -> str | None:
    """The highest organization role of a user, as its last part (`owner`)."""
    held = {
        role.split(":")[1] for role in grants.roles_of(tx, user_id, organization_id) if role.startswith("organization:")
    }
    return next((role for role in RANK if role in held), None)


def reachable(tx: Tx) -> list[Organization]:
    """Where the caller may act: tokens, and sessions that a provider vouched for, stay in their own organization."""
    principal = tx.principal
    mine = of_user(tx, principal.id)
    return [one for one in mine if one.id == principal.organization_id] if principal.stays else mine


def of_caller(tx: Tx, ref: str) -> Organization:
    """One that the caller is a member of, whether they reach it from here or not. Raises `NotFound`."""
    return _named(of_user(tx, tx.principal.id), ref)


def here(tx: Tx) -> Organization:
    """The one that the unit acts in."""
    found = tx.get(Organization, tx.principal.acts_in)
    assert found is not None  # noqa: S101 - rows of organizations stay
    return found


def act_in(tx: Tx, organization: Organization) -> None:
    """The unit acts in another organization of the caller from here on."""
    tx.act_as(replace(tx.principal, organization_id=organization.id))


def enter(tx: Tx, access: Access, ref: str, permission: str) -> Organization:
    """The organization that a request names, in which the unit acts from here on. Raises `NotFound` for one that the
    caller is no member of, and `Forbidden` unless they have the permission there.
    """
    found = _named(reachable(tx), ref)
    access.load(tx)
    access.require(tx.principal, permission, Place(found.id))
    act_in(tx, found)
    return found


def _named(among: list[Organization], ref: str) -> Organization:
    found = next((one for one in among if one.ref == ref), None)
    if found is None:
        raise NotFound(
            f"There is no organization {ref[:60]}, or you are no member of it.", hint="Look at your organizations."
        )
    return found


def create(tx: Tx, access: Access, name: str, slug: str | None = None) -> Organization:
    """Another organization, owned by the caller. Raises `Conflict` (`organization_slug_conflict`), `Invalid`, and
    `Forbidden` where a token asks for it, or a session that a provider vouched for (`session_bound`).
    """
    require_in_person(tx.principal)
    if tx.principal.vouched:
        raise bound()
    called = check_name(name)
    chosen = slug or re.sub(r"[^a-z0-9]+", "-", called.lower()).strip("-")[:LONGEST_SLUG].strip("-") or "organization"
    _free(tx, chosen)
    made = tx.add(
        Organization(
            uid=tx.ids.uid(),
            ref=tx.ids.ref("org"),
            name=called,
            slug=chosen,
            logo_url=None,
            created_at=tx.now,
            updated_at=tx.now,
            deleted_at=None,
        )
    )
    tx.flush()
    grants.give(tx, access, tx.principal.id, made.id, "organization:owner")
    _note(tx, made, IdentityAction.ORGANIZATION_CREATED)
    return made


def change(tx: Tx, organization: Organization, *, name: str | None, slug: str | None, logo: str | None) -> Organization:
    """Change how an organization is called and shown; None leaves a thing, an empty `logo` takes it away. Raises
    `Conflict` (`organization_slug_conflict`) and `Invalid`.
    """
    before = (organization.name, organization.slug, organization.logo_url)
    if name is not None:
        organization.name = check_name(name)
    if slug is not None and slug != organization.slug:
        _free(tx, slug)
        organization.slug = slug
    if logo is not None:
        organization.logo_url = picture(logo, "logoUrl")
    if before != (organization.name, organization.slug, organization.logo_url):
        organization.updated_at = tx.now
        _note(tx, organization, IdentityAction.ORGANIZATION_CHANGED)
    return organization


def require_expendable(tx: Tx, organization: Organization) -> None:
    """Raise `Conflict` (`organization_delete_blocked`) for the organization that the installation itself lives in."""
    if organization.id == default_organization(tx).id:
        raise Conflict(
            f"{organization.name} is the organization of this installation, and stays as long as it does.",
            code="organization_delete_blocked",
            hint="Remove what you do not need in it; other organizations can be deleted.",
        )


def picture(address: str, field: str) -> str | None:
    """The address of a picture, None for an empty one. Raises `Invalid` unless it is one of the web."""
    if not address:
        return None
    if len(address) > LONGEST_ADDRESS or not PICTURE.fullmatch(address):
        raise Invalid("A picture is found by an http or https address.", hint="Give its whole address.", field=field)
    return address


def check_name(name: str) -> str:
    """The name without outer spaces. Raises `Invalid`."""
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= LONGEST_NAME or any(map(misleads, trimmed)):
        raise Invalid(
            f"An organization's name is one line of 1 to {LONGEST_NAME} characters.",
            hint="Choose another name.",
            field="name",
        )
    return trimmed


def check_slug(slug: str) -> None:
    """Raise `Invalid` unless it can be a short name."""
    if len(slug) > LONGEST_SLUG or not SLUG.fullmatch(slug):
        raise Invalid(
            f"{slug[:80]!r} cannot be a short name.",
            hint="Use lower-case letters, digits and single dashes between them.",
            field="slug",
        )


def _free(tx: Tx, slug: str) -> None:
    tx.lock("identity:organizations")
    if tx.first(select(Organization).where(Organization.slug == slug)) is not None:
        raise Conflict(
            f"The short name {slug} is taken.", code="organization_slug_conflict", hint="Choose another one."
        )


def _note(tx: Tx, organization: Organization, action: IdentityAction) -> None:
    audit.record(
        tx,
        action,
        resource_type="organization",
        resource_id=organization.ref,
        organization_id=organization.id,
        detail={"name": organization.name, "slug": organization.slug},
    )
    events.append(
        tx,
        f"organization:{organization.ref}",
        str(action).replace(".", "-"),
        {"organizationId": organization.ref},
        organization_id=organization.id,
    )
