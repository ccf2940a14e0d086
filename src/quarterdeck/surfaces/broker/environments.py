"""Environments (contract: broker §1.9)."""

from __future__ import annotations

from quarterdeck.broker.tenancy import environments
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.roles import FAMILY
from quarterdeck.surfaces.broker.wire import tenancy as wire
from quarterdeck.surfaces.shared.values import given
from quarterdeck.workspace.model import Environment, Project

EDIT = "broker:team.edit"
UNKNOWN = ((400, "id_malformed"), (404, "environment_not_found"))


@route(
    "POST",
    "/api/v1/environments",
    permission=EDIT,
    status=201,
    errors=(
        (400, "id_malformed"), (400, "project_unknown"), (400, "validation_error"), (409, "conflict"),
        (409, "project_archived"),
    ),
)  # fmt: skip
async def create(call: Call, body: wire.NewBrokerEnvironment) -> wire.BrokerEnvironment:
    """Make an environment in a project."""
    project, name = given(body.project_id), given(body.name)
    if not project or not name or not name.strip():
        raise Invalid("project_id and name are required", hint="Send both.", field="name" if project else "project_id")
    word = environments.word(given(body.type), given(body.kind))
    return shown(*await call.write(environments.create, shapes.uid(project, "project_id"), name, word))


@route("GET", "/api/v1/environments", permission="authenticated", narrowed=FAMILY, errors=UNKNOWN)
async def index(call: Call, query: wire.BrokerPageQuery) -> list[wire.BrokerEnvironment]:
    """Environments by project and name."""
    after = shapes.after(given(query.after))
    return [shown(*one) for one in await call.read(environments.page, query.limit, after)]


@route("GET", "/api/v1/environments/{environment_id}", permission="authenticated", narrowed=FAMILY, errors=UNKNOWN)
async def show(call: Call, environment_id: str) -> wire.BrokerEnvironment:
    """One environment."""
    return shown(*await call.read(environments.find, shapes.uid(environment_id, "environment id")))


@route(
    "DELETE",
    "/api/v1/environments/{environment_id}",
    permission=EDIT,
    status=204,
    errors=(*UNKNOWN, (409, "environment_delete_blocked"), (409, "environment_locked")),
)
async def delete(call: Call, environment_id: str) -> None:
    """Delete an environment that nothing is kept in and no open request is about."""
    uid = shapes.uid(environment_id, "environment id")
    await call.write(environments.delete, uid, call.service("deletion_blockers"))


def shown(environment: Environment, project: Project) -> wire.BrokerEnvironment:
    return wire.BrokerEnvironment(
        id=environment.uid,
        project_id=project.uid,
        name=environment.name,
        type=environments.type_of(environment),
        kind="prod" if environments.production(environment) else "non_prod",
        created_at=shapes.at(environment.created_at),
        updated_at=shapes.at(environments.updated_at(environment)),
    )
