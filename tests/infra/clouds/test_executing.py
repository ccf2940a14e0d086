"""CONNECTION_TEST and FETCH_RESOURCES as a worker carries them out."""

from __future__ import annotations

import json
from functools import partial

import pytest
from tests.infra.execution.workbench import Ledger

from quarterdeck.infra.execution import clouds
from quarterdeck.infra.execution.cloud_registry import providers
from quarterdeck.infra.execution.clouds import aws, gcp
from quarterdeck.infra.execution.executing import execute
from quarterdeck.infra.execution.machine import Machine
from quarterdeck.infra.execution.orders import Cloud, InfraOrder, Module, Place
from quarterdeck.kernel.errors import Problem
from support.amazon import EXTERNAL_ID, ROLE, amazon
from support.other_clouds import PROJECT, Google, wif_config

SECRET = "gts-subject-token"


@pytest.fixture
def google():
    found = Google(trusts=lambda token: token == SECRET)
    transport = found.transport()
    providers.register("gcp", partial(gcp.credentials, transport=transport), partial(gcp.discover, transport=transport))
    yield found
    clouds.register(providers)


def order(job_type: str, cloud: Cloud) -> InfraOrder:
    return InfraOrder(
        job="0197c1e0-0000-7000-8000-000000000000", job_type=job_type, module=Module("bundled"),
        place=Place("/", "u", "password"), cloud=cloud,
    )  # fmt: skip


def identity(token=SECRET) -> Cloud:
    config = json.dumps(wif_config())
    return Cloud(provider="gcp", wif_config=config, project_id=PROJECT, subject_token=token)


async def ran(tmp_path, asked: InfraOrder, *, own=False) -> Ledger:
    ledger = Ledger()
    await execute(ledger, asked, Machine(tmp_path, lambda: "http://127.0.0.1:1", own))
    return ledger


@pytest.mark.parametrize("job_type", ["CONNECTION_TEST", "FETCH_RESOURCES"])
async def test_a_worker_tells_what_the_cloud_has_and_no_token(tmp_path, google, job_type):
    ledger = await ran(tmp_path, order(job_type, identity()))
    told = ledger.of("resources")
    assert [one["provider"] for one in told] == ["gcp"]
    assert [one["name"] for one in told[0]["resources"]["regions"]] == ["europe-west1", "us-central1"]
    heard = json.dumps(ledger.records) + ledger.text
    assert SECRET not in heard
    assert "of-the-account" not in heard


async def test_an_identity_that_is_refused_fails_the_test_and_proves_nothing(tmp_path, google):
    ledger = Ledger()
    machine = Machine(tmp_path, lambda: "http://127.0.0.1:1")
    with pytest.raises(Problem) as refused:
        await execute(ledger, order("CONNECTION_TEST", identity("another")), machine)
    assert refused.value.code == "infra_cloud_refused"
    assert ledger.of("resources") == []


async def test_a_test_succeeds_where_listing_is_not_allowed_and_a_fetch_fails(tmp_path, google):
    google.forbidden = {f"compute.googleapis.com/compute/v1/projects/{PROJECT}/regions"}
    ledger = await ran(tmp_path, order("CONNECTION_TEST", identity()))
    assert "regions" in ledger.of("resources")[0]["resources"]["errors"]
    with pytest.raises(Problem):
        await ran(tmp_path, order("FETCH_RESOURCES", identity()))


async def test_the_servers_own_worker_takes_no_federated_identity_and_aws_by_its_environment(tmp_path, monkeypatch):
    with pytest.raises(Problem) as refused:
        await ran(tmp_path, order("CONNECTION_TEST", identity()), own=True)
    assert refused.value.code == "infra_needs_runner"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "server")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-server")
    cloud = Cloud(provider="aws", role_arn=ROLE, external_id=EXTERNAL_ID, own=True)
    with amazon() as account:
        providers.register(
            "aws", partial(aws.credentials, endpoint=account.url), partial(aws.discover, endpoint=account.url)
        )
        try:
            asked = order("CONNECTION_TEST", cloud)
            asked.snapshot = {"region": "eu-west-1"}
            ledger = await ran(tmp_path, asked, own=True)
        finally:
            clouds.register(providers)
    assert "eu-west-1" in str(ledger.of("resources"))
    assert "of-the-server" not in json.dumps(ledger.records) + ledger.text
