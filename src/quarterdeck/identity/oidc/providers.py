"""The providers that an organization signs in with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, select

from quarterdeck.access import roles
from quarterdeck.access.decide import HIGHEST
from quarterdeck.access.model import Role
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.machine import Machine
from quarterdeck.identity.model import ExternalAccount, Organization, UserSession
from quarterdeck.identity.oidc.discovery import check_address
from quarterdeck.identity.oidc.model import OidcProvider, OidcRequest
from quarterdeck.identity.sessions import require_in_person, revoke_row
from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from quarterdeck.kernel.text import one_line, several
from quarterdeck.kernel.vault import Secret

TABLE = OidcProvider.__tablename__
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")
MOST_GROUPS, MOST_OTHERS = 500, 50
SCOPES = ("openid", "email", "profile")
GROUPS = "groups"


def listed(tx: Tx) -> list[OidcProvider]:
    """Those of the caller's organization, oldest first."""
    mine = OidcProvider.organization_id == tx.principal.organization_id
    return list(tx.scalars(select(OidcProvider).where(mine).order_by(OidcProvider.id)))


def offered(tx: Tx) -> list[OidcProvider]:
    """What the sign-in page offers, by name."""
    return list(tx.scalars(select(OidcProvider).where(*_usable()).order_by(OidcProvider.name)))


def find(tx: Tx, name: str) -> OidcProvider:
    """One of the caller's organization by its slug or uid. Raises `NotFound` (`identity_provider_not_found`)."""
    found = next((one for one in listed(tx) if name in {one.slug, one.uid}), None)
    return found or missing(name)


def usable(tx: Tx, slug: str) -> OidcProvider:
    """An enabled one by its slug, of any organization. Raises as `find` does."""
    return tx.first(select(OidcProvider).where(OidcProvider.slug == slug, *_usable())) or missing(slug)


def _usable() -> tuple[ColumnElement[bool], ...]:
    there = select(Organization.id).where(Organization.deleted_at.is_(None))
    return OidcProvider.enabled.is_(True), OidcProvider.organization_id.in_(there)


def missing(name: str) -> OidcProvider:
    raise NotFound(
        f"There is no identity provider {name[:80]!r}.",
        code="identity_provider_not_found",
        hint="Look at the list: qd identity-provider ls. Or sign in with a password.",
    )


def add(tx: Tx, slug: str, issuer: str, client_id: str, **settings: Any) -> OidcProvider:
    """A provider with settings (see `change`), what is not given as usual. Raises as `change` does, `Invalid`, and
    `Conflict` (`identity_provider_exists`).
    """
    require_operator(tx)
    tx.lock("identity:oidc")
    if not SLUG.fullmatch(slug):
        raise Invalid(
            f"{slug[:80]!r} cannot be part of an address.",
            hint="Use up to 60 small letters, digits and dashes.",
            field="slug",
        )
    if tx.first(select(OidcProvider).where(OidcProvider.slug == slug)) is not None:
        raise Conflict(
            f"There is an identity provider {slug} already.",
            code="identity_provider_exists",
            hint="Choose another name, or change that one.",
        )
    made = tx.add(
        OidcProvider(
            uid=tx.ids.uid(),
            slug=slug,
            organization_id=tx.principal.acts_in,
            name=slug,
            issuer=check_address(issuer),
            client_id=client_id,
            client_secret=None,
            scopes=list(SCOPES),
            groups_claim=GROUPS,
            group_roles={},
            default_roles=[],
            email_domains=[],
            links_by_email=False,
            enabled=True,
            created_at=tx.now,
            updated_at=tx.now,
        )
    )
    tx.flush()
    _set(tx, made, **settings)
    _note(tx, IdentityAction.PROVIDER_ADDED, made, issuer=made.issuer)
    return made


def change(tx: Tx, row: OidcProvider, **settings: Any) -> list[str]:
    """Change what is given (an empty secret takes it away). Answers what changed.

    Raises `Invalid`, and `Forbidden` for a role that the caller could not give (`permission_not_held`) and for a
    token (`session_required`).
    """
    require_operator(tx)
    changed = _set(tx, row, **settings)
    if changed:
        row.updated_at = tx.now
        tx.flush()
        _note(tx, IdentityAction.PROVIDER_CHANGED, row, changed=changed)
    return changed


def _set(
    tx: Tx,
    row: OidcProvider,
    *,
    name: str | None = None,
    issuer: str | None = None,
    client_id: str | None = None,
    client_secret: Secret[str] | None = None,
    scopes: Sequence[str] | None = None,
    groups_claim: str | None = None,
    group_roles: Mapping[str, Sequence[str]] | None = None,
    default_roles: Sequence[str] | None = None,
    email_domains: Sequence[str] | None = None,
    links_by_email: bool | None = None,
    enabled: bool | None = None,
) -> list[str]:
    if group_roles is not None:
        if len(group_roles) > MOST_GROUPS:
            raise Invalid(f"At most {MOST_GROUPS} groups can be mapped.", field="groupRoles")
        for group, named in group_roles.items():
            if not 0 < len(group) <= 255:
                raise Invalid("A group has 1 to 255 characters.", field="groupRoles")
            check_roles(tx, named, "groupRoles")
    if default_roles is not None:
        check_roles(tx, default_roles, "defaultRoles")
    given: dict[str, object] = {
        "name": name if name is None else one_line(name, "name", 100),
        "issuer": None if issuer is None else check_address(issuer),
        "client_id": client_id,
        "scopes": None if scopes is None else _scopes(scopes),
        "groups_claim": groups_claim,
        "group_roles": None if group_roles is None else {key: sorted(set(one)) for key, one in group_roles.items()},
        "default_roles": None if default_roles is None else sorted(set(default_roles)),
        "email_domains": None if email_domains is None else _domains(email_domains),
        "links_by_email": links_by_email,
        "enabled": enabled,
    }
    changed = [key for key, value in given.items() if value is not None and getattr(row, key) != value]
    for key in changed:
        setattr(row, key, given[key])
    if client_secret is not None:
        plain = client_secret.reveal()
        row.client_secret = tx.vault.seal(TABLE, row.uid, "client_secret", client_secret) if plain else None
        changed.append("client_secret")
    return changed


def remove(tx: Tx, row: OidcProvider) -> int:
    """Forget it, and end the sessions that it began; the people stay. Answers how many ended."""
    require_operator(tx)
    accounts = select(ExternalAccount.id).where(ExternalAccount.issuer == row.issuer)
    here = (UserSession.external_account_id.in_(accounts), UserSession.organization_id == row.organization_id)
    live = list(tx.scalars(select(UserSession).where(*here, UserSession.revoked_at.is_(None))))
    for session in live:
        revoke_row(tx, session)
    tx.execute(delete(OidcRequest).where(OidcRequest.provider_id == row.id))
    _note(tx, IdentityAction.PROVIDER_REMOVED, row, sessions=len(live))
    tx.session.delete(row)
    return len(live)


def secret(tx: Tx, row: OidcProvider) -> Secret[str] | None:
    if row.client_secret is None:
        return None
    return tx.vault.open(TABLE, row.uid, "client_secret", row.client_secret)


def require_operator(tx: Tx) -> None:
    """A provider vouches for whoever it names, so only who may do everything here looks after one: in person, in the
    organization that the installation began with, with the highest role of every family.

    Raises `Forbidden` (`session_required`, `provider_not_yours`).
    """
    require_in_person(tx.principal)
    if tx.principal.kind == "system":
        return
    here = tx.principal.organization_id
    highest = roles.carried(tx, sorted(HIGHEST.values()))
    if here is None or not Machine.belongs_to(tx, here) or highest - roles.mine(tx):
        raise Forbidden(
            "Identity providers vouch for everybody here, so they are looked after by who may do everything.",
            code="provider_not_yours",
            hint="Ask somebody who has the highest role of every surface in this installation's first organization.",
        )


def check_roles(tx: Tx, keys: Sequence[str], field: str) -> None:
    """Raise `Invalid` (`role_unknown`) for a role that there is not, and `Forbidden` (`permission_not_held`) for one
    that carries what the caller has not got: a group at a provider would be a way around the rule for roles.
    """
    here = (Role.organization_id == tx.principal.organization_id) | Role.organization_id.is_(None)
    known = set(tx.scalars(select(Role.key).where(here, Role.key.in_(set(keys)))))
    unknown = sorted(set(keys) - known)
    if unknown:
        raise Invalid(
            f"There is no role {several(unknown)}.",
            code="role_unknown",
            hint="Write family:role, such as organization:developer, or custom:… for a role of your own.",
            field=field,
        )
    roles.require_given(tx, sorted(known))


def _scopes(given: Sequence[str]) -> list[str]:
    if len(given) > MOST_OTHERS or not all(SCOPE.fullmatch(one) for one in given):
        raise Invalid("A scope is a word without spaces, quotes and backslashes.", field="scopes")
    return list(dict.fromkeys(("openid", *given)))


def _domains(given: Sequence[str]) -> list[str]:
    found = sorted({one.strip().lower().lstrip("@") for one in given})
    wrong = [one for one in found if not DOMAIN.fullmatch(one)]
    if wrong or len(found) > MOST_OTHERS:
        raise Invalid(
            f"{several(wrong) or 'This list'} is no domain of e-mail addresses.",
            hint="Write example.com.",
            field="emailDomains",
        )
    return found


def _note(tx: Tx, action: IdentityAction, row: OidcProvider, **detail: object) -> None:
    audit.record(
        tx,
        action,
        resource_type="identity-provider",
        resource_id=row.uid,
        organization_id=row.organization_id,
        detail={"slug": row.slug, **detail},
    )
    events.append(
        tx,
        f"identity-provider:{row.uid}",
        str(action).replace(".", "-"),
        {"identityProviderId": row.uid, "slug": row.slug},
        organization_id=row.organization_id,
    )
