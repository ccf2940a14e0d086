"""Projects."""

from __future__ import annotations

from typing import Any

from quarterdeck.identity import organizations
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, limit_of, present
from quarterdeck.surfaces.deploy.wire import projects as wire
from quarterdeck.surfaces.shared.values import given
from quarterdeck.workspace import projects
from quarterdeck.workspace.model import Project

OTHER_ROOMS = frozenset({"agent-task", "infrastructure-spec"})
"""Blockers of rooms that the documented list of kinds does not know: told as the nearest, beside their own word."""


def item(tx: Tx, project: Project) -> dict[str, Any]:
    return present(
        id=project.ref,
        organizationId=organizations.ref_of(tx, project.organization_id),
        name=project.name,
        slug=project.slug,
        description=project.description,
        lifecycleStatus=project.lifecycle,
        archivedAt=at(project.archived_at),
        archiveReason=project.archive_reason,
        createdAt=wire_time(project.created_at),
    )


@operation("projects.count")
async def count(call: Call) -> dict[str, int]:
    return {"count": await call.read(projects.count)}


@operation("projects.list")
async def newest(call: Call, query: wire.ProjectsListQuery) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        return [item(tx, row) for row in projects.newest(tx, limit_of(query))]

    return {"items": await call.read(verb)}


@operation("projects.create")
async def create(call: Call, body: wire.ProjectsCreateBody) -> dict[str, str]:
    def verb(tx: Tx) -> str:
        named = given(body.organization_id)
        if named is not None and organizations.ref_of(tx, projects.organization_of(tx)) != named:
            raise Forbidden(
                f"You have no role in the organization {named[:60]}.",
                hint="Leave organizationId out to use the one you act in.",
            )
        return projects.create(tx, body.name, given(body.description)).ref

    return {"id": await call.write(verb)}


@operation("projects.show")
async def show(call: Call, project_id: str) -> dict[str, Any]:
    return await call.read(lambda tx: item(tx, projects.find(tx, project_id)))


@operation("projects.delete")
async def delete(call: Call, project_id: str, body: wire.ProjectsDeleteBody) -> dict[str, str]:
    blockers = call.service("deletion_blockers")

    def verb(tx: Tx) -> dict[str, str]:
        projects.delete(tx, project_id, body.confirmation.project_id, blockers)
        return {"id": project_id}

    return await call.write_once(body, verb)


@operation("projects.rename")
async def rename(call: Call, project_id: str, body: wire.ProjectsRenameBody) -> dict[str, str]:
    await call.write(projects.rename, project_id, body.name)
    return {"id": project_id}


@operation("projects.set-description")
async def describe(call: Call, project_id: str, body: wire.ProjectsSetDescriptionBody) -> dict[str, str]:
    await call.write(projects.set_description, project_id, given(body.description))
    return {"id": project_id}


@operation("projects.archive")
async def archive(call: Call, project_id: str, body: wire.ProjectsArchiveBody) -> dict[str, str]:
    await call.write(projects.archive, project_id, given(body.reason))
    return {"id": project_id}


@operation("projects.restore")
async def restore(call: Call, project_id: str) -> dict[str, str]:
    await call.write(projects.restore, project_id)
    return {"id": project_id}


@operation("projects.delete-check")
async def delete_check(call: Call, project_id: str) -> dict[str, Any]:
    registry = call.service("deletion_blockers")

    def verb(tx: Tx) -> dict[str, Any]:
        project = projects.find(tx, project_id)
        standing = projects.blockers(tx, project, registry)
        return {
            "schemaVersion": "projects.delete-check/v1",
            "projectId": project.ref,
            "lifecycleStatus": project.lifecycle,
            "eligible": not standing,
            "blockers": [
                {"kind": "resource", "relatedEntityType": kind, "count": number}
                if kind in OTHER_ROOMS
                else {"kind": kind, "count": number}
                for kind, number in standing
            ],
            "checkedAt": wire_time(tx.now),
        }

    return await call.read(verb)
