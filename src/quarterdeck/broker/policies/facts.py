"""What of a request decides which workflow it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quarterdeck.broker.policies.selectors import NON_PROD, PROD
from quarterdeck.broker.tenancy import environments
from quarterdeck.workspace.model import Environment, Project


@dataclass(frozen=True, slots=True)
class Facts:
    """`project_id` is the project's number, `project_uid` its id on the wire; `environment` a name. `environment_kind`
    is a kind of workspace: without one, for an environment that nobody knows, production is meant. `operation` is one
    of `selectors.OPERATIONS`.
    """

    organization_id: int
    project_id: int | None
    project_uid: str | None
    environment: str | None
    environment_kind: str | None
    provider_type: str
    secret_ref: str
    operation: str

    @property
    def production(self) -> bool:
        return environments.is_production(self.environment_kind)

    def words(self) -> Mapping[str, str | None]:
        """By the keys of selectors; None for what a request says nothing about, which no selector matches."""
        return {
            "project_id": self.project_uid,
            "environment": self.environment,
            "environment_kind": PROD if self.production else NON_PROD,
            "provider_type": self.provider_type,
            "operation": self.operation,
        }


def facts(
    organization_id: int,
    project: Project | None,
    environment: Environment | None,
    provider_type: str,
    secret_ref: str,
    operation: str,
) -> Facts:
    """Of what a request names, found already."""
    return Facts(
        organization_id=organization_id,
        project_id=project.id if project else None,
        project_uid=project.uid if project else None,
        environment=environment.name if environment else None,
        environment_kind=environment.kind if environment else None,
        provider_type=provider_type,
        secret_ref=secret_ref,
        operation=operation,
    )
