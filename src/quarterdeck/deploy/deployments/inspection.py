"""Looking at a source that no resource has yet: what is in it and what would be made of it. Nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quarterdeck.deploy.deployments.glancing import Glances
from quarterdeck.deploy.deployments.preview import engine_answers
from quarterdeck.deploy.execution.order import DeploymentOrder, TargetOrder
from quarterdeck.deploy.execution.preparing import plan_for
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.deploy.resources import deploy_keys, profiles
from quarterdeck.deploy.sources.documents import checked, from_document
from quarterdeck.deploy.sources.folders import Folders
from quarterdeck.kernel.db import Database, Tx
from quarterdeck.workspace.projects import organization_of


@dataclass(frozen=True, slots=True)
class Inspection:
    """The source as it would be stored, the plan for it, and the commit that was looked at."""

    source: dict[str, Any]
    plan: BuildPlan
    commit: str | None


async def inspect(
    db: Database,
    glances: Glances,
    source: dict[str, Any],
    *,
    runtime: dict[str, Any] | None = None,
    network: dict[str, Any] | None = None,
) -> Inspection:
    """Look at `source` and plan it.

    Raises `Invalid` for a source or profile that could never be deployed, and what `Glances.plan` raises.
    """
    placement = glances.placement
    kept, credential = checked(source)
    profile = profiles._runtime(runtime or {"strategy": "auto"})  # noqa: SLF001 - the same rules as for a resource
    reach = profiles._network(network) if network else None  # noqa: SLF001
    within, key = await db.read(_admitted, kept)
    spec = from_document(kept, key or credential)
    target = TargetOrder("local", glances.placement.root, glances.placement.instance, glances.placement.docker_host)
    engine = await engine_answers(target)
    order = DeploymentOrder(
        deployment="plan_new",
        number=0,
        resource="res_new",
        resource_slug="new",
        resource_kind="application",
        organization="",
        trigger="create",
        target=target,
        source=kept,
        runtime=profile,
        network=reach,
        health=None,
        route=None,
        variables=[],
        limits=placement.limits,
    )
    if spec.kind == "docker-image":
        return Inspection(kept, plan_for(order, None, engine=engine), None)
    made, fetched = await glances.plan(order, spec, engine=engine, within=within)
    return Inspection(kept, made, fetched.commit)


def _admitted(tx: Tx, source: dict[str, Any]) -> tuple[list[str], str | None]:
    """The directories that the source has to lie in, and its deploy key, if the caller may name them at all."""
    folders = tx.part(Folders)
    folders.admit(tx, source)
    deploy_keys.admit(tx, source)
    return folders.within(source), deploy_keys.opened(tx, organization_of(tx), source)
