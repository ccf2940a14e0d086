"""Admission, supersession, retry, redeploy, rollback, cancel: the states of attempts and what follows from each."""

from __future__ import annotations

import asyncio

import pytest

from quarterdeck.deploy.deployments import admission, deployments, readiness
from quarterdeck.deploy.deployments.following import RETIRE
from quarterdeck.deploy.deployments.ordering import order as deployment_order
from quarterdeck.deploy.deployments.transitions import MOVES, TERMINAL
from quarterdeck.deploy.resources import archiving, resources, runtime
from quarterdeck.deploy.resources.blockers import DeployBlockers
from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Conflict, Invalid, Problem
from support.harbour import Harbour


async def code(work: object) -> str:
    with pytest.raises(Problem) as caught:
        await work
    return caught.value.code


async def running(harbour: Harbour) -> object:
    deployment = await harbour.create()
    await harbour.claim()
    for phase, status in [("detect", "running"), ("plan", "succeeded"), ("package", "running")]:
        await harbour.phase(deployment, phase, status)
    return await harbour.show(deployment.ref)


async def test_an_attempt_passes_its_states_as_its_phases_are_told(harbour: Harbour) -> None:
    deployment = await harbour.create()
    seen = [deployment.status]
    for phase, status in [("detect", "running"), ("plan", "succeeded"), ("package", "running")]:
        await harbour.phase(deployment, phase, status)
        seen.append((await harbour.show(deployment.ref)).status)
    seen.append((await harbour.end(deployment)).status)
    assert seen == ["created", "planning", "planned", "running", "succeeded"]


async def test_the_order_of_an_attempt_taken_up_again_names_the_phase_it_was_interrupted_in(harbour: Harbour) -> None:
    deployment = await harbour.create()

    def order(tx: Tx) -> object:
        made = deployment_order(tx, harbour.instance.placement, deployments.find(tx, deployment.ref))
        return made.resumed, sorted(made.done)

    assert await harbour.instance.db.read(order) == (None, [])
    await harbour.phase(deployment, "detect", "succeeded")
    await harbour.phase(deployment, "plan", "running")
    assert await harbour.instance.db.read(order) == ("plan", ["detect"])


async def test_no_state_is_left_once_it_is_terminal() -> None:
    assert all(not MOVES[status] for status in TERMINAL)


@pytest.mark.parametrize(("reached", "left"), [("created", "canceled"), ("running", "cancel-requested")])
async def test_a_newer_attempt_supersedes_the_active_one(harbour: Harbour, reached: str, left: str) -> None:
    first = await running(harbour) if reached == "running" else await harbour.create()
    second = await harbour.create()
    before = await harbour.show(first.ref)
    assert (before.status, before.superseded_by_id, second.supersedes_id) == (left, second.id, first.id)
    assert (await harbour.show(second.ref)).status == "created"


async def test_two_attempts_at_once_are_numbered_and_one_supersedes_the_other(harbour: Harbour) -> None:
    both = await asyncio.gather(harbour.create(), harbour.create(), harbour.create())
    shown = [await harbour.show(one.ref) for one in both]
    assert sorted(one.number for one in shown) == [1, 2, 3]
    assert sorted(one.status for one in shown) == ["canceled", "canceled", "created"]

    def count(tx: Tx) -> int:
        return resources.find(tx, harbour.resource).deployment_count

    assert await harbour.instance.db.read(count) == 3


async def test_an_archived_resource_is_not_deployed(harbour: Harbour) -> None:
    await harbour.write(archiving.archive, harbour.resource)
    assert await code(harbour.create()) == "resource_archived"


async def test_what_a_stopped_resource_ran_is_taken_away_when_it_is_archived(harbour: Harbour) -> None:
    first, second = await harbour.create(), None
    await harbour.end(first)
    second = await harbour.create()
    await harbour.end(second)
    before = await harbour.follow_ups()

    def stop(tx: Tx) -> None:
        resources.find(tx, harbour.resource).wanted = "stopped"

    await harbour.write(stop)
    await harbour.write(archiving.archive, harbour.resource)
    asked = (await harbour.follow_ups())[len(before) :]
    assert sorted(asked) == sorted([("clean", second.ref), ("forget", first.ref)])
    order = await harbour.follow_up("clean", second.ref)
    assert order.serving is None
    assert order.artifact, "nothing is kept for a rollback that cannot be"

    def blocked(tx: Tx) -> list[tuple[str, int]]:
        return resources.blockers(tx, resources.find(tx, harbour.resource), (DeployBlockers(),))

    assert await harbour.instance.db.read(blocked) == [("deployment-history", 2)]


async def test_what_an_archived_resource_runs_goes_on_until_it_is_stopped(harbour: Harbour) -> None:
    first = await harbour.create()
    await harbour.end(first)
    await harbour.write(archiving.archive, harbour.resource)
    assert await harbour.follow_ups() == []
    attempt = await harbour.write(runtime.control, harbour.resource, "stop")
    kind = runtime.kind(harbour.instance.placement)

    def end(tx: Tx) -> None:
        job = jobs.get(tx, attempt.job_id)
        kind.assign(tx, job)
        kind.finish(tx, job, jobs.Outcome("succeeded"))

    await harbour.write(end)
    assert await harbour.follow_ups() == [("clean", first.ref)]
    assert await code(harbour.write(runtime.control, harbour.resource, "start")) == "resource_runtime_control_blocked"
    assert await code(harbour.write(runtime.control, harbour.resource, "stop")) == "resource_runtime_already_in_state"


async def test_what_stands_in_the_way_of_deleting_is_told_in_words(harbour: Harbour) -> None:
    await harbour.end(await harbour.create())
    with pytest.raises(Problem) as active:
        await harbour.write(resources.delete, harbour.resource, "app", (DeployBlockers(),))
    assert active.value.message == (
        "The resource app cannot be deleted: it is not archived; it still runs; 1 deployment is kept as its history."
    )
    assert "Archive it first" in (active.value.hint or "")


async def test_a_failed_attempt_is_tried_again_with_its_snapshot_and_commit(harbour: Harbour) -> None:
    await harbour.secret("TOKEN", "first value")
    first = await harbour.create()
    await harbour.phase(first, "detect", "succeeded", {"commit": "a" * 40, "message": "One"})
    await harbour.end(first, "failed", error_code="build_failed", error_message="It broke.\nMend it.")
    second = await harbour.write(deployments.retry, first.ref)
    order = await harbour.order(second.ref)
    assert (second.trigger, second.source_deployment_id) == ("retry", first.id)
    assert order.commit == "a" * 40
    assert [(one.key, one.value) for one in order.variables] == [("TOKEN", "first value")]


async def test_a_succeeded_attempt_is_not_tried_again(harbour: Harbour) -> None:
    first = await harbour.create()
    await harbour.end(first)
    assert await code(harbour.write(deployments.retry, first.ref)) == "deployment_not_retryable"


async def test_what_was_never_deployed_is_not_redeployed(harbour: Harbour) -> None:
    assert await code(harbour.write(deployments.redeploy, harbour.resource)) == "deployment_not_redeployable"


async def test_a_failure_keeps_its_code_message_and_hint(harbour: Harbour) -> None:
    first = await harbour.create()
    await harbour.phase(first, "detect", "running")
    ended = await harbour.end(
        first, "failed", error_code="source_ref_not_found", error_message="No branch x.\nName one."
    )
    told = (ended.status, ended.error_code, ended.error_message, ended.error_hint, ended.error_phase)
    assert told == ("failed", "source_ref_not_found", "No branch x.", "Name one.", "detect")


async def test_a_failure_within_the_cut_over_is_rolled_back(harbour: Harbour) -> None:
    deployment = await running(harbour)
    await harbour.phase(deployment, "cut-over", "running")
    ended = await harbour.end(deployment, "failed", error_code="public_access_failed", error_message="x")
    assert (ended.status, ended.error_phase) == ("rolled-back", "cut-over")


@pytest.mark.parametrize(
    ("last", "status", "ended_as"),
    [
        ("cut-over", "succeeded", "rolled-back"),
        ("cut-over", "skipped", "failed"),
        ("verify", "succeeded", "failed"),
    ],
)
async def test_a_failure_between_two_phases_is_one_of_the_last_that_was_recorded(
    harbour: Harbour, last: str, status: str, ended_as: str
) -> None:
    deployment = await running(harbour)
    for phase in ("detect", "package"):
        await harbour.phase(deployment, phase, "succeeded")
    await harbour.phase(deployment, last, status)
    ended = await harbour.end(deployment, "failed", error_code="docker_unavailable", error_message="x")
    assert (ended.status, ended.error_phase) == (ended_as, last)


async def test_a_stop_that_came_after_the_cut_over_leaves_it_succeeded(harbour: Harbour) -> None:
    deployment = await running(harbour)
    await harbour.phase(deployment, "cut-over", "running")
    await harbour.write(deployments.cancel, deployment.ref, deployment.ref)
    ended = await harbour.end(deployment)
    assert ended.status == "succeeded"

    def states(tx: Tx) -> dict[str, str]:
        return {row.phase: row.status for row in deployments.phases(tx, deployments.find(tx, deployment.ref))}

    assert "running" not in (await harbour.instance.db.read(states)).values()


@pytest.mark.parametrize(("reached", "left"), [("created", "canceled"), ("running", "cancel-requested")])
async def test_canceling_ends_what_waits_and_asks_what_works(harbour: Harbour, reached: str, left: str) -> None:
    deployment = await running(harbour) if reached == "running" else await harbour.create()
    await harbour.write(deployments.cancel, deployment.ref, deployment.ref)
    assert (await harbour.show(deployment.ref)).status == left
    assert (await harbour.end(deployment, "canceled")).status == "canceled"
    assert (
        await code(harbour.write(deployments.cancel, deployment.ref, deployment.ref)) == "deployment_cancel_not_allowed"
    )


async def test_canceling_needs_the_name_of_the_deployment(harbour: Harbour) -> None:
    deployment = await harbour.create()
    with pytest.raises(Invalid):
        await harbour.write(deployments.cancel, deployment.ref, "dep_other")


async def test_a_rollback_takes_the_artefact_plan_and_variables_of_its_candidate(harbour: Harbour) -> None:
    await harbour.secret("TOKEN", "old")
    first = await harbour.create()
    await harbour.phase(first, "plan", "succeeded", {"execution_kind": "docker-container"})
    first = await harbour.end(first)
    second = await harbour.end(await harbour.create())
    back = await harbour.write(deployments.rollback, second.ref, first.ref)
    order = await harbour.order(back.ref)
    assert (order.trigger, order.retained.deployment, order.retained.artifact) == (
        "rollback",
        first.ref,
        first.artifact,
    )
    assert [one.value for one in order.variables] == ["old"]
    assert order.serving.deployment == second.ref


@pytest.mark.parametrize("what", ["failed", "expired", "busy"])
async def test_a_rollback_is_refused_with_its_reasons(harbour: Harbour, what: str) -> None:
    first = await harbour.end(await harbour.create())
    if what == "failed":
        candidate, current = await harbour.end(await harbour.create(), "failed"), first
    elif what == "busy":
        candidate, current = first, await harbour.create()
    else:
        candidate, current = first, first
        for _ in range(harbour.instance.placement.retained + 1):
            current = await harbour.end(await harbour.create())
    with pytest.raises(Conflict) as caught:
        await harbour.write(deployments.rollback, current.ref, candidate.ref)
    assert caught.value.code == "deployment_not_rollback_ready"
    expected = {"failed": "rollback-candidate-not-successful", "expired": "rollback-candidate-expired"}
    assert expected.get(what, "attempt-not-terminal") in caught.value.details["reasons"]


async def test_readiness_names_the_ways_that_are_open(harbour: Harbour) -> None:
    first = await harbour.end(await harbour.create())
    second = await harbour.end(await harbour.create(), "failed")

    def assess(tx: Tx) -> readiness.Readiness:
        return readiness.assess(tx, deployments.find(tx, second.ref))

    found = await harbour.instance.db.read(assess)
    assert (found.retry, found.redeploy, found.rollback) == ([], [], ["runtime-artifact-missing"])
    third = await harbour.end(await harbour.create())
    assert [row.ref for row in (await harbour.instance.db.read(assess)).candidates] == [first.ref]
    assert third.ref != first.ref


async def test_a_stale_readiness_is_refused(harbour: Harbour) -> None:
    first = await harbour.end(await harbour.create(), "failed")
    old = await code(harbour.write(deployments.retry, first.ref, state_version="2020-01-01T00:00:00Z"))
    assert old == "deployment_recovery_state_stale"
    assert await code(harbour.write(deployments.retry, first.ref, state_version="soon")) == "validation_error"
    await harbour.write(deployments.retry, first.ref, state_version="2999-01-01T00:00:00+02:00")


async def test_what_is_replaced_is_retired_and_six_artefacts_are_kept(harbour: Harbour) -> None:
    made = [await harbour.end(await harbour.create()) for _ in range(8)]
    follow_ups = await harbour.follow_ups()
    assert [ref for operation, ref in follow_ups if operation == "retire"] == [one.ref for one in made[:-1]]
    assert [ref for operation, ref in follow_ups if operation == "forget"] == [one.ref for one in made[:2]]
    order = await harbour.follow_up("forget", made[0].ref)
    assert order.artifact == made[0].artifact


async def test_an_artefact_that_a_rollback_runs_is_not_forgotten(harbour: Harbour) -> None:
    first = await harbour.end(await harbour.create())
    second = await harbour.end(await harbour.create())
    back = await harbour.write(deployments.rollback, second.ref, first.ref)
    await harbour.phase(back, "package", "succeeded", first.artifact)
    await harbour.end(back)
    for _ in range(5):
        last = await harbour.end(await harbour.create())
    assert ("forget", first.ref) in await harbour.follow_ups()
    assert (await harbour.follow_up("forget", first.ref)).artifact == {}
    assert last.artifact != first.artifact


async def test_cleaning_a_failed_rollback_keeps_the_artefact_it_borrowed(harbour: Harbour) -> None:
    first = await harbour.end(await harbour.create())
    second = await harbour.end(await harbour.create())
    back = await harbour.write(deployments.rollback, second.ref, first.ref)
    await harbour.phase(back, "package", "succeeded", first.artifact)
    await harbour.end(back, "failed", error_code="runtime_exited", error_message="x")
    assert ("clean", back.ref) in await harbour.follow_ups()
    order = await harbour.follow_up("clean", back.ref)
    assert (order.artifact, order.serving.deployment, order.in_containers) == ({}, second.ref, True)


async def failed(harbour: Harbour) -> str:
    """An attempt that has begun and failed, with its cleaning asked for."""
    made = await harbour.create()
    await harbour.claim()
    await harbour.phase(made, "detect", "running")
    await harbour.told(await harbour.job(admission.EXECUTE, made.ref), jobs.Outcome("failed", error_code="x"))
    return made.ref


async def test_cleaning_takes_the_resources_turn_and_gives_it_up_while_it_waits_to_be_tried_again(
    harbour: Harbour,
) -> None:
    first = await failed(harbour)
    second = await harbour.create()
    await harbour.claim()
    cleaning = await harbour.job(RETIRE, first)
    assert (cleaning.state, (await harbour.job(admission.EXECUTE, second.ref)).state) == ("running", "pending")
    await harbour.told(cleaning, jobs.Outcome("failed", error_code="docker_unavailable", retriable=True))
    await harbour.claim()
    cleaning = await harbour.job(RETIRE, first)
    assert (cleaning.state, (await harbour.job(admission.EXECUTE, second.ref)).state) == ("retry-scheduled", "running")


async def test_clearing_away_cannot_be_canceled(harbour: Harbour) -> None:
    ref = await failed(harbour)
    waiting = await harbour.job(RETIRE, ref)
    assert await code(harbour.write(jobs.cancel, waiting.id, "no")) == "operator_work_cancel_not_allowed"
    assert (await harbour.job(RETIRE, ref)).state == "pending"
    await harbour.claim()
    await harbour.told(await harbour.job(RETIRE, ref), jobs.Outcome("canceled"))
    anew = await harbour.job(RETIRE, ref)
    assert (anew.state, anew.id != waiting.id) == ("pending", True)
    assert [operation for operation, of in await harbour.follow_ups() if of == ref] == ["clean", "clean"]


async def test_a_failed_attempt_leaves_a_stopped_resource_stopped(harbour: Harbour) -> None:
    await harbour.end(await harbour.create())

    def stop(tx: Tx) -> None:
        resources.find(tx, harbour.resource).wanted = "stopped"

    def wanted(tx: Tx) -> str:
        return resources.find(tx, harbour.resource).wanted

    await harbour.write(stop)
    failing = await harbour.create()
    assert (await harbour.order(failing.ref)).serving.stopped
    await harbour.end(failing, "failed")
    assert await harbour.instance.db.read(wanted) == "stopped"
    await harbour.end(await harbour.create())
    assert await harbour.instance.db.read(wanted) == "running"


async def test_attempts_of_one_resource_take_turns(harbour: Harbour) -> None:
    await harbour.create()
    second = await harbour.create()

    def parked(tx: Tx) -> str:
        return jobs.get(tx, second.job_id).concurrency_key

    assert await harbour.instance.db.read(parked) == f"resource-runtime:{harbour.resource}"
