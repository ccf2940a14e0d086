"""Projects (contract: broker §1.9)."""

from __future__ import annotations

from msgspec import UNSET

from quarterdeck.broker.tenancy import environments, projects
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.environments import shown as environment_shown
from quarterdeck.surfaces.broker.roles import FAMILY
from quarterdeck.surfaces.broker.wire import tenancy as wire
from quarterdeck.surfaces.shared.values import given

EDIT = "broker:team.edit"
UNKNOWN = ((400, "id_malformed"), (404, "project_not_found"))


@route(
    "POST",
    "/api/v1/projects",
    permission=EDIT,
    status=201,
    errors=((400, "id_malformed"), (400, "validation_error"), (409, "project_archived"), (409, "project_name_taken")),
)
async def create(call: Call, body: wire.NewBrokerProject) -> wire.BrokerProject:
    """Make a project. One of that name that the broker does not know yet becomes one of its own."""
    name, team = given(body.name), given(body.owner_team_id)
    if not name or not name.strip():
        raise Invalid("name is required", hint="Send a name.", field="name")
    owner = shapes.uid(team, "owner_team_id") if team else None
    return shown(await call.write(projects.create, name, owner, given(body.status) or projects.ACTIVE))


@route(
    "GET",
    "/api/v1/projects",
    permission="authenticated",
    narrowed=FAMILY,
    errors=UNKNOWN,
)
async def index(call: Call, query: wire.BrokerPageQuery) -> list[wire.BrokerProject]:
    """Projects, oldest first."""
    after = shapes.after(given(query.after))
    return [shown(one) for one in await call.read(projects.page, query.limit, after)]


@route("GET", "/api/v1/projects/{project_id}", permission="authenticated", narrowed=FAMILY, errors=UNKNOWN)
async def show(call: Call, project_id: str) -> wire.BrokerProject:
    """One project."""
    return shown(await call.read(projects.listed, shapes.uid(project_id, "project id")))


@route("PUT", "/api/v1/projects/{project_id}/status", permission=EDIT, status=204, errors=UNKNOWN)
async def set_status(call: Call, project_id: str, body: wire.BrokerProjectStatus) -> None:
    """Archive a project, which takes no requests then, or take it up again."""
    await call.write(projects.set_status, shapes.uid(project_id, "project id"), body.status)


@route(
    "GET",
    "/api/v1/projects/{project_id}/environments",
    permission="authenticated",
    narrowed=FAMILY,
    errors=((400, "id_malformed"),),
)
async def environments_of(call: Call, project_id: str) -> list[wire.BrokerEnvironment]:
    """The environments of a project by name; none of one that there is not."""
    found = await call.read(environments.of_project, shapes.uid(project_id, "project id"))
    return [environment_shown(*one) for one in found]


def shown(one: projects.Listed) -> wire.BrokerProject:
    return wire.BrokerProject(
        id=one.project.uid,
        name=one.project.name,
        status="archived" if one.project.lifecycle == projects.ARCHIVED else "active",
        created_at=shapes.at(one.part.created_at),
        updated_at=shapes.at(one.updated_at),
        owner_team_id=one.part.owner_team_id or UNSET,
    )
