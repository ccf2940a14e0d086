"""Operator work: the ledger over the API, and what a person may do with what failed or waits."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import delete, update

from quarterdeck.deploy.resources.model import RuntimeControl
from quarterdeck.deploy.resources.runtime import CONTROL
from quarterdeck.fleet.edge.bootstrap import BOOTSTRAP
from quarterdeck.fleet.servers.model import ProxyAttempt, Server
from quarterdeck.kernel import jobs
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.jobs import Seat
from quarterdeck.kernel.jobs.job import LANES
from support.served import deployed, serve

SOURCE = {"kind": "docker-image", "locator": "registry.example/team/web:1"}


class Chore(msgspec.Struct):
    note: str = ""


jobs.kinds.register(jobs.JobKind("test.chore", Chore))


@pytest.fixture
async def home(deck):
    """The row id of the first administrator's organization."""
    from sqlalchemy import select

    from quarterdeck.identity.model import Organization

    return await deck.instance.db.read(
        lambda tx: tx.execute(select(Organization.id).where(Organization.ref == "org_self_hosted")).scalar_one()
    )


async def queue(deck, home, *, capabilities=frozenset({"nobody"}), **more):
    """Work that no connected worker can take."""
    more["capabilities"] = capabilities
    return await deck.instance.db.write(jobs.enqueue, jobs.Enqueue("test.chore", Chore(), home, **more))


async def ended(deck, home, state, *, retriable=False, **more):
    """A job that ran and ended so."""
    capability = f"only-{deck.instance.db.ids.text(8)}"
    job = await queue(deck, home, capabilities=frozenset({capability}), **more)
    claimant = jobs.Claimant("somebody", frozenset({capability}), ("normal",), 1)

    def run(tx):
        (assigned,) = jobs.claim(tx, claimant)
        outcome = jobs.Outcome(
            state, error_code="busy" if state == "failed" else None, error_message="The host is busy.",
            error_category="retryable" if retriable else None, retriable=retriable,
        )  # fmt: skip
        return jobs.complete(tx, assigned.job.id, assigned.job.fence, outcome)

    done = await deck.instance.db.write(run)
    assert done.id == job.id
    return done


async def status_of(deck, ref):
    return (await deck.do("operator-work.show", workId=ref))["item"]


async def test_a_deployment_is_work_with_everything_it_is_about(deck):
    server = await deck.server()
    project, environment = await deck.place()
    resource = await deck.resource((project, environment), source=SOURCE)
    body = {"projectId": project, "environmentId": environment, "resourceId": resource, "serverId": server}
    deployment = (await deck.do("deployments.create", body))["id"]
    (item,) = (await deck.do("operator-work.list", query={"kind": "deployment"}))["items"]
    assert item["id"].startswith("wrk_")
    assert len(item["id"]) == 16
    assert (item["kind"], item["status"], item["operationKey"]) == ("deployment", "pending", "deployments.create")
    assert item["deploymentId"] == deployment
    assert (item["projectId"], item["resourceId"], item["serverId"]) == (project, resource, server)
    assert item["safeDetails"]["waitingReason"] == "worker-missing"
    assert "--no-worker" in item["safeDetails"]["waitingHint"]
    assert item["nextActions"] == ["diagnostic"]
    assert await status_of(deck, item["id"]) == item
    pending = {"status": "pending", "kind": "deployment"}  # the ledger's own delivery of events may wait beside it
    for query in ({"resourceId": resource}, {"serverId": server}, {"deploymentId": deployment}, pending):
        assert [one["id"] for one in (await deck.do("operator-work.list", query=query))["items"]] == [item["id"]]
    for query in ({"resourceId": "res_x"}, {"serverId": "srv_x"}, {"deploymentId": "dep_x"}, {"status": "unknown"}):
        assert (await deck.do("operator-work.list", query=query))["items"] == []
    assert (await deck.do("operator-work.list", query={"kind": "certificate"}))["items"] == []


async def test_work_of_many_deployments_is_found_by_looking_through_the_newest(deck, home, monkeypatch):
    from quarterdeck.deploy.work import work

    monkeypatch.setattr(work, "FEW", 0)
    monkeypatch.setattr(work, "CHUNK", 2)
    server = await deck.server()
    place = await deck.place()
    made = []
    for name in ("One", "Two"):
        resource = await deck.resource(place, name=name, source=SOURCE)
        body = {"projectId": place[0], "environmentId": place[1], "resourceId": resource, "serverId": server}
        made.append((resource, (await deck.do("deployments.create", body))["id"]))
    for _ in range(5):
        await queue(deck, home)
    for resource, deployment in made:
        items = (await deck.do("operator-work.list", query={"resourceId": resource}))["items"]
        assert [item["deploymentId"] for item in items] == [deployment]
    items = (await deck.do("operator-work.list", query={"serverId": server, "limit": "1"}))["items"]
    assert [item["deploymentId"] for item in items] == [made[1][1]]


async def test_only_the_own_organization_sees_its_work_and_only_the_first_one_the_housekeeping(deck, home):
    job = await queue(deck, home)
    own = await queue(deck, None)
    stranger = await deck.member("owner", "org_other")
    ids = [one["id"] for one in (await deck.do("operator-work.list"))["items"]]
    assert {job.work_ref, own.work_ref} <= set(ids)
    assert (await deck.do("operator-work.list", token=stranger))["items"] == []
    for ref in (job.work_ref, own.work_ref, "wrk_zzzzzzzzzzzz", "wrk_1", "dep_000000000000", "x"):
        token = stranger if ref in {job.work_ref, own.work_ref} else ""
        await deck.refused(404, "operator_work_not_found", "operator-work.show", workId=ref, token=token)
        for act in ("mark-recovered", "dead-letter", "cancel", "retry"):
            await deck.refused(
                404, "operator_work_not_found", f"operator-work.{act}", {"reason": "no"}, workId=ref, token=token
            )
    assert (await status_of(deck, job.work_ref))["status"] == "pending"


ALLOWED = {
    "mark-recovered": {"failed", "retry-scheduled", "dead-lettered"},
    "dead-letter": {"failed", "retry-scheduled"},
    "cancel": {"pending", "retry-scheduled"},
    "retry": {"failed", "retry-scheduled"},
}
CODES = {
    "mark-recovered": "operator_work_recovery_not_allowed",
    "dead-letter": "operator_work_dead_letter_not_allowed",
    "cancel": "operator_work_cancel_not_allowed",
    "retry": "operator_work_retry_not_allowed",
}
STATUS = {
    "mark-recovered": ("succeeded", "manual-recovery"),
    "dead-letter": ("dead-lettered", "manual-dead-letter"),
    "cancel": ("canceled", "manual-cancel"),
    "retry": ("failed", None),
}


async def in_state(deck, home, state):
    if state == "pending":
        return await queue(deck, home)
    if state == "running":
        job = await queue(deck, home, capabilities=frozenset({"runner"}))
        claimant = jobs.Claimant("somebody", frozenset({"runner"}), ("normal",), 1)
        await deck.instance.db.write(jobs.claim, claimant)
        return job
    if state == "retry-scheduled":
        return await ended(deck, home, "failed", retriable=True, max_attempts=2)
    if state == "dead-lettered":
        job = await ended(deck, home, "failed")
        return await deck.instance.db.write(jobs.dead_letter, job.id, "enough")
    return await ended(deck, home, state, retriable=state == "failed")


@pytest.mark.parametrize("act", sorted(ALLOWED))
async def test_an_act_is_allowed_in_the_documented_states_only(deck, home, act):
    for state in jobs.State:
        job = await in_state(deck, home, state)
        assert (await status_of(deck, job.work_ref))["status"] == state
        if state not in ALLOWED[act]:
            await deck.refused(409, CODES[act], f"operator-work.{act}", {"reason": "so"}, workId=job.work_ref)
            assert (await status_of(deck, job.work_ref))["status"] == state
            continue
        answer = await deck.do(f"operator-work.{act}", {"reason": "so"}, workId=job.work_ref)
        after = await status_of(deck, job.work_ref)
        status, phase = STATUS[act]
        assert after["status"] == status
        if act == "retry":
            assert answer["retryOfWorkId"] == job.work_ref
            fresh = await status_of(deck, answer["workId"])
            assert (fresh["status"], fresh["safeDetails"]["retryOfWorkId"]) == ("pending", job.work_ref)
            assert "retry" not in after["nextActions"]
        else:
            assert answer["workId"] == job.work_ref
            assert after["phase"] == phase
            assert (
                after["finishedAt"]
                == answer[{"mark-recovered": "recoveredAt", "cancel": "canceledAt"}.get(act, "deadLetteredAt")]
            )
        again = await deck.request(f"operator-work.{act}", {"reason": "so"}, workId=job.work_ref)
        assert again.status_code == 409


async def test_work_that_cannot_succeed_by_itself_is_not_retried(deck, home):
    job = await ended(deck, home, "failed")
    item = await status_of(deck, job.work_ref)
    assert item["nextActions"] == ["diagnostic", "manual-review"]
    assert item["retriable"] is False
    await deck.refused(409, CODES["retry"], "operator-work.retry", workId=job.work_ref)


def failed(tx, kind):
    """The one job of a kind ran and failed, so that it may be retried."""
    (waiting,) = jobs.list(tx, jobs.Filter(kind=kind))
    claimant = jobs.Claimant("somebody", frozenset(waiting.requires.split(",")), LANES, 1)
    (assigned,) = jobs.claim(tx, claimant)
    outcome = jobs.Outcome("failed", error_code="busy", error_category="retryable", retriable=True)
    return jobs.complete(tx, assigned.job.id, assigned.job.fence, outcome)


async def test_work_whose_attempt_is_gone_is_not_retried_and_says_so(deck):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    runtime = {"kind": "process", "instance": "web"}
    await serve(deck, await deployed(deck, resource, server), runtime)
    await deck.instance.db.write(lambda tx: tx.execute("DELETE FROM jobs") and None)  # the deployment's own
    await deck.do("resources.runtime.restart", {}, resourceId=resource)
    await deck.do("servers.bootstrap-proxy", {}, serverId=server)
    for kind, table, said in ((CONTROL, RuntimeControl, "stop or start"), (BOOTSTRAP, ProxyAttempt, "bring up")):
        job = await deck.instance.db.write(failed, kind)
        item = await status_of(deck, job.work_ref)
        assert "retry" in item["nextActions"]
        await deck.instance.db.write(lambda tx, table=table: tx.execute(delete(table)) and None)
        error = await deck.refused(409, CODES["retry"], "operator-work.retry", workId=job.work_ref)
        assert said in error["message"]
        assert (await status_of(deck, job.work_ref))["status"] == "failed"


async def test_what_cannot_be_done_on_a_server_any_more_is_not_retried_and_says_so(deck):
    server = await deck.server()
    await deck.do("servers.bootstrap-proxy", {}, serverId=server)
    job = await deck.instance.db.write(failed, BOOTSTRAP)
    await deck.instance.db.write(
        lambda tx: tx.execute(update(Server).where(Server.ref == server).values(provider="generic-ssh")) and None
    )
    error = await deck.refused(409, CODES["retry"], "operator-work.retry", workId=job.work_ref)
    assert "sign in" in error["message"]


async def test_an_act_leaves_an_audit_event_and_a_domain_event(deck, home):
    from sqlalchemy import select

    from quarterdeck.kernel import events

    job = await ended(deck, home, "failed", retriable=True)
    made = await deck.do("operator-work.retry", {"reason": "the host is back"}, workId=job.work_ref)
    await deck.do("operator-work.dead-letter", {"reason": "given up"}, workId=job.work_ref)

    def trail(tx):
        rows = tx.execute(select(audit_events.c.action, audit_events.c.detail, audit_events.c.actor_label)).all()
        mine = [row for row in rows if row[0].startswith("job.")]
        return mine, [one.type for one in events.read(tx, f"work:{job.work_ref}", 0, 10)]

    rows, told = await deck.instance.db.read(trail)
    assert told == ["operator-work-retried", "operator-work-dead-lettered"]
    assert [row[0] for row in rows] == ["job.retried", "job.dead-lettered"]
    assert made["workId"] in str(rows[0][1])
    assert "the host is back" in str(rows[0][1])


async def test_a_reason_is_required_where_the_contract_says_so(deck, home):
    job = await ended(deck, home, "failed", retriable=True)
    for act in ("dead-letter", "cancel"):
        await deck.malformed(f"operator-work.{act}", {}, workId=job.work_ref)
        await deck.malformed(f"operator-work.{act}", {"reason": ""}, workId=job.work_ref)
    await deck.do("operator-work.retry", workId=job.work_ref)
    await deck.do("operator-work.mark-recovered", workId=job.work_ref)


async def test_prune_looks_before_it_deletes_and_keeps_what_is_not_older(deck, home):
    old = [await ended(deck, home, state) for state in ("succeeded", "failed", "canceled")]
    live = await in_state(deck, home, "retry-scheduled")
    stranger = await deck.member("owner", "org_other")
    border = wire_time(deck.instance.db.clock.now() + timedelta(seconds=1))
    begin = wire_time(old[0].finished_at - timedelta(seconds=1))
    assert (await deck.do("operator-work.prune", {"before": begin}))["matchedCount"] == 0
    look = await deck.do("operator-work.prune", {"before": border})
    assert (look["dryRun"], look["matchedCount"], look["prunedCount"]) == (True, 3, 0)
    assert look["countsByStatus"] == {"succeeded": 1, "failed": 1, "canceled": 1, "dead-lettered": 0}
    other = await deck.do("operator-work.prune", {"before": border, "dryRun": False}, token=stranger)
    assert other["prunedCount"] == 0
    some = await deck.do("operator-work.prune", {"before": border, "statuses": ["failed"], "dryRun": False})
    assert (some["prunedCount"], some["countsByStatus"]) == (1, {"failed": 1})
    await deck.refused(404, "operator_work_not_found", "operator-work.show", workId=old[1].work_ref)
    rest = await deck.do("operator-work.prune", {"before": border, "dryRun": False})
    assert rest["prunedCount"] == 2
    assert (await status_of(deck, live.work_ref))["status"] == "retry-scheduled"
    for before in ("2026-02-31T00:00:00Z", "yesterday", "0000-01-01T00:00:00Z"):
        await deck.malformed("operator-work.prune", {"before": before})
    await deck.malformed("operator-work.prune", {"before": border, "statuses": []})
    await deck.malformed("operator-work.prune", {"before": border, "statuses": ["running"]})


async def test_a_failed_deployment_is_retried_as_a_new_attempt(deck):
    server = await deck.server()
    place = await deck.place()
    resource = await deck.resource(place, source=SOURCE)
    body = {"projectId": place[0], "environmentId": place[1], "resourceId": resource, "serverId": server}
    deployment = (await deck.do("deployments.create", body))["id"]
    (item,) = (await deck.do("operator-work.list", query={"deploymentId": deployment}))["items"]

    def fail(tx):
        found = jobs.find(tx, subject=f"deployment:{deployment}")
        claimant = jobs.Claimant("w", frozenset(found.requires.split(",")), ("normal",), 1)
        (assigned,) = jobs.claim(tx, claimant)
        jobs.complete(
            tx, assigned.job.id, assigned.job.fence,
            jobs.Outcome("failed", error_code="source_timeout", error_message="Too slow.", error_category="retryable",
                         retriable=True),
        )  # fmt: skip

    await deck.instance.db.write(fail)
    failed = await status_of(deck, item["id"])
    assert (failed["errorCode"], failed["errorCategory"]) == ("source_timeout", "retryable")
    assert "retry" in failed["nextActions"]
    made = await deck.do("operator-work.retry", workId=item["id"])
    fresh = await status_of(deck, made["workId"])
    assert fresh["operationKey"] == "deployments.retry"
    assert fresh["deploymentId"] != deployment
    assert (await deck.do("deployments.show", deploymentId=deployment))["status"]["current"] == "failed"
    shown = await deck.do("deployments.show", deploymentId=fresh["deploymentId"])
    assert shown["deployment"]["sourceDeploymentId"] == deployment


async def test_a_retry_that_the_resource_forbids_says_why(deck):
    server = await deck.server()
    place = await deck.place()
    resource = await deck.resource(place, source=SOURCE)
    body = {"projectId": place[0], "environmentId": place[1], "resourceId": resource, "serverId": server}
    deployment = (await deck.do("deployments.create", body))["id"]
    (item,) = (await deck.do("operator-work.list", query={"deploymentId": deployment}))["items"]

    def fail(tx):
        found = jobs.find(tx, subject=f"deployment:{deployment}")
        (assigned,) = jobs.claim(tx, jobs.Claimant("w", frozenset(found.requires.split(",")), ("normal",), 1))
        jobs.complete(tx, assigned.job.id, assigned.job.fence, jobs.Outcome("failed", retriable=True))

    await deck.instance.db.write(fail)
    await deck.do("resources.archive", {}, resourceId=resource)
    refused = await deck.refused(409, CODES["retry"], "operator-work.retry", workId=item["id"])
    assert "archived" in refused["message"]
    assert (await status_of(deck, item["id"]))["retriable"] is True


async def test_waiting_work_says_what_it_waits_for(deck, home):
    from quarterdeck.deploy.work import work
    from quarterdeck.fleet.workers.model import Worker

    db = deck.instance.db

    async def why(job, *seats):
        def verb(tx):
            found = jobs.get(tx, job.id)
            return work.seen(tx, [found], seats, whole=True)[0].waiting

        return await db.read(verb)

    free = Seat(None, frozenset({"deploy"}), False, 2, 1, 2, 2)
    full = Seat(None, frozenset({"deploy"}), False, 2, 0, 2, 2)
    draining = Seat(None, frozenset({"deploy"}), True, 2, 2, 2, 2)
    needs = frozenset({"deploy"})
    first = await queue(deck, home, capabilities=needs, concurrency_key="one")
    behind = [await queue(deck, home, capabilities=needs, concurrency_key="one") for _ in range(3)]
    assert (await why(first, free)).reason == "about-to-start"
    assert (await why(first, full)).reason == "workers-busy"
    assert (await why(first, full, free)).reason == "about-to-start"
    assert (await why(first, draining)).reason == "workers-draining"
    theirs = Seat(5, frozenset({"deploy"}), False, 2, 2, 2, 2, home + 1)
    assert (await why(first, theirs)).reason == "worker-missing"  # another organization's
    labelled = await queue(deck, home, capabilities=needs | {"~deploy:blue"})
    assert (await why(labelled, free)).reason == "about-to-start"  # nobody has to have a label
    blue = Seat(5, needs, False, 2, 2, 2, 2, home, frozenset({"~deploy:blue"}))
    assert (await why(labelled, blue)).reason == "about-to-start"
    assert (await why(await queue(deck, home, capabilities=needs), blue)).reason == "worker-missing"
    assert (await why(first)).reason == "worker-missing"
    assert "deploy" in (await why(first)).message
    parked = await why(behind[2], free)
    assert parked.reason == "behind-other-work"
    assert parked.behind.id == first.id
    assert first.work_ref in parked.message
    assert "2 more stand between" in parked.message
    later = await queue(deck, home, run_at=db.clock.now() + timedelta(hours=1))
    assert (await why(later, free)).reason == "not-due-yet"
    parked_later = await queue(deck, home, concurrency_key="one", run_at=db.clock.now() + timedelta(hours=1))
    assert (await why(parked_later, free)).reason == "not-due-yet"
    again = await in_state(deck, home, "retry-scheduled")
    told = await why(again, free)
    assert told.reason == "next-attempt-not-due"
    assert "Try 1 of 2" in told.message

    def enrol(tx):
        return tx.add(Worker(
            uid=tx.ids.uid(), organization_id=home, name="builder", recovery_hash="x", capabilities=["deploy"],
            offered=[], created_at=tx.now, last_seen_at=tx.now, first_seen_at=None, fingerprint=None, version=None,
            boot_id=None, drain_requested_at=None, revoked_at=None,
        ))  # fmt: skip

    worker = await db.write(enrol)
    assert (await why(first)).reason == "worker-away"
    assert "builder" in (await why(first)).message
    pinned = await queue(deck, home, capabilities=needs, worker_id=worker.id)
    assert (await why(pinned, free)).reason == "worker-away"
    item = await status_of(deck, behind[0].work_ref)
    assert item["safeDetails"]["waitingForWorkId"] == first.work_ref
