"""What a resource is configured with once every scope has spoken."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.deploy.resources.variables import owner, reaching
from quarterdeck.kernel.db import Tx
from quarterdeck.workspace.model import Environment, Variable
from quarterdeck.workspace.variables import Entry, effective, masked


@dataclass(frozen=True, slots=True)
class Override:
    """A key for which a later scope won; `overridden` is lowest first."""

    key: str
    exposure: str
    selected: str
    overridden: list[str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """Masked entries: the resource's own, and the winner of each key and exposure."""

    resource: Resource
    environment: str
    owned: list[Entry]
    effective: list[Entry]
    overrides: list[Override]


def of(tx: Tx, ref: str) -> Configuration:
    resource = resources.find(tx, ref)
    environment = tx.get(Environment, resource.environment_id)
    assert environment is not None  # noqa: S101 - the foreign key says so
    found = reaching(tx, resource)
    return Configuration(
        resource,
        environment.ref,
        [masked(row) for row in found if row.owner == owner(resource)],
        [masked(row) for row in effective(found)],
        overrides(found),
    )


def overrides(found: list[Variable]) -> list[Override]:
    """Which keys are set at several scopes; `found` is in order of precedence."""
    scopes: dict[tuple[str, str], list[str]] = {}
    for row in found:
        scopes.setdefault((row.key, row.exposure), []).append(row.scope)
    return [
        Override(key, exposure, names[-1], names[:-1])
        for (key, exposure), names in sorted(scopes.items())
        if len(names) > 1
    ]
