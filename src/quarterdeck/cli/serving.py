"""What of each resource runs now, which is not always what was deployed last."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from quarterdeck.cli import states
from quarterdeck.cli.client import Api
from quarterdeck.cli.names import Found, Row
from quarterdeck.cli.terminal import Terminal

AT_ONCE = 6
"""Questions under way at a time: a long list is quick, and the server is not pressed."""


@dataclass(frozen=True)
class Serving:
    """`version` is the number in `qd history`; None while nothing was ever deployed with success."""

    runtime: str
    version: int | None = None
    deployment: str | None = None

    def text(self, terminal: Terminal) -> str:
        shown = states.health(self.runtime)
        return terminal.state(shown) + (f" v{self.version}" if self.version else "")

    def facts(self) -> dict[str, Any]:
        return {"runtime": self.runtime, "servingVersion": self.version, "servingDeploymentId": self.deployment}


def numbered(api: Api, resource: Row) -> list[tuple[int, Row]]:
    """The deployments of a resource with the numbers that people use (v42), newest first."""
    rows = api.items("deployments.list", {"resourceId": resource["id"], "includeArchived": True})
    total = max(int(resource.get("deploymentCount") or 0), len(rows))
    return [(_number(row) or total - index, row) for index, row in enumerate(rows)]


def _number(row: Row) -> int | None:
    """The number that the server says; one that says none has pruned none."""
    metadata = ((row.get("runtimePlan") or {}).get("execution") or {}).get("metadata") or {}
    return int(metadata["deployment.number"]) if "deployment.number" in metadata else None


def serves(api: Api, found: Sequence[Found]) -> dict[str, Serving]:
    """By the id of each resource: the state of its runtime, and the version in it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda one: _serves(api, one.resource), found)
        return {one.id: answer for one, answer in zip(found, answers, strict=True)}


def archived(api: Api, resource: str) -> bool:
    shown = api.read("resources.show", resourceId=resource)
    return (shown.get("lifecycle") or {}).get("status") == "archived"


def _serves(api: Api, resource: Row) -> Serving:
    if not resource.get("lastDeploymentId"):
        return Serving("not-deployed")
    health = api.read("resources.health", {"mode": "cached", "includeChecks": False}, resourceId=str(resource["id"]))
    runtime = str(health["runtime"]["lifecycle"])
    if runtime == "stopped" and archived(api, str(resource["id"])):
        return Serving("archived")
    if health["overall"] == "not-deployed":
        return Serving("not-deployed")
    if resource["lastDeploymentStatus"] == "succeeded":
        return Serving(runtime, int(resource["deploymentCount"]), str(resource["lastDeploymentId"]))
    for number, row in numbered(api, resource):
        if row["status"] == "succeeded":
            return Serving(runtime, number, str(row["id"]))
    return Serving(runtime)
