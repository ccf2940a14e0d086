"""Tearing a preview down by the fingerprint of its source."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from quarterdeck.deploy.deployments import previews
from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.deploy.resources.model import Resource
from quarterdeck.kernel import events, jobs
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.surfaces.deploy import preview_cleanup
from support.served import SOURCE, deployed, serve

KEY = "deployments.cleanup-preview"
RUNTIME = {"kind": "process", "instance": "dep_x", "upstream": "127.0.0.1:4000"}


@pytest.fixture
async def preview(deck):
    """A preview that serves: the ids of its resource and its deployment, and the fingerprint of its source."""
    server = await deck.server()
    project = await deck.project()
    body = {"projectId": project, "name": "pr-7", "kind": "preview"}
    environment = (await deck.do("environments.create", body))["id"]
    resource = await deck.resource((project, environment), source=SOURCE)
    deployment = await deployed(deck, resource, server)
    await deck.instance.db.write(_ended, deployment)
    await serve(deck, deployment, RUNTIME)
    shown = await deck.do("resources.show", resourceId=resource)
    return resource, deployment, shown["source"]["sourceBindingFingerprint"]


def _ended(tx, deployment):
    row = tx.first(select(Deployment).where(Deployment.ref == deployment))
    row.artifact, row.artifact_retained = {"kind": "release", "directory": "/x/dep"}, True
    (given,) = jobs.claim(
        tx, jobs.Claimant("w", frozenset(jobs.get(tx, row.job_id).requires.split(",")), ("normal",), 1)
    )
    tx.execute("UPDATE jobs SET state = 'succeeded', lease_until = NULL, turn_key = NULL, finished_at = :now "
               "WHERE id = :id", {"now": 1, "id": given.job.id})  # fmt: skip


async def worked(deck, outcome):
    """A worker that takes the cleaning as soon as it is asked for, and ends it so."""
    while True:
        found = await deck.instance.db.read(
            jobs.list_jobs, jobs.Filter(kind=previews.CLEANUP, states=(jobs.State.PENDING,))
        )
        if found:
            break
        await asyncio.sleep(0.02)

    def run(tx):
        (given,) = jobs.claim(tx, jobs.Claimant("w", frozenset(found[0].requires.split(",")), ("normal",), 1))
        jobs.complete(tx, given.job.id, given.job.fence, outcome, key=given.job.concurrency_key)
        return given

    return await deck.instance.db.write(run)


async def test_a_preview_is_cleaned_once_and_then_is_clean(deck, preview):
    resource, deployment, fingerprint = preview
    worker = asyncio.create_task(worked(deck, jobs.Outcome("succeeded")))
    done = await deck.do(KEY, {"sourceFingerprint": fingerprint})
    given = await worker
    assert (done["status"], done["cleanedRuntime"], done["cleanedArtifacts"]) == ("cleaned", True, True)
    assert (done["resourceId"], done["deploymentId"]) == (resource, deployment)
    assert not done["removedSourceLink"]
    assert not done["removedServerAppliedRoute"]
    assert b'"operation":"clean"' in given.order
    assert b'"serving":null' in given.order
    assert b'"directory":"/x/dep"' in given.order
    assert (await deck.do("resources.health", resourceId=resource))["overall"] == "not-deployed"
    again = await deck.do(KEY, {"sourceFingerprint": fingerprint})
    assert (again["status"], again["cleanedRuntime"]) == ("already-clean", False)
    assert (await deck.do("deployments.show", deploymentId=deployment))["deployment"]["id"] == deployment

    def left(tx):
        row = tx.first(select(Deployment).where(Deployment.ref == deployment))
        owner = tx.first(select(Resource).where(Resource.ref == resource))
        told = [event.type for event in events.read(tx, f"resource:{resource}", 0, 50)]
        acts = list(tx.execute(select(audit_events.c.action)).scalars())
        return row.retired_at, row.artifact_retained, owner.serving_id, told, acts

    retired, retained, serving, told, acts = await deck.instance.db.read(left)
    assert retired is not None
    assert (retained, serving) == (False, None)
    assert told.count("preview-cleaned") == 1
    assert {"preview.cleanup-requested", "preview.cleaned"} <= set(acts)


async def test_only_a_preview_of_the_own_organization_can_be_meant(deck, preview):
    resource, _, fingerprint = preview
    nothing = await deck.do(KEY, {"sourceFingerprint": "srcfp_00000000"})
    assert nothing["status"] == "already-clean"
    stranger = await deck.member("owner", "org_other")
    assert (await deck.do(KEY, {"sourceFingerprint": fingerprint}, token=stranger))["status"] == "already-clean"
    other = {"kind": "git-public", "locator": "https://git.example.com/other.git"}
    lasting = await deck.resource(await deck.place("Lasting"), source=other)
    shown = await deck.do("resources.show", resourceId=lasting)
    body = {"sourceFingerprint": shown["source"]["sourceBindingFingerprint"]}
    refused = await deck.refused(400, "validation_error", KEY, body)
    assert "no preview" in refused["message"]
    for name, value in (("projectId", "prj_x"), ("serverId", "srv_x"), ("destinationId", "dst_x")):
        body = {"sourceFingerprint": fingerprint, "trustedContext": {name: value}}
        await deck.refused(400, "validation_error", KEY, body)
    body = {"sourceFingerprint": fingerprint, "trustedContext": {"resourceId": "res_x"}}
    assert (await deck.do(KEY, body))["status"] == "already-clean"
    await deck.malformed(KEY, {"sourceFingerprint": ""})
    assert (await deck.do("resources.health", resourceId=resource))["overall"] != "not-deployed"


async def test_two_previews_of_one_source_have_to_be_told_apart(deck, preview):
    resource, _, fingerprint = preview
    shown = (await deck.do("resources.show", resourceId=resource))["resource"]
    await deck.resource((shown["projectId"], shown["environmentId"]), name="Twin", source=SOURCE)
    await deck.refused(400, "validation_error", KEY, {"sourceFingerprint": fingerprint})
    worker = asyncio.create_task(worked(deck, jobs.Outcome("succeeded")))
    body = {"sourceFingerprint": fingerprint, "trustedContext": {"resourceId": resource}}
    assert (await deck.do(KEY, body))["status"] == "cleaned"
    await worker


async def test_what_fails_on_the_host_is_told_and_left_to_be_tried_again(deck, preview):
    resource, _, fingerprint = preview
    outcome = jobs.Outcome(
        "failed", error_code="docker_unavailable", error_message="No engine.\nStart it.", retriable=True
    )
    worker = asyncio.create_task(worked(deck, outcome))
    refused = await deck.refused(502, "provider_error", KEY, {"sourceFingerprint": fingerprint})
    await worker
    assert refused["message"].startswith("No engine.")
    items = (await deck.do("operator-work.list", query={"resourceId": resource, "status": "failed"}))["items"]
    assert [item["operationKey"] for item in items] == [KEY]
    assert "retry" in items[0]["nextActions"]
    assert (await deck.do("resources.health", resourceId=resource))["overall"] != "not-deployed"


async def test_cleaning_that_takes_long_goes_on_and_is_asked_for_once(deck, preview, monkeypatch):
    _, _, fingerprint = preview
    monkeypatch.setattr(preview_cleanup, "PATIENCE", 0.05)
    for _ in range(2):
        refused = await deck.refused(504, "coordination_timeout", KEY, {"sourceFingerprint": fingerprint})
        assert refused["error"]["details"]["workId"].startswith("wrk_")
    found = await deck.instance.db.read(jobs.list_jobs, jobs.Filter(kind=previews.CLEANUP))
    assert len(found) == 1


async def test_an_attempt_under_way_is_canceled_first(deck, preview, monkeypatch):
    resource, _, fingerprint = preview
    monkeypatch.setattr(preview_cleanup, "PATIENCE", 0.05)
    shown = (await deck.do("resources.show", resourceId=resource))["latestDeployment"]
    active = await deployed(deck, resource, shown["serverId"])
    await deck.refused(504, "coordination_timeout", KEY, {"sourceFingerprint": fingerprint})
    assert (await deck.do("deployments.show", deploymentId=active))["status"]["current"] == "canceled"
