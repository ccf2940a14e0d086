"""The prepared calls, by what they are about. Importing this fills `support.acts.ACTS`."""

from surfaces.acts import (
    deployments,
    identity,
    machines,
    organizations,
    roles,
    servers,
    task_projects,
    tasks,
    workspace,
)

__all__ = [
    "deployments",
    "identity",
    "machines",
    "organizations",
    "roles",
    "servers",
    "task_projects",
    "tasks",
    "workspace",
]
