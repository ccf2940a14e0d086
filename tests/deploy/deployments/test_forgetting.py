"""A deactivated server goes with its history, and only what is in use stands in the way."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.deploy.deployments import forgetting
from quarterdeck.deploy.deployments.following import RETIRE
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.resources import resources
from quarterdeck.deploy.resources.blockers import DeployBlockers
from quarterdeck.fleet.servers import lifecycle, removal, servers
from quarterdeck.fleet.servers.blockers import FleetBlockers
from quarterdeck.fleet.servers.model import Server
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Problem
from support.harbour import Harbour

REGISTRY = (DeployBlockers(), FleetBlockers())


async def rm(harbour: Harbour, server: str, *, with_history: bool = True):
    try:
        return await forgetting.remove(harbour.instance, server, server, REGISTRY, with_history=with_history)
    except Problem as problem:
        return problem


async def steps(harbour: Harbour, server: str):
    def read(tx):
        row = servers.find(tx, server)
        return [(one.kind, one.command) for one in removal.steps(row, lifecycle.blockers(tx, row, REGISTRY))]

    return await harbour.instance.db.read(read)


async def test_what_moved_away_leaves_a_history_that_goes_with_the_server(harbour: Harbour) -> None:
    here = harbour.server
    server = harbour.server = await harbour.far_away("old one")
    old = [await harbour.end(await harbour.create()) for _ in range(2)]
    await harbour.phase(old[0], "detect", "succeeded")
    failed = await rm(harbour, server)
    assert (failed.code, "app" in failed.message, "--server OTHER" in failed.hint) == (
        "server_delete_blocked",
        True,
        True,
    )
    harbour.server = here
    # What is given a new place names the one before it: that does not hold the history of a machine that is gone.
    new = await harbour.end(await harbour.create(trigger="redeploy", origin=old[1]))
    assert await steps(harbour, server) == [
        ("active-server", "qd server deactivate 'old one'"),
        ("deployment-history", "qd server rm 'old one' --with-history"),
    ]
    assert (await rm(harbour, server)).code == "server_delete_blocked"
    await harbour.write(lifecycle.deactivate, server)
    kept = await rm(harbour, server, with_history=False)
    assert (kept.code, kept.hint) == ("server_delete_blocked", "In this order: qd server rm 'old one' --with-history")
    assert await rm(harbour, server) == 2

    def left(tx):
        rows = tx.hold(tx.scalars(select(Deployment)))
        phases = tx.hold(tx.scalars(select(Phase).where(Phase.deployment_id.in_([one.id for one in old]))))
        gone = tx.first(select(Server).where(Server.ref == server)) is None
        live = jobs.list_jobs(tx, jobs.Filter(kind=RETIRE, states=tuple(jobs.LIVE)))
        return [(row.ref, row.source_deployment_id, row.number) for row in rows], len(phases), gone, live

    assert await harbour.instance.db.read(left) == ([(new.ref, None, 3)], 0, True, [])
    assert (await harbour.create()).number == 4


async def test_a_machine_that_died_is_forgotten_once_what_it_ran_is_archived(harbour: Harbour) -> None:
    server = harbour.server = await harbour.far_away("old one")
    await harbour.end(await harbour.create())
    await harbour.write(lifecycle.deactivate, server)
    assert ("resource-placement") in [kind for kind, _ in await steps(harbour, server)]
    assert (await rm(harbour, server)).code == "server_delete_blocked"

    def archived(tx):  # it cannot be stopped any more
        resources.locked(tx, harbour.resource).lifecycle = "archived"

    await harbour.write(archived)
    assert await rm(harbour, server) == 1

    def state(tx):
        row = resources.find(tx, harbour.resource)
        return row.serving_id, row.latest_id, row.destination_id

    assert await harbour.instance.db.read(state) == (None, None, None)


@pytest.mark.parametrize("confirmation", ["", "srv_000000000000"])
async def test_nothing_goes_without_the_right_confirmation(harbour: Harbour, confirmation: str) -> None:
    server = await harbour.far_away("old one")
    await harbour.write(lifecycle.deactivate, server)
    with pytest.raises(Problem) as refused:
        await forgetting.remove(harbour.instance, server, confirmation, REGISTRY, with_history=True)
    assert refused.value.code == "validation_error"
    assert await harbour.instance.db.read(lambda tx: servers.find(tx, server).lifecycle) == "inactive"
