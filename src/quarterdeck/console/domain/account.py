"""What the reader does to their own account, with the same commands as the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from quarterdeck.console.views.account import Enrolment, NewToken, OrganizationRow, SignInView, TokenRow
from quarterdeck.identity import (
    organizations,
    own_account,
    personal_tokens,
    proving,
    second_factor,
    sessions,
)
from quarterdeck.identity.model import Organization, PersonalToken, User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret


class Account:
    """`who` is the caller that the unit of work knows from its context."""

    instance: Any

    async def sign_in_view(self, who: Principal) -> SignInView:
        view: SignInView = await self.instance.db.read(_sign_in)
        return view

    async def change_password(self, who: Principal, *, present: str, new: str) -> None:
        await own_account.change_password(self.instance.db, self.instance.attempts, Secret(present), Secret(new))

    async def sign_out_elsewhere(self, who: Principal) -> int:
        ended: int = await self.instance.db.write(own_account.sign_out_elsewhere)
        return ended

    async def begin_factor(self, who: Principal) -> Enrolment:
        sessions.require_in_person(who)
        secret, address = await self.instance.db.write(lambda tx: second_factor.begin(tx, proving.me(tx)))
        return Enrolment(secret.reveal(), address.reveal())

    async def begun_factor(self, who: Principal, secret: str) -> Enrolment | None:
        address = await self.instance.db.read(
            lambda tx: second_factor.address_again(tx, proving.me(tx), Secret(secret))
        )
        return None if address is None else Enrolment(secret, address.reveal())

    async def confirm_factor(self, who: Principal, code: str) -> tuple[str, ...]:
        sessions.require_in_person(who)
        codes = await self.instance.db.write(lambda tx: second_factor.confirm(tx, proving.me(tx), code))
        return _shown(codes)

    async def renew_codes(self, who: Principal, code: str) -> tuple[str, ...]:
        sessions.require_in_person(who)
        db, attempts = self.instance.db, self.instance.attempts
        return _shown(await proving.by_code(db, attempts, code, second_factor.renew_codes))

    async def switch_off_factor(self, who: Principal, *, password: str, code: str) -> None:
        await own_account.switch_off_second_factor(self.instance.db, self.instance.attempts, Secret(password), code)

    async def tokens(self, who: Principal) -> tuple[TokenRow, ...]:
        rows: tuple[TokenRow, ...] = await self.instance.db.read(_tokens)
        return rows

    async def create_token(self, who: Principal, *, label: str, scopes: tuple[str, ...], days: int | None) -> NewToken:
        sessions.require_in_person(who)

        def verb(tx: Tx) -> NewToken:
            until = None if days is None else tx.now + timedelta(days=days)
            row, secret = personal_tokens.create(tx, proving.me(tx), label, scopes, until)
            return NewToken(row.label, secret.reveal())

        made: NewToken = await self.instance.db.write(verb)
        return made

    async def revoke_token(self, who: Principal, ref: str) -> None:
        sessions.require_in_person(who)
        number = int(ref) if ref.isascii() and ref.isdigit() and len(ref) < 19 else -1
        await self.instance.db.write(lambda tx: personal_tokens.revoke(tx, tx.principal.id, number))

    async def organizations(self, who: Principal) -> tuple[OrganizationRow, ...]:
        rows: tuple[OrganizationRow, ...] = await self.instance.db.read(_organizations)
        return rows

    async def switch_organization(self, who: Principal, ref: str) -> None:
        await self.instance.db.write(own_account.switch_organization, self.instance.access, ref)


def _shown(codes: list[Secret[str]]) -> tuple[str, ...]:
    return tuple(code.reveal() for code in codes)


def _sign_in(tx: Tx) -> SignInView:
    user: User = proving.me(tx)
    others = [one for one in sessions.own(tx, user.id) if one.uid != tx.principal.credential]
    live = [row for row in personal_tokens.own(tx, user.id) if row.revoked_at is None and not _expired(tx, row)]
    return SignInView(
        password=user.password_hash is not None,
        factor=user.totp_enabled_at,
        codes=second_factor.codes_left(tx, user),
        others=len(others),
        tokens=len(live),
    )


def _expired(tx: Tx, row: PersonalToken) -> bool:
    return row.expires_at is not None and row.expires_at <= tx.now


def _tokens(tx: Tx) -> tuple[TokenRow, ...]:
    rows = personal_tokens.own(tx, tx.principal.id)
    where = select(Organization).where(Organization.id.in_({row.organization_id for row in rows}))
    names = {one.id: one.name for one in tx.scalars(where)}
    return tuple(
        TokenRow(
            str(row.id),
            row.label,
            row.prefix,
            tuple(row.scopes),
            names.get(row.organization_id or 0, ""),
            row.created_at,
            row.expires_at,
            row.last_used_at,
            row.revoked_at,
            _expired(tx, row),
        )
        for row in rows
    )


def _organizations(tx: Tx) -> tuple[OrganizationRow, ...]:
    here = tx.principal.organization_id
    return tuple(
        OrganizationRow(
            one.ref, one.name, one.slug, organizations.role_of(tx, tx.principal.id, one.id) or "", one.id == here
        )
        for one in organizations.reachable(tx)
    )
