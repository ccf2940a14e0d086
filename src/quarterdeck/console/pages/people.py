"""People: members of the organization, who was asked in, and one person with what they have."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request, Response

from quarterdeck.console import people_commands as commands
from quarterdeck.console.desk import AnyRequest, Desk, act, open_desk, part, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.people import PEOPLE, Handed, InvitationList, MemberView
from quarterdeck.console.views.shell import Crumb, Field, Pages
from quarterdeck.identity import organizations
from quarterdeck.kernel.errors import NotFound, Problem
from quarterdeck.kernel.http.shared_signature import get, post

PAGE = 50
LIST, INVITED, INVITE = (
    f"deploy:organizations.{name}" for name in ("list-members", "list-invitations", "invite-member")
)
RANK, REMOVE, TRANSFER = (
    f"deploy:organizations.{name}" for name in ("change-member-role", "remove-member", "transfer-owner")
)
READ, MANAGE = "access:read", "access:manage"
CRUMB = Crumb("People", PEOPLE)
PERSON = "/access/people/{ref:str}"
INVITATION = "/access/people/invitations/{ref:str}"
MAY = {
    "owner": "Owner: everything, the organization itself too",
    "admin": "Admin: changes everything, invites and removes people",
    "developer": "Developer: sees what is there, and deploys with a role of your own",
    "billing": "Billing: sees what is there",
    "viewer": "Viewer: sees what is there",
}
NARROWED = (
    ("", "The whole organization"),
    ("project_id", "One project, by its id"),
    ("environment", "One environment, by its name"),
    ("secret_ref_prefix", "Secrets that begin with"),
    ("provider_type", "One kind of provider"),
    ("team_id", "One team, by its id"),
)


@get("/access/people", opt=needs(LIST))
async def people(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request)


async def _page(
    request: AnyRequest, problem: Problem | None = None, *, typed: dict[str, str] | None = None
) -> Response[bytes]:
    """Members, whoever waits, and the form that asks somebody in; each to who may."""
    desk, query = await open_desk(request), request.query_params
    words, after, before = (query.get(name, "").strip()[:200] for name in ("q", "after", "before"))
    view = await desk.ports.members(desk.who, words=words, after=after, limit=PAGE)
    waiting = InvitationList((), None)
    if desk.viewer.may(INVITED):
        waiting = await desk.ports.waiting(desk.who, before=before, limit=PAGE)
    typed = typed or {}
    return desk.page(
        "pages/people.html",
        here="access",
        crumbs=(Crumb("People"),),
        problem=problem,
        view=view,
        waiting=waiting,
        words=words,
        pages=_turn({"q": words}, "after", view.following, after),
        waiting_pages=_turn({}, "before", waiting.older, before),
        fields=_invite_fields(desk, typed, problem),
        mails=await desk.ports.sends_mail(),
        command=commands.list_members(),
        invite_command=commands.invite(typed.get("email", ""), typed.get("role", "")),
    )


def _turn(kept: dict[str, str], name: str, following: str | None, here: str) -> Pages:
    said = {key: value for key, value in kept.items() if value}
    first = PEOPLE + (f"?{urlencode(said)}" if said else "")
    return Pages(
        older=f"{PEOPLE}?{urlencode({**said, name: following})}" if following else None, newer=first if here else None
    )


def _ranks(desk: Desk) -> tuple[tuple[str, str], ...]:
    """Only an owner makes one."""
    return tuple((name, MAY[name]) for name in organizations.RANK if name != "owner" or desk.viewer.may(TRANSFER))


def _invite_fields(desk: Desk, typed: dict[str, str], problem: Problem | None) -> tuple[Field, ...]:
    wrong = str(problem.details.get("field", "")) if problem and typed else ""
    told = problem.message if problem else ""
    attributes = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
    return (
        Field("email", "E-mail", typed.get("email", ""), kind="email", required=True, attributes=attributes,
              error=told if wrong == "email" else ""),
        Field("role", "Comes as", typed.get("role", "developer"), kind="select", choices=_ranks(desk), required=True,
              error=told if wrong == "role" else ""),
    )  # fmt: skip


@post("/access/people/invitations", opt=needs(INVITE))
async def invite(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    try:
        made = await desk.ports.invite(
            desk.who, email=form.get("email", ""), rank=form.get("role", ""), request=request
        )
    except Problem as problem:
        return await _page(request, problem, typed=form)
    return _invited(desk, made, again=False)


@post(INVITATION + "/again", opt=needs(INVITE))
async def invite_again(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    try:
        made = await desk.ports.invite_again(desk.who, part(request, "ref"), request)
    except Problem as problem:
        return await _page(request, problem)
    return _invited(desk, made, again=True)


def _invited(desk: Desk, made: Handed, *, again: bool) -> Response[bytes]:
    """What was done; where nobody is written to, with the link, which is in this answer alone."""
    return desk.page(
        "pages/invited.html",
        here="access",
        crumbs=(CRUMB, Crumb("Invited")),
        made=made,
        again=again,
    )


@get(INVITATION + "/revoke", opt=needs(INVITE))
async def ask_revoke(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _revocation(request)


async def _revocation(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    row = await desk.ports.invitation(desk.who, part(request, "ref"))
    return ask(
        desk,
        here="access",
        crumbs=(CRUMB, Crumb("Revoke")),
        failed=failed,
        title=f"Revoke the invitation of {row.email}?",
        texts=("The link opens nothing from then on. They can be invited again.",),
        action=f"{row.href}/revoke",
        back=PEOPLE,
        keep="Leave it",
        button="Revoke invitation",
        command=commands.revoke(row),
    )


@post(INVITATION + "/revoke", opt=needs(INVITE))
async def revoke(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    deed = desk.ports.revoke_invitation(desk.who, part(request, "ref"))
    return await act(deed, PEOPLE, "invitation-revoked", partial(_page, request))


@get(PERSON, opt=needs(READ))
async def person(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _person(request)


async def _person(
    request: AnyRequest, problem: Problem | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.member(desk.who, part(request, "ref"))
    row, typed = view.row, typed or {}
    return desk.page(
        "pages/person.html",
        here="access",
        crumbs=(CRUMB, Crumb(row.name)),
        problem=problem,
        view=view,
        why=f"/console/access/why?person={quote(row.username)}",
        rank_fields=(
            Field("role", "Role in the organization", row.rank, kind="select", required=True,
                  choices=_ranks(desk) if row.rank in dict(_ranks(desk)) else ((row.rank, MAY.get(row.rank, "None")),
                                                                              *_ranks(desk))),
        ),
        grant_fields=await _grant_fields(desk, view, typed, problem),
        rank_command=commands.change_rank(row),
        grant_command=commands.give(row),
    )  # fmt: skip


async def _grant_fields(
    desk: Desk, view: MemberView, typed: dict[str, str], problem: Problem | None
) -> tuple[Field, ...]:
    if not desk.viewer.may(MANAGE):
        return ()
    whole = {one.role for one in view.held if not one.where}
    known = await desk.ports.roles(desk.who)
    choices = tuple((one.ref, one.label) for one in known if one.family != "organization" and one.key not in whole)
    wrong = str(problem.details.get("field", "")) if problem and typed else ""
    told = problem.message if problem else ""
    return (
        Field("role", "Role", typed.get("role", ""), kind="select", choices=choices, required=True,
              error=told if wrong == "role" else ""),
        Field("narrowed_by", "Where", typed.get("narrowed_by", ""), kind="select", choices=NARROWED, required=True,
              hint="A part is for roles of the broker and your own. It counts where secrets are asked for."),
        Field("value", "Which", typed.get("value", ""), error=told if wrong in {"value", "scope"} else ""),
    )  # fmt: skip


@post(PERSON + "/role", opt=needs(RANK))
async def change_rank(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref, form = await open_desk(request), part(request, "ref"), await read_form(request)
    deed = desk.ports.change_rank(desk.who, ref, form.get("role", ""))
    return await act(deed, f"{PEOPLE}/{ref}", "role-changed", partial(_person, request))


@post(PERSON + "/grants", opt=needs(MANAGE))
async def give(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref, form = await open_desk(request), part(request, "ref"), await read_form(request)
    narrowed_by, value = form.get("narrowed_by", ""), form.get("value", "")
    deed = desk.ports.give_role(desk.who, ref, role=form.get("role", ""), narrowed_by=narrowed_by, value=value)
    return await act(deed, f"{PEOPLE}/{ref}", "role-given", partial(_person, request, typed=form))


@get(PERSON + "/grants/{grant:str}/take", opt=needs(MANAGE))
async def ask_take(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _taking(request)


async def _taking(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk, grant = await open_desk(request), part(request, "grant")
    view = await desk.ports.member(desk.who, part(request, "ref"))
    held = next((one for one in view.held if one.ref == grant), None)
    if held is None:
        raise failed or NotFound(f"{view.row.name} has no such role any more.", hint="Look at what they have now.")
    return ask(
        desk,
        here="access",
        crumbs=(CRUMB, Crumb(view.row.name, view.row.href), Crumb("Take a role")),
        failed=failed,
        title=f"Take {held.label} from {view.row.name}?",
        texts=("It counts with their next request. They stay a member.",),
        action=f"{view.row.href}/grants/{grant}/take",
        back=view.row.href,
        keep="Leave it",
        button="Take the role",
        command=commands.take(view.row, held),
    )


@post(PERSON + "/grants/{grant:str}/take", opt=needs(MANAGE))
async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref = await open_desk(request), part(request, "ref")
    deed = desk.ports.take_role(desk.who, ref, part(request, "grant"))
    return await act(deed, f"{PEOPLE}/{ref}", "role-taken", partial(_taking, request))


@get(PERSON + "/remove", opt=needs(REMOVE))
async def ask_remove(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _removal(request)


async def _removal(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    row = (await desk.ports.member(desk.who, part(request, "ref"))).row
    return ask(
        desk,
        here="access",
        crumbs=(CRUMB, Crumb(row.name, row.href), Crumb("Remove")),
        failed=failed,
        title=f"Remove {row.name} from {desk.viewer.organization}?",
        texts=(
            "They lose every role here, and their sessions and tokens in this organization end at once.",
            "What they made stays, and so does what the audit trail says of them.",
        ),
        action=f"{row.href}/remove",
        back=row.href,
        keep="Keep them",
        button="Remove member",
        danger=True,
        must_equal=row.username,
        blocked=_kept(row.rank, you=row.you),
        command=commands.remove(row),
    )


def _kept(rank: str, *, you: bool) -> str:
    """Why somebody is not removed here, in the words in which the rule would say it."""
    if rank == "owner":
        return "An owner is not removed. Transfer the ownership to another member first."
    return "The membership of your own account is not changed here. Ask another administrator." if you else ""


@post(PERSON + "/remove", opt=needs(REMOVE))
async def remove(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.remove_member(desk.who, part(request, "ref"), form.get("confirmation", ""))
    return await act(deed, PEOPLE, "member-removed", partial(_removal, request))


@get(PERSON + "/owner", opt=needs(TRANSFER))
async def ask_transfer(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _transfer(request)


async def _transfer(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    row = (await desk.ports.member(desk.who, part(request, "ref"))).row
    return ask(
        desk,
        here="access",
        crumbs=(CRUMB, Crumb(row.name, row.href), Crumb("Transfer the ownership")),
        failed=failed,
        title=f"Give {desk.viewer.organization} to {row.name}?",
        texts=("You are an administrator of it then. Only they can give it back.",),
        action=f"{row.href}/owner",
        back=row.href,
        keep="Keep it",
        button="Transfer the ownership",
        danger=True,
        must_equal=desk.viewer.organization,
        blocked="" if not row.you else "The organization has this owner already.",
        command=commands.transfer(row),
    )


@post(PERSON + "/owner", opt=needs(TRANSFER))
async def transfer(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, ref, form = await open_desk(request), part(request, "ref"), await read_form(request)
    deed = desk.ports.transfer_ownership(desk.who, ref, form.get("confirmation", ""))
    return await act(deed, f"{PEOPLE}/{ref}", "ownership-transferred", partial(_transfer, request))


HANDLERS: tuple[Any, ...] = (
    people, invite, invite_again, ask_revoke, revoke, person, change_rank, give, ask_take, take, ask_remove, remove,
    ask_transfer, transfer,
)  # fmt: skip
