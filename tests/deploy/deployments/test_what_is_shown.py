"""What the console says of attempts is what happens: of plans nobody configured, of stopped and of canceled ones."""

from __future__ import annotations

from sqlalchemy import select

from quarterdeck.console.domain import deployments as shown
from quarterdeck.console.domain import home
from quarterdeck.console.domain import resources as console
from quarterdeck.console.domain.places import Found
from quarterdeck.deploy.deployments import deployments
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.observation import health
from quarterdeck.deploy.observation.facts import facts
from quarterdeck.deploy.observation.probing import Probes
from quarterdeck.deploy.resources import archiving, resources
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.db import Tx
from support.harbour import Harbour

HEALTH = {"retries": 10, "interval_seconds": 5, "start_period_seconds": 5, "http": {"path": "/"}}


def found(tx: Tx, harbour: Harbour) -> Found:
    resource = resources.find(tx, harbour.resource)
    environment, project = resources.owners(tx, resource)
    return Found(resource, environment, project)


def told(plan: dict[str, object]) -> dict[str, str]:
    return {fact.label: fact.value for part in shown.plan_parts(Deployment(plan=plan)) for fact in part.facts}


def test_a_health_check_that_nobody_chose_is_told_as_it_is_done() -> None:
    own = told({"health": HEALTH, "health_configured": True})
    assert (own["Expects"], own["Tries"]) == ("200", "10")
    given = told({"health": HEALTH, "health_configured": False})
    assert (given["Expects"], given["For"]) == ("any answer below 500", "at most 55 s")


def test_a_host_process_is_not_told_a_port_that_it_does_not_get() -> None:
    assert told({"execution_kind": "docker-container", "internal_port": 3000})["Port"] == "3000"
    assert "3000" not in told({"execution_kind": "host-process", "internal_port": 3000})["Port"]


async def test_a_stopped_resource_serves_nothing(harbour: Harbour) -> None:
    await harbour.end(await harbour.create())
    failed = await harbour.end(await harbour.create(), "failed", error_code="build_failed", error_message="It broke.")

    def look(tx: Tx) -> tuple[str, list[bool]]:
        here = found(tx, harbour)
        return shown.serving_note(tx, here, deployments.find(tx, failed.ref)), [
            row.serving for row in shown.rows(tx, here, limit=5)
        ]

    assert await harbour.instance.db.read(look) == ("v1 keeps serving", [False, True])

    def stop(tx: Tx) -> None:
        resources.find(tx, harbour.resource).wanted = "stopped"

    await harbour.write(stop)
    assert await harbour.instance.db.read(look) == ("v1 is stopped", [False, False])

    def routes(tx: Tx) -> set[str]:
        return {row.state for row in console.route_rows(tx, resources.find(tx, harbour.resource))}

    assert await harbour.instance.db.read(routes) <= {"not-ready"}
    await harbour.write(archiving.archive, harbour.resource)

    def overall(tx: Tx) -> str:
        return health.assess(facts(tx, harbour.resource), Probes(), tx.now).overall

    assert await harbour.instance.db.read(overall) == "stopped"


async def test_where_it_was_canceled_nothing_failed(harbour: Harbour) -> None:
    deployment = await harbour.create()
    await harbour.claim()
    await harbour.phase(deployment, "detect", "running")
    ended = await harbour.end(deployment, "canceled", error_message="Somebody did.")

    def states(tx: Tx) -> list[str]:
        row = deployments.find(tx, ended.ref)
        return [phase.state for phase in shown.phases(row, deployments.phases(tx, row))]

    assert (await harbour.instance.db.read(states))[0] == "canceled"

    def told(tx: Tx) -> tuple[str, str]:
        newest = tx.execute(select(audit_events).order_by(audit_events.c.id.desc()).limit(1)).mappings().one()
        return newest["action"], newest["outcome"]

    assert await harbour.instance.db.read(told) == ("deployment.canceled", "success")
    said = await harbour.instance.db.read(home._activity)
    assert said[0].text == "ended the canceled deployment of"
