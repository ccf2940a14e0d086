"""`qd whoami` and `qd organization`: who you are, and the organizations that you act in."""

from __future__ import annotations

from shlex import quote
from typing import Any

from cyclopts import App

from quarterdeck.cli import names
from quarterdeck.cli.client import Api
from quarterdeck.cli.failure import usage
from quarterdeck.cli.options import Changing, Common, Destroying
from quarterdeck.cli.people import member
from quarterdeck.cli.session import session

COMMON, CHANGING, DESTROYING = Common(), Changing(), Destroying()
Row = dict[str, Any]
organization = App(name="organization", help="List, switch, make, change and delete organizations.")


def whoami(*, common: Common = COMMON) -> None:
    """Say who you are, in which organization you act, and what you may do there.

    qd whoami
    qd whoami -o json
    """
    with session(common) as opened:
        context = opened.api.read("organizations.current-context")
        user, here = context["user"], context["currentOrganization"]
        called = user.get("displayName") or user["userId"]
        may = [WORDS[name] for name, yes in (context.get("permissions") or {}).items() if yes and name in WORDS]
        lines = [
            " ".join(part for part in (called, f"<{user['email']}>" if user["email"] else "") if part),
            f"  {here['role']} of {here['name']} ({here['organizationId']}) at {opened.api.profile.url}",
        ]
        if may:
            lines.append(f"  may {', '.join(may)}")
        others = [one["name"] for one in context["organizations"] if one["organizationId"] != here["organizationId"]]
        if others:
            lines.append(f"  also in {', '.join(others)}: qd organization switch {quote(others[0])}")
        opened.terminal.answer(context, name=user["email"] or user["userId"], text="\n".join(lines))


WORDS = {
    "canListMembers": "see members",
    "canInviteMembers": "invite people",
    "canUpdateMemberRoles": "change roles",
    "canRemoveMembers": "remove members",
    "canManageDeployTokens": "manage deploy tokens",
    "canTransferOwnership": "transfer the ownership",
}


def known(api: Api) -> tuple[list[Row], str]:
    """The caller's organizations, and the id of the one they act in."""
    context = api.read("organizations.current-context")
    rows = [{**one, "id": one["organizationId"]} for one in context["organizations"]]
    return rows, context["currentOrganization"]["organizationId"]


def chosen(api: Api, text: str | None) -> Row:
    """The organization meant by id, slug or name; without a text the one that the caller acts in."""
    rows, current = known(api)
    found = names.pick(rows, text or current)
    if found is None:
        raise names.missing("organization", text or current, [row["name"] for row in rows], "qd organization ls")
    return found


def ls(*, common: Common = COMMON) -> None:
    """List the organizations that you are a member of.

    qd organization ls
    """
    with session(common) as opened:
        rows, current = known(opened.api)
        items = [{name: value for name, value in row.items() if name != "id"} for row in rows]
        cells = [
            [("* " if row["id"] == current else "  ") + row["name"], row["slug"], row["role"], row["id"]]
            for row in rows
        ]
        opened.terminal.table(
            items, ["  ORGANIZATION", "SHORT NAME", "ROLE", "ID"], cells, names=[row["id"] for row in rows]
        )


def show(name: str | None = None, /, *, common: Common = COMMON) -> None:
    """Show an organization.

    qd organization show
    qd organization show acme

    Parameters
    ----------
    name
        Its name, short name or id. Default: the one you act in.
    """
    with session(common) as opened:
        found = chosen(opened.api, name)
        shown = opened.api.read("organizations.profile.show", organizationId=found["id"])
        lines = [
            f"{shown['name']}   {shown['organizationId']}",
            f"  short name  {shown['slug']}",
            f"  your role   {shown['role']}",
            f"  since       {shown.get('createdAt', '')}",
        ]
        opened.terminal.answer(shown, name=shown["organizationId"], text="\n".join(lines))


def switch(name: str, /, *, changing: Changing = CHANGING) -> None:
    """Act in another of your organizations from here on. A token stays in its own.

    qd organization switch acme

    Parameters
    ----------
    name
        Its name, short name or id.
    """
    with session(changing) as opened:
        found = chosen(opened.api, name)
        answer = opened.api.change("organizations.switch-current", {"organizationId": found["id"]})
        opened.done(answer, name=found["id"], text=f"You act in {found['name']} now.")


def create(name: str, /, *, slug: str | None = None, changing: Changing = CHANGING) -> None:
    """Make another organization, which is yours then. You go on acting in the present one.

    qd organization create Acme
    qd organization create "Acme Ltd" --slug acme

    Parameters
    ----------
    name
        What it is called.
    slug
        Its short name: lower-case letters, digits and dashes. Default: made from the name.
    """
    body = {"name": name} | ({"slug": slug} if slug else {})
    with session(changing) as opened:
        made = opened.api.ours("organizations.create", "POST", "/api/organizations", body)
        opened.sent()
        text = f"Made {made['name']} ({made['organizationId']})."
        opened.done(made, name=made["organizationId"], text=text)
        opened.terminal.say(f"Act in it: qd organization switch {made['slug']}")


def change(
    organization: str | None = None,
    /,
    *,
    name: str | None = None,
    slug: str | None = None,
    logo: str | None = None,
    changing: Changing = CHANGING,
) -> None:
    """Change how an organization is called and shown.

    qd organization change --name "Acme Ltd"
    qd organization change acme --slug acme-ltd --logo https://example.com/logo.svg

    Parameters
    ----------
    organization
        Its name, short name or id. Default: the one you act in.
    name
        Its new name.
    slug
        Its new short name.
    logo
        The address of its picture; an empty one takes it away.
    """
    given = {"name": name, "slug": slug, "logoUrl": logo}
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise usage("Say what to change.", "--name, --slug or --logo")
    with session(changing) as opened:
        found = chosen(opened.api, organization)
        answer = opened.api.change("organizations.profile.change", body, organizationId=found["id"])
        opened.sent()
        opened.done(answer, name=found["id"], text=f"Changed {answer['name']}.")


def transfer(to: str, /, *, organization: str | None = None, destroying: Destroying = DESTROYING) -> None:
    """Give an organization that you own to another member. You are an administrator of it then.

    qd organization transfer bob@example.com
    qd organization transfer bob@example.com --organization acme --confirm Acme

    Parameters
    ----------
    to
        The new owner: e-mail address, name or id.
    organization
        Its name, short name or id. Default: the one you act in.
    """
    with session(destroying) as opened:
        found = chosen(opened.api, organization)
        taker = member(opened.api, found["id"], to)
        me = opened.api.read("account.profile.show")["userId"]
        giver = member(opened.api, found["id"], me)
        lost = f"{found['name']} will belong to {taker['shown']}. Only they can give it back."
        opened.terminal.confirm_typed(lost, found["name"], destroying.confirm)
        body = {"fromMemberId": giver["memberId"], "toMemberId": taker["memberId"]}
        answer = opened.api.change("organizations.transfer-owner", body, organizationId=found["id"])
        opened.done(answer, name=found["id"], text=f"{found['name']} belongs to {taker['shown']} now.")


def delete(name: str, /, *, destroying: Destroying = DESTROYING) -> None:
    """Delete an organization with its memberships and invitations. What runs goes on, and its audit trail stays.

    qd organization delete acme
    qd organization delete acme --confirm Acme

    Parameters
    ----------
    name
        Its name, short name or id.
    """
    with session(destroying) as opened:
        found = chosen(opened.api, name)
        people = len(opened.api.every("organizations.list-members", organizationId=found["id"]))
        lost = f"{found['name']} and its {people} memberships are lost, and nobody reaches its projects any more."
        opened.terminal.confirm_typed(lost, found["name"], destroying.confirm)
        body = {"confirmation": {"organizationId": found["id"]}}
        answer = opened.api.change("organizations.delete", body, organizationId=found["id"])
        opened.done(answer, name=found["id"], text=f"Deleted {found['name']}.")


for command in (ls, show, switch, create, change, transfer, delete):
    organization.command(command)
