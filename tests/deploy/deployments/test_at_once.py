"""Commands that look before they write, while another unit that has written is not yet durable."""

from __future__ import annotations

import asyncio
import threading
import time

import asyncssh
import pytest

from quarterdeck.deploy.deployments import admission, deployments, first
from quarterdeck.deploy.deployments.transitions import move
from quarterdeck.deploy.resources import archiving, profiles, resources, runtime
from quarterdeck.deploy.resources import variables as resource_variables
from quarterdeck.fleet.credentials import access, credentials
from quarterdeck.fleet.servers import access_policies, lifecycle, proxies, servers
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.failures import failure_of
from quarterdeck.kernel.jobs import ledger
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace import environments, projects, variables
from quarterdeck.workspace.model import Environment, Project
from support.harbour import Harbour
from support.served import SOURCE


async def beside(harbour: Harbour, one, another):
    """`another` starts when `one` has written and commits 0.3 s later. Answers for each "done" or a code."""
    written = threading.Event()

    def held(tx):
        try:
            one(tx)
            tx.flush()
        finally:
            written.set()
        time.sleep(0.3)

    async def told(verb):
        try:
            await harbour.write(verb)
        except Problem as problem:
            return problem.code
        return "done"

    holding = asyncio.create_task(told(held))
    await asyncio.to_thread(written.wait)
    return [await told(another), await holding][::-1]


def configure(harbour, tx):
    profiles.configure(tx, harbour.resource, profiles.Given(health={}), version=1)


def archive(harbour, tx):
    archiving.archive(tx, harbour.resource)


def secret(harbour, tx):
    resource_variables.create_secret(tx, harbour.resource, "TOKEN", Secret("hush"), "runtime")


def variable(harbour, tx):
    resource_variables.set_variable(
        tx, harbour.resource, key="A", value="1", kind="plain-config", exposure="runtime", secret=False
    )


def shared(harbour, tx):
    variables.set_in_environment(
        tx, harbour.environment, key="A", value="1", kind="plain-config", exposure="runtime", scope=None, secret=False
    )


def archive_project(harbour, tx):
    projects.archive(tx, harbour.project)


def rename_project(harbour, tx):
    projects.rename(tx, harbour.project, "Other")


def reword_project(harbour, tx):
    as_it_was = projects.version(Project(name="Demo", description=None))
    projects.change(tx, harbour.project, name="Demo", description=tx.ids.text(8), seen=as_it_was)


def new_environment(harbour, tx):
    environments.create(tx, harbour.project, "staging", "staging")


def deploy(harbour, tx):
    admission.create(tx, resource_ref=harbour.resource, server_ref=harbour.server)


def deactivate(harbour, tx):
    lifecycle.deactivate(tx, harbour.server)


def forget(harbour, tx):
    lifecycle.delete(tx, harbour.server, harbour.server, ())


def sign_in(harbour, tx):
    access.configure(tx, harbour.server, access.Way(access.AGENT))


def accept(harbour, tx):
    access.accept_host_key(tx, harbour.server, "SHA256:" + "A" * 43)


def edge(harbour, tx):
    proxies.configure(tx, harbour.server, "none")


def bring_up(harbour, tx):
    proxies.bootstrap(tx, harbour.server)


def policy(harbour, tx):
    access_policies.configure(tx, server_ref=harbour.server, mode="disabled", provider=None, template=None)


def shut(harbour, tx):
    """No verb locks an environment yet; whoever does holds its project."""
    projects.locked(tx, harbour.project)
    environments.find(tx, harbour.environment)[0].lifecycle = "locked"


@pytest.mark.parametrize(
    ("one", "another", "told"),
    [
        (deactivate, deploy, "server_inactive"),
        (archive, deploy, "resource_archived"),
        (archive_project, deploy, "project_archived"),
        (archive_project, shared, "project_archived"),
        (shut, deploy, "environment_locked"),
        (shut, shared, "environment_locked"),
        (deactivate, sign_in, "server_inactive"),
        (deactivate, accept, "server_inactive"),
        (deactivate, edge, "server_inactive"),
        (deactivate, bring_up, "server_inactive"),
        (deactivate, deactivate, "done"),
        (configure, configure, "resource_version_conflict"),
        (archive, configure, "resource_archived"),
        (archive, variable, "resource_archived"),
        (secret, secret, "conflict"),
        (variable, variable, "done"),
        (shared, shared, "done"),
        (archive_project, rename_project, "project_archived"),
        (archive_project, new_environment, "project_archived"),
        (new_environment, new_environment, "conflict"),
        (reword_project, reword_project, "conflict"),
        (rename_project, reword_project, "conflict"),
    ],
)
async def test_the_second_sees_what_the_first_has_done(harbour: Harbour, one, another, told) -> None:
    found = await beside(harbour, lambda tx: one(harbour, tx), lambda tx: another(harbour, tx))
    assert found == ["done", told]


async def test_what_waits_for_a_server_that_is_deleted_is_told_that_there_is_none(harbour: Harbour) -> None:
    await harbour.write(lambda tx: deactivate(harbour, tx))
    for second in (deactivate, sign_in, accept, policy, forget):
        other = await harbour.write(another_server)
        here, harbour.server = harbour.server, other
        found = await beside(harbour, lambda tx: forget(harbour, tx), lambda tx, verb=second: verb(harbour, tx))
        assert found == ["done", "not_found"], second.__name__
        harbour.server = here


def another_server(tx):
    made = servers.register(
        tx, name="Other", host="192.0.2.1", provider="generic-ssh", target_kind="single-server", port=22,
        proxy_kind="none",
    )  # fmt: skip
    return lifecycle.deactivate(tx, made.ref).ref


async def test_a_key_that_is_given_to_a_server_is_neither_deleted_nor_changed_unseen(harbour: Harbour) -> None:
    private = Secret(asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode())
    ref = (await harbour.write(lambda tx: credentials.create(tx, name="key", private_key=private))).ref

    def give(tx):
        access.configure(tx, harbour.server, access.Way(access.STORED, credential_ref=ref))

    def delete(tx):
        credentials.delete(tx, ref, ref, ())

    def rotate(tx):
        credentials.rotate(tx, ref, confirmation=ref, acknowledged=False, private_key=private)

    assert await beside(harbour, give, delete) == ["done", "credential_in_use"]
    assert await beside(harbour, give, rotate) == [
        "done",
        "credential_rotation_requires_usage_acknowledgement",
    ]
    await harbour.write(lambda tx: sign_in(harbour, tx))
    for second in (rotate, delete):
        other = (await harbour.write(lambda tx: credentials.create(tx, name="key", private_key=private))).ref
        here, ref = ref, other
        assert await beside(harbour, delete, second) == ["done", "not_found"]
        ref = here


async def test_deployments_to_one_server_are_admitted_beside_each_other(harbour: Harbour) -> None:
    """Who only relies on a server keeps nobody waiting but those who change it."""
    other = await harbour.write(
        lambda tx: (
            resources.create(
                tx,
                project_ref=harbour.project,
                environment_ref=harbour.environment,
                name="other",
                source={"kind": "docker-image", "locator": "nginx"},
            ).ref
        )
    )
    await harbour.create()  # makes the destination, which is made under a lock of its own
    held, go = threading.Event(), threading.Event()
    if harbour.instance.db.dialect == "sqlite":
        go.set()  # its one writer takes them one after the other

    def first(tx):
        try:
            admission._held(tx, harbour.resource, harbour.server)
        finally:
            held.set()
        assert go.wait(10)

    one = asyncio.create_task(harbour.write(first))
    await asyncio.to_thread(held.wait)
    async with asyncio.timeout(5):
        await harbour.write(lambda tx: admission._held(tx, other, harbour.server))
    go.set()
    await one


async def test_one_idempotency_key_makes_one_attempt(harbour: Harbour) -> None:
    deployment = await harbour.create()
    await harbour.end(deployment)
    made = []

    def stop(tx):
        made.append(runtime.control(tx, harbour.resource, "stop", idempotency_key="once").ref)

    assert await beside(harbour, stop, stop) == ["done", "done"]
    assert len(set(made)) == 1


async def test_first_deployments_at_once_go_into_one_project_and_environment(harbour: Harbour) -> None:
    made = []

    def deploying(name, environment):
        def deploy(tx):
            wanted = first.First(name, "Brand New", environment, "application", SOURCE, None, None, harbour.server)
            begun = first.deploy(tx, wanted)
            made.append((begun.project.id, begun.environment.id, begun.resource.name, begun.attempt.number))

        return deploy

    assert await beside(harbour, deploying("One", "production"), deploying("Two", "Production")) == ["done", "done"]
    (project, environment, *one), (*same, name, number) = made
    assert [project, environment] == same
    assert (one, name, number) == (["One", 1], "Two", 1)


async def ending(harbour: Harbour, second):
    deployment = await harbour.create()
    await harbour.claim()

    def end(tx):
        row = deployments.find(tx, deployment.ref)
        move(tx, row, "running")
        move(tx, row, "succeeded")
        tx.execute(
            "UPDATE jobs SET state = 'succeeded', turn_key = NULL, lease_until = NULL WHERE id = :id",
            {"id": row.job_id},
        )

    found = await beside(harbour, end, lambda tx: second(tx, deployment))
    return found, await harbour.show(deployment.ref)


async def test_what_ends_while_it_is_canceled_is_told_by_its_documented_code(harbour: Harbour) -> None:
    found, after = await ending(harbour, lambda tx, one: deployments.cancel(tx, one.ref, one.ref))
    assert found == ["done", "deployment_cancel_not_allowed"]
    assert after.status == "succeeded"


async def test_what_ends_while_it_is_superseded_stays_ended(harbour: Harbour) -> None:
    def create(tx, _one):
        admission.create(tx, resource_ref=harbour.resource, server_ref=harbour.server)

    found, after = await ending(harbour, create)
    assert found == ["done", "done"]
    assert (after.status, after.superseded_by_id) == ("succeeded", None)


async def test_what_is_there_twice_after_all_is_a_conflict_to_the_caller(harbour: Harbour) -> None:
    def twice(tx):
        environment, _ = environments.find(tx, harbour.environment)
        kept = {c.key: getattr(environment, c.key) for c in Environment.__table__.columns if c.key != "id"}
        tx.add(Environment(**kept))

    with pytest.raises(Exception, match=r"(?i)unique") as caught:
        await harbour.write(twice)
    failure = failure_of(caught.value, "req_1")
    assert (failure.status, failure.code) == (409, "conflict")


async def test_a_stop_hits_the_version_that_serves_and_not_the_one_before_it(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt ends between the looks of somebody who asks for a stop: what serves, and who is at work."""
    first = await harbour.create()
    await harbour.claim()
    done = jobs.Outcome("succeeded", result='{"runtime": {"kind": "container", "upstream": "127.0.0.1:1"}}')

    async def ended(deployment):
        return await harbour.told(await harbour.job(admission.EXECUTE, deployment.ref), done)

    def image(tx, deployment):
        deployments.find(tx, deployment.ref).artifact = {"kind": "image", "image": deployment.ref, "built": True}

    await harbour.write(image, first)
    await ended(first)
    second = await harbour.create()
    await harbour.claim()
    await harbour.write(image, second)
    job = await harbour.job(admission.EXECUTE, second.ref)

    def end(tx):
        ledger.complete(tx, job.id, job.fence, done, key=job.concurrency_key)

    made = []
    serving = runtime._serving

    def slow(*given):
        found = serving(*given)
        time.sleep(0.6)
        return found

    monkeypatch.setattr(runtime, "_serving", slow)

    def stop(tx):
        made.append(runtime.control(tx, harbour.resource, "stop").deployment_id)

    assert await beside(harbour, end, stop) == ["done", "done"]
    assert made == [second.id]
