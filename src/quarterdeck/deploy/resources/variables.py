"""Variables and secret references of a resource: they override those of its environment."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.resources import ResourceAction, note
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, NotFound
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace import environments, projects, variables
from quarterdeck.workspace.model import Variable


def owner(resource: Resource) -> str:
    return f"resource:{resource.id}"


def set_variable(tx: Tx, ref: str, *, key: str, value: str, kind: str, exposure: str, secret: bool) -> Variable:
    resource = editable(tx, ref)
    row = variables.put(tx, owner(resource), "resource", key, value, exposure, kind, secret=secret)
    note(
        tx,
        resource,
        ResourceAction.VARIABLE_SET,
        "resource-variable-set",
        {"key": key, "exposure": exposure, "isSecret": row.is_secret},
    )
    return row


def unset_variable(tx: Tx, ref: str, key: str, exposure: str) -> None:
    resource = editable(tx, ref)
    variables.drop(tx, owner(resource), "resource", key, exposure)
    note(tx, resource, ResourceAction.VARIABLE_UNSET, "resource-variable-unset", {"key": key, "exposure": exposure})


def create_secret(tx: Tx, ref: str, key: str, value: Secret[str], exposure: str) -> Variable:
    """A secret reference: written once, never read back. A second one of the same name is a `conflict`."""
    resource = editable(tx, ref)
    if _secret_row(tx, resource, key, exposure) is not None:
        raise Conflict(f"{resource.name} has a secret {key} already.", hint="Rotate it to change its value.")
    row = variables.put(
        tx, owner(resource), "resource", key, value.reveal(), exposure, "secret", secret=True, reference=True
    )
    note(tx, resource, ResourceAction.SECRET_CREATED, "resource-secret-created", {"key": key, "exposure": exposure})
    return row


def rotate_secret(tx: Tx, ref: str, key: str, value: Secret[str], exposure: str) -> Variable:
    """A new value for an existing reference; deployments that were admitted keep the old one."""
    resource = editable(tx, ref)
    show_secret(tx, ref, key, exposure)
    row = variables.put(
        tx, owner(resource), "resource", key, value.reveal(), exposure, "secret", secret=True, reference=True
    )
    note(tx, resource, ResourceAction.SECRET_ROTATED, "resource-secret-rotated", {"key": key, "exposure": exposure})
    return row


def delete_secret(tx: Tx, ref: str, key: str, exposure: str) -> None:
    resource = editable(tx, ref)
    show_secret(tx, ref, key, exposure)
    variables.drop(tx, owner(resource), "resource", key, exposure)
    note(tx, resource, ResourceAction.SECRET_DELETED, "resource-secret-deleted", {"key": key, "exposure": exposure})


def list_secrets(tx: Tx, ref: str, exposure: str) -> list[Variable]:
    resource = resources.find(tx, ref)
    return list(
        tx.scalars(
            select(Variable)
            .where(Variable.owner == owner(resource), Variable.exposure == exposure, Variable.is_secret.is_(True))
            .order_by(Variable.key)
        )
    )


def show_secret(tx: Tx, ref: str, key: str, exposure: str) -> Variable:
    row = _secret_row(tx, resources.find(tx, ref), key, exposure)
    if row is None:
        raise NotFound(f"There is no {exposure} secret {key[:80]} here.", hint="Create it first.")
    return row


def _secret_row(tx: Tx, resource: Resource, key: str, exposure: str) -> Variable | None:
    return tx.first(
        select(Variable).where(
            Variable.owner == owner(resource),
            Variable.key == key,
            Variable.exposure == exposure,
            Variable.is_secret.is_(True),
        )
    )


def editable(tx: Tx, ref: str) -> Resource:
    """The resource, where its variables may be changed: nothing that holds it is archived or locked."""
    resource = resources.locked(tx, ref)
    environment, project = resources.owners(tx, resource)
    projects.check_active(project)
    environments.check_open(environment)
    resources.check_active(resource)
    return resource


def reaching(tx: Tx, resource: Resource) -> list[Variable]:
    """Every variable of every scope that reaches the resource, lowest precedence first."""
    return variables.rows(
        tx,
        [
            *variables.environment_owners(resource.environment_id, resource.project_id, resource.organization_id),
            owner(resource),
        ],
    )
