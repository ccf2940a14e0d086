"""Environments and their variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import at, limit_of, present
from quarterdeck.surfaces.deploy.wire import environments as wire
from quarterdeck.surfaces.shared.values import given
from quarterdeck.workspace import environment_lifecycle, environments, variables
from quarterdeck.workspace.model import Environment, Project, Variable
from quarterdeck.workspace.variables import Entry


def entry(value: Entry) -> dict[str, Any]:
    """A masked variable."""
    return {
        "key": value.key,
        "value": value.value,
        "scope": value.scope,
        "exposure": value.exposure,
        "isSecret": value.is_secret,
        "kind": value.kind,
    }


def dated(value: Entry) -> dict[str, Any]:
    return {**entry(value), "updatedAt": wire_time(value.updated_at)}


def items(tx: Tx, pairs: Sequence[tuple[Environment, Project]]) -> list[dict[str, Any]]:
    """Environments with their parents and own variables, in three statements however many they are."""
    parents = environments.refs(tx, [environment.parent_id for environment, _ in pairs])
    own: dict[str, list[Variable]] = {}
    for row in variables.rows(tx, [f"environment:{environment.id}" for environment, _ in pairs]):
        own.setdefault(row.owner, []).append(row)
    return [
        item(
            environment, project, parents.get(environment.parent_id or 0), own.get(f"environment:{environment.id}", [])
        )
        for environment, project in pairs
    ]


def item(environment: Environment, project: Project, parent: str | None, own: list[Variable]) -> dict[str, Any]:
    return present(
        id=environment.ref,
        projectId=project.ref,
        name=environment.name,
        kind=environment.kind,
        parentEnvironmentId=parent,
        lifecycleStatus=environment.lifecycle,
        lockedAt=at(environment.locked_at),
        lockReason=environment.lock_reason,
        archivedAt=at(environment.archived_at),
        archiveReason=environment.archive_reason,
        createdAt=wire_time(environment.created_at),
        maskedVariables=[entry(variables.masked(row)) for row in own],
    )


@operation("environments.count")
async def count(call: Call, query: wire.EnvironmentsCountQuery) -> dict[str, int]:
    return {"count": await call.read(environments.count, given(query.project_id))}


@operation("environments.list")
async def newest(call: Call, query: wire.EnvironmentsListQuery) -> dict[str, Any]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        return items(tx, environments.newest(tx, limit_of(query), given(query.project_id)))

    return {"items": await call.read(verb)}


@operation("environments.create")
async def create(call: Call, body: wire.EnvironmentsCreateBody) -> dict[str, str]:
    made = await call.write(
        environments.create, body.project_id, body.name, body.kind, given(body.parent_environment_id)
    )
    return {"id": made.ref}


@operation("environments.show")
async def show(call: Call, environment_id: str) -> dict[str, Any]:
    return await call.read(lambda tx: items(tx, [environments.find(tx, environment_id)])[0])


@operation("environments.set-variable")
async def set_variable(call: Call, environment_id: str, body: wire.EnvironmentsSetVariableBody) -> None:
    await call.write(
        variables.set_in_environment,
        environment_id,
        key=body.key,
        value=body.value,
        kind=body.kind,
        exposure=body.exposure,
        scope=given(body.scope),
        secret=given(body.is_secret),
    )


@operation("environments.unset-variable")
async def unset_variable(call: Call, environment_id: str, key: str, body: wire.EnvironmentsUnsetVariableBody) -> None:
    await call.write(variables.unset_in_environment, environment_id, key, body.exposure, given(body.scope))


@operation("environments.effective-precedence")
async def effective_precedence(call: Call, environment_id: str) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        environment, project = environments.find(tx, environment_id)
        owners = variables.environment_owners(environment.id, project.id, project.organization_id)
        found = variables.rows(tx, owners)
        own = [row for row in found if row.owner == f"environment:{environment.id}"]
        return {
            "schemaVersion": "environments.effective-precedence/v1",
            "environmentId": environment.ref,
            "projectId": project.ref,
            "ownedEntries": [dated(variables.masked(row)) for row in own],
            "effectiveEntries": [dated(variables.masked(row)) for row in variables.effective(found)],
            "precedence": list(variables.PRECEDENCE),
            "generatedAt": wire_time(tx.now),
        }

    return await call.read(verb)


@operation("environments.rename")
async def rename(call: Call, environment_id: str, body: wire.EnvironmentsRenameBody) -> dict[str, str]:
    return {"id": (await call.write(environment_lifecycle.rename, environment_id, body.name)).ref}


@operation("environments.lock")
async def lock(call: Call, environment_id: str, body: wire.EnvironmentsLockBody) -> dict[str, str]:
    return {"id": (await call.write(environment_lifecycle.lock, environment_id, given(body.reason))).ref}


@operation("environments.unlock")
async def unlock(call: Call, environment_id: str) -> dict[str, str]:
    return {"id": (await call.write(environment_lifecycle.unlock, environment_id)).ref}


@operation("environments.archive")
async def archive(call: Call, environment_id: str, body: wire.EnvironmentsArchiveBody) -> dict[str, str]:
    return {"id": (await call.write(environment_lifecycle.archive, environment_id, given(body.reason))).ref}


@operation("environments.clone")
async def clone(call: Call, environment_id: str, body: wire.EnvironmentsCloneBody) -> dict[str, str]:
    made = await call.write(environment_lifecycle.copy, environment_id, body.target_name, given(body.target_kind))
    return {"id": made.ref}


@operation("environments.promote")
async def promote(call: Call, environment_id: str, body: wire.EnvironmentsPromoteBody) -> dict[str, str]:
    made = await call.write(environment_lifecycle.copy, environment_id, body.target_name, body.target_kind)
    return {"id": made.ref}


@operation("environments.diff")
async def diff(call: Call, environment_id: str, other_environment_id: str) -> list[wire.EnvironmentsDiffResponseItem]:
    def verb(tx: Tx) -> list[dict[str, Any]]:
        return [
            present(
                key=one.key,
                exposure=one.exposure,
                left=entry(variables.masked(one.left)) if one.left else None,
                right=entry(variables.masked(one.right)) if one.right else None,
                change=one.change,
            )
            for one in environment_lifecycle.compare(tx, environment_id, other_environment_id)
        ]

    return msgspec.convert(await call.read(verb), list[wire.EnvironmentsDiffResponseItem])
