"""The part of the harbour that knows people and roles: values that stand still."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from quarterdeck.console.views.people import (
    PEOPLE,
    Grid,
    GridGroup,
    GridRow,
    Handed,
    HeldRow,
    HolderRow,
    InvitationList,
    InvitationRow,
    MemberList,
    MemberRow,
    MemberView,
    Permitted,
    PermittedGroup,
    Refusal,
    RoleForm,
    RoleRow,
    RoleView,
    WhyView,
)
from quarterdeck.kernel.errors import NotFound

ACCESS = frozenset({
    "access:read", "access:manage", "audit:verify",
    *(f"deploy:organizations.{name}" for name in (
        "list-members", "list-invitations", "invite-member", "change-member-role", "remove-member", "transfer-owner",
    )),
})  # fmt: skip
SINCE = NOW - timedelta(days=90)
MARA = MemberRow("1" * 32, "Mara Lindqvist", "mara", "mara@saltmarsh.example", "owner", ("tasks:admin",), True, True,
                 SINCE)  # fmt: skip
JONAS = MemberRow("2" * 32, "Jonas Weber", "jonas", "jonas.weber@a-rather-long-name.saltmarsh.example", "developer",
                  ("broker:approver", "Release"), False, False, SINCE)  # fmt: skip
ASKED = InvitationRow("inv_000000000001", "priya@saltmarsh.example", "viewer", "pending", "Mara Lindqvist", NOW,
                      NOW + timedelta(hours=40))  # fmt: skip
LATE = replace(ASKED, ref="inv_000000000002", email="aiko@saltmarsh.example", state="expired", until=SINCE)
OWNER = RoleRow("r1", "organization:owner", "owner", "organization", "", 1, 0, 260, False)
VIEWER = RoleRow("r2", "organization:viewer", "viewer", "organization", "", 12, 0, 96, False)
RELEASE = RoleRow("r3", "custom:r3", "Release", "custom", "Ships on Fridays", 2, 1, 2, True)
HELD = (
    HeldRow("g1", "organization:developer", "organization:developer", f"{PEOPLE}/x", "", "", SINCE, False),
    HeldRow("g2", "broker:approver", "broker:approver", f"{PEOPLE}/x", "environment production", "mara", SINCE, True),
)
CREATE = Permitted("deploy:deployments.create", "Deploy: deployments create", True, True)
APPROVE = Permitted("broker:secret.approve", "Approve and refuse requests", True, False)


class PeopleSide:
    _did: Any
    """What was done is written down by whoever inherits this, who knows of the mail server too."""
    mail: bool

    async def members(self, who: Any, *, words: str, after: str, limit: int) -> MemberList:
        found = tuple(row for row in (MARA, JONAS) if words.lower() in row.name.lower())
        return MemberList(found, None if after else "2")

    async def waiting(self, who: Any, *, before: str, limit: int) -> InvitationList:
        return InvitationList((ASKED, LATE), None)

    async def invitation(self, who: Any, ref: str) -> InvitationRow:
        return ASKED

    async def member(self, who: Any, ref: str) -> MemberView:
        row = next((one for one in (MARA, JONAS) if one.ref == ref), None)
        if row is None:
            raise NotFound("There is no such member of the organization.", hint="Look at the members.")
        return MemberView(row, HELD, None if row.you else NOW, row.you)

    async def invite(self, who: Any, *, email: str, rank: str, request: Any) -> Handed:
        self._did("invite", email, rank)
        return self._handed(email, rank)

    async def invite_again(self, who: Any, ref: str, request: Any) -> Handed:
        self._did("invite-again", ref)
        return self._handed(ASKED.email, ASKED.rank)

    def _handed(self, email: str, rank: str) -> Handed:
        link = None if self.mail else f"http://deck.example/console/accept-invitation#{'t' * 64}"
        return Handed(email, rank, NOW + timedelta(hours=48), link)

    async def revoke_invitation(self, who: Any, ref: str) -> None:
        self._did("revoke-invitation", ref)

    async def change_rank(self, who: Any, ref: str, rank: str) -> None:
        self._did("change-rank", ref, rank)

    async def remove_member(self, who: Any, ref: str, confirmation: str) -> None:
        self._did("remove-member", ref, confirmation)

    async def transfer_ownership(self, who: Any, ref: str, confirmation: str) -> None:
        self._did("transfer-ownership", ref, confirmation)

    async def roles(self, who: Any) -> tuple[RoleRow, ...]:
        return (OWNER, VIEWER, RELEASE)

    async def grid(self, who: Any, family: str, *, group: str, words: str) -> Grid:
        columns, groups = (OWNER, VIEWER, RELEASE), ("deployments", "servers")
        if not group and not words:
            rows = tuple(GridRow(one, "", ("yes", "3 of 12", "no"), f"?group={one}") for one in groups)
            return Grid(columns, (GridGroup("", rows),), groups, True, 0)
        row = GridRow("Deploy: deployments create", CREATE.key, ("yes", "no", "yes"))
        return Grid(columns, (GridGroup("deployments", (row,)),), groups, False, 3)

    async def role(self, who: Any, ref: str, *, after: str, limit: int) -> RoleView:
        row = next(one for one in (OWNER, VIEWER, RELEASE) if one.ref == ref)
        holders = (
            HolderRow("Jonas Weber", JONAS.href, "environment production", SINCE),
            HolderRow("Mara Lindqvist", MARA.href, "", SINCE),
        )
        return RoleView(row, await self.permitted(who, frozenset({CREATE.key, APPROVE.key})), holders, None, "7")

    async def permitted(self, who: Any, chosen: frozenset[str]) -> tuple[PermittedGroup, ...]:
        one, other = (replace(each, on=each.key in chosen) for each in (CREATE, APPROVE))
        return PermittedGroup("deployments", (one,)), PermittedGroup("broker: Secrets", (other,))

    async def create_role(self, who: Any, form: RoleForm) -> str:
        self._did("create-role", form.name, form.permissions)
        return "r3"

    async def change_role(self, who: Any, ref: str, form: RoleForm) -> None:
        self._did("change-role", ref, form)

    async def delete_role(self, who: Any, ref: str, confirmation: str) -> None:
        self._did("delete-role", ref, confirmation)

    async def give_role(self, who: Any, ref: str, *, role: str, narrowed_by: str, value: str) -> None:
        self._did("give-role", ref, role, narrowed_by, value)

    async def take_role(self, who: Any, ref: str, grant: str) -> None:
        self._did("take-role", ref, grant)

    async def why(self, who: Any, person: str, permission: str, where: str) -> WhyView:
        if person != "jonas":
            raise NotFound(f"There is no user {person}.", code="user_not_found")
        allowed = permission == CREATE.key
        return WhyView(
            "Jonas Weber", JONAS.href, permission, "Deploy: deployments create", allowed, "Granted by Release.",
            "" if allowed else "Ask an owner.", ("Release",), ("Release",) if allowed else (),
            ("Release", "organization:owner"), () if allowed else ("mara",),
        )  # fmt: skip

    async def refusal(self, who: Any, permission: str) -> Refusal:
        carrying = ("organization:owner", "organization:admin", "a-role-of-our-own-with-a-name")
        return Refusal(permission, "Deploy: resources show", "Saltmarsh", carrying, ("jonas",), True)
