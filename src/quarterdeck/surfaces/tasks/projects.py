"""Projects of agent tasks, for those who belong to them."""

from __future__ import annotations

import msgspec

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.kernel.vault import Secret
from quarterdeck.surfaces.tasks.project_shapes import candidate, member, project, project_shape
from quarterdeck.surfaces.tasks.shapes import cut, number, position
from quarterdeck.surfaces.tasks.wire import projects as wire
from quarterdeck.surfaces.tasks.wire.lists import Paging
from quarterdeck.surfaces.tasks.wire.profile import Success
from quarterdeck.tasks import developers
from quarterdeck.tasks.projects import listing, members, membership, projects
from quarterdeck.tasks.projects.model import TaskProject

VIEW = "tasks:projects.view"
"""What every route asks; what is asked of the one project stands in its handler (`tasks.projects.membership`)."""
HERE, ONE, MEMBERS = "/api/web/projects", "/api/web/projects/{key}", "/api/web/projects/{key}/members"
UNKNOWN = ((404, "project_not_found"),)
ADDING = (
    (400, "validation_error"), (400, "developer_without_role"), (400, "developer_inactive"),
    (404, "developer_not_found"), (409, "already_member"), (409, "project_archived"), *UNKNOWN,
)  # fmt: skip
REMOVING = ((400, "validation_error"), (404, "member_not_found"), (409, "last_maintainer"), *UNKNOWN)
CHANGING = (
    (400, "validation_error"), (400, "project_invalid"), (400, "pipeline_invalid"), (400, "address_invalid"),
    (409, "project_archived"), (409, "project_slug_conflict"), *UNKNOWN,
)  # fmt: skip
TOKEN = ((400, "validation_error"), (400, "git_token_invalid"), (409, "project_archived"), *UNKNOWN)


def found(tx: Tx, access: Access, key: str, right: membership.Right) -> TaskProject:
    """A project in which the caller has a right."""
    part = projects.find(tx, key)
    membership.require(tx, access, part, right)
    return part


def page(tx: Tx, visible: set[int] | None, query: Paging) -> wire.Projects:
    rows, cursor = cut(listing.page(tx, visible, position(query), query.limit + 1), lambda one: one.part.id, query)
    return wire.Projects(items=project_shape(tx, rows), next_cursor=cursor, total=listing.count(tx, visible))


def page_of_members(tx: Tx, part: TaskProject, query: Paging) -> wire.Members:
    rows, cursor = cut(members.page(tx, part, position(query), query.limit + 1), lambda one: one.id, query)
    return wire.Members(items=[member(one) for one in rows], next_cursor=cursor, total=members.count(tx, part))


def add(tx: Tx, access: Access, part: TaskProject, body: wire.MemberAdd) -> wire.Member:
    role: membership.Role = "maintainer" if body.role == "maintainer" else "member"
    return member(members.add(tx, access, part, body.developer_id, role))


@route("GET", HERE, permission=VIEW)
async def listed(call: Call, query: Paging, access: Access) -> wire.Projects:
    """The projects that the caller belongs to, newest first; for administrators all of the organization."""

    def verb(tx: Tx) -> wire.Projects:
        return page(tx, membership.visible_projects(tx, access, tx.principal), query)

    return await call.read(verb)


@route("GET", f"{HERE}/-/developers", permission=VIEW)
async def candidates(call: Call, query: Paging) -> wire.Candidates:
    """The developers of the organization, newest first: who can be made a member of a project."""

    def verb(tx: Tx) -> wire.Candidates:
        rows, total = developers.of_surface(tx, position(query), query.limit + 1)
        shown, cursor = cut(rows, lambda one: one.user.id, query)
        return wire.Candidates(items=[candidate(one) for one in shown], next_cursor=cursor, total=total)

    return await call.read(verb)


@route("GET", ONE, permission=VIEW, errors=UNKNOWN)
async def show(call: Call, key: str, access: Access) -> wire.Project:
    """One project, with how much goes on in it."""
    return await call.read(lambda tx: project(tx, found(tx, access, key, "view")))


@route("PUT", ONE, permission=VIEW, errors=CHANGING)
async def change(call: Call, key: str, body: wire.ProjectChange, access: Access) -> wire.Project:
    """Change what is given, as a maintainer."""

    def verb(tx: Tx) -> wire.Project:
        found(tx, access, key, "manage")
        return project(tx, projects.change(tx, key, said(body)))

    return await call.write(verb)


@route("GET", MEMBERS, permission=VIEW, errors=UNKNOWN)
async def list_members(call: Call, key: str, query: Paging, access: Access) -> wire.Members:
    """Who belongs to a project, newest first, for its maintainers."""
    return await call.read(lambda tx: page_of_members(tx, found(tx, access, key, "manage"), query))


@route("POST", MEMBERS, permission=VIEW, status=201, errors=ADDING)
async def add_member(call: Call, key: str, body: wire.MemberAdd, access: Access) -> wire.Member:
    """Make somebody a member or maintainer of a project."""
    return await call.write(lambda tx: add(tx, access, found(tx, access, key, "manage"), body))


@route("DELETE", MEMBERS, permission=VIEW, errors=REMOVING)
async def remove_member(call: Call, key: str, query: wire.MemberQuery, access: Access) -> Success:
    """Take somebody out of a project, which keeps its last maintainer."""
    await call.write(lambda tx: members.remove(tx, access, found(tx, access, key, "manage"), query.developer_id))
    return Success()


@route("DELETE", f"{MEMBERS}/{{id}}", permission=VIEW, errors=REMOVING)
async def remove_member_by_path(call: Call, key: str, access: Access) -> Success:
    """As DELETE of the members with `developerId`, in the older form."""
    developer_id = number(call.path["id"])
    await call.write(lambda tx: members.remove(tx, access, found(tx, access, key, "manage"), developer_id))
    return Success()


@route("PUT", f"{ONE}/git-token", permission=VIEW, errors=TOKEN)
async def set_git_token(call: Call, key: str, body: wire.GitToken, access: Access) -> wire.HasGitToken:
    """Keep the token that the repository is fetched from and pushed to with. It is never shown again."""

    def verb(tx: Tx) -> None:
        found(tx, access, key, "manage")
        projects.set_git_token(tx, key, Secret(body.token))

    await call.write(verb)
    return wire.HasGitToken(has_git_token=True)


@route("DELETE", f"{ONE}/git-token", permission=VIEW, errors=((409, "project_archived"), *UNKNOWN))
async def remove_git_token(call: Call, key: str, access: Access) -> wire.HasGitToken:
    """Forget the token; where there is none, that is a success too."""

    def verb(tx: Tx) -> None:
        found(tx, access, key, "manage")
        projects.set_git_token(tx, key, None)

    await call.write(verb)
    return wire.HasGitToken(has_git_token=False)


def said(body: wire.ProjectChange) -> dict[str, object]:
    """What a body gave, as plain values by their names on the wire."""
    given: dict[str, object] = msgspec.to_builtins(body)
    return given
