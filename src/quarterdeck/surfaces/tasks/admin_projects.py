"""Projects of agent tasks, for the administrators of the surface."""

from __future__ import annotations

from quarterdeck.access import Access
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.tasks.project_shapes import project
from quarterdeck.surfaces.tasks.projects import ADDING, CHANGING, REMOVING, UNKNOWN, add, page, page_of_members, said
from quarterdeck.surfaces.tasks.shapes import number
from quarterdeck.surfaces.tasks.wire import projects as wire
from quarterdeck.surfaces.tasks.wire.lists import Paging
from quarterdeck.surfaces.tasks.wire.profile import Success
from quarterdeck.tasks.projects import members, projects
from quarterdeck.tasks.projects.ending import EndsTasks

MANAGE = "tasks:projects.manage"
HERE, ONE, MEMBERS = "/api/admin/projects", "/api/admin/projects/{key}", "/api/admin/projects/{key}/members"


@route("GET", HERE, permission=MANAGE)
async def listed(call: Call, query: Paging) -> wire.Projects:
    """All projects of the organization, newest first."""
    return await call.read(lambda tx: page(tx, None, query))


@route(
    "POST",
    HERE,
    permission=MANAGE,
    status=201,
    errors=(
        (400, "validation_error"), (400, "project_key_invalid"), (400, "project_invalid"), (400, "pipeline_invalid"),
        (400, "address_invalid"), (409, "project_key_taken"), (409, "project_name_taken"), (409, "project_archived"),
    ),
)  # fmt: skip
async def create(call: Call, body: wire.ProjectCreate) -> wire.Project:
    """Make a project. One of that name which deploys applications, and has no tasks yet, takes tasks from now on."""

    def verb(tx: Tx) -> wire.Project:
        values = said(body)
        key, name = str(values.pop("key")), str(values.pop("name"))
        return project(tx, projects.create(tx, key, name, values))

    return await call.write(verb)


@route("PUT", ONE, permission=MANAGE, errors=CHANGING)
async def change(call: Call, key: str, body: wire.ProjectChange) -> wire.Project:
    """Change what is given."""
    return await call.write(lambda tx: project(tx, projects.change(tx, key, said(body))))


@route("DELETE", ONE, permission=MANAGE, errors=((409, "project_has_live_tasks"), *UNKNOWN))
async def delete(call: Call, key: str, query: wire.DeleteQuery, access: Access, ends_tasks: EndsTasks) -> Success:
    """Delete what tasks have of a project, and its memberships. Applications that it deploys stay."""

    def verb(tx: Tx) -> None:
        projects.delete(tx, access, key, ends_tasks if query.force else None)

    await call.write(verb)
    return Success()


@route("GET", MEMBERS, permission=MANAGE, errors=UNKNOWN)
async def list_members(call: Call, key: str, query: Paging) -> wire.Members:
    """Who belongs to a project, newest first."""
    return await call.read(lambda tx: page_of_members(tx, projects.find(tx, key), query))


@route("POST", MEMBERS, permission=MANAGE, status=201, errors=ADDING)
async def add_member(call: Call, key: str, body: wire.MemberAdd, access: Access) -> wire.Member:
    """Make somebody a member or maintainer of a project."""
    return await call.write(lambda tx: add(tx, access, projects.find(tx, key), body))


@route("DELETE", MEMBERS, permission=MANAGE, errors=REMOVING)
async def remove_member(call: Call, key: str, query: wire.MemberQuery, access: Access) -> Success:
    """Take somebody out of a project, which keeps its last maintainer."""
    await call.write(lambda tx: members.remove(tx, access, projects.find(tx, key), query.developer_id))
    return Success()


@route("DELETE", f"{MEMBERS}/{{id}}", permission=MANAGE, errors=REMOVING)
async def remove_member_by_path(call: Call, key: str, access: Access) -> Success:
    """As DELETE of the members with `developerId`, in the older form."""
    developer_id = number(call.path["id"])
    await call.write(lambda tx: members.remove(tx, access, projects.find(tx, key), developer_id))
    return Success()
