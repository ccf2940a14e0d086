"""A resource whose newest deployment serves, as a worker would have left it, without a worker."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation import observations
from quarterdeck.deploy.observation.observations import Seen, Served
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.servers import servers
from quarterdeck.kernel.db import Tx
from support.deck import Deck

SOURCE = {"kind": "git-public", "locator": "https://git.example.com/shop.git"}


async def deployed(deck: Deck, resource: str, server: str) -> str:
    """An admitted deployment; nothing carries it out."""
    shown = (await deck.do("resources.show", resourceId=resource))["resource"]
    body = {
        "projectId": shown["projectId"],
        "environmentId": shown["environmentId"],
        "resourceId": resource,
        "serverId": server,
        "executionMode": "detached",
    }
    return (await deck.do("deployments.create", body))["id"]


async def serve(deck: Deck, deployment: str, runtime: dict[str, Any], *, edge_port: int | None = 8080) -> None:
    """Write down what the worker of a succeeded deployment reports."""

    def verb(tx: Tx) -> None:
        row = tx.first(select(Deployment).where(Deployment.ref == deployment))
        assert row is not None
        resource = tx.get(Resource, row.resource_id)
        assert resource is not None
        row.status, row.started_at, row.finished_at, row.runtime = "succeeded", tx.now, tx.now, runtime
        resource.serving_id = row.id
        tx.flush()
        if edge_port is not None:
            servers.observe_edge(tx, row.server_id, error=None, http_port=edge_port, https_port=None)

    await deck.instance.db.write(verb)


async def observe(deck: Deck, resource: str, seen: Seen) -> None:
    """Write down what the observer saw of the runtime that serves."""

    def verb(tx: Tx) -> None:
        row = tx.first(select(Resource).where(Resource.ref == resource))
        assert row is not None
        assert row.serving_id is not None
        deployment = tx.get(Deployment, row.serving_id)
        assert deployment is not None
        served = Served(row.id, row.ref, row.organization_id, deployment.id, deployment.ref, row.wanted, {})
        observations.keep(tx, [(served, seen)])

    await deck.instance.db.write(verb)
