"""Members of the caller's organization and who was asked in: read for their pages, and changed by their forms."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.access.model import Role
from quarterdeck.console.views.people import (
    Handed,
    HeldRow,
    InvitationList,
    InvitationRow,
    MemberList,
    MemberRow,
    MemberView,
)
from quarterdeck.identity import granting, invitations, members, organizations, ranks, users
from quarterdeck.identity.granting import Held
from quarterdeck.identity.invitations import Invited
from quarterdeck.identity.members import Member
from quarterdeck.identity.model import Invitation, User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.http.own_address import own_address
from quarterdeck.kernel.principal import Principal


class People:
    """`who` is the caller that the unit of work knows from its context; the guard has asked for the permission."""

    instance: Any

    async def members(self, who: Principal, *, words: str, after: str, limit: int) -> MemberList:
        found: MemberList = await self.instance.db.read(listed, words, number(after), limit)
        return found

    async def waiting(self, who: Principal, *, before: str, limit: int) -> InvitationList:
        found: InvitationList = await self.instance.db.read(waiting, number(before), limit)
        return found

    async def invitation(self, who: Principal, ref: str) -> InvitationRow:
        found: InvitationRow = await self.instance.db.read(asked, ref)
        return found

    async def member(self, who: Principal, ref: str) -> MemberView:
        found: MemberView = await self.instance.db.read(view, ref)
        return found

    async def invite(self, who: Principal, *, email: str, rank: str, request: Any) -> Handed:
        base = self._base(request)
        made: Handed = await self.instance.db.write(
            lambda tx: self._handed(tx, ranks.ask_in(tx, email, rank, base), base)
        )
        return made

    async def invite_again(self, who: Principal, ref: str, request: Any) -> Handed:
        base = self._base(request)

        def again(tx: Tx) -> Handed:
            invitation = invitations.find(tx, organizations.here(tx).id, ref)
            return self._handed(tx, ranks.ask_again(tx, invitation, base), base)

        made: Handed = await self.instance.db.write(again)
        return made

    async def revoke_invitation(self, who: Principal, ref: str) -> None:
        await self.instance.db.write(
            lambda tx: invitations.revoke(tx, invitations.find(tx, organizations.here(tx).id, ref))
        )

    async def change_rank(self, who: Principal, ref: str, rank: str) -> None:
        await self.instance.db.write(lambda tx: ranks.make(tx, self.instance.access, member(tx, ref).user, rank))

    async def remove_member(self, who: Principal, ref: str, confirmation: str) -> None:
        def remove(tx: Tx) -> None:
            user = member(tx, ref).user
            confirmed(confirmation, user.username, "their username")
            ranks.let_go(tx, self.instance.access, user)

        await self.instance.db.write(remove)

    async def transfer_ownership(self, who: Principal, ref: str, confirmation: str) -> None:
        def transfer(tx: Tx) -> None:
            place, taker, giver = organizations.here(tx), member(tx, ref), tx.get(User, tx.principal.id)
            assert giver is not None  # noqa: S101 - authenticated a moment ago
            confirmed(confirmation, place.name, "the name of the organization")
            members.transfer_ownership(tx, self.instance.access, place.id, giver, taker.user)

        await self.instance.db.write(transfer)

    def _base(self, request: Any) -> str:
        return own_address(self.instance.settings, request.scope["scheme"], request.headers.get("host", ""))

    def _handed(self, tx: Tx, made: Invited, base: str) -> Handed:
        """With the link only where nobody is written to."""
        invitation = made.invitation
        mailed = self.instance.settings.mail_server is not None
        link = None if mailed else ranks.link(tx, made, base)
        return Handed(invitation.email, ranks.rank(invitation.roles) or "", invitation.expires_at, link)


def listed(tx: Tx, words: str, after: int, limit: int) -> MemberList:
    found = members.page(tx, organizations.here(tx).id, words=words, after=after, limit=limit + 1)
    names = role_names(tx)
    rows = tuple(_row(tx, one, names) for one in found[:limit])
    return MemberList(rows, str(found[limit - 1].user.id) if len(found) > limit else None)


def role_names(tx: Tx) -> dict[str, str]:
    """What people call the roles of the organization, by key: those of a family by their key."""
    return {one.key: one.key if one.organization_id is None else one.name for one in granting.all_roles(tx)}


def _row(tx: Tx, one: Member, names: dict[str, str]) -> MemberRow:
    others = tuple(names[key] for key in one.roles if not key.startswith(f"{ranks.FAMILY}:") and key in names)
    return MemberRow(
        ref=ref_of(one.user),
        name=one.user.display_name or one.user.username,
        username=one.user.username,
        email=one.user.email or "",
        rank=ranks.rank(one.roles) or "",
        others=others,
        active=one.user.active,
        you=one.user.id == tx.principal.id,
        since=one.joined_at,
    )


def ref_of(user: User) -> str:
    return user.uid.replace("-", "")


def waiting(tx: Tx, before: int, limit: int) -> InvitationList:
    found = invitations.listed(tx, organizations.here(tx).id, "waiting", before=before or None, limit=limit + 1)
    shown = found[:limit]
    return InvitationList(_waiting(tx, shown), str(shown[-1].id) if len(found) > limit else None)


def asked(tx: Tx, ref: str) -> InvitationRow:
    found = invitations.find(tx, organizations.here(tx).id, ref)
    if invitations.status(tx, found) not in {"pending", "expired"}:
        raise NotFound(
            f"The invitation of {found.email} waits no more.",
            code="invitation_not_found",
            hint="It was accepted or revoked. Look in People.",
        )
    return _waiting(tx, [found])[0]


def _waiting(tx: Tx, some: list[Invitation]) -> tuple[InvitationRow, ...]:
    by = {one.invited_by for one in some if one.invited_by}
    names = {one.id: one.display_name or one.username for one in tx.scalars(select(User).where(User.id.in_(by)))}
    return tuple(_invitation(tx, one, names) for one in some)


def _invitation(tx: Tx, one: Invitation, names: dict[int, str]) -> InvitationRow:
    return InvitationRow(
        ref=one.ref,
        email=one.email,
        rank=ranks.rank(one.roles) or ", ".join(key for key in one.roles if key != grants.MEMBER),
        state=invitations.status(tx, one),
        by=names.get(one.invited_by or 0, ""),
        made=one.created_at,
        until=one.expires_at,
    )


def member(tx: Tx, ref: str) -> Member:
    """Raises `NotFound` (`member_not_found`)."""
    return members.find(tx, organizations.here(tx).id, users.by_uid(tx, ref))


def view(tx: Tx, ref: str) -> MemberView:
    found = member(tx, ref)
    return MemberView(
        row=_row(tx, found, role_names(tx)),
        held=tuple(_held(one) for one in granting.held(tx, user=found.user)),
        last_seen=found.user.last_sign_in_at,
        second_factor=found.user.totp_enabled_at is not None,
    )


def _held(one: Held) -> HeldRow:
    return HeldRow(
        ref=one.id,
        role=one.role.key,
        label=label(one.role),
        href=f"/console/access/roles/{one.role.uid}",
        where=place(one),
        by=one.by or "",
        since=one.since,
        may_take=one.role.family != ranks.FAMILY,
    )


def label(role: Role) -> str:
    return role.key if role.organization_id is None else role.name


def place(one: Held) -> str:
    """`environment production, project_id …`; empty for the whole organization."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in one.scope.items())


def number(text: str) -> int:
    """Where a list goes on. Raises `Invalid` for what no list gave."""
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid("This address is none that a list gave.", hint="Start again at its beginning.")
    return int(text)


def confirmed(typed: str, wanted: str, what: str) -> None:
    if typed != wanted:
        raise Invalid(f"{typed[:60]!r} is not {what}.", hint=f"Type {wanted}.", field="confirmation")
