"""Variables and their precedence. Identity is key and exposure within an owner and scope."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.vault import MASK, Secret
from quarterdeck.kernel.vault.vault import Vault
from quarterdeck.workspace import environments, projects
from quarterdeck.workspace.model import Variable

PRECEDENCE = ("defaults", "system", "organization", "project", "environment", "resource", "deployment")
"""Low to high: a later scope wins."""
KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BUILD_PREFIXES = ("PUBLIC_", "VITE_")
TABLE = Variable.__tablename__
LARGEST = 64 * 1024  # characters of one value


@dataclass(frozen=True, slots=True)
class Entry:
    """A variable as it is read: `value` is masked when secret."""

    key: str
    value: str
    scope: str
    exposure: str
    is_secret: bool
    kind: str
    updated_at: datetime


def check(key: str, value: str, exposure: str, *, secret: bool) -> None:
    """The documented rules of keys; raises `Invalid`."""
    if not KEY.fullmatch(key) or len(key) > 200:
        raise Invalid(
            f"{key[:80]!r} cannot be a variable.",
            hint="Use letters, digits and _, not starting with a digit.",
            field="key",
        )
    if len(value) > LARGEST or "\x00" in value:
        raise Invalid(
            f"The value of {key} is too long or has a zero byte.",
            hint=f"Keep it below {LARGEST} characters.",
            field="value",
        )
    if exposure == "build-time":
        if secret:
            raise Invalid(
                f"{key} is secret and cannot be exposed at build time.", hint="Expose it at run time.", field="exposure"
            )
        if not key.startswith(BUILD_PREFIXES):
            raise Invalid(
                f"{key} cannot be exposed at build time.",
                hint="Build-time variables start with PUBLIC_ or VITE_.",
                field="key",
            )


def put(
    tx: Tx,
    owner: str,
    scope: str,
    key: str,
    value: str,
    exposure: str,
    kind: str,
    *,
    secret: bool,
    reference: bool = False,
) -> Variable:
    """Set or replace one variable; a secret value is sealed before it is stored."""
    secret = secret or kind == "secret"
    check(key, value, exposure, secret=secret)
    tx.lock(f"variables:{owner}")
    row = _row(tx, owner, scope, key, exposure)
    if row is None:
        row = Variable(uid=tx.ids.uid(), owner=owner, scope=scope, key=key, exposure=exposure, created_at=tx.now)
    row.kind, row.is_secret, row.is_reference, row.updated_at = kind, secret, reference, tx.now
    row.value = _vault(tx).seal(TABLE, row.uid, "value", value) if secret else value
    return tx.add(row)


def _row(tx: Tx, owner: str, scope: str, key: str, exposure: str) -> Variable | None:
    return tx.first(
        select(Variable).where(
            Variable.owner == owner, Variable.scope == scope, Variable.key == key, Variable.exposure == exposure
        )
    )


def _vault(tx: Tx) -> Vault:
    return tx.vault


def drop(tx: Tx, owner: str, scope: str, key: str, exposure: str) -> None:
    tx.lock(f"variables:{owner}")
    row = _row(tx, owner, scope, key, exposure)
    if row is None:
        raise NotFound(
            f"There is no {exposure} variable {key[:80]} here.", hint="List the variables to see what is set."
        )
    tx.session.delete(row)
    tx.session.flush()


def rows(tx: Tx, owners: Iterable[str]) -> list[Variable]:
    """Every variable of the owners, lowest precedence first: by scope, within one scope in the order of the owners."""
    place = {owner: number for number, owner in enumerate(owners)}
    found = tx.scalars(select(Variable).where(Variable.owner.in_(place)))
    return sorted(found, key=lambda row: (PRECEDENCE.index(row.scope), place[row.owner], row.key, row.exposure))


def effective(found: Iterable[Variable]) -> list[Variable]:
    """The winner of each key and exposure, by key."""
    winners = {(row.key, row.exposure): row for row in sorted(found, key=lambda row: PRECEDENCE.index(row.scope))}
    return [winners[identity] for identity in sorted(winners)]


def masked(row: Variable) -> Entry:
    return Entry(
        row.key, MASK if row.is_secret else row.value, row.scope, row.exposure, row.is_secret, row.kind, row.updated_at
    )


def reveal(tx: Tx, row: Variable) -> Secret[str]:
    """The value as it is delivered to a build or a process."""
    return _vault(tx).open(TABLE, row.uid, "value", row.value) if row.is_secret else Secret(row.value)


def environment_owners(environment_id: int, project_id: int, organization_id: int) -> list[str]:
    """Owners whose variables reach an environment."""
    return ["system", f"organization:{organization_id}", f"project:{project_id}", f"environment:{environment_id}"]


def set_in_environment(
    tx: Tx, ref: str, *, key: str, value: str, kind: str, exposure: str, scope: str | None, secret: bool | None
) -> Variable:
    environment, project = environments.locked(tx, ref)
    projects.check_active(project)
    environments.check_open(environment)
    row = put(
        tx, f"environment:{environment.id}", scope or "environment", key, value, exposure, kind, secret=bool(secret)
    )
    audit.record(
        tx,
        environments.EnvironmentAction.VARIABLE_SET,
        resource_type="environment",
        resource_id=environment.ref,
        organization_id=project.organization_id,
        detail={"key": key, "exposure": exposure, "scope": row.scope, "isSecret": row.is_secret},
    )
    _event(tx, environment.ref, "environment.variable_set", key, exposure, project.organization_id)
    return row


def unset_in_environment(tx: Tx, ref: str, key: str, exposure: str, scope: str | None) -> None:
    environment, project = environments.locked(tx, ref)
    projects.check_active(project)
    environments.check_open(environment)
    drop(tx, f"environment:{environment.id}", scope or "environment", key, exposure)
    audit.record(
        tx,
        environments.EnvironmentAction.VARIABLE_UNSET,
        resource_type="environment",
        resource_id=environment.ref,
        organization_id=project.organization_id,
        detail={"key": key, "exposure": exposure},
    )
    _event(tx, environment.ref, "environment.variable_unset", key, exposure, project.organization_id)


def _event(tx: Tx, ref: str, event: str, key: str, exposure: str, organization_id: int) -> None:
    events.append(
        tx,
        f"environment:{ref}",
        event,
        {"environmentId": ref, "key": key, "exposure": exposure},
        organization_id=organization_id,
    )
