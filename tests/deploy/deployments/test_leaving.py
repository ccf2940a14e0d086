"""A server that is being uninstalled takes nothing new, and one that something goes to is not uninstalled."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import event, select

from quarterdeck.deploy.deployments import (
    admission,
    clearing_again,
    deployments,
    leaving,
    orphans_on_servers,
    previews,
    records,
)
from quarterdeck.deploy.deployments.following import RETIRE, SERVER_LEFT, follow_up
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources import resources
from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.engines.installing import INSTALL
from quarterdeck.fleet.servers import engines, lifecycle, proxies, servers, uninstalling
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.login import HostKeyPin
from quarterdeck.identity import organizations
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Problem
from quarterdeck.workspace import environments
from support.harbour import Harbour


def another(tx: Tx, host: str = "192.0.2.1") -> str:
    made = servers.register(
        tx, name=host, host=host, provider="generic-ssh", target_kind="single-server", port=22, proxy_kind="caddy"
    )
    access.configure(tx, made.ref, access.Way(access.AGENT))
    return made.ref


def deploys(harbour: Harbour, server: str) -> Any:
    return lambda tx: admission.create(tx, resource_ref=harbour.resource, server_ref=server)


def leaves(server: str) -> Any:
    return lambda tx: leaving.accept(tx, server)


async def told(harbour: Harbour, verb: Any) -> str:
    try:
        await harbour.write(verb)
    except Problem as problem:
        return problem.code
    return "done"


async def beside(harbour: Harbour, one: Any, another: Any) -> list[str]:
    """`another` begins while `one`, which has written, is not committed yet."""
    written = threading.Event()

    def held(tx: Tx) -> None:
        try:
            one(tx)
            tx.flush()
        finally:
            written.set()
        time.sleep(0.3)

    first = asyncio.create_task(told(harbour, held))
    await asyncio.to_thread(written.wait)
    second = await told(harbour, another)
    return [await first, second]


async def pinned(harbour: Harbour, *refs: str) -> None:
    for ref in refs:
        row = await harbour.instance.db.read(lambda tx, one=ref: servers.find(tx, one).id)
        await harbour.write(access.keep_host_key, row, HostKeyPin("SHA256:one", "ssh-ed25519"))


async def trail(harbour: Harbour, server: str) -> list[tuple[str, str]]:
    def read(tx: Tx) -> list[tuple[str, str]]:
        query = (
            "SELECT action, outcome FROM audit_events "
            "WHERE resource_id = :ref AND action LIKE 'server.unins%' ORDER BY id"
        )
        return [(row[0], row[1]) for row in tx.execute(query, {"ref": server})]

    return await harbour.instance.db.read(read)


async def test_what_comes_second_sees_what_the_first_has_begun(harbour: Harbour) -> None:
    server = await harbour.write(another)
    assert await beside(harbour, leaves(server), deploys(harbour, server)) == ["done", "server_inactive"]
    places = await places_of(harbour, server)
    await harbour.write(uninstalling.give_up, server, places, "ssh_unreachable")
    assert await beside(harbour, deploys(harbour, server), leaves(server)) == ["done", "server_in_use"]
    assert await trail(harbour, server) == [
        ("server.uninstalling", "success"),
        ("server.uninstall-given-up", "failure"),
    ]


async def places_of(harbour: Harbour, server: str) -> list[int]:
    def read(tx: Tx) -> list[int]:
        return [one.id for one in access.same_machine(tx, servers.find(tx, server))]

    return await harbour.instance.db.read(read)


async def test_nothing_goes_to_the_machine_under_another_name_of_it_either(harbour: Harbour) -> None:
    server, twin = [await harbour.write(another, host) for host in ("192.0.2.1", "192.0.2.2")]
    await pinned(harbour, server, twin)
    assert await beside(harbour, leaves(server), deploys(harbour, twin)) == ["done", "server_inactive"]
    await harbour.write(uninstalling.give_up, server, await places_of(harbour, server), "ssh_unreachable")
    assert await beside(harbour, deploys(harbour, twin), leaves(server)) == ["done", "server_in_use"]


@pytest.mark.parametrize("builds", [False, True])
async def test_nor_under_a_name_that_it_got_since(harbour: Harbour, builds: bool) -> None:
    server, target = [await harbour.write(another, host) for host in ("192.0.2.1", "192.0.2.2")]
    places = await harbour.write(leaving.accept, server)
    same = await harbour.write(another)

    def make(tx: Tx) -> str:
        source = {"kind": "git-public", "locator": "https://example.test/a.git", "metadata": {"buildServerId": same}}
        return resources.create(
            tx, project_ref=harbour.project, environment_ref=harbour.environment, name="built", source=source
        ).ref

    if builds:
        assert await told(harbour, make) == "server_inactive"
    else:
        assert await told(harbour, deploys(harbour, same)) == "server_inactive"
        assert await told(harbour, deploys(harbour, target)) == "done"
    await harbour.write(uninstalling.give_up, server, places, "ssh_unreachable")
    assert await beside(harbour, deploys(harbour, same), leaves(server)) == ["done", "server_in_use"]


async def test_nor_is_anything_built_there_for_another_one(harbour: Harbour) -> None:
    builder, target = [await harbour.write(another, host) for host in ("192.0.2.1", "192.0.2.2")]

    def make(tx: Tx) -> str:
        source = {"kind": "git-public", "locator": "https://example.test/a.git", "metadata": {"buildServerId": builder}}
        return resources.create(
            tx, project_ref=harbour.project, environment_ref=harbour.environment, name="built", source=source
        ).ref

    harbour.resource = await harbour.write(make)
    assert await beside(harbour, leaves(builder), deploys(harbour, target)) == ["done", "server_inactive"]
    await harbour.write(uninstalling.give_up, builder, await places_of(harbour, builder), "ssh_unreachable")
    assert await beside(harbour, deploys(harbour, target), leaves(builder)) == ["done", "server_in_use"]


async def test_one_is_uninstalled_once_at_a_time_and_not_while_its_edge_is_brought_up(harbour: Harbour) -> None:
    server = await harbour.write(another)
    assert await beside(harbour, leaves(server), leaves(server)) == ["done", "server_in_use"]
    assert await told(harbour, lambda tx: proxies.bootstrap(tx, server)) == "server_inactive"
    assert await harbour.write(orphans_on_servers.ask) == 0
    await harbour.write(lifecycle.deactivate, server)
    assert await told(harbour, lambda tx: lifecycle.delete(tx, server, server, ())) == "server_delete_blocked"
    other = await harbour.write(another, "192.0.2.3")
    await harbour.write(proxies.bootstrap, other)
    assert await told(harbour, leaves(other)) == "server_in_use"


@pytest.mark.parametrize("since", [False, True])
async def test_nothing_is_brought_up_or_installed_under_another_name_either(harbour: Harbour, since: bool) -> None:
    server = await harbour.write(another)
    twin = None if since else await harbour.write(another, "192.0.2.2")
    if twin is not None:
        await pinned(harbour, server, twin)
    places = await harbour.write(leaving.accept, server)
    if twin is not None:
        name = twin
    else:
        name = await harbour.write(another)  # registered while it is left
    for verb in (
        lambda tx: proxies.bootstrap(tx, name),
        lambda tx: engines.request(tx, name, [["true"]]),
        deploys(harbour, name),
    ):
        assert await told(harbour, verb) == "server_inactive"
    await harbour.write(uninstalling.give_up, server, places, "ssh_unreachable")
    assert await beside(harbour, lambda tx: proxies.bootstrap(tx, name), leaves(server)) == ["done", "server_in_use"]


async def test_a_preview_is_not_cleaned_up_where_everything_goes_and_keeps_it_from_going(harbour: Harbour) -> None:
    server = harbour.server = await harbour.write(another)

    def preview(tx: Tx) -> str:
        environment = environments.create(tx, harbour.project, "pr-7", "preview").ref
        source = {"kind": "docker-image", "locator": "nginx"}
        made = resources.create(
            tx, project_ref=harbour.project, environment_ref=environment, name="shown", source=source
        )
        harbour.resource = made.ref
        return made.source_fingerprint or ""

    fingerprint = await harbour.write(preview)
    await harbour.end(await harbour.create())

    def clean(tx: Tx) -> None:
        assert previews.request(tx, fingerprint, previews.Context()).job is not None

    def stopped(tx: Tx) -> None:  # what serves would be in the way by itself
        resources.find(tx, harbour.resource).serving_id = None

    await harbour.write(stopped)
    assert await beside(harbour, leaves(server), clean) == ["done", "server_inactive"]
    await harbour.write(uninstalling.give_up, server, await places_of(harbour, server), "ssh_unreachable")
    assert await beside(harbour, clean, leaves(server)) == ["done", "server_in_use"]
    (job,) = await harbour.instance.db.read(jobs.list_jobs, jobs.Filter(kind=previews.CLEANUP))
    await harbour.write(jobs.cancel, job.id, "not now")
    assert await told(harbour, leaves(server)) == "done"


async def test_what_a_job_reports_of_its_server_waits_for_nobody_who_waits_for_the_job(harbour: Harbour) -> None:
    """The ledger holds the job while it reports; who supersedes it relies on its server and waits for the job."""
    server = harbour.server = await harbour.write(another)
    deployment = await harbour.create()
    await harbour.claim()
    job = await harbour.job(admission.EXECUTE, deployment.ref)
    held, go = threading.Event(), threading.Event()
    overlap = harbour.instance.db.dialect != "sqlite"  # whose writers take turns

    def supersede(tx: Tx) -> None:
        access.hold_names(tx, [servers.find(tx, server)])
        held.set()
        assert go.wait(10 if overlap else 0) == overlap
        jobs.cancel(tx, job.id, "superseded")

    def report(tx: Tx) -> None:
        shown = {"fingerprint": "SHA256:one", "algorithm": "ssh-ed25519"}
        if overlap:
            tx.execute("SELECT id FROM jobs WHERE id = :id FOR UPDATE", {"id": job.id}).all()
            go.set()
        time.sleep(0.3)  # until the other one waits for the job
        records.record(tx, deployment.id, "host-key", shown)
        records.record(tx, deployment.id, "edge", {"http_port": 80, "https_port": 443})

    first = asyncio.create_task(told(harbour, supersede))
    await asyncio.to_thread(held.wait)
    async with asyncio.timeout(20):
        assert [await told(harbour, report), await first] == ["done", "done"]
    found = await harbour.instance.db.read(lambda tx: access.pin(tx, servers.find(tx, server).id))
    assert found == HostKeyPin("SHA256:one", "ssh-ed25519")


async def test_nor_is_it_left_while_an_engine_is_installed_under_whichever_name(harbour: Harbour) -> None:
    server, twin = [await harbour.write(another, host) for host in ("192.0.2.1", "192.0.2.2")]
    await pinned(harbour, server, twin)
    assert await beside(harbour, lambda tx: engines.request(tx, twin, [["true"]]), leaves(server)) == [
        "done", "engine_busy"
    ]  # fmt: skip
    assert await told(harbour, leaves(twin)) == "engine_busy"
    assert await trail(harbour, server) == []
    (job,) = await harbour.instance.db.read(jobs.list_jobs, jobs.Filter(kind=INSTALL))
    await harbour.write(jobs.cancel, job.id, "no more")
    assert await beside(harbour, leaves(server), lambda tx: engines.request(tx, twin, [["true"]])) == [
        "done", "server_inactive"
    ]  # fmt: skip


@pytest.mark.parametrize("left", [False, True])
async def test_work_on_an_engine_is_not_begun_where_nothing_new_goes(harbour: Harbour, left: bool) -> None:
    server = await harbour.write(another)
    job = await harbour.write(lambda tx: engines.request(tx, server, [["true"]]))
    if left:

        def leave(tx: Tx) -> None:
            servers.find(tx, server).uninstalling_at = tx.now

        await harbour.write(leave)
    else:
        await harbour.write(lifecycle.deactivate, server)
    await harbour.claim()
    ended = await harbour.instance.db.read(jobs.get, job.id)
    assert (ended.state, ended.error_code) == ("failed", "server_inactive")


async def test_this_machine_and_one_that_nobody_can_sign_in_to_are_not_begun(harbour: Harbour) -> None:
    assert await told(harbour, leaves(harbour.server)) == "validation_error"

    def bare(tx: Tx) -> str:
        return servers.register(
            tx, name="bare", host="192.0.2.4", provider="generic-ssh", target_kind="single-server", port=22,
            proxy_kind="none",
        ).ref  # fmt: skip

    assert await told(harbour, leaves(await harbour.write(bare))) == "ssh_credential_missing"


async def test_what_a_process_that_died_was_uninstalling_takes_work_again(harbour: Harbour) -> None:
    server = await harbour.write(another)
    await harbour.write(leaving.accept, server)
    assert await harbour.write(uninstalling.recover) == 1
    assert await harbour.write(uninstalling.recover) == 0
    assert await trail(harbour, server) == [
        ("server.uninstalling", "success"),
        ("server.uninstall-given-up", "failure"),
    ]
    assert await told(harbour, deploys(harbour, server)) == "done"


async def cleared(harbour: Harbour) -> set[str]:
    """Attempts whose clearing is still to be done."""

    def read(tx: Tx) -> set[str]:
        found = jobs.list_jobs(tx, jobs.Filter(kind=RETIRE, states=tuple(jobs.LIVE), limit=100))
        return {(job.subject or "").removeprefix("deployment:") for job in found}

    return await harbour.instance.db.read(read)


@pytest.mark.parametrize("whole", [True, False])
async def test_nobody_comes_back_to_clear_what_was_taken_away_whole(harbour: Harbour, whole: bool) -> None:
    here = await harbour.end(await harbour.create())
    server = harbour.server = await harbour.write(another)
    first, second = [await harbour.end(await harbour.create()) for _ in range(2)]

    def take(tx: Tx) -> None:
        resources.find(tx, harbour.resource).serving_id = None

    await harbour.write(take)
    assert await cleared(harbour) == {here.ref, first.ref}
    places = await harbour.write(leaving.accept, server)
    await harbour.write(leaving.done, server, places, counts={"edge": 1}, whole=whole)
    assert await cleared(harbour) == ({here.ref} if whole else {here.ref, first.ref})
    for one in (first, second):
        assert ((await harbour.show(one.ref)).retired_at is not None) is whole
    assert (await harbour.show(here.ref)).retired_at is None
    assert await trail(harbour, server) == [("server.uninstalling", "success"), ("server.uninstalled", "success")]
    found = await harbour.instance.db.read(lambda tx: tx.first(select(Server).where(Server.ref == server)))
    assert (found.uninstalling_at, found.lifecycle, found.proxy_status) == (None, "active", "pending")
    later = harbour.instance.db.clock.now()
    asked = await harbour.write(clearing_again.ask_again, later)
    assert asked == (0 if whole else 1)
    assert await told(harbour, deploys(harbour, server)) == "done"


async def test_what_was_retired_before_is_not_loaded_and_its_clearing_is_canceled_too(harbour: Harbour) -> None:
    server = harbour.server = await harbour.write(another)
    long_gone, first, second = [await harbour.end(await harbour.create()) for _ in range(3)]
    before = harbour.instance.db.clock.now()

    def retired(tx: Tx) -> None:
        resources.find(tx, harbour.resource).serving_id = None
        for one in (long_gone, first):
            deployments.find(tx, one.ref).retired_at = before
        for job in jobs.list_jobs(tx, jobs.Filter(kind=RETIRE, subject=f"deployment:{long_gone.ref}")):
            jobs.cancel(tx, job.id, SERVER_LEFT)

    await harbour.write(retired)
    assert await cleared(harbour) == {first.ref}
    places = await harbour.write(leaving.accept, server)
    loaded: list[str] = []

    def note(row: Deployment, _context: Any) -> None:
        loaded.append(row.ref)

    event.listen(Deployment, "load", note)
    try:
        await harbour.write(leaving.done, server, places, counts={}, whole=True)
    finally:
        event.remove(Deployment, "load", note)
    assert second.ref in loaded
    assert long_gone.ref not in loaded
    assert await cleared(harbour) == set()
    assert (await harbour.show(first.ref)).retired_at == before
    assert (await harbour.show(second.ref)).retired_at is not None


def elsewhere(harbour: Harbour, verb: Any) -> Any:
    """The same asked by another organization."""

    def asked(tx: Tx) -> Any:
        home = tx.principal
        made = organizations.create(tx, harbour.instance.access, "Elsewhere").id
        tx.act_as(replace(home, organization_id=made))
        try:
            return verb(tx)
        finally:
            tx.act_as(home)

    return asked


def strange(tx: Tx, host: str) -> str:
    made = servers.register(
        tx, name=host, host=host, provider="generic-ssh", target_kind="single-server", port=22, proxy_kind="caddy"
    )
    return made.ref


async def test_every_name_of_the_machine_knows_that_edge_and_engine_are_gone(harbour: Harbour) -> None:
    server, twin, refusing = [await harbour.write(another, f"192.0.2.{number}") for number in (1, 2, 3)]
    foreign = await harbour.write(elsewhere(harbour, lambda tx: strange(tx, "192.0.2.4")))
    other = await harbour.write(another, "192.0.2.9")
    uses = {server: "installed", twin: "adopted", refusing: "refused", foreign: "adopted", other: "adopted"}

    def rows(tx: Tx) -> dict[str, Server]:
        return {row.ref: row for row in tx.scalars(select(Server).where(Server.ref.in_(uses)))}

    def use(tx: Tx) -> None:
        for ref, row in rows(tx).items():
            if ref != other:
                access.keep_host_key(tx, row.id, HostKeyPin("SHA256:one", "ssh-ed25519"))
            row.proxy_status, row.edge_http_port, row.edge_https_port = "ready", 8000 + row.id, None
            row.engine_use = uses[ref]

    await harbour.write(use)
    before = await harbour.instance.db.read(rows)
    here = {row.edge_http_port for ref, row in before.items() if ref != other}

    def ports(tx: Tx) -> set[int]:
        return set(servers.edge_ports(access.same_machine(tx, servers.find(tx, server))))

    assert await harbour.instance.db.read(ports) == here
    places = await harbour.write(leaving.accept, server)
    await harbour.write(leaving.done, server, places, counts={"edge": 1, "engine": 1}, whole=True, engine="docker.io")
    after = await harbour.instance.db.read(rows)
    for ref in (server, twin, refusing, foreign):
        row = after[ref]
        assert (row.proxy_status, row.edge_http_port, row.uninstalling_at) == ("pending", None, None)
        assert row.engine_use == ("refused" if ref == refusing else None)
    assert await harbour.instance.db.read(ports) == set()
    assert (after[other].proxy_status, after[other].engine_use) == ("ready", "adopted")
    removed = "SELECT resource_id, organization_id FROM audit_events WHERE action = 'server.engine-removed'"
    told = await harbour.instance.db.read(lambda tx: {tuple(row) for row in tx.execute(removed)})
    assert told == {(ref, after[ref].organization_id) for ref in (server, twin, foreign)}


async def test_what_the_engine_could_not_tell_counts_as_placed_under_every_name(harbour: Harbour) -> None:
    server, twin = [await harbour.write(another, host) for host in ("192.0.2.1", "192.0.2.2")]
    await pinned(harbour, server, twin)
    harbour.server = twin
    await harbour.end(await harbour.create())
    places = await harbour.write(leaving.accept, server)

    async def found(*refs: str, unseen: bool) -> str:
        try:
            await harbour.instance.db.read(leaving.check_found, server, places, list(refs), unseen=unseen)
        except Problem as problem:
            return problem.code
        return "done"

    assert await found(unseen=False) == "done"
    assert await found(harbour.resource, unseen=False) == "server_in_use"
    assert await found(unseen=True) == "server_in_use"


class Gone:
    """The part of looking that signs in: everything there has gone, or `failure` stood in the way."""

    def __init__(self, harbour: Harbour, failure: Exception | None = None) -> None:
        self.db, self._failure = harbour.instance.db, failure

    async def uninstall(self, server: str, *_: Any, **__: Any) -> tuple[Server, list[Any]]:
        if self._failure is not None:
            raise self._failure
        return await self.db.read(servers.find, server), []


async def test_clearing_that_ends_meanwhile_does_not_stand_in_the_way_of_the_end(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = harbour.server = await harbour.write(another)
    first = await harbour.end(await harbour.create())
    await harbour.end(await harbour.create())

    def take(tx: Tx) -> None:
        resources.find(tx, harbour.resource).serving_id = None

    await harbour.write(take)
    places = await harbour.write(leaving.accept, server)
    listed = jobs.list_jobs

    def ends(tx: Tx, wanted: jobs.Filter) -> list[jobs.Job]:
        found = listed(tx, wanted)
        for job in found:
            tx.execute("UPDATE jobs SET state = 'succeeded' WHERE id = :id", {"id": job.id})
        return found

    monkeypatch.setattr(jobs, "list_jobs", ends)
    await harbour.write(leaving.done, server, places, counts={}, whole=True)
    monkeypatch.undo()
    assert (await harbour.job(RETIRE, first.ref)).state == "succeeded"
    assert (await harbour.show(first.ref)).retired_at is not None
    assert await told(harbour, deploys(harbour, server)) == "done"


@pytest.mark.parametrize("failures", [1, 100])
@pytest.mark.parametrize("verb", ["done", "give_up"])
async def test_an_end_that_cannot_be_written_leaves_no_server_that_takes_nothing(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch, verb: str, failures: int
) -> None:
    server = await harbour.write(another)
    room = leaving if verb == "done" else uninstalling
    if verb == "give_up" and failures > 1:
        failures = len(leaving.PAUSES)
    written = getattr(room, verb)
    tries: list[str] = []

    def fails(tx: Tx, *args: Any, **named: Any) -> None:
        written(tx, *args, **named)
        tries.append(verb)
        if len(tries) <= failures:
            raise RuntimeError("not now")

    monkeypatch.setattr(room, verb, fails)
    monkeypatch.setattr(leaving, "PAUSES", (0.0,) * len(leaving.PAUSES))
    looking: Any = Gone(harbour, Problem("Nobody is there.", code="ssh_unreachable") if verb == "give_up" else None)
    code = "done"
    try:
        await leaving.leave(looking, server, remove=True)
    except Problem as problem:
        code = problem.code
    except RuntimeError:
        code = "internal_error"
    ends_well = verb == "done" and failures == 1
    assert code == ("done" if ends_well else "ssh_unreachable" if verb == "give_up" else "internal_error")
    assert await told(harbour, deploys(harbour, server)) == "done"
    given_up = [] if ends_well else [("server.uninstall-given-up", "failure")]
    assert await trail(harbour, server) == [("server.uninstalling", "success"), *given_up]


async def test_nothing_is_cleared_away_by_others_while_a_server_is_left(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = harbour.server = await harbour.write(another)
    first, second = [await harbour.end(await harbour.create()) for _ in range(2)]

    def take(tx: Tx) -> None:
        resources.find(tx, harbour.resource).serving_id = None

    await harbour.write(take)
    await harbour.claim("background")
    at_work = await harbour.job(RETIRE, first.ref)
    assert at_work.state == "running"
    monkeypatch.setattr(leaving, "LOOK_SECONDS", 0.01)
    leaving_it = asyncio.create_task(leaving.leave(cast("Any", Gone(harbour)), server, remove=True))
    while not await trail(harbour, server):
        await asyncio.sleep(0.01)
    places = await places_of(harbour, server)
    with pytest.raises(Problem, match="cleared away"):
        await harbour.instance.db.read(leaving.check_found, server, places, [], unseen=False)
    await harbour.write(follow_up, second, "retire")
    await harbour.claim("background")
    refused = await harbour.job(RETIRE, second.ref)
    assert (refused.state, refused.error_code) == ("retry-scheduled", "server_inactive")
    assert not leaving_it.done()
    await harbour.told(at_work, jobs.Outcome("succeeded"))
    await leaving_it
    assert await told(harbour, deploys(harbour, server)) == "done"


async def test_clearing_that_does_not_end_is_not_waited_for_for_ever(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = harbour.server = await harbour.write(another)
    await harbour.end(await harbour.create())
    await harbour.end(await harbour.create())

    def take(tx: Tx) -> None:
        resources.find(tx, harbour.resource).serving_id = None

    await harbour.write(take)
    await harbour.claim("background")
    monkeypatch.setattr(leaving, "CLEARING_SECONDS", 0.02)
    monkeypatch.setattr(leaving, "LOOK_SECONDS", 0.01)
    with pytest.raises(Problem) as caught:
        await leaving.leave(cast("Any", Gone(harbour)), server, remove=True)
    assert caught.value.code == "server_in_use"
    assert await told(harbour, deploys(harbour, server)) == "done"
