"""The prepared calls, by what they are about. Importing this fills `support.acts.ACTS`."""

from surfaces.acts import (
    deployments,
    identity,
    infra_clouds,
    infra_jobs,
    infra_runners,
    infra_states,
    infrastructure,
    machines,
    notify,
    organizations,
    roles,
    servers,
    task_projects,
    tasks,
    tunnels,
    workspace,
)

__all__ = [
    "deployments",
    "identity",
    "infra_clouds",
    "infra_jobs",
    "infra_runners",
    "infra_states",
    "infrastructure",
    "machines",
    "notify",
    "organizations",
    "roles",
    "servers",
    "task_projects",
    "tasks",
    "tunnels",
    "workspace",
]
