"""`qd user`: who is in an organization, and with which role."""

from __future__ import annotations

import re
from typing import Any, Literal

from cyclopts import App

from quarterdeck.cli import names, states
from quarterdeck.cli.client import Api
from quarterdeck.cli.commands.organizations import chosen
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.people import member, members
from quarterdeck.cli.session import session

COMMON, CHANGING, DESTROYING = Common(), Changing(), Destroying()
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
Row = dict[str, Any]
Role = Literal["owner", "admin", "developer", "billing", "viewer"]
user = App(name="user", help="Ask people in, give them a role, and let them go.")


def ls(*, organization: str | None = None, common: Common = COMMON) -> None:
    """List the members of an organization.

    qd user ls
    qd user ls --organization acme

    Parameters
    ----------
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(common) as opened:
        rows = members(opened.api, chosen(opened.api, organization)["id"])
        cells = [
            [
                opened.terminal.state(states.credential(row.get("status", "active"))),
                row["shown"],
                row.get("displayName", ""),
                row["role"],
                row["joinedAt"],
            ]
            for row in rows
        ]
        items = [{key: value for key, value in row.items() if key != "shown"} for row in rows]
        columns = ["STATE", "USER", "NAME", "ROLE", "SINCE"]
        opened.terminal.table(items, columns, cells, names=[row["memberId"] for row in rows])


def invite(
    email: str, role: Role = "developer", /, *, organization: str | None = None, changing: Changing = CHANGING
) -> None:
    """Ask somebody into an organization, by a mail with a link that is good for two days and once.

    qd user invite bob@example.com
    qd user invite eve@example.com viewer --organization acme

    Parameters
    ----------
    email
        The address that the mail goes to.
    role
        What they are in the organization.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    if not ADDRESS.fullmatch(email):
        raise usage(f"{email} is no e-mail address.", "qd user invite bob@example.com")
    with session(changing) as opened:
        found = chosen(opened.api, organization)
        body = {"email": email, "role": role}
        made = opened.api.change("organizations.invite-member", body, organizationId=found["id"])
        opened.sent()
        opened.done(made, name=made["invitationId"], text=f"Invited {email} to {found['name']} as {role}.")
        if made.get("mailed", True):
            opened.terminal.say(f"The server sends the mail to {email}.")
        else:
            opened.terminal.say(
                f"There is no mail server, so nobody is written to. Have a link to pass on: qd user resend {email}"
            )


def invitations(
    *,
    status: Literal["pending", "accepted", "expired", "revoked"] | None = None,
    organization: str | None = None,
    common: Common = COMMON,
) -> None:
    """List who was asked in.

    qd user invitations
    qd user invitations --status pending

    Parameters
    ----------
    status
        Only those in this state.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(common) as opened:
        found = chosen(opened.api, organization)
        rows = opened.api.every("organizations.list-invitations", {"status": status}, organizationId=found["id"])
        cells = [
            [
                opened.terminal.state(states.credential(row["status"])),
                row["email"],
                row["role"],
                row.get("expiresAt", ""),
                (row.get("inviter") or {}).get("email", ""),
            ]
            for row in rows
        ]
        columns = ["STATE", "E-MAIL", "ROLE", "UNTIL", "BY"]
        opened.terminal.table(rows, columns, cells, names=[row["invitationId"] for row in rows])


def _waiting(api: Api, found: Row, text: str) -> tuple[Row, str]:
    """The invitation that waits for an address, or has an id, with its path; one that has expired waits too."""
    rows = api.every("organizations.list-invitations", organizationId=found["id"])
    open_ = [row for row in rows if row["status"] in {"pending", "expired"}]
    for row in open_:
        if text.lower() in {row["email"].lower(), row["invitationId"]}:
            return row, f"/api/organizations/{found['id']}/invitations/{row['invitationId']}"
    raise names.missing("invitation", text, [row["email"] for row in open_], "qd user invitations")


def resend(email: str, /, *, organization: str | None = None, changing: Changing = CHANGING) -> None:
    """Send an invitation again, with another link. A server without a mail server tells you the link, to pass it on.

    qd user resend bob@example.com

    Parameters
    ----------
    email
        The address that was asked in, or the id of the invitation.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(changing) as opened:
        found = chosen(opened.api, organization)
        row, path = _waiting(opened.api, found, email)
        answer = opened.api.ours("organizations.resend-invitation", "POST", f"{path}/resend")
        opened.sent()
        if answer["link"]:
            opened.terminal.say(
                f"There is no mail server, so nobody is written to. Pass the link on to {row['email']}:"
            )
        text = answer["link"] or f"Sent {row['email']} another link."
        opened.done(answer, name=row["invitationId"], text=text)


def revoke(email: str, /, *, organization: str | None = None, changing: Changing = CHANGING) -> None:
    """End an invitation that waits. Its link opens nothing any more.

    qd user revoke bob@example.com
    qd user revoke bob@example.com --yes

    Parameters
    ----------
    email
        The address that was asked in, or the id of the invitation.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(changing) as opened:
        found = chosen(opened.api, organization)
        row, path = _waiting(opened.api, found, email)
        opened.terminal.confirm(f"Revoke the invitation of {row['email']}?")
        answer = opened.api.ours("organizations.revoke-invitation", "POST", f"{path}/revoke")
        opened.sent()
        opened.done(answer, name=row["invitationId"], text=f"Revoked the invitation of {row['email']}.")


def role(name: str, role: Role, /, *, organization: str | None = None, changing: Changing = CHANGING) -> None:
    """Give a member another role. It counts with their next request.

    qd user role bob@example.com admin

    Parameters
    ----------
    name
        E-mail address, name or id.
    role
        What they are from here on.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(changing) as opened:
        found = chosen(opened.api, organization)
        who = member(opened.api, found["id"], name)
        answer = opened.api.change(
            "organizations.change-member-role", {"role": role}, organizationId=found["id"], memberId=who["memberId"]
        )
        opened.done(answer, name=who["memberId"], text=f"{who['shown']} is {role} of {found['name']}.")


def rm(name: str, /, *, organization: str | None = None, destroying: Destroying = DESTROYING) -> None:
    """Take somebody out of an organization. Their sessions in it end at once; what they made stays.

    qd user rm bob@example.com
    qd user rm bob@example.com --confirm bob@example.com

    Parameters
    ----------
    name
        E-mail address, name or id.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(destroying) as opened:
        found = chosen(opened.api, organization)
        who = member(opened.api, found["id"], name)
        lost = f"{who['shown']} ({who['role']}) loses every role in {found['name']}."
        opened.terminal.confirm_typed(lost, who["shown"], destroying.confirm)
        answer = opened.api.change(
            "organizations.remove-member", {}, organizationId=found["id"], memberId=who["memberId"]
        )
        opened.done(answer, name=who["memberId"], text=f"{who['shown']} is out of {found['name']}.")


for command in (ls, invite, invitations, resend, revoke, role, rm):
    user.command(command)
