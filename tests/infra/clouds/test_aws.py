"""Taking a role of AWS on, and what an account has: against moto, whose trust policy asks for the external id."""

from __future__ import annotations

import pytest

from quarterdeck.infra.execution.clouds import aws
from quarterdeck.infra.execution.orders import Cloud, InfraOrder, Module, Place
from quarterdeck.kernel.errors import Problem
from support.amazon import EXTERNAL_ID, ROLE, amazon


@pytest.fixture
def account():
    with amazon() as found:
        yield found


@pytest.fixture(autouse=True)
def runner(monkeypatch):
    """A runner has credentials in its environment, and no others."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "runner")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-runner")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def identity(**more) -> Cloud:
    given = {"role_arn": ROLE, "external_id": EXTERNAL_ID, "session": "runner-worker-5f1c2b7e", **more}
    return Cloud(provider="aws", account_id="123456789012", **given)


def order(job_type="CONNECTION_TEST", snapshot=None, **more) -> InfraOrder:
    return InfraOrder(
        job="5f1c2b7e", job_type=job_type, module=Module("bundled", "aws"), place=Place("/", "u", "p"),
        snapshot=snapshot or {}, cloud=identity(**more),
    )  # fmt: skip


async def test_a_role_is_taken_on_with_its_external_id_for_an_hour_under_the_name_of_the_job(account):
    async with aws.credentials(identity(), account.url) as variables:
        assert set(variables) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    said = account.assumed[0]
    assert (said["RoleArn"], said["ExternalId"]) == (ROLE, EXTERNAL_ID)
    assert (said["RoleSessionName"], said["DurationSeconds"]) == ("runner-worker-5f1c2b7e", "3600")
    taken = account.client("sts")
    taken._request_signer._credentials.access_key = variables["AWS_ACCESS_KEY_ID"]
    assert taken.get_caller_identity()["Arn"].endswith("assumed-role/quarterdeck/runner-worker-5f1c2b7e")


@pytest.mark.parametrize("external_id", ["another", EXTERNAL_ID.upper()])
async def test_another_external_id_is_refused_in_words_that_say_where_to_look(account, external_id):
    with pytest.raises(Problem) as refused:
        async with aws.credentials(identity(external_id=external_id), account.url):
            raise AssertionError("taken on")
    assert refused.value.code == "infra_cloud_refused"
    assert "AssumeRole" in refused.value.message
    assert "sts:ExternalId" in refused.value.hint
    assert external_id not in refused.value.message


async def test_no_role_is_taken_on_without_an_external_id(account):
    with pytest.raises(Problem) as refused:
        async with aws.credentials(identity(external_id=""), account.url):
            raise AssertionError("taken on")
    assert refused.value.code == "infra_cloud_incomplete"
    assert account.assumed == []


async def test_a_runner_without_credentials_of_its_own_says_what_it_lacks(account, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(Problem) as refused:
        async with aws.credentials(identity(), account.url):
            raise AssertionError("taken on")
    assert refused.value.code == "infra_cloud_no_credentials"


async def test_the_servers_own_worker_proves_itself_by_nothing_but_its_environment(account, monkeypatch, tmp_path):
    kept = tmp_path / "credentials"
    kept.write_text("[default]\naws_access_key_id = file\naws_secret_access_key = of-a-file\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(kept))
    async with aws.credentials(identity(own=True), account.url):
        pass
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with aws.credentials(identity(), account.url):
        pass  # a runner of somebody's has that file
    with pytest.raises(Problem) as refused:
        async with aws.credentials(identity(own=True), account.url):
            raise AssertionError("taken on")
    assert refused.value.code == "infra_cloud_no_credentials"


async def test_addresses_that_the_environment_names_are_not_believed(account, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", account.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", account.url)
    client = aws._client(aws._session(), "sts", "us-east-1", None)
    assert client.meta.endpoint_url.endswith(".amazonaws.com")


async def test_regions_networks_zones_and_users_of_an_account_are_found(account):
    ec2 = account.client("ec2", "eu-west-1")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "ledger"}])
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.1.0/24", AvailabilityZone="eu-west-1a")
    account.client("route53").create_hosted_zone(Name="example.net.", CallerReference="1")
    account.client("iam").create_user(UserName="ops")
    found = await aws.discover(order(snapshot={"region": "eu-west-1"}), account.url)
    assert "eu-west-1" in {one["name"] for one in found["regions"]}
    network = next(one for one in found["networks"] if one["id"] == vpc)
    assert (network["name"], network["region"], network["cidr"]) == ("ledger", "eu-west-1", "10.20.0.0/16")
    assert [(one["zone"], one["cidr"]) for one in network["subnets"]] == [("eu-west-1a", "10.20.1.0/24")]
    assert [(one["name"], one["private"]) for one in found["dns_zones"]] == [("example.net", False)]
    assert [one["name"] for one in found["users"]] == ["ops"]
    assert "errors" not in found


async def test_networks_of_every_enabled_region_are_found_where_none_is_meant(account):
    account.client("ec2", "eu-central-1").create_vpc(CidrBlock="10.30.0.0/16")
    found = await aws.discover(order(), account.url)
    assert "eu-central-1" in {one["region"] for one in found["networks"] if one["cidr"] == "10.30.0.0/16"}


async def test_a_test_of_the_connection_says_what_it_may_not_list_and_a_fetch_fails(account):
    account.forbidden = {"ListUsers"}
    found = await aws.discover(order(snapshot={"region": "eu-west-1"}), account.url)
    assert found["users"] == []
    assert "ListUsers" in found["errors"]["users"]
    assert found["regions"]
    with pytest.raises(Problem) as refused:
        await aws.discover(order("FETCH_RESOURCES", {"region": "eu-west-1"}), account.url)
    assert refused.value.code == "infra_cloud_refused"
