"""`qd runner`, `qd connector` and `qd cluster`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Result, failed
from cli.infra import infra_api
from cli.infra.infra_api import InfraApi, identity
from quarterdeck.cli.commands import worker

Command = Callable[..., Result]
ARN = "arn:aws:iam::123456789012:role/deck"


@pytest.mark.parametrize("noun", ["runner", "worker", "runners"])
def test_runners_are_listed_by_each_of_their_names(qd: Command, infra: InfraApi, noun: str) -> None:
    assert "the server itself" in qd(noun, "list").err
    infra.add_runner("fra-1", is_default=True)
    infra.add_runner("fra-2", "DRAINING", mode="cloud-hosted", last_heartbeat=None)
    lines = qd(noun, "list").out.splitlines()
    assert "✓ online" in lines[1]
    assert "default" in lines[1]
    assert "draining" in lines[2]
    assert len(json.loads(qd(noun, "list", "--json").out)["workers"]) == 2


def test_the_token_of_a_registered_runner_is_alone_on_stdout(qd: Command, infra: InfraApi) -> None:
    infra.add_identity("aws", "AWS (1)")
    result = qd("runner", "register", "rack-7")
    assert (result.code, result.out) == (0, "9c" * 32 + "\n")
    assert "9c9c" not in result.err
    assert "Registered rack-7" in result.err
    assert qd("worker", "register", "--name", "rack-8", "--cloud-identity-id", "aws").code == 0
    assert infra.bodies("new_runner") == [
        {"name": "rack-7", "mode": "self-hosted"},
        {"name": "rack-8", "mode": "self-hosted", "cloud_identity_id": identity("f", 0)},
    ]
    failed(qd("runner", "register"), 2, "Say what the runner is called.")


def test_a_machine_is_made_a_runner_by_a_token_that_is_alone_on_stdout(qd: Command, infra: InfraApi) -> None:
    result = qd("runner", "enrol", "fra-1", "--expires", "7d")
    assert (result.code, result.out) == (0, "ovw_3_secret\n")
    assert f"qd runner start --server {infra.url} --token @runner.token" in result.err
    assert "ovw_3" not in result.err
    assert qd("worker", "enrol").code == 0
    assert infra.bodies("enrol") == [{"expires_in_hours": 168, "label": "fra-1"}, {"expires_in_hours": 24}]
    failed(qd("runner", "enrol", "--expires", "soon"), 2, "soon is no time")


def test_runners_are_shown_drained_preferred_and_forgotten(qd: Command, infra: InfraApi) -> None:
    row = infra.add_runner("fra-1")
    assert "version    0.4.0" in qd("runner", "show", "--worker-id", "fra-1").out
    row = next(one for one in infra.runners_known if one["name"] == "fra-1")
    row.update(kind="worker", outdated=True, due_version="0.5.0")
    assert "outdated   the server is 0.5.0" in qd("runner", "show", "fra-1").out
    row.update(kind="runner")
    assert "outdated   the newest is 0.5.0" in qd("runner", "show", "fra-1").out
    row.update(kind="runner", outdated=False, due_version=None, looks_only=True)
    assert "jobs       takes looks for drift alone" in qd("runner", "show", "fra-1").out
    assert "takes looks for drift alone" in qd("runner", "list").out
    assert qd("runner", "drain", "fra-1", "--reason", "disk").out == "Runner fra-1 is given no more jobs.\n"
    assert qd("runner", "drain", "--id", row["id"], "--off").out == "Runner fra-1 is given jobs again.\n"
    assert infra.bodies("drain") == [{"draining": True, "reason": "disk"}, {"draining": False}]
    assert qd("runner", "default", "fra-1").code == 0
    failed(qd("runner", "remove", "fra-1"), 2, "Forget runner fra-1?", "--yes")
    assert qd("runner", "remove", "--runner-id", "fra-1", "--yes").out == "Forgot runner fra-1.\n"
    failed(qd("runner", "show", "fra-1"), 5, "There is no runner fra-1.")


def test_a_runner_is_deployed_updated_and_destroyed_as_jobs(qd: Command, infra: InfraApi) -> None:
    infra.add_identity("aws", "AWS (123456789012)")
    by = infra.add_runner("fra-1")
    failed(qd("runner", "deploy", "eu-1"), 2, "Say where.")
    words = ("--cloud-identity-id", "aws", "--region", "eu-west-1")
    result = qd("runner", "deploy", "eu-1", *words, "--assigned-runner-id", "fra-1", "--wait")
    assert (result.code, result.out) == (0, "Made runner eu-1.\n")
    assert infra.bodies("deploy_runner") == [
        {
            "name": "eu-1", "cloud_identity_id": identity("f", 0), "region": "eu-west-1",
            "assigned_worker_id": by["id"],
        }
    ]  # fmt: skip
    assert qd("runner", "update", "eu-1", "--wait").out == "Updated runner eu-1.\n"
    failed(qd("runner", "destroy", "eu-1", "--no-input"), 2, "is destroyed", "--confirm eu-1")
    for words in (("runner", "destroy", "eu-1"), ("destroy", "worker", "--worker-id", "eu-1")):
        assert qd(*words, "--confirm", "eu-1", "--wait").out == "Destroyed runner eu-1.\n"
    runner = infra.runners_known[1]["id"]
    assert infra.bodies("new_job") == [{"job_type": "DESTROY_WORKER", "config_snapshot": {"worker_id": runner}}] * 2
    infra.next_course = [{"status": "FAILED", "error_message": "quota"}]
    failed(qd("runner", "update", "eu-1", "--wait"), 1, "The update of the runner", "quota")


def test_start_is_a_worker_that_does_infrastructure(
    qd: Command, infra: InfraApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun: list[dict[str, Any]] = []

    def remember(**given: Any) -> int:
        begun.append(given)
        return 0

    monkeypatch.setattr(worker, "worker", remember)
    assert qd("runner", "start", "--token", "@x", "--data-dir", str(tmp_path)).code == 0
    assert qd("worker", "start", "--server", "https://deck.example.com", "--slots", "2").code == 0
    first = {"token": "@x", "slots": 1, "name": None, "data_dir": tmp_path, "log_level": "info", "capability": "infra"}
    assert begun[0] == {**first, "server": infra.url}
    assert (begun[1]["server"], begun[1]["slots"]) == ("https://deck.example.com", 2)


def test_aws_is_connected_in_two_steps(qd: Command, infra: InfraApi) -> None:
    begun = qd("connector", "aws")
    assert begun.out == f"identity id  {identity('9', 1)}\nexternal id  xt-1\n"
    assert "issuer       https://deck.example.com/oidc\n" in qd("connector", "gcp").out
    assert f"--identity-id {identity('9', 1)} --role-arn ARN" in begun.err
    result = qd("connector", "aws", "--identity-id", identity("9", 1), "--role-arn", ARN)
    assert (result.code, result.out) == (0, f"Connected aws as {identity('9', 1)}.\n")
    assert infra.bodies("connect") == [{"identity_id": identity("9", 1), "credentials": {"role_arn": ARN}}]
    assert infra.bodies("verify") == [{"identity_id": identity("9", 1), "job_id": infra.jobs_known[0]["id"]}]
    assert len(infra.bodies("init")) == 2
    planned = qd("connector", "aws", "--role-arn", ARN, "--plan")
    assert "POST /api/cli/providers/aws/connect" in planned.out
    assert len(infra.bodies("init")) == 2


def test_a_connection_that_no_runner_proves_in_time_is_gone_on_with(qd: Command, infra: InfraApi) -> None:
    infra.next_course = [{"status": "QUEUED"}] * 2
    words = ("connector", "azure", "--tenant-id", "t", "--client-id", "c", "--subscription-id", "s")
    result = qd(*words, "--timeout", "0.001")
    job = infra.jobs_known[0]["id"]
    again = f"qd connector azure --identity-id {identity('9', 1)} --test-job-id {job}"
    assert (result.code, again in result.err) == (8, True)
    infra.course[job] = [{"status": "SUCCESS"}]
    assert qd(*again.split()[1:]).code == 0
    assert len(infra.bodies("connect")) == 1
    failed(qd("connector", "azure", "--tenant-id", "t"), 2, "--client-id, --subscription-id is missing.")


def test_what_federates_is_read_from_a_file(qd: Command, infra: InfraApi, written: Callable[[str, str], str]) -> None:
    refused = qd("connector", "gcp", "--wif-config", '{"type": "external_account"}')
    failed(refused, 2, "--wif-config takes a file or stdin")
    assert "external_account" not in refused.err
    failed(qd("connector", "gcp", "--wif-config", "@nofile"), 2, "nofile cannot be read")
    assert infra.calls == []
    file = "@" + written("wif.json", '{"type": "external_account"}')
    assert qd("connector", "gcp", "--wif-config", file).code == 0
    assert infra.bodies("connect")[0]["credentials"] == {"wif_config": '{"type": "external_account"}'}
    infra.next_course = [{"status": "FAILED", "error_message": "denied"}]
    assert qd("connector", "gcp", "--wif-config", "-", stdin="{}").code == 1
    assert len(infra.bodies("verify")) == 1


def test_clouds_are_listed_and_forgotten(qd: Command, infra: InfraApi) -> None:
    assert "No cloud is connected" in qd("connector", "list").err
    infra.add_identity("aws", "AWS (1)")
    infra.add_identity("gcp", "GCP (proj)")
    assert "AWS (1)" in qd("connectors", "list").out
    failed(qd("connector", "remove", "aws"), 2, "Forget AWS (1)?", "--yes")
    for words in (("aws",), ("--identity-id", identity("f", 0)), ("AWS (1)",)):
        assert qd("connector", "remove", *words, "-y").out == "Forgot AWS (1).\n"
    assert infra.bodies("disconnect") == [{"identity_id": identity("f", 0)}] * 3
    infra.add_identity("aws", "AWS (2)")
    failed(qd("connector", "remove", "aws", "-y"), 2, "aws is the name of 2")


def test_an_identity_is_bound_to_zones_and_freed(qd: Command, infra: InfraApi) -> None:
    infra.add_identity("aws", "AWS (1)")
    payments, _ = infra.add_zone("payments"), infra.add_zone("play")
    assert qd("connector", "zones", "aws").out == "AWS (1) is used in every zone.\n"
    assert qd("connector", "zones", "aws", "payments").out == "AWS (1) is used in payments alone.\n"
    assert qd("connector", "zones", "AWS (1)").out == "AWS (1) is used in payments alone.\n"
    assert json.loads(qd("connector", "zones", "aws", "--json").out) == {"zone_ids": [payments["id"]], "bound": True}
    failed(qd("connector", "zones", "aws", "nowhere"), 5, "There is no zone nowhere.")
    failed(qd("connector", "zones", "aws", "play", "--everywhere"), 2, "Name zones, or --everywhere.")
    assert qd("connector", "zones", "aws", "--everywhere").out == "AWS (1) is used in every zone.\n"
    assert infra.bodies("bind") == [{"zone_ids": [payments["id"]]}, {"zone_ids": []}]


@pytest.mark.parametrize("noun", ["cluster", "clusters"])
def test_clusters_are_listed(qd: Command, infra: InfraApi, noun: str) -> None:
    assert "There is no cluster yet." in qd(noun, "list").err
    infra.clusters_known = [
        {
            "id": identity("8", 1), "cluster_name": "ledger-eks", "cluster_version": "1.32", "instance_types": [],
            "node_min_size": 2, "node_max_size": 6, "node_desired_size": 3, "status": "ACTIVE", "argocd_url": None,
            "spec_project_name": "ledger", "spec_environment": "staging", "spec_region": "eu-west-1",
            "estimated_monthly_cost": 100.0,
        }
    ]  # fmt: skip
    line = qd(noun, "list").out.splitlines()[1]
    assert "ledger-eks" in line
    assert "ledger (staging)" in line
    assert "2 to 6" in line


def test_releases_are_listed(qd: Command, infra: InfraApi) -> None:
    assert "No release was published." in qd("runner", "releases").err
    infra.releases_known = [
        {
            "id": identity("b", 1), "version": "0.5.0", "release_notes": "Faster.\nMore.", "released_at": infra_api.AT,
            "github_release_url": "https://git.example/r/0.5.0", "commit_sha": "ab" * 20, "is_breaking": True,
        }
    ]  # fmt: skip
    line = qd("runner", "releases").out.splitlines()[1]
    assert all(
        part in line for part in ("0.5.0", "breaking", "abababababab ", "Faster.", "https://git.example/r/0.5.0")
    )
    assert "More." not in line
    assert qd("worker", "releases", "-o", "name").out == "0.5.0\n"
