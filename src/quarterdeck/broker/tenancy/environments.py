"""Environments as the broker calls them (contract: broker §1.9 and §5.4). They are workspace's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import Select, select, tuple_

from quarterdeck.broker.tenancy import projects
from quarterdeck.broker.tenancy.model import BrokerProject
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, NotFound
from quarterdeck.kernel.protocols import DeletionBlocker
from quarterdeck.workspace import environment_lifecycle
from quarterdeck.workspace import environments as workspace
from quarterdeck.workspace.model import Environment, Project

PRODUCTION, MOST = "production", 1000
Type = Literal["dev", "staging", "uat", "prod", "other"]
KINDS: Mapping[Type, str] = {
    "dev": "development",
    "staging": "staging",
    "uat": "test",
    "prod": PRODUCTION,
    "other": "custom",
}
"""The type that clients name, and the kind that is made."""
TYPES: Mapping[str, Type] = {kind: word for word, kind in KINDS.items()}


def type_of(environment: Environment) -> Type:
    """Kinds without a word of their own are `other`."""
    return TYPES.get(environment.kind, "other")


def word(type_: Type | None, kind: Literal["prod", "non_prod"] | None) -> Type:
    """The type that is meant where either may be left out. Raises `Invalid` where they contradict each other."""
    meant = type_ or ("prod" if kind == "prod" else "other")
    if kind is not None and (meant == "prod") != (kind == "prod"):
        raise Invalid(f"kind: an environment of the type {meant} is not {kind}.", hint="Leave kind out.", field="kind")
    return meant


def is_production(kind: str | None) -> bool:
    """Whether a kind is production; of an environment that nobody knows it is assumed."""
    return kind is None or kind == PRODUCTION


def production(environment: Environment | None) -> bool:
    """`is_production` of an environment; none counts as production."""
    return is_production(environment.kind if environment is not None else None)


def updated_at(environment: Environment) -> datetime:
    """When it last changed, as far as is kept."""
    return environment.locked_at or environment.created_at


def find(tx: Tx, uid: str) -> tuple[Environment, Project]:
    """One of a project of the broker in the caller's organization, with its project. An archived one is out of use for
    good, and nobody's here. Raises `NotFound` (`environment_not_found`).
    """
    row = tx.session.execute(_seen(tx).where(Environment.uid == uid.lower())).first()
    if row is None:
        raise NotFound(
            f"There is no environment {uid[:60]}.",
            code="environment_not_found",
            hint="Look at the list of environments.",
        )
    return row[0], row[1]


def named(tx: Tx, project: Project | None, name: str) -> Environment:
    """The environment of a project by its exact name. Raises `Invalid` (`environment_unknown`): a name that nobody
    knows is refused, since no rule for production would hold it.
    """
    found = None
    if project is not None:
        standing = (Environment.project_id == project.id, Environment.lifecycle != "archived")
        found = tx.first(select(Environment).where(*standing, Environment.name == name))
    if found is None:
        where = f"in the project {project.name}" if project is not None else "without a project"
        raise Invalid(
            f"environment: there is no {name[:60]} {where}.",
            code="environment_unknown",
            hint="Name a project and one of its environments as it is written, or leave the environment out.",
            field="environment",
        )
    return found


def page(tx: Tx, limit: int, after: str | None = None) -> list[tuple[Environment, Project]]:
    """Those of every project by project and name, behind that of the uid `after`."""
    query = _seen(tx)
    if after:
        last, _ = find(tx, after)
        place = tuple_(Environment.project_id, Environment.name, Environment.id)
        query = query.where(place > tuple_(last.project_id, last.name, last.id))
    ordered = query.order_by(Environment.project_id, Environment.name, Environment.id).limit(limit)
    return [(environment, project) for environment, project in tx.session.execute(ordered)]


def of_project(tx: Tx, uid: str) -> list[tuple[Environment, Project]]:
    """Those of one project by name, `MOST` at most; none of a project that nobody knows."""
    query = _seen(tx).where(Project.uid == uid.lower()).order_by(Environment.name, Environment.id).limit(MOST)
    return [(environment, project) for environment, project in tx.session.execute(query)]


def create(tx: Tx, project_uid: str, name: str, type_: Type) -> tuple[Environment, Project]:
    """Raises `Invalid` (`project_unknown` too), and `Conflict` for a name that the project
    has already, or a project that takes no changes (`project_archived`).
    """
    project = projects.named(tx, project_uid, "project_id")
    return workspace.create(tx, project.ref, name, KINDS[type_]), project


def delete(tx: Tx, uid: str, registry: Sequence[DeletionBlocker]) -> None:
    """Raises `NotFound`, and `Conflict` (`environment_delete_blocked`, `environment_locked`)."""
    environment_lifecycle.delete(tx, find(tx, uid)[0].ref, registry)


def _seen(tx: Tx) -> Select[Environment, Project]:
    return (
        select(Environment, Project)
        .join(Project, Project.id == Environment.project_id)
        .join(BrokerProject, BrokerProject.project_id == Project.id)
        .where(Project.organization_id == tx.principal.acts_in, Environment.lifecycle != "archived")
    )
