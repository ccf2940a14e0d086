"""Archiving attempts, and pruning those that nobody needs, with their log lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from quarterdeck.deploy.deployments import archiving, following
from quarterdeck.deploy.deployments.model import Deployment, Phase
from quarterdeck.deploy.resources.model import Resource, RuntimeControl
from quarterdeck.kernel import events, jobs, retention
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.clock import wire_time
from quarterdeck.kernel.events import subscriptions
from quarterdeck.kernel.logs import Line
from support.served import SOURCE

OLD = datetime(2020, 5, 1, tzinfo=UTC)
BORDER = wire_time(OLD)


class Yard:
    """One resource whose attempts are made and put into the past."""

    def __init__(self, deck):
        self.deck = deck

    async def fill(self, count):
        self.server = await self.deck.server()
        self.place = await self.deck.place()
        self.resource = await self.deck.resource(self.place, source=SOURCE)
        return [await self.attempt() for _ in range(count)]

    async def attempt(self, resource=None):
        """An attempt that was canceled, and that nothing is left of."""
        body = {
            "projectId": self.place[0], "environmentId": self.place[1], "resourceId": resource or self.resource,
            "serverId": self.server,
        }  # fmt: skip
        ref = (await self.deck.do("deployments.create", body))["id"]
        await self.deck.do("deployments.cancel", {"confirm": ref}, deploymentId=ref)
        return ref

    async def archived(self, *refs, at=OLD - timedelta(days=1)):
        for ref in refs:
            await self.deck.do("deployments.archive", {"confirm": ref}, deploymentId=ref)
        await self.change(refs, archived_at=at)

    async def change(self, refs, **values):
        await self.deck.instance.db.write(
            lambda tx: tx.execute(update(Deployment).where(Deployment.ref.in_(refs)).values(**values))
        )

    async def prune(self, **body):
        return await self.deck.do("deployments.prune", {"before": BORDER, **body})


@pytest.fixture
def yard(deck):
    return Yard(deck)


async def test_an_archived_attempt_is_out_of_sight_and_still_there(deck, yard):
    first, second = await yard.fill(2)
    done = await deck.do("deployments.archive", {"confirm": first, "resourceId": yard.resource}, deploymentId=first)
    assert done["id"] == first
    again = await deck.do("deployments.archive", {"confirm": first}, deploymentId=first)
    assert again == done
    assert [row["id"] for row in (await deck.do("deployments.list"))["items"]] == [second]
    rows = (await deck.do("deployments.list", query={"includeArchived": "true"}))["items"]
    assert [row["id"] for row in rows] == [second, first]
    assert (await deck.do("deployments.count")) == {"count": 1}
    shown = await deck.do("deployments.show", deploymentId=first)
    assert shown["deployment"]["archivedAt"] == done["archivedAt"]

    def trail(tx):
        told = [event.type for event in events.read(tx, f"deployment:{first}", 0, 50)]
        acts = tx.execute(select(audit_events.c.action).where(audit_events.c.resource_id == first)).scalars()
        return told, list(acts)

    told, acts = await deck.instance.db.read(trail)
    assert told.count("deployment.archived") == 1
    assert acts.count("deployment.archived") == 1


async def test_what_cannot_be_archived_is_refused(deck, yard):
    (ref,) = await yard.fill(1)
    body = {
        "projectId": yard.place[0], "environmentId": yard.place[1], "resourceId": yard.resource,
        "serverId": yard.server,
    }  # fmt: skip
    active = (await deck.do("deployments.create", body))["id"]
    archive = "deployments.archive"
    await deck.refused(409, "deployment_archive_not_allowed", archive, {"confirm": active}, deploymentId=active)
    await deck.refused(400, "validation_error", archive, {"confirm": active}, deploymentId=ref)
    await deck.malformed(archive, {}, deploymentId=ref)
    wrong = {"confirm": ref, "resourceId": "res_000000000000"}
    await deck.refused(400, "resource_context_mismatch", archive, wrong, deploymentId=ref)
    await deck.refused(404, "not_found", archive, {"confirm": "dep_x"}, deploymentId="dep_x")
    stranger = await deck.member("owner", "org_other")
    await deck.refused(404, "not_found", archive, {"confirm": ref}, deploymentId=ref, token=stranger)
    assert (await deck.do("deployments.count")) == {"count": 2}


async def test_prune_looks_then_takes_attempts_with_their_phases_events_and_lines(deck, yard):
    one, two, three, newest = await yard.fill(4)
    await yard.archived(one, two)
    await yard.archived(three, at=OLD)
    line = Line(time=OLD, source="application", stream="stdout", phase=None, level="info", message="")
    await deck.instance.logs.store(f"deployment:{one}", [line])

    def start(tx):
        row = tx.first(select(Deployment).where(Deployment.ref == one))
        tx.add(Phase(uid=tx.ids.uid(), deployment_id=row.id, phase="detect", status="failed", detail=None,
                     started_at=tx.now, finished_at=tx.now))  # fmt: skip

    await deck.instance.db.write(start)
    await subscriptions.deliver_all(deck.instance.db)  # an event that somebody has yet to hear stays until he has
    look = await yard.prune()
    assert (look["dryRun"], look["matchedCount"], look["prunedCount"], look["guardedCount"]) == (True, 2, 0, 0)
    assert look["affectedDeploymentIds"] == [one, two]
    assert (await deck.do("deployments.show", deploymentId=one))["deployment"]["id"] == one
    done = await yard.prune(dryRun=False)
    assert (done["matchedCount"], done["prunedCount"]) == (2, 2)
    for ref in (one, two):
        await deck.refused(404, "not_found", "deployments.show", deploymentId=ref)
    rows = (await deck.do("deployments.list", query={"includeArchived": "true"}))["items"]
    assert [row["id"] for row in rows] == [newest, three]
    numbers = [row["runtimePlan"]["execution"]["metadata"]["deployment.number"] for row in rows]
    assert numbers == ["4", "3"]
    assert await deck.instance.logs.read(f"deployment:{one}") == []

    def left(tx):
        told = events.read(tx, f"deployment:{one}", 0, 50)
        acts = tx.execute(select(audit_events.c.action).where(audit_events.c.resource_id == one)).scalars()
        resource = tx.first(select(Resource).where(Resource.ref == yard.resource))
        return told, list(acts), resource.deployment_count

    told, acts, count = await deck.instance.db.read(left)
    assert {one.type for one in told} <= {"deployment.pruned"}  # which stays until all who are told of events heard it
    assert "deployment.pruned" in acts
    assert count == 4
    assert (await yard.prune(dryRun=False))["matchedCount"] == 0
    (item,) = (await deck.do("operator-work.list", query={"deploymentId": one}))["items"]
    assert item["deploymentId"] == one


async def test_lines_that_a_pruning_cut_off_has_left_go_with_the_housekeeping(deck, yard):
    one, two, _ = await yard.fill(3)
    line = Line(time=OLD, source="application", stream="stdout", phase=None, level="info", message="")
    for ref in (one, two):
        await deck.instance.logs.store(f"deployment:{ref}", [line, line])
    assert await retention.tidy(deck.instance, "deployment-lines") == 0
    await yard.archived(one)
    resource_id = await deck.instance.db.read(
        lambda tx: tx.execute(select(Resource.id).where(Resource.ref == yard.resource)).scalar_one()
    )
    # The process ends here, between the rows and the lines.
    await deck.instance.db.write(archiving.prune, resource_id, [one], OLD, dry_run=False)
    assert len(await deck.instance.logs.read(f"deployment:{one}")) == 2
    assert await retention.tidy(deck.instance, "deployment-lines") == 2
    assert await deck.instance.logs.read(f"deployment:{one}") == []
    assert len(await deck.instance.logs.read(f"deployment:{two}")) == 2


def stopped(tx, resource, deployment):
    """The record of a stop that failed."""
    tx.add(RuntimeControl(
        uid=tx.ids.uid(), ref=tx.ids.ref("rtc"), operation="stop", status="failed", runtime_state="unknown",
        resource_id=tx.one(select(Resource.id).where(Resource.ref == resource), what=resource),
        deployment_id=tx.one(select(Deployment.id).where(Deployment.ref == deployment), what=deployment),
        reason=None, blocked_reason=None, error_code=None, phases=[], idempotency_key=None, job_id=None,
        started_at=tx.now, completed_at=tx.now,
    ))  # fmt: skip


async def test_prune_reports_and_keeps_what_something_still_needs(deck, yard):
    refs = await yard.fill(8)
    plain, serving, retained, running, controlled, origin, retried, newest = refs

    def need(tx):
        rows = {ref: tx.first(select(Deployment).where(Deployment.ref == ref)) for ref in refs}
        resource = tx.first(select(Resource).where(Resource.ref == yard.resource))
        resource.serving_id = rows[serving].id
        rows[retained].artifact_retained = True
        rows[running].runtime = {"kind": "process"}
        rows[retried].source_deployment_id = rows[origin].id
        stopped(tx, yard.resource, controlled)

    await deck.instance.db.write(need)
    await yard.archived(*(ref for ref in refs if ref != retried))
    look = await yard.prune()
    assert look["affectedDeploymentIds"] == [plain]
    assert look["guardedDeploymentIds"] == [serving, retained, running, controlled, origin, newest]
    assert (look["matchedCount"], look["guardedCount"]) == (7, 6)
    done = await yard.prune(dryRun=False)
    assert (done["prunedCount"], done["guardedCount"]) == (1, 6)
    await yard.archived(retried)
    done = await yard.prune(dryRun=False)
    assert done["affectedDeploymentIds"] == [origin, retried]


async def test_attempts_that_replaced_each_other_go_together(deck, yard):
    refs = await yard.fill(3)

    def chain(tx):
        one, two, _ = (tx.first(select(Deployment).where(Deployment.ref == ref)) for ref in refs)
        two.supersedes_id, one.superseded_by_id = one.id, two.id

    await deck.instance.db.write(chain)
    await yard.archived(refs[0])
    assert (await yard.prune())["guardedDeploymentIds"] == [refs[0]]
    await yard.archived(refs[1])
    assert (await yard.prune(dryRun=False))["affectedDeploymentIds"] == refs[:2]


async def test_clearing_after_a_pruned_deployment_is_not_begun_again(deck, yard):
    one, _ = await yard.fill(2)
    job = await deck.instance.db.write(_failed_clearing, one)
    await yard.archived(one)
    assert (await yard.prune(dryRun=False))["prunedCount"] == 1
    refused = await deck.refused(409, "operator_work_retry_not_allowed", "operator-work.retry", workId=job.work_ref)
    assert "pruned" in refused["message"]


def _failed_clearing(tx, ref):
    row = tx.first(select(Deployment).where(Deployment.ref == ref))
    payload = following.RetirePayload(row.id, "forget")
    request = jobs.Enqueue(
        following.RETIRE, payload, row.organization_id, subject=f"deployment:{ref}", lane="background"
    )
    made = jobs.enqueue(tx, request)
    (given,) = jobs.claim(tx, jobs.Claimant("w", frozenset(), ("background",), 1))
    assert given.job.id == made.id
    return jobs.complete(tx, made.id, given.job.fence, jobs.Outcome("failed", retriable=True))


async def test_the_history_of_an_archived_resource_goes_whole_and_frees_its_name(deck, yard):
    refs = await yard.fill(2)
    await deck.instance.db.write(lambda tx: stopped(tx, yard.resource, refs[-1]))
    await deck.do("resources.archive", {}, resourceId=yard.resource)
    await yard.archived(*refs)
    assert (await yard.prune(dryRun=False))["prunedCount"] == 2
    slug = (await deck.do("resources.show", resourceId=yard.resource))["resource"]["slug"]
    await deck.do("resources.delete", {"confirmation": {"resourceSlug": slug}}, resourceId=yard.resource)


async def test_prune_keeps_to_its_choice_and_its_organization(deck, yard):
    one, two, _ = await yard.fill(3)
    other = await deck.resource(yard.place, name="Other", source=SOURCE)
    third = await yard.attempt(other)
    await yard.attempt(other)
    await yard.archived(one, two, third)
    stranger = await deck.member("owner", "org_other")
    body = {"before": BORDER, "dryRun": False}
    assert (await deck.do("deployments.prune", body, token=stranger))["matchedCount"] == 0
    assert (await yard.prune(deploymentId=two))["affectedDeploymentIds"] == [two]
    assert (await yard.prune(resourceId=other))["affectedDeploymentIds"] == [third]
    assert (await yard.prune(serverId=yard.server))["matchedCount"] == 3
    for choice in ({"serverId": "srv_x"}, {"resourceId": "res_x"}, {"deploymentId": "dep_x"}):
        assert (await yard.prune(**choice))["matchedCount"] == 0
    await deck.malformed("deployments.prune", {"before": "2026-02-31T00:00:00Z"})
    await deck.malformed("deployments.prune", {})


async def test_log_lines_are_pruned_by_their_time_alone(deck, yard):
    refs = await yard.fill(2)

    def line(days, text):
        time = OLD + timedelta(days=days)
        return Line(time=time, source="application", stream="stdout", phase=None, level="info", message=text)

    logs = deck.instance.logs
    await logs.store(f"deployment:{refs[0]}", [line(-2, "a"), line(-1, "b"), line(0, "c"), line(1, "d")])
    await logs.store(f"deployment:{refs[1]}", [line(-1, "e"), line(1, "f")])
    await logs.store("runtime:res_000000000000", [line(-1, "g")])
    stranger = await deck.member("owner", "org_other")
    key, body = "deployments.logs.prune", {"before": BORDER}
    look = await deck.do(key, body)
    assert (look["dryRun"], look["matchedCount"], look["prunedCount"], look["affectedDeploymentCount"]) == (
        True, 3, 0, 2,
    )  # fmt: skip
    assert (await deck.do(key, body | {"dryRun": False}, token=stranger))["matchedCount"] == 0
    one = await deck.do(key, body | {"deploymentId": refs[1], "dryRun": False})
    assert (one["prunedCount"], one["affectedDeploymentCount"], one["deploymentId"]) == (1, 1, refs[1])
    rest = await deck.do(key, body | {"resourceId": yard.resource, "dryRun": False})
    assert (rest["prunedCount"], rest["affectedDeploymentCount"]) == (2, 1)
    kept = [entry["message"] for entry in (await deck.do("deployments.logs", deploymentId=refs[0]))["logs"]]
    assert kept == ["c", "d"]
    assert [entry.message for entry in await logs.read("runtime:res_000000000000")] == ["g"]

    def acts(tx):
        return list(tx.execute(select(audit_events.c.action, audit_events.c.detail)).all())

    told = [detail for action, detail in await deck.instance.db.read(acts) if action == "deployment.logs-pruned"]
    assert len(told) == 2
