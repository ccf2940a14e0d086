"""What the pages about people and roles ask of the rest of the program: see `ports`."""

from __future__ import annotations

from typing import Any, Protocol

from quarterdeck.console.views.people import (
    Grid,
    Handed,
    InvitationList,
    InvitationRow,
    MemberList,
    MemberView,
    PermittedGroup,
    Refusal,
    RoleForm,
    RoleRow,
    RoleView,
    WhyView,
)

Principal = Any


class People(Protocol):
    """Members of the organization and who was asked in, by their ids."""

    async def members(self, who: Principal, *, words: str, after: str, limit: int) -> MemberList:
        """Oldest first; `after` is where the page before ended."""
        ...

    async def waiting(self, who: Principal, *, before: str, limit: int) -> InvitationList:
        """Invitations that wait, newest first."""
        ...

    async def invitation(self, who: Principal, ref: str) -> InvitationRow:
        """One that waits. Raises NotFound (invitation_not_found)."""
        ...

    async def member(self, who: Principal, ref: str) -> MemberView: ...

    async def invite(self, who: Principal, *, email: str, rank: str, request: Any) -> Handed: ...

    async def invite_again(self, who: Principal, ref: str, request: Any) -> Handed:
        """The links before end."""
        ...

    async def revoke_invitation(self, who: Principal, ref: str) -> None: ...

    async def change_rank(self, who: Principal, ref: str, rank: str) -> None: ...

    async def remove_member(self, who: Principal, ref: str, confirmation: str) -> None:
        """`confirmation` is the username."""
        ...

    async def transfer_ownership(self, who: Principal, ref: str, confirmation: str) -> None:
        """From the caller to the member; `confirmation` is the name of the organization."""
        ...


class Roles(Protocol):
    """Roles of all families and the organization's own, by their ids, and who has which."""

    async def roles(self, who: Principal) -> tuple[RoleRow, ...]: ...

    async def grid(self, who: Principal, family: str, *, group: str, words: str) -> Grid: ...

    async def role(self, who: Principal, ref: str, *, after: str, limit: int) -> RoleView: ...

    async def permitted(self, who: Principal, chosen: frozenset[str]) -> tuple[PermittedGroup, ...]:
        """Every permission there is, those of `chosen` on."""
        ...

    async def create_role(self, who: Principal, form: RoleForm) -> str: ...

    async def change_role(self, who: Principal, ref: str, form: RoleForm) -> None:
        """Raises Conflict (role_changed) where it has changed since the form was made."""
        ...

    async def delete_role(self, who: Principal, ref: str, confirmation: str) -> None:
        """`confirmation` is its name."""
        ...

    async def give_role(self, who: Principal, ref: str, *, role: str, narrowed_by: str, value: str) -> None:
        """To a member; without a `value` in the whole organization."""
        ...

    async def take_role(self, who: Principal, ref: str, grant: str) -> None: ...

    async def why(self, who: Principal, person: str, permission: str, where: str) -> WhyView: ...

    async def refusal(self, who: Principal, permission: str) -> Refusal:
        """Of a permission that the caller lacks."""
        ...
