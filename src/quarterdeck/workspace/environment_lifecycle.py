"""What becomes of an environment: renamed, locked, unlocked, copied, compared, and in the end archived or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, select, update

from quarterdeck.kernel import audit, events
from quarterdeck.kernel.blockers import in_words
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.workspace import environments, projects, variables
from quarterdeck.workspace.environments import EnvironmentAction
from quarterdeck.workspace.model import Environment, Project, Variable
from quarterdeck.workspace.names import check_name, check_reason


@dataclass(frozen=True, slots=True)
class Difference:
    """How one variable differs between two environments."""

    key: str
    exposure: str
    change: Literal["added", "removed", "changed", "unchanged"]
    left: Variable | None
    right: Variable | None


def rename(tx: Tx, ref: str, name: str) -> Environment:
    """Raises `Conflict` where the name is taken, or the environment takes no changes."""
    environment, project = _open(tx, ref)
    name = check_name(name, "environment name", 100)
    if name.lower() != environment.name.lower():
        _free(tx, project, name)
    if name != environment.name:
        before, environment.name = environment.name, name
        _note(tx, environment, project, EnvironmentAction.RENAMED, name=name, before=before)
    return environment


def lock(tx: Tx, ref: str, reason: str | None = None) -> Environment:
    """Take no changes until it is unlocked; repeating it is a success without a second event."""
    environment, project = environments.locked(tx, ref)
    reason = check_reason(reason)
    _not_archived(environment)
    if environment.lifecycle == "active":
        environment.lifecycle, environment.locked_at, environment.lock_reason = "locked", tx.now, reason
        _note(tx, environment, project, EnvironmentAction.LOCKED, reason=reason)
    return environment


def unlock(tx: Tx, ref: str) -> Environment:
    environment, project = environments.locked(tx, ref)
    _not_archived(environment)
    if environment.lifecycle == "locked":
        environment.lifecycle, environment.locked_at, environment.lock_reason = "active", None, None
        _note(tx, environment, project, EnvironmentAction.UNLOCKED)
    return environment


def archive(tx: Tx, ref: str, reason: str | None = None) -> Environment:
    """Take it out of use for good. What runs in it goes on; nothing new is made or deployed there."""
    environment, project = environments.locked(tx, ref)
    reason = check_reason(reason)
    if environment.lifecycle != "archived":
        environment.lifecycle, environment.archived_at, environment.archive_reason = "archived", tx.now, reason
        environment.locked_at = environment.lock_reason = None
        _note(tx, environment, project, EnvironmentAction.ARCHIVED, reason=reason)
    return environment


def blockers(tx: Tx, environment: Environment, registry: Sequence[DeletionBlocker]) -> list[tuple[str, int]]:
    """Why an environment cannot be deleted: what is kept in it, or refers to it, with counts."""
    kept = select(func.count()).select_from(Variable).where(Variable.owner == _owner(environment))
    found = [("variable", int(tx.execute(kept).scalar_one()))]
    for blocker in registry:
        found.extend(blocker.blockers(tx, "environment", environment.id))
    return [(kind, number) for kind, number in found if number]


def delete(tx: Tx, ref: str, registry: Sequence[DeletionBlocker]) -> None:
    """Remove an environment that nothing is in and nothing refers to. Raises `Conflict` (`environment_delete_blocked`),
    also for one that takes no changes (`environment_locked`).
    """
    environment, project = environments.find(tx, ref)
    projects.locked(tx, project.ref)  # alone: whoever puts something into it holds the project, too
    tx.session.expire(environment)
    environment, project = environments.find(tx, ref)
    if environment.lifecycle == "locked":
        environments.check_open(environment)
    standing = blockers(tx, environment, registry)
    if standing:
        raise Conflict(
            f"The environment {environment.name} cannot be deleted: {'; '.join(in_words(*one) for one in standing)}.",
            code="environment_delete_blocked",
            hint="Remove what is listed, or archive the environment, which takes it out of use.",
            blockers=[kind for kind, _ in standing],
        )
    _note(tx, environment, project, EnvironmentAction.DELETED, name=environment.name)
    for blocker in registry:
        blocker.forget(tx, "environment", environment.id)
    tx.execute(update(Environment).where(Environment.parent_id == environment.id).values(parent_id=None))
    tx.session.delete(environment)
    tx.flush()


def copy(tx: Tx, ref: str, name: str, kind: str | None = None) -> Environment:
    """Another environment of the same project with the same variables, whose parent this one is; by default of its
    kind. Secrets are sealed anew for their new place.
    """
    source, project = _open(tx, ref)
    made = environments.make(tx, project.ref, name, kind or source.kind, source.ref)
    tx.flush()
    copied = variables.rows(tx, [_owner(source)])
    for row in copied:
        value = variables.reveal(tx, row).reveal()
        variables.put(
            tx, _owner(made), row.scope, row.key, value, row.exposure, row.kind, secret=row.is_secret,
            reference=row.is_reference,
        )  # fmt: skip
    said = {"name": made.name, "kind": made.kind, "source": source.ref, "variables": len(copied)}
    _note(tx, made, project, EnvironmentAction.COPIED, **said)
    return made


def compare(tx: Tx, ref: str, other_ref: str) -> list[Difference]:
    """How the variables of `other_ref` differ from those of `ref`, by key and exposure. Secret values are compared and
    never answered.
    """
    left, right = (
        {(row.key, row.exposure): row for row in variables.rows(tx, [_owner(environments.find(tx, one)[0])])}
        for one in (ref, other_ref)
    )
    found = []
    for key, exposure in sorted(left.keys() | right.keys()):
        before, after = left.get((key, exposure)), right.get((key, exposure))
        change: Literal["added", "removed", "changed", "unchanged"]
        if before is None or after is None:
            change = "added" if before is None else "removed"
        else:
            same = (before.kind, before.is_secret) == (after.kind, after.is_secret)
            same = same and variables.reveal(tx, before).reveal() == variables.reveal(tx, after).reveal()
            change = "unchanged" if same else "changed"
        found.append(Difference(key, exposure, change, before, after))
    return found


def _owner(environment: Environment) -> str:
    return f"environment:{environment.id}"


def _open(tx: Tx, ref: str) -> tuple[Environment, Project]:
    environment, project = environments.locked(tx, ref)
    projects.check_active(project)
    environments.check_open(environment)
    return environment, project


def _not_archived(environment: Environment) -> None:
    if environment.lifecycle == "archived":
        environments.check_open(environment)


def _free(tx: Tx, project: Project, name: str) -> None:
    taken = select(Environment).where(
        Environment.project_id == project.id, func.lower(Environment.name) == name.lower()
    )
    if tx.first(taken) is not None:
        raise Conflict(f"The project {project.name} has an environment {name}.", hint="Choose another name.")


def _note(tx: Tx, environment: Environment, project: Project, action: audit.Action, **detail: Any) -> None:
    audit.record(
        tx,
        action,
        resource_type="environment",
        resource_id=environment.ref,
        organization_id=project.organization_id,
        detail=detail,
    )
    events.append(
        tx,
        f"environment:{environment.ref}",
        str(action).replace(".", "-"),
        {"environmentId": environment.ref, "projectId": project.ref, **detail},
        organization_id=project.organization_id,
    )
