"""Federation at Google Cloud and Azure, against fakes that know their documented calls and no others."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import httpx
import pytest

from quarterdeck.infra.execution.clouds import azure, gcp, wif
from quarterdeck.infra.execution.lasting import Keeping
from quarterdeck.infra.execution.orders import Cloud, InfraOrder, Module, Place
from quarterdeck.kernel.errors import Invalid, Problem
from support.other_clouds import (
    AUDIENCE,
    CLIENT,
    EMAIL,
    PROJECT,
    SUBSCRIPTION,
    TENANT,
    Azure,
    Google,
    wif_config,
)


def google_identity(**more) -> Cloud:
    given = {"wif_config": json.dumps(wif_config()), "project_id": PROJECT, "subject_token": "ours", **more}
    return Cloud(provider="gcp", **given)


def azure_identity(**more) -> Cloud:
    given = {
        "tenant_id": TENANT, "client_id": CLIENT, "subscription_id": SUBSCRIPTION, "subject_token": "ours", **more,
    }  # fmt: skip
    return Cloud(provider="azure", **given)


def order(cloud: Cloud, job_type="CONNECTION_TEST") -> InfraOrder:
    module = Module("bundled", cloud.provider)
    return InfraOrder(job="1", job_type=job_type, module=module, place=Place("/", "u", "p"), cloud=cloud)


def read(path: str) -> str:
    return Path(path).read_text()


async def refused(manager) -> Problem:
    with pytest.raises(Problem) as told:
        async with manager:
            raise AssertionError("taken up")
    return told.value


async def test_google_exchanges_our_token_and_takes_the_service_account_on():
    google = Google()
    async with gcp.credentials(google_identity(), google.transport()) as variables:
        assert variables["GOOGLE_OAUTH_ACCESS_TOKEN"] == "of-the-account"
        assert variables["GOOGLE_PROJECT"] == PROJECT
    assert [one.partition("/")[0] for one in google.calls] == [
        "POST sts.googleapis.com", "POST iamcredentials.googleapis.com",
    ]  # fmt: skip


async def test_google_is_asked_anew_by_the_provider_itself_for_as_long_as_the_job_runs(tmp_path):
    hidden: set[str] = set()
    keeping = Keeping(tmp_path / "kept", hidden.update)
    async with gcp.credentials(google_identity(), Google().transport(), keeping=keeping) as variables:
        assert "GOOGLE_OAUTH_ACCESS_TOKEN" not in variables, "it would last an hour"
    where = variables["GOOGLE_CREDENTIALS"]
    assert variables["GOOGLE_APPLICATION_CREDENTIALS"] == where
    document = json.loads(read(where))
    checked = wif.read(document)
    assert (checked.audience, checked.email, document["type"]) == (AUDIENCE, EMAIL, "external_account")
    assert read(checked.file) == "ours"
    assert {stat.S_IMODE(path.stat().st_mode) for path in keeping.directory.iterdir()} == {0o600}


async def test_google_without_a_service_account_gives_the_federated_token():
    config = {name: value for name, value in wif_config().items() if not name.startswith("service_account")}
    identity = google_identity(wif_config=json.dumps(config))
    async with gcp.credentials(identity, Google().transport()) as variables:
        assert variables["GOOGLE_OAUTH_ACCESS_TOKEN"] == "federated"


async def test_what_google_refuses_is_told_without_the_token():
    problem = await refused(gcp.credentials(google_identity(subject_token="s3cr3t"), Google().transport()))
    assert problem.code == "infra_cloud_refused"
    assert "The audience in ID Token does not match" in problem.message
    assert "s3cr3t" not in problem.message


async def test_no_cloud_is_called_without_a_token_of_ours():
    for module, identity, cloud in ((gcp, google_identity, Google()), (azure, azure_identity, Azure())):
        problem = await refused(module.credentials(identity(subject_token=""), cloud.transport()))
        assert problem.code == "infra_cloud_incomplete"
        assert cloud.calls == []


async def test_what_a_project_of_google_has_is_found():
    found = await gcp.discover(order(google_identity()), Google().transport())
    assert [one["name"] for one in found["regions"]] == ["europe-west1", "us-central1"]
    subnet = {"id": "front", "name": "front", "zone": "europe-west1", "cidr": "10.1.0.0/20"}
    assert found["networks"][0]["subnets"] == [subnet]
    assert found["dns_zones"] == [{"id": "example", "name": "example.net", "private": True}]


async def test_a_part_that_google_refuses_is_named_by_a_test_and_fails_a_fetch():
    google = Google(forbidden={f"dns.googleapis.com/dns/v1/projects/{PROJECT}/managedZones"})
    found = await gcp.discover(order(google_identity()), google.transport())
    assert "Permission denied" in found["errors"]["dns_zones"]
    assert found["regions"]
    with pytest.raises(Problem):
        await gcp.discover(order(google_identity(), "FETCH_RESOURCES"), google.transport())


async def test_azure_takes_our_token_as_the_assertion_of_an_application():
    async with azure.credentials(azure_identity(), Azure().transport()) as variables:
        assert variables["ARM_USE_OIDC"] == "true"
        assert variables["ARM_OIDC_TOKEN"] == "ours"
        assert (variables["ARM_TENANT_ID"], variables["ARM_CLIENT_ID"]) == (TENANT, CLIENT)
        assert variables["ARM_SUBSCRIPTION_ID"] == SUBSCRIPTION


async def test_what_azure_refuses_is_told_without_the_token():
    problem = await refused(azure.credentials(azure_identity(subject_token="s3cr3t"), Azure().transport()))
    assert "AADSTS70021" in problem.message
    assert "s3cr3t" not in problem.message


@pytest.mark.parametrize("name", ["tenant_id", "client_id", "subscription_id"])
@pytest.mark.parametrize("value", ["", "../../elsewhere", "common", f"{TENANT}/x"])
async def test_an_identity_of_azure_that_is_no_uuid_calls_nobody(name, value):
    cloud = Azure()
    problem = await refused(azure.credentials(azure_identity(**{name: value}), cloud.transport()))
    assert problem.code == "infra_cloud_incomplete"
    assert cloud.calls == []


async def test_what_a_subscription_of_azure_has_is_found_on_all_pages():
    found = await azure.discover(order(azure_identity()), Azure().transport())
    assert found["regions"] == [{"name": "westeurope"}]
    assert [one["name"] for one in found["networks"]] == ["vnet-1", "vnet-2"]
    assert found["networks"][0]["subnets"][0]["cidr"] == "10.2.1.0/24"
    assert found["dns_zones"] == [{"id": "/zones/1", "name": "example.net", "private": False}]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://management.azure.com.example.net/x",
        "http://management.azure.com/x",
        "https://management.azure.com:444/x",
        "https://management.azure.com@example.net/x",
    ],
)
async def test_a_next_page_at_another_host_gets_no_token(elsewhere):
    cloud = Azure()
    cloud.elsewhere = elsewhere
    with pytest.raises(Problem) as told:
        await azure.discover(order(azure_identity(), "FETCH_RESOURCES"), cloud.transport())
    assert "none of its own" in told.value.message
    assert all("example.net" not in one for one in cloud.calls)


async def test_a_redirect_is_not_followed():
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "sts.googleapis.com"
        return httpx.Response(307, headers={"location": "https://example.net/"})

    problem = await refused(gcp.credentials(google_identity(), httpx.MockTransport(answer)))
    assert "307" in problem.message


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b"[]"),
        httpx.Response(200, content=b"{"),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, json={"access_token": 5}),
        httpx.Response(200, json={"access_token": "a b"}),
        httpx.Response(200, content=b"x" * (9 << 20)),
        httpx.Response(500, json={"error": {"message": {"deep": 1}}}),
    ],
    ids=["list", "cut", "deep", "number", "blank", "large", "odd"],
)
async def test_an_answer_that_is_none_is_a_refusal(answer):
    identity = azure_identity()
    problem = await refused(azure.credentials(identity, httpx.MockTransport(lambda _: answer)))
    assert problem.code == "infra_cloud_refused"


async def test_a_cloud_that_cannot_be_reached_is_worth_another_try():
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    problem = await refused(azure.credentials(azure_identity(), httpx.MockTransport(answer)))
    assert (problem.code, problem.category) == ("infra_cloud_unreachable", "retryable")


def test_a_configuration_of_gcloud_is_taken_and_keeps_what_was_checked_alone():
    found = wif.read(json.dumps(wif_config()))
    assert (found.audience, found.email, found.project) == (AUDIENCE, EMAIL, PROJECT)
    assert found.document() == {
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": wif.JWT,
        "token_url": wif.TOKEN_URL,
        "service_account_impersonation_url": wif_config()["service_account_impersonation_url"],
        "credential_source": {"file": "/var/run/quarterdeck/token"},
    }
    assert wif.read(found.document()) == found


@pytest.mark.parametrize(
    "more",
    [
        {"token_url": "https://sts.googleapis.com.example.net/v1/token"},
        {"token_url": "https://sts.googleapis.com/v1/token?x=1"},
        {"token_url": "http://sts.googleapis.com/v1/token"},
        {"service_account_impersonation_url": "https://example.net/v1/projects/-/serviceAccounts/a@b"},
        {"service_account_impersonation_url": f"https://iamcredentials.googleapis.com/v1/{EMAIL}:generateAccessToken"},
        {"service_account_impersonation_url": ["https://iamcredentials.googleapis.com"]},
        {"credential_source": {"url": "http://169.254.169.254/"}},
        {"credential_source": {"executable": {"command": "/bin/sh -c id"}}},
        {"credential_source": {"environment_id": "aws1"}},
        {"credential_source": {"certificate": {"use_default_certificate_config": True}}},
        {"credential_source": {"file": "/x", "url": "http://127.0.0.1/"}},
        {"audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/q"},
        {"audience": f"{AUDIENCE}/../x"},
        {"audience": None},
        {"subject_token_type": "urn:ietf:params:aws:token-type:aws4_request"},
        {"universe_domain": "example.net"},
        {"type": "service_account"},
        {"private_key": "-----BEGIN PRIVATE KEY-----"},
        {"client_secret": "s3cr3t"},
    ],
)
def test_a_configuration_that_leads_elsewhere_or_holds_a_key_is_refused(more):
    with pytest.raises(Invalid) as refused:
        wif.read(wif_config(**more))
    assert refused.value.code == "infra_wif_config_invalid"
    assert next(iter(more)) in refused.value.message
    assert "s3cr3t" not in refused.value.message
    assert "BEGIN" not in refused.value.message


@pytest.mark.parametrize("said", ["", "[]", "{", "[" * 100_000, 5, None, "x" * 30_000])
def test_what_is_no_configuration_is_refused(said):
    with pytest.raises(Invalid):
        wif.read(said)
