"""What of a server behind SSH is to go, as values, and which servers are looked at when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from quarterdeck.deploy.deployments import orphans_on_servers
from quarterdeck.deploy.deployments.following import RETIRE
from quarterdeck.deploy.deployments.orphans import Known, known, unneeded
from quarterdeck.deploy.execution.remains import Kind, Trace
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.servers import lifecycle, servers
from quarterdeck.fleet.targets.login import HostKeyPin
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Unavailable
from support.harbour import Harbour

BEFORE = datetime(2030, 1, 2, tzinfo=UTC)
OLD, YOUNG = BEFORE - timedelta(hours=1), BEFORE + timedelta(hours=1)
NOW = Known(
    wanted=frozenset({"dep_serves"}),
    unknown=frozenset({"dep_lost", "res_lost"}),
    containers=frozenset({"container-kept"}),
    releases=frozenset({"dep_kept"}),
    resources=frozenset({"res_there"}),
)


@pytest.mark.parametrize(
    ("kind", "of", "goes"),
    [
        ("runtime", "dep_serves", False),
        ("runtime", "dep_ended", True),
        ("runtime", "dep_lost", True),
        ("service", "dep_serves", False),
        ("service", "dep_ended", True),
        ("network", "", True),
        ("release", "dep_serves", False),
        ("release", "dep_kept", False),
        ("release", "dep_ended", True),
        ("release", "dep_lost", True),
        ("workspace", "dep_serves", False),
        ("workspace", "dep_ended", True),
        ("route", "res_there", False),
        ("route", "res_deleted", True),
        ("route", "res_lost", True),
        ("upstream", "res_there", False),
        ("upstream", "res_lost", True),
    ],
)
def test_what_serves_or_may_be_given_back_stays(kind: Kind, of: str, goes: bool) -> None:
    trace = Trace(kind, "name", of, OLD)
    assert bool(unneeded([trace], NOW, BEFORE, restored=False, alone=True)) is goes


def test_a_service_that_a_version_goes_on_with_stays() -> None:
    kept = Trace("service", "container-kept", "dep_ended", OLD, marked=True)
    assert unneeded([kept], NOW, BEFORE, restored=False, alone=True) == []


@pytest.mark.parametrize("kind", ["runtime", "service", "release", "workspace", "route"])
def test_of_what_no_record_knows_only_what_is_old_and_ours_goes(kind: Kind) -> None:
    def goes(made: datetime, *, marked: bool = False, alone: bool = True, restored: bool = False) -> bool:
        trace = Trace(kind, "name", "dep_lost", made, marked)
        return bool(unneeded([trace], NOW, BEFORE, restored=restored, alone=alone))

    assert goes(OLD)
    assert not goes(YOUNG)
    assert not goes(OLD, restored=True)
    assert not goes(OLD, alone=False)  # it may be another installation's
    assert goes(OLD, alone=False, marked=True)


def test_the_newest_of_an_attempt_tells_the_age_of_all_of_it() -> None:
    release, runtime = Trace("release", "dep_lost", "dep_lost", OLD), Trace("runtime", "dep_lost", "dep_lost", YOUNG)
    assert unneeded([release, runtime], NOW, BEFORE, restored=False, alone=True) == []
    assert unneeded([release], NOW, BEFORE, restored=False, alone=True) == [release]


def another(tx: Tx, host: str = "192.0.2.1", *, signed: bool = True) -> str:
    made = servers.register(
        tx, name=host, host=host, provider="generic-ssh", target_kind="single-server", port=22, proxy_kind="caddy"
    )
    if signed:
        access.configure(tx, made.ref, access.Way(access.AGENT))
    return made.ref


async def asked(harbour: Harbour) -> list[str]:
    def read(tx: Tx) -> list[str]:
        found = jobs.list_jobs(tx, jobs.Filter(kind=orphans_on_servers.KIND, limit=100))
        return sorted((job.subject or "").removeprefix("server:") for job in found)

    return await harbour.instance.db.read(read)


async def row_of(harbour: Harbour, ref: str) -> int:
    return await harbour.instance.db.read(lambda tx: servers.find(tx, ref).id)


async def test_each_active_server_that_can_be_signed_in_to_is_asked_for_once(harbour: Harbour) -> None:
    first, second = [await harbour.write(another, host) for host in ("192.0.2.1", "192.0.2.2")]
    await harbour.write(another, "192.0.2.3", signed=False)
    gone = await harbour.write(another, "192.0.2.4")
    await harbour.write(lifecycle.deactivate, gone)
    assert await harbour.write(orphans_on_servers.ask) == 2
    assert await asked(harbour) == sorted([first, second])
    assert await harbour.write(orphans_on_servers.ask) == 0  # both wait


async def test_a_server_is_left_alone_while_something_is_deployed_to_that_machine(harbour: Harbour) -> None:
    server = await harbour.write(another)
    twice = await harbour.write(another, "198.51.100.1")
    for ref in (server, twice):
        await harbour.write(access.keep_host_key, await row_of(harbour, ref), HostKeyPin("SHA256:one", "ssh-ed25519"))
    elsewhere = await harbour.write(another, "192.0.2.9")
    harbour.server = twice
    deployment = await harbour.create()
    for ref in (server, twice):
        with pytest.raises(Unavailable) as refused:
            await look_for(harbour, ref)
        assert refused.value.code == "server_busy"
    assert (await look_for(harbour, elsewhere))[1] == [await row_of(harbour, elsewhere)]
    await harbour.end(deployment, "failed", error_code="x", error_message="x")
    order, places = await look_for(harbour, server)
    assert (order.kind, places) == ("ssh", [await row_of(harbour, server), await row_of(harbour, twice)])
    await harbour.write(lifecycle.deactivate, server)
    assert await look_for(harbour, server) is None


async def look_for(harbour: Harbour, ref: str):
    instance = harbour.instance
    return await instance.db.read(orphans_on_servers.order, instance.placement, await row_of(harbour, ref))


async def test_only_what_was_deployed_to_the_machine_is_said_to_be_gone_from_it(harbour: Harbour) -> None:
    here = await harbour.end(await harbour.create())
    harbour.server = there = await harbour.write(another)
    moved = await harbour.end(await harbour.create())
    again = await harbour.end(await harbour.create())
    far = BEFORE + timedelta(days=3650)

    def look(tx: Tx, ref: str) -> Known:
        return known(tx, far, {here.ref, moved.ref, "dep_lost", harbour.resource}, [servers.find(tx, ref).id])

    found = await harbour.instance.db.read(look, there)
    assert (found.unknown, found.resources) == ({"dep_lost"}, {harbour.resource})
    assert again.ref in found.wanted
    # What a job is about to clear is left to it, on whichever server.
    assert found.present == {}
    assert {here.ref, moved.ref} <= found.wanted
    await harbour.claim("background")
    for ref in (here.ref, moved.ref):
        await harbour.told(await harbour.job(RETIRE, ref), jobs.Outcome("failed", error_code="docker_unavailable"))
    found = await harbour.instance.db.read(look, there)
    assert set(found.present) == {moved.ref}
