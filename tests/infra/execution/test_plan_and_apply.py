"""The way that everybody goes: a plan that is read, an apply of exactly that plan, a change, a destruction."""

from __future__ import annotations


async def test_a_plan_is_told_and_kept_and_changes_nothing(bench, server):
    done = await bench.run(bench.order("PLAN"))
    (report,) = bench.ledger.of("plan")
    assert bench.ledger.phases == ["prepare", "init", "plan", "upload"]
    assert report["summary"]["create"] == len(report["changes"]) == 16
    assert report["summary"]["delete"] == report["summary"]["update"] == report["drifted"] == 0
    assert (report["serial"], report["lineage"]) == (0, "")
    assert report["uploaded"]
    assert server.state is None
    assert len(server.artefacts["plan-1"]) == report["size"]
    assert done["sha256"] == report["sha256"]
    assert server.lock is None


async def test_the_saved_plan_is_what_is_applied(bench, server):
    plan = await bench.plan()
    # The specification has changed meanwhile: the plan that was read counts.
    await bench.run(bench.order("DEPLOY", {**bench.order("PLAN").snapshot, "queues": []}, plan=plan))
    assert "terraform_data.queue['mails']" in server.resources()
    assert bench.ledger.phases == ["prepare", "download", "init", "apply"]
    (applied,) = bench.ledger.of("applied")
    assert applied["outputs"]["queue_names"] == ["mails", "work"]
    assert applied["cluster"] == {"cluster_name": "ledger-staging"}
    assert applied["state"]["serial"] == server.known["serial"]
    assert not server.refused, "the state of the DEPLOY job is used with its own credential"
    assert ("POST", "/api/jobs/plan-1/state") not in server.requests
