"""Attempts whose job has ended without them: a kind's own rule failed, and the ledger went on."""

from __future__ import annotations

import dataclasses

import pytest

from quarterdeck.deploy.deployments import admission
from quarterdeck.deploy.resources import runtime
from quarterdeck.deploy.resources.model import RuntimeControl
from quarterdeck.fleet.edge.bootstrap import BOOTSTRAP
from quarterdeck.fleet.servers import proxies
from quarterdeck.fleet.servers.model import ProxyAttempt
from quarterdeck.kernel import jobs
from quarterdeck.kernel.jobs import reconciling
from support.harbour import Harbour

GOOD = jobs.Outcome("succeeded", result='{"runtime": {"kind": "container", "upstream": "127.0.0.1:1"}}')


def broken(_tx, _job, _outcome):
    raise ValueError("a bug")


async def ends_alone(harbour: Harbour, kind: str, job_id: int) -> None:
    """The job ends; what it was about does not."""
    whole = jobs.kinds.get(kind)
    job = await harbour.instance.db.read(jobs.get, job_id)
    jobs.kinds.register(dataclasses.replace(whole, finish=broken))
    try:
        assert await harbour.instance.jobs.complete(job.id, job.fence, GOOD, key=job.concurrency_key)
    finally:
        jobs.kinds.register(whole)
    assert (await harbour.instance.db.read(jobs.get, job_id)).ended


def told(tx):
    rows = tx.execute("SELECT type FROM domain_events ORDER BY id")
    audited = tx.execute("SELECT action FROM audit_events ORDER BY id")
    return [row[0] for row in rows], [row[0] for row in audited]


async def reconciled(harbour: Harbour) -> tuple[list[str], list[str]]:
    """What is told by it; a second look finds nothing."""
    before = await harbour.instance.db.read(told)
    assert await reconciling.reconcile(harbour.instance.db) == 1
    after = await harbour.instance.db.read(told)
    assert await reconciling.reconcile(harbour.instance.db) == 0
    assert await harbour.instance.db.read(told) == after
    return after[0][len(before[0]) :], after[1][len(before[1]) :]


async def test_a_deployment_whose_job_has_ended_ends(harbour: Harbour) -> None:
    deployment = await harbour.create()
    await harbour.claim()
    assert await reconciling.reconcile(harbour.instance.db) == 0  # its job runs
    await ends_alone(harbour, admission.EXECUTE, deployment.job_id)
    assert (await harbour.show(deployment.ref)).status == "created"
    events, audited = await reconciled(harbour)
    after = await harbour.show(deployment.ref)
    assert (after.status, after.error_code) == ("failed", "job_finish_failed")
    assert after.finished_at is not None
    assert "deployment-failed" in events
    assert {"deployment.finished", "job.reconciled"} <= set(audited)
    assert (await harbour.create()).status == "created"


@pytest.mark.parametrize("operation", ["stop", "restart"])
async def test_a_runtime_control_whose_job_has_ended_ends(harbour: Harbour, operation: str) -> None:
    deployment = await harbour.create()
    await harbour.claim()
    job = await harbour.job(admission.EXECUTE, deployment.ref)
    await harbour.phase(deployment, "detect", "running")
    await harbour.write(lambda tx: setattr(tx.get(type(deployment), deployment.id), "artifact", {"kind": "image"}))
    await harbour.told(job, GOOD)
    attempt = await harbour.write(runtime.control, harbour.resource, operation)
    await harbour.claim("normal", "background")
    await ends_alone(harbour, runtime.CONTROL, attempt.job_id)
    events, audited = await reconciled(harbour)
    after = await harbour.instance.db.read(lambda tx: tx.get(RuntimeControl, attempt.id))
    assert (after.status, after.error_code, after.runtime_state) == ("failed", "job_finish_failed", "unknown")
    assert events == ["resource-runtime-control"]
    assert audited == ["job.reconciled"]
    await harbour.write(runtime.control, harbour.resource, operation)  # nothing is in its way any more


async def test_an_edge_attempt_whose_job_has_ended_ends(harbour: Harbour) -> None:
    attempt = await harbour.write(proxies.bootstrap, harbour.server)
    await harbour.claim()
    await ends_alone(harbour, BOOTSTRAP, attempt.job_id)
    events, audited = await reconciled(harbour)
    after = await harbour.instance.db.read(lambda tx: tx.get(ProxyAttempt, attempt.id))
    assert (after.status, after.error_code) == ("failed", "job_finish_failed")
    assert after.finished_at is not None
    assert "edge-proxy-observed" in events
    assert audited == ["job.reconciled"]


async def test_what_cannot_be_finished_as_it_ended_fails(harbour: Harbour) -> None:
    """The same bug meets the good end again: the attempt ends all the same."""
    deployment = await harbour.create()
    await harbour.claim()
    whole = jobs.kinds.get(admission.EXECUTE)

    def picky(tx, job, outcome):
        if outcome.state == "succeeded":
            broken(tx, job, outcome)
        whole.finish(tx, job, outcome)

    await harbour.write(
        lambda tx: tx.execute(
            "UPDATE jobs SET state = 'succeeded', turn_key = NULL, lease_until = NULL, finished_at = 1 WHERE id = :id",
            {"id": deployment.job_id},
        )
    )
    jobs.kinds.register(dataclasses.replace(whole, finish=picky))
    try:
        await reconciled(harbour)
    finally:
        jobs.kinds.register(whole)
    assert (await harbour.show(deployment.ref)).error_code == "job_finish_failed"
