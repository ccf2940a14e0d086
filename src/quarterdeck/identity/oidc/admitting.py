"""Whom a provider's word lets in, and with which roles."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import structlog
from sqlalchemy import select

from quarterdeck.access import Access, grants, roles
from quarterdeck.identity import members, users
from quarterdeck.identity.actions import IdentityAction
from quarterdeck.identity.model import ExternalAccount, User
from quarterdeck.identity.oidc.model import OidcProvider
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Forbidden, Problem

log = structlog.get_logger()


def admit(tx: Tx, access: Access, provider: OidcProvider, claims: Mapping[str, Any]) -> User | Problem:
    """The person of these claims with the roles of their groups, made at the first time.

    Answers a refusal instead of raising it where something has to be kept none the less: whoever has left all groups
    loses the roles now. Roles that were deleted since are not given. `Forbidden` (`oidc_not_admitted`,
    `user_inactive`), `Conflict` (`email_taken`).
    """
    tx.lock("access:membership", "identity:users")
    groups = _groups(claims.get(provider.groups_claim))
    named = {role for group in groups for role in provider.group_roles.get(group, ())}
    mapped = roles.living(tx, named, provider.organization_id)
    default = roles.living(tx, provider.default_roles, provider.organization_id)
    account = _account(tx, provider.issuer, str(claims["sub"]))
    if account is None:
        user = _first_time(tx, provider, claims, mapped or default)
        account = _link(tx, provider, user, str(claims["sub"]))
        mapped = mapped or default
    else:
        known = tx.get(User, account.user_id)
        assert known is not None  # noqa: S101 - people are deactivated, not removed
        user = known
    if not user.active:
        return Forbidden(
            "Your account is not active.",
            code="user_inactive",
            hint="Accept your invitation first, or ask an administrator.",
        )
    tx.act_as(users.principal(user, provider.organization_id))
    account.last_sign_in_at = tx.now
    _give(tx, access, provider, user, mapped)
    if not grants.everywhere(tx, user.id).get(provider.organization_id, set()) - {grants.MEMBER}:
        return _not_admitted(provider, "none of your groups has a role here")
    return user


def _first_time(tx: Tx, provider: OidcProvider, claims: Mapping[str, Any], given: Collection[str]) -> User:
    """Raises what refuses somebody new: nothing is to be kept of them. An address counts only where both sides have
    seen that it is theirs: else whoever enters somebody else's, here or there, would share their account.
    """
    email = _verified(claims)
    if provider.email_domains and (email or "").rsplit("@", 1)[-1].lower() not in provider.email_domains:
        raise _not_admitted(provider, "your e-mail address is in none of the domains, or it is not verified")
    there = users.find(tx, email) if email is not None else None
    if there is not None:
        same = there.email_verified and (there.email or "").lower() == (email or "").lower()
        if provider.links_by_email and same and grants.belongs(tx, there.id, provider.organization_id):
            return there
        raise Conflict(
            "Somebody with your e-mail address is here already.",
            code="email_taken",
            hint=f"If that is you: sign in with the password, and connect {provider.name} on your own page.",
        )
    if not given:
        raise _not_admitted(provider, "none of your groups has a role here")
    user = users.create(tx, email=email, username=_username(tx, claims), display_name=_text(claims.get("name"), 200))
    user.email_verified = email is not None
    tx.flush()
    tx.act_as(users.principal(user, provider.organization_id))
    members.note(tx, user, IdentityAction.CREATED, provider.organization_id, identityProvider=provider.slug)
    return user


def connect(tx: Tx, provider: OidcProvider, user: User, subject: str) -> None:
    """Join the provider's account to somebody who is signed in. Raises `Conflict` (`external_account_taken`)."""
    tx.lock("identity:users")
    account = _account(tx, provider.issuer, subject)
    if account is None:
        _link(tx, provider, user, subject)
    elif account.user_id != user.id:
        raise Conflict(
            f"This account of {provider.name} belongs to somebody else here.",
            code="external_account_taken",
            hint="Sign out there, and connect the account that is yours.",
        )


def _verified(claims: Mapping[str, Any]) -> str | None:
    email = claims.get("email")
    said = claims.get("email_verified")
    if not isinstance(email, str) or not (said is True or said == "true"):
        return None
    return email if len(email) <= 320 and users.EMAIL.fullmatch(email) else None


def _username(tx: Tx, claims: Mapping[str, Any]) -> str:
    """The name that the provider prefers, as far as it can be one and is free; else one from the address or subject."""
    wanted = _text(claims.get("preferred_username"), 100)
    if wanted is not None and users.USERNAME.fullmatch(wanted) and users.find(tx, wanted) is None:
        return wanted
    return users.username_from(tx, wanted or _text(claims.get("email"), 320) or str(claims["sub"]))


def _text(value: object, longest: int) -> str | None:
    if not isinstance(value, str):
        return None
    plain = "".join(letter for letter in value if letter.isprintable()).strip()
    return plain[:longest] or None


def _groups(value: object) -> set[str]:
    if isinstance(value, str):
        return {value}
    return {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()


def _account(tx: Tx, issuer: str, subject: str) -> ExternalAccount | None:
    mine = (ExternalAccount.issuer == issuer, ExternalAccount.subject == subject)
    return tx.first(select(ExternalAccount).where(*mine))


def _link(tx: Tx, provider: OidcProvider, user: User, subject: str) -> ExternalAccount:
    made = tx.add(
        ExternalAccount(
            uid=tx.ids.uid(),
            user_id=user.id,
            issuer=provider.issuer,
            subject=subject,
            created_at=tx.now,
            last_sign_in_at=None,
        )
    )
    tx.flush()
    members.note(
        tx, user, IdentityAction.EXTERNAL_ACCOUNT_LINKED, provider.organization_id, identityProvider=provider.slug
    )
    return made


def _give(tx: Tx, access: Access, provider: OidcProvider, user: User, mapped: Collection[str]) -> None:
    """Give the roles of the groups, and take those that only a group gives and none does any more."""
    organization_id = provider.organization_id
    managed = {role for named in provider.group_roles.values() for role in named}
    held = set(grants.roles_of(tx, user.id, organization_id))
    wanted = (held - managed) | set(mapped)
    for family in sorted({role.split(":")[0] for role in held ^ wanted}):
        mine = {role for role in wanted if role.startswith(f"{family}:")}
        try:
            members.set_roles(tx, access, user, organization_id, family, mine)
        except Conflict as last:  # an installation without an administrator would be worse than one too many
            log.warning("oidc_role_kept", user=user.username, family=family, code=last.code)
            kept = {role for role in held if role.startswith(f"{family}:")}
            members.set_roles(tx, access, user, organization_id, family, mine | kept)


def _not_admitted(provider: OidcProvider, why: str) -> Forbidden:
    return Forbidden(
        f"{provider.name} knows you, and that is not enough here: {why}.",
        code="oidc_not_admitted",
        hint="Ask an administrator of the organization to map one of your groups to a role.",
    )
