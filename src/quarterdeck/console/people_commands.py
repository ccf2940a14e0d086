"""The same deeds on the command line and over HTTP, for the pages about people and roles: see `commands`."""

from __future__ import annotations

import shlex

from quarterdeck.console.views.people import HeldRow, InvitationRow, MemberRow, RoleForm, RoleRow
from quarterdeck.console.views.shell import Command

HERE = "/api/organizations/ORGANIZATION"
GRANTS, ROLES = "/api/access/grants", "/api/access/roles"


def _line(*words: str) -> str:
    return shlex.join(("qd", *words))


def _who(row: MemberRow) -> str:
    return row.email or row.username


def list_members() -> Command:
    return Command(_line("user", "ls"), f"GET {HERE}/members")


def invite(email: str, rank: str) -> Command:
    return Command(_line("user", "invite", email or "EMAIL", rank or "developer"), f"POST {HERE}/invitations")


def invite_again(row: InvitationRow) -> Command:
    return Command(_line("user", "resend", row.email), f"POST {HERE}/invitations/{row.ref}/resend")


def revoke(row: InvitationRow) -> Command:
    return Command(_line("user", "revoke", row.email), f"POST {HERE}/invitations/{row.ref}/revoke")


def change_rank(row: MemberRow) -> Command:
    return Command(_line("user", "role", _who(row), row.rank or "developer"), f"POST {HERE}/members/{row.ref}/role")


def remove(row: MemberRow) -> Command:
    return Command(_line("user", "rm", _who(row)), f"DELETE {HERE}/members/{row.ref}")


def transfer(row: MemberRow) -> Command:
    return Command(_line("organization", "transfer", _who(row)), f"POST {HERE}/owner-transfer")


def give(row: MemberRow) -> Command:
    return Command(_line("grant", "give", row.username, "ROLE"), f"POST {GRANTS}")


def take(row: MemberRow, held: HeldRow) -> Command:
    """What is narrowed is taken over the API alone."""
    if held.where:
        return Command("", f"DELETE /api/v1/user-roles/{held.ref}")
    return Command(_line("grant", "take", row.username, held.label), f"POST {GRANTS}")


def list_roles() -> Command:
    return Command(_line("role", "ls"), f"GET {ROLES}")


def show_role(row: RoleRow) -> Command:
    return Command(_line("role", "show", row.label), f"GET {ROLES}")


def role(form: RoleForm, row: RoleRow | None = None) -> Command:
    """Making one, or changing `row`."""
    permissions = [word for key in sorted(form.permissions)[:3] for word in ("--permission", key)]
    permissions = permissions or ["--permission", "PERMISSION"]
    if row is None:
        return Command(_line("role", "add", form.name or "NAME", *permissions), f"POST {ROLES}")
    return Command(_line("role", "change", row.name, *permissions), f"PATCH {ROLES}/{row.ref}")


def delete_role(row: RoleRow) -> Command:
    return Command(_line("role", "rm", row.name), f"DELETE {ROLES}/{row.ref}")


def why(person: str, permission: str, where: str) -> Command:
    words = [person or "WHO", permission or "PERMISSION", *([where] if where else [])]
    return Command(_line("access", "why", *words), "POST /api/access/why")
