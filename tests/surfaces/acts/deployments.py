"""Deployments, runtimes and the work of the ledger. Nothing carries them out: no worker runs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from quarterdeck.deploy.deployments.model import Deployment
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.logs import Line
from support.acts import Act, Stage, act
from surfaces.acts import making
from surfaces.acts.making import soon


@act("POST /api/deployments")
async def create(stage: Stage) -> Act:
    resource = await making.resource(stage)
    shown = (await stage.ok("GET", f"/api/resources/{resource}"))["resource"]
    body = {
        "projectId": shown["projectId"], "environmentId": shown["environmentId"], "resourceId": resource,
        "serverId": await making.reachable(stage), "executionMode": "detached",
    }  # fmt: skip
    return Act(body=body)


@act("POST /api/deployments/{deploymentId}/cancel")
async def cancel(stage: Stage) -> Act:
    ids = await making.deployment(stage)
    ref = ids["deploymentId"]
    return Act({"deploymentId": ref}, {"confirm": ref, "resourceId": ids["resourceId"]})


@act("POST /api/deployments/{deploymentId}/retry")
async def retry(stage: Stage) -> Act:
    ids = await making.deployment(stage)
    await making.failed(stage, ids)
    return Act({"deploymentId": ids["deploymentId"]}, {"resourceId": ids["resourceId"]})


@act("POST /api/resources/{resourceId}/redeploy")
async def redeploy(stage: Stage) -> Act:
    ids = await making.serving(stage)
    body = {"sourceDeploymentId": ids["deploymentId"], "serverId": ids["serverId"], "projectId": ids["projectId"]}
    return Act({"resourceId": ids["resourceId"]}, body)


@act("POST /api/deployments/{deploymentId}/rollback")
async def rollback(stage: Stage) -> Act:
    former = await making.serving(stage)
    later = await making.deployment(stage, former["resourceId"], former["serverId"])
    await stage.write(making.succeed, later["deploymentId"])
    await making.serve(stage.deck, later["deploymentId"], making.PROCESS)
    body = {"rollbackCandidateDeploymentId": former["deploymentId"], "resourceId": former["resourceId"]}
    return Act({"deploymentId": later["deploymentId"]}, body)


@act("POST /api/deployments/{deploymentId}/archive")
async def archive(stage: Stage) -> Act:
    ids = await making.canceled(stage)
    ref = ids["deploymentId"]
    return Act({"deploymentId": ref}, {"confirm": ref, "resourceId": ids["resourceId"]})


@act("POST /api/deployments/prune")
async def prune(stage: Stage) -> Act:
    ids = await making.canceled(stage)
    ref = ids["deploymentId"]
    await making.canceled(stage, await making.deployment(stage, ids["resourceId"], ids["serverId"]))
    await stage.ok("POST", f"/api/deployments/{ref}/archive", {"confirm": ref})

    def older(tx: Tx) -> None:
        past = tx.now - timedelta(days=400)
        tx.execute(update(Deployment).where(Deployment.ref == ref).values(archived_at=past))

    await stage.write(older)
    return Act(body={"before": soon(stage), "deploymentId": ref, "dryRun": False})


@act("POST /api/deployments/logs/prune")
async def prune_logs(stage: Stage) -> Act:
    ids = await making.canceled(stage)
    line = Line(stage.deck.instance.db.clock.now(), "application", "stdout", None, "info", "said")
    await stage.deck.instance.logs.store(f"deployment:{ids['deploymentId']}", [line])
    return Act(body={"before": soon(stage), "deploymentId": ids["deploymentId"], "dryRun": False})


@act("POST /api/deployments/cleanup-preview")
async def clean_preview(stage: Stage) -> Act:
    place = await making.environment(stage, kind="preview")
    source = {"kind": "git-public", "locator": f"https://git.example.com/{stage.name('shop')}.git"}
    ids = await making.serving(stage, await making.resource(stage, place, source=source))
    shown = await stage.ok("GET", f"/api/resources/{ids['resourceId']}")
    fingerprint = shown["source"]["sourceBindingFingerprint"]
    return Act(body={"sourceFingerprint": fingerprint}, known={"resourceId": ids["resourceId"]})


# -- runtimes


@act("POST /api/resources/{resourceId}/runtime/stop")
async def stop(stage: Stage) -> Act:
    return await running(stage)


@act("POST /api/resources/{resourceId}/runtime/restart")
async def restart(stage: Stage) -> Act:
    return await running(stage)


async def running(stage: Stage) -> Act:
    ids = await making.serving(stage)
    return Act({"resourceId": ids["resourceId"]}, {"deploymentId": ids["deploymentId"]})


@act("POST /api/resources/{resourceId}/runtime/start")
async def start(stage: Stage) -> Act:
    ids = await making.serving(stage)
    await making.stopped(stage, ids["resourceId"])
    body = {"deploymentId": ids["deploymentId"], "acknowledgeRetainedRuntimeMetadata": True}
    return Act({"resourceId": ids["resourceId"]}, body)


# -- the ledger


@act("POST /api/operator-work/{workId}/cancel")
async def cancel_work(stage: Stage) -> Act:
    job = await making.work(stage)
    return Act({"workId": job.work_ref}, {"reason": stage.name("reason")}, known={"job": job.uid})


def after_failure(verb: str) -> None:
    @act(f"POST /api/operator-work/{{workId}}/{verb}")
    async def prepared(stage: Stage) -> Act:
        job = await making.work(stage, "failed")
        return Act({"workId": job.work_ref}, {"reason": stage.name("reason")}, known={"job": job.uid})


for verb in ("mark-recovered", "dead-letter", "retry"):
    after_failure(verb)


@act("POST /api/operator-work/prune")
async def prune_work(stage: Stage) -> Act:
    await making.work(stage, "failed")
    return Act(body={"before": soon(stage), "statuses": ["failed"], "dryRun": False})
