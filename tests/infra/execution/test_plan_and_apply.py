"""The way that everybody goes: a plan that is read, an apply of exactly that plan, a change, a destruction."""

from __future__ import annotations

import contextlib
import os

import pytest
from tests.infra.execution.workbench import FULL, MINIMAL, running

from quarterdeck.infra.execution import rendering
from quarterdeck.infra.execution.cloud_registry import Providers
from quarterdeck.infra.execution.orders import Cloud
from quarterdeck.kernel.errors import Unavailable


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


async def test_a_change_of_the_specification_is_a_change_of_the_plan(bench, server):
    await bench.deploy()
    changed = {
        **FULL,
        "cluster": {**FULL["cluster"], "node_desired_size": 4},
        "queues": [{"name": "mails", "fifo": False}, {"name": "work", "delay_seconds": 5}],
        "topics": [],
    }
    plan = await bench.plan(changed)
    (report,) = bench.ledger.of("plan")
    actions = {one["address"]: one["action"] for one in report["changes"]}
    assert actions == {
        "terraform_data.node[3]": "create",
        'terraform_data.queue["mails"]': "replace",
        'terraform_data.queue["work"]': "update",
        'terraform_data.topic["orders"]': "delete",
    }
    assert report["serial"] == server.known["serial"]
    assert report["lineage"] == server.known["lineage"]
    work = next(one for one in report["changes"] if one["action"] == "update")
    assert work["before"]["input"]["delay_seconds"] == 0
    assert work["after"]["input"]["delay_seconds"] == 5
    await bench.run(bench.order("DEPLOY", changed, plan=plan))
    assert "terraform_data.node[3]" in server.resources()


async def test_an_unchanged_specification_plans_nothing(bench):
    """Also when what an apply has learnt stands in the snapshot by then."""
    await bench.deploy()
    learnt = {
        **FULL, "status": "ACTIVE", "databases": [{**FULL["databases"][0], "status": "ACTIVE", "endpoint": "db:5432"}],
    }  # fmt: skip
    await bench.run(bench.order("PLAN", learnt))
    (report,) = bench.ledger.of("plan")
    assert report["changes"] == []
    assert report["summary"]["no_op"] == 16


async def test_a_deploy_without_a_plan_applies_the_one_that_it_has_told(bench, server):
    await bench.run(bench.order("DEPLOY"))
    assert bench.ledger.phases == ["prepare", "init", "plan", "apply"]
    assert [kind for kind, _ in bench.ledger.records if kind != "phase"] == ["plan", "applied"]
    assert not bench.ledger.of("plan")[0]["uploaded"]
    assert len(server.resources()) == 16


async def test_what_was_made_is_destroyed_by_a_plan_of_that(bench, server):
    await bench.deploy()
    await bench.run(bench.order("DESTROY"))
    (report,) = bench.ledger.of("plan")
    assert report["destroy"]
    assert report["summary"]["delete"] == 16
    assert server.resources() == []
    assert server.state is not None, "an empty state is kept"
    await bench.run(bench.order("DESTROY"))
    assert bench.ledger.of("plan")[0]["summary"]["delete"] == 0


async def test_a_look_for_drift_uploads_and_changes_nothing(bench, server):
    await bench.deploy()
    before, artefacts = server.state, dict(server.artefacts)
    await bench.run(bench.order("PLAN", read_only=True))
    (report,) = bench.ledger.of("plan")
    assert (report["drifted"], report["drift"], report["uploaded"]) == (0, [], False)
    assert bench.ledger.phases == ["prepare", "init", "plan"]
    assert (server.state, server.artefacts) == (before, artefacts)


async def test_runner_names_and_snapshots_of_either_generation_are_understood():
    both = rendering.runner_variables({"runner_id": "r1", "worker_name": "pool", "cpu": 512, "status": "x"})
    assert both == {"worker_id": "r1", "worker_name": "pool", "cpu": 512}


async def test_what_terraform_says_is_streamed_and_marked(bench):
    await bench.run(bench.order("PLAN", MINIMAL))
    assert ("stdout", "Terraform will perform the following actions:") in bench.ledger.lines
    assert any(stream == "system" and "Using terraform 1." in line for stream, line in bench.ledger.lines)


async def test_lines_are_bounded_in_length_and_number(bench, forge, monkeypatch):
    monkeypatch.setattr("quarterdeck.infra.execution.reporting.MOST", 200_000)
    loud = "head -c 400000 /dev/zero | tr '\\\\0' x; yes hello | head -n 20000"
    module = forge.module(running(loud))
    await bench.run(bench.order("DEPLOY", MINIMAL, module=module))
    assert max(len(line) for _, line in bench.ledger.lines) <= 16_000
    assert sum(len(line) for stream, line in bench.ledger.lines if stream == "stdout") < 400_000
    assert "what follows is not kept" in bench.ledger.text
    assert len(bench.ledger.of("applied")) == 1


async def test_nothing_of_the_workers_own_environment_reaches_a_module(bench, forge):
    bench.environment |= {
        "AWS_SECRET_ACCESS_KEY": "of-the-host",
        "QUARTERDECK_X": "y",
        "TF_VAR_a": "b",
        "TF_LOG": "trace",
    }
    module = forge.module(running("env; pwd; ls -ld ../"))
    await bench.run(bench.order("DEPLOY", MINIMAL, module=module))
    for word in ("of-the-host", "QUARTERDECK_X", "TF_VAR_a", "trace"):
        assert word not in bench.ledger.text
    assert "CHECKPOINT_DISABLE=1" in bench.ledger.text
    assert "TF_HTTP_PASSWORD=" in bench.ledger.text
    assert "password-of-deploy" not in bench.ledger.text
    assert "drwx------" in bench.ledger.text


async def test_a_cost_is_told_where_the_machine_can_estimate_it(bench, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    seen = tmp_path / "seen"
    said = '{"totalMonthlyCost":"9.5","summary":{"totalDetectedResources":2}}'
    (programs / "infracost").write_text(f"#!/bin/sh\nenv > {seen}; echo \"$@\" >> {seen}\necho '{said}'\n")
    (programs / "infracost").chmod(0o755)
    bench.environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "INFRACOST_API_KEY": "key-of-the-host"}
    await bench.run(bench.order("PLAN"))
    assert bench.ledger.of("plan")[0]["cost"]["total_monthly"] == 9.5
    told = seen.read_text()
    assert "INFRACOST_API_KEY=key-of-the-host" in told
    assert "TF_HTTP_PASSWORD" not in told
    (programs / "infracost").write_text("#!/bin/sh\nexit 3\n")
    await bench.run(bench.order("PLAN"))
    assert "cost" not in bench.ledger.of("plan")[0]
    assert "The cost could not be estimated" in bench.ledger.text


class Sky:
    """A cloud that a test has registered."""

    def __init__(self):
        self.open = 0

    @contextlib.asynccontextmanager
    async def credentials(self, cloud, *, keeping=None):
        self.open += 1
        self.kept = keeping.write("sky", "kept") if keeping is not None else None
        if keeping is not None:
            keeping.secret(["renewed-secret"])
        try:
            yield {"SKY_TOKEN": f"token-for-{cloud.role_arn}", "SKY_REGION": "eu"}
        finally:
            self.open -= 1

    async def discover(self, order):
        if order.snapshot.get("down"):
            raise Unavailable("The sky does not answer.", code="sky_down")
        return {"regions": ["eu"]}


@pytest.fixture
def sky(monkeypatch):
    made = Sky()
    known = Providers()
    known.register("sky", made.credentials, made.discover)
    monkeypatch.setattr("quarterdeck.infra.execution.executing.providers", known)
    yield made
    assert made.open == 0


async def test_credentials_of_a_cloud_are_variables_of_the_provider_and_are_masked(bench, forge, sky):
    module = forge.module(running("env"))
    cloud = Cloud(provider="sky", role_arn="role-one")
    await bench.run(bench.order("DEPLOY", MINIMAL, module=module, cloud=cloud))
    assert "SKY_REGION=eu" in bench.ledger.text
    assert "SKY_TOKEN=" in bench.ledger.text
    assert "token-for-role-one" not in bench.ledger.text
    assert sky.kept is not None
    assert not sky.kept.exists(), "it is gone with the attempt"


async def test_a_token_for_a_cloud_is_masked_by_the_worker_itself(bench, forge, sky):
    """A server that was started meanwhile cannot: it keeps none."""
    cloud = Cloud(provider="sky", subject_token="subject-token-of-this-attempt")
    module = forge.module(running(f"echo {cloud.subject_token}"))
    await bench.run(bench.order("DEPLOY", MINIMAL, module=module, cloud=cloud))
    assert "echo ****" in bench.ledger.text
    assert cloud.subject_token not in bench.ledger.text


async def test_what_a_cloud_has_is_told(bench, sky):
    cloud = Cloud(provider="sky")
    for job_type in ("CONNECTION_TEST", "FETCH_RESOURCES"):
        done = await bench.run(bench.order(job_type, MINIMAL, cloud=cloud))
        assert bench.ledger.of("resources") == [{"provider": "sky", "resources": {"regions": ["eu"]}}]
        assert done["connected"]
    await bench.run(bench.order("CONNECTION_TEST", {"down": True}, cloud=cloud))
    assert bench.ledger.of("resources") == [{"provider": "sky", "resources": {}}]
    with pytest.raises(Unavailable):
        await bench.run(bench.order("FETCH_RESOURCES", {"down": True}, cloud=cloud))
