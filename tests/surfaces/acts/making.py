"""Things that several prepared calls need, made over the API wherever a person could."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pyotp
from sqlalchemy import select, update

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.fleet.credentials.keys import new_pair
from quarterdeck.identity.model import Organization
from quarterdeck.kernel import jobs
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.logs import Line
from support.acts import Person, Stage
from support.deck import PASSWORD
from support.served import SOURCE, serve

PROCESS = {"kind": "process", "instance": "dep_x", "port": 4000, "host_port": 4000, "upstream": "127.0.0.1:4000"}


class Chore(msgspec.Struct):
    note: str = ""


jobs.kinds.register(jobs.JobKind("test.act-chore", Chore))


def soon(stage: Stage, seconds: float = 1) -> str:
    return wire_time(stage.deck.instance.db.clock.now() + timedelta(seconds=seconds))


# -- workspace


async def project(stage: Stage) -> str:
    made: str = (await stage.ok("POST", "/api/projects", {"name": stage.name("project")}))["id"]
    return made


async def environment(stage: Stage, of: str | None = None, kind: str = "production") -> tuple[str, str]:
    """A project and an environment of it."""
    of = of or await project(stage)
    body = {"projectId": of, "name": stage.name("place"), "kind": kind}
    return of, (await stage.ok("POST", "/api/environments", body))["id"]


async def resource(stage: Stage, place: tuple[str, str] | None = None, **given: Any) -> str:
    where = place or await environment(stage)
    body = {"projectId": where[0], "environmentId": where[1], "name": stage.name("web"), "source": SOURCE, **given}
    made: str = (await stage.ok("POST", "/api/resources", body))["id"]
    return made


async def server(stage: Stage, **given: Any) -> str:
    body = {"name": stage.name("server"), "host": "127.0.0.1", "providerKey": "generic-ssh", **given}
    made: str = (await stage.ok("POST", "/api/servers", body))["id"]
    return made


async def deployment(stage: Stage, of: str | None = None, on: str | None = None) -> dict[str, str]:
    """An admitted deployment that nothing carries out, with the ids of all it is about."""
    on, of = on or await reachable(stage), of or await resource(stage)
    shown = (await stage.ok("GET", f"/api/resources/{of}"))["resource"]
    ids = {"projectId": shown["projectId"], "environmentId": shown["environmentId"], "resourceId": of, "serverId": on}
    made = await stage.ok("POST", "/api/deployments", {**ids, "executionMode": "detached"})
    return {**ids, "deploymentId": made["id"]}


async def reachable(stage: Stage) -> str:
    """A server that deployments are admitted to: it is known how to sign in there."""
    made = await server(stage, port=9, proxyKind="caddy")
    way = {"kind": "ssh-private-key", "privateKey": new_pair().private.reveal(), "username": "deploy"}
    await stage.ok("POST", f"/api/servers/{made}/credentials", {"credential": way})
    await stage.ok("POST", f"/api/servers/{made}/host-key", {"fingerprint": "SHA256:" + "A" * 43})
    return made


async def canceled(stage: Stage, ids: dict[str, str] | None = None) -> dict[str, str]:
    ids = ids or await deployment(stage)
    await stage.ok("POST", f"/api/deployments/{ids['deploymentId']}/cancel", {"confirm": ids["deploymentId"]})
    return ids


async def serving(stage: Stage, of: str | None = None) -> dict[str, str]:
    """A deployment that succeeded, and serves."""
    ids = await deployment(stage, of)
    await stage.write(succeed, ids["deploymentId"])
    await serve(stage.deck, ids["deploymentId"], PROCESS)
    return ids


def succeed(tx: Tx, ref: str) -> None:
    row = tx.one(select(Deployment).where(Deployment.ref == ref), what=ref)
    row.artifact, row.artifact_retained = {"kind": "release", "directory": "/x/dep"}, True
    tx.flush()
    tx.execute(
        "UPDATE jobs SET state = 'succeeded', lease_until = NULL, turn_key = NULL, due_at = NULL, finished_at = :now "
        "WHERE id = :id",
        {"now": 1, "id": row.job_id},
    )


async def stopped(stage: Stage, ref: str) -> None:
    """What a stop that succeeded leaves."""

    def verb(tx: Tx) -> None:
        tx.execute(update(Resource).where(Resource.ref == ref).values(wanted="stopped"))

    await stage.write(verb)


async def failed(stage: Stage, ids: dict[str, str]) -> None:
    def verb(tx: Tx) -> None:
        succeed(tx, ids["deploymentId"])
        tx.execute(
            update(Deployment)
            .where(Deployment.ref == ids["deploymentId"])
            .values(status="failed", started_at=tx.now, finished_at=tx.now)
        )

    await stage.write(verb)


async def secret(stage: Stage) -> tuple[str, str]:
    """A resource, and the key of a secret of it."""
    of = await resource(stage)
    await stage.ok("POST", f"/api/resources/{of}/secrets", {"key": "APPLE", "value": "one"})
    return of, "APPLE"


async def variable(stage: Stage) -> tuple[str, str]:
    of = await resource(stage)
    body = {"key": "PEAR", "value": "one", "exposure": "runtime"}
    await stage.ok("POST", f"/api/resources/{of}/variables", body)
    return of, "PEAR"


async def said(stage: Stage) -> str:
    """A resource whose runtime has said something."""
    of = await resource(stage)
    line = Line(stage.deck.instance.db.clock.now(), "application", "stdout", None, "info", f"{stage.owner.name} said")
    await stage.deck.instance.logs.store(f"runtime:{of}", [line])
    return of


async def home(stage: Stage) -> int:
    """The row id of the organization."""
    query = select(Organization.id).where(Organization.ref == stage.organization)
    found: int = await stage.read(lambda tx: tx.execute(query).scalar_one())
    return found


async def work(stage: Stage, state: str = "pending") -> jobs.Job:
    """Work of the ledger that waits, or that failed."""
    capability = f"only-{stage.deck.instance.db.ids.text(8)}"
    asked = jobs.Enqueue("test.act-chore", Chore(), await home(stage), capabilities=frozenset({capability}))
    job = await stage.write(jobs.enqueue, asked)
    if state == "failed":

        def run(tx: Tx) -> None:
            (given,) = jobs.claim(tx, jobs.Claimant("somebody", frozenset({capability}), ("normal",), 1))
            told = jobs.Outcome(
                "failed", error_code="busy", error_message="Busy.", error_category="retryable", retriable=True
            )
            jobs.complete(tx, given.job.id, given.job.fence, told)

        await stage.write(run)
    found: jobs.Job = job
    return found


# -- people


async def organization(stage: Stage) -> str:
    """A further organization of the owner's."""
    made: str = (await stage.ok("POST", "/api/organizations", {"name": stage.name("crew")}))["organizationId"]
    return made


async def second_factor(stage: Stage, who: Person) -> pyotp.TOTP:
    """Enabled, by the code of half a minute ago."""
    made = await stage.ok("POST", "/api/web/profile/totp/setup", {}, by=who)
    totp = pyotp.TOTP(made["secret"])
    await stage.ok("POST", "/api/web/profile/totp/verify", {"code": totp.now()}, by=who)
    return totp


async def tokens(stage: Stage, who: Person) -> dict[str, Any]:
    """What a sign-in answers."""
    answer = await stage.send("POST", "/api/auth/login", {"username": who.name, "password": PASSWORD}, token=None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def again(stage: Stage, who: Person) -> Person:
    """The same person by a session of its own, for calls that end it."""
    found = await tokens(stage, who)
    return Person(who.id, who.uid, who.name, found["access_token"])


async def invited(stage: Stage) -> dict[str, Any]:
    name = stage.name("guest")
    made: dict[str, Any] = await stage.ok("POST", "/api/users", {"username": name, "email": f"{name}@example.com"})
    return made
