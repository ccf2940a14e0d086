"""How a resource is built, run, reached and checked, and what it is given to read from its environment."""

from __future__ import annotations

from typing import Any

from quarterdeck.deploy.resources import configuration, importing, profiles, variables
from quarterdeck.deploy.resources.profiles import Given
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call
from quarterdeck.kernel.vault import MASK, Secret
from quarterdeck.surfaces.deploy.environments import dated
from quarterdeck.surfaces.deploy.operation import operation
from quarterdeck.surfaces.deploy.shapes import plain
from quarterdeck.surfaces.deploy.wire import resources as wire
from quarterdeck.surfaces.deploy.wire import resources_variables as variables_wire
from quarterdeck.surfaces.shared.values import given
from quarterdeck.workspace.model import Variable
from quarterdeck.workspace.variables import PRECEDENCE


@operation("resources.configure-source")
async def configure_source(call: Call, resource_id: str, body: wire.ResourcesConfigureSourceBody) -> dict[str, str]:
    given_source = Given(source=plain(body.source))
    return await call.write_once(body, lambda tx: {"id": profiles.configure(tx, resource_id, given_source).ref})


@operation("resources.configure-runtime")
async def configure_runtime(call: Call, resource_id: str, body: wire.ResourcesConfigureRuntimeBody) -> dict[str, str]:
    given_runtime = Given(runtime=plain(body.runtime_profile))
    return await call.write_once(body, lambda tx: {"id": profiles.configure(tx, resource_id, given_runtime).ref})


@operation("resources.configure-network")
async def configure_network(call: Call, resource_id: str, body: wire.ResourcesConfigureNetworkBody) -> dict[str, str]:
    await call.write(profiles.configure, resource_id, Given(network=plain(body.network_profile)))
    return {"id": resource_id}


@operation("resources.configure-access")
async def configure_access(call: Call, resource_id: str, body: wire.ResourcesConfigureAccessBody) -> dict[str, str]:
    await call.write(profiles.configure, resource_id, Given(access=plain(body.access_profile)))
    return {"id": resource_id}


@operation("resources.configure-health")
async def configure_health(call: Call, resource_id: str, body: wire.ResourcesConfigureHealthBody) -> dict[str, str]:
    await call.write(profiles.configure, resource_id, Given(health=plain(body.health_check)))
    return {"id": resource_id}


@operation("resources.reset-health")
async def reset_health(call: Call, resource_id: str) -> dict[str, str]:
    await call.write(profiles.reset_health, resource_id)
    return {"id": resource_id}


@operation("resources.set-variable")
async def set_variable(call: Call, resource_id: str, body: variables_wire.ResourcesSetVariableBody) -> None:
    await call.write(
        variables.set_variable,
        resource_id,
        key=body.key,
        value=body.value,
        kind=body.kind,
        exposure=body.exposure,
        secret=given(body.is_secret) is True,
    )


@operation("resources.import-variables")
async def import_variables(
    call: Call, resource_id: str, body: variables_wire.ResourcesImportVariablesBody
) -> dict[str, Any]:
    done = await call.write(
        importing.import_variables,
        resource_id,
        body.content,
        body.exposure,
        secret_keys=body.secret_keys,
        plain_keys=body.plain_keys,
    )
    return {
        "resourceId": resource_id,
        "importedEntries": [
            {
                "key": one.key,
                "value": one.value,
                "exposure": body.exposure,
                "kind": "secret" if one.secret else "plain-config",
                "isSecret": one.secret,
                "action": "replaced" if one.replaced else "created",
                "sourceLine": one.line,
            }
            for one in done
        ],
        "duplicateOverrides": [
            {
                "key": one.key,
                "exposure": body.exposure,
                "firstLine": one.first,
                "lastLine": one.line,
                "rule": "last-wins",
            }
            for one in done
            if one.first != one.line
        ],
        "existingOverrides": [
            {
                "key": one.key,
                "exposure": body.exposure,
                "previousScope": "resource",
                "rule": "resource-entry-replaced",
            }
            for one in done
            if one.replaced
        ],
    }


@operation("resources.unset-variable")
async def unset_variable(
    call: Call, resource_id: str, key: str, body: variables_wire.ResourcesUnsetVariableBody
) -> None:
    await call.write(variables.unset_variable, resource_id, key, body.exposure)


def secret(resource_id: str, row: Variable) -> dict[str, Any]:
    return {
        "resourceId": resource_id,
        "key": row.key,
        "value": MASK,
        "scope": "resource",
        "exposure": row.exposure,
        "isSecret": True,
        "kind": "secret",
        "updatedAt": wire_time(row.updated_at),
    }


@operation("resources.secrets.list")
async def list_secrets(call: Call, resource_id: str, query: wire.ResourcesSecretsListQuery) -> dict[str, Any]:
    rows = await call.read(variables.list_secrets, resource_id, query.exposure)
    return {
        "schemaVersion": "resources.secrets.list/v1",
        "resourceId": resource_id,
        "items": [secret(resource_id, row) for row in rows],
        "generatedAt": call.stamp,
    }


@operation("resources.secrets.create")
async def create_secret(call: Call, resource_id: str, body: wire.ResourcesSecretsCreateBody) -> dict[str, str]:
    await call.write(variables.create_secret, resource_id, body.key, Secret(body.value), body.exposure)
    return {"resourceId": resource_id, "key": body.key, "exposure": body.exposure}


@operation("resources.secrets.show")
async def show_secret(call: Call, resource_id: str, key: str, query: wire.ResourcesSecretsShowQuery) -> dict[str, Any]:
    row = await call.read(variables.show_secret, resource_id, key, query.exposure)
    return {
        "schemaVersion": "resources.secrets.show/v1",
        "secret": secret(resource_id, row),
        "generatedAt": call.stamp,
    }


@operation("resources.secrets.rotate")
async def rotate_secret(
    call: Call, resource_id: str, key: str, body: wire.ResourcesSecretsRotateBody
) -> dict[str, str]:
    await call.write(variables.rotate_secret, resource_id, key, Secret(body.value), body.exposure)
    return {"resourceId": resource_id, "key": key, "exposure": body.exposure}


@operation("resources.secrets.delete", further=((409, "resource_archived"),))
async def delete_secret(
    call: Call, resource_id: str, key: str, body: wire.ResourcesSecretsDeleteBody
) -> dict[str, str]:
    await call.write(variables.delete_secret, resource_id, key, body.exposure)
    return {"resourceId": resource_id, "key": key, "exposure": body.exposure}


@operation("resources.effective-config")
async def effective_config(call: Call, resource_id: str) -> dict[str, Any]:
    def verb(tx: Tx) -> dict[str, Any]:
        found = configuration.of(tx, resource_id)
        return {
            "schemaVersion": "resources.effective-config/v1",
            "resourceId": found.resource.ref,
            "environmentId": found.environment,
            "ownedEntries": [dated(entry) for entry in found.owned],
            "effectiveEntries": [dated(entry) for entry in found.effective],
            "overrides": [
                {
                    "key": one.key,
                    "exposure": one.exposure,
                    "selectedScope": one.selected,
                    "overriddenScopes": one.overridden,
                }
                for one in found.overrides
            ],
            "precedence": list(PRECEDENCE),
            "generatedAt": wire_time(tx.now),
        }

    return await call.read(verb)
