"""Taking a role of AWS on, and what an account has: against moto, whose trust policy asks for the external id."""

from __future__ import annotations

import asyncio
import json
import stat

import botocore.session
import pytest

from quarterdeck.infra.execution import lasting
from quarterdeck.infra.execution.clouds import aws
from quarterdeck.infra.execution.lasting import Keeping
from quarterdeck.infra.execution.orders import Cloud, InfraOrder, Module, Place
from quarterdeck.kernel.errors import Problem, Unavailable
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


def keeping(path, hidden=None) -> Keeping:
    """In a directory with a name that a shell would trip over."""
    return Keeping(path / "it's kept", (set() if hidden is None else hidden).update)


def as_an_sdk_reads_it(monkeypatch, variables):
    """A session with nothing but the variables of the job."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return botocore.session.Session().get_credentials()


async def test_a_role_is_taken_on_anew_while_a_job_runs_and_what_reads_it_gets_the_new_one(
    account, monkeypatch, tmp_path
):
    hidden: set[str] = set()
    kept = keeping(tmp_path, hidden)
    async with aws.credentials(identity(), account.url, keeping=kept, every=0.05) as variables:
        assert set(variables) == {"AWS_CONFIG_FILE", "AWS_EC2_METADATA_DISABLED"}
        content = (kept.directory / aws.TAKEN).read_text()
        async with asyncio.timeout(20):
            while len(account.assumed) < 3 or (kept.directory / aws.TAKEN).read_text() == content:
                await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing is renewed once the job is over"
    found = as_an_sdk_reads_it(monkeypatch, variables)
    assert found.method == "custom-process"
    frozen = found.get_frozen_credentials()
    told = json.loads((kept.directory / aws.TAKEN).read_text())
    assert (frozen.access_key, frozen.secret_key) == (told["AccessKeyId"], told["SecretAccessKey"])
    assert told["SecretAccessKey"] not in content
    assert {told["SecretAccessKey"], told["SessionToken"]} <= hidden
    assert {(said["ExternalId"], said["DurationSeconds"]) for said in account.assumed} == {(EXTERNAL_ID, "3600")}
    # What has run out is read again: an SDK asks for it before, and then has what stands there now.
    fresh = {**told, "AccessKeyId": "ASIANEXT", "Expiration": "2099-01-01T00:00:00Z"}
    kept.write(aws.TAKEN, json.dumps({**told, "Expiration": "2001-01-01T00:00:00Z"}))
    with pytest.raises(RuntimeError, match="still expired"):
        as_an_sdk_again().get_frozen_credentials()
    kept.write(aws.TAKEN, json.dumps(fresh))
    assert as_an_sdk_again().get_frozen_credentials().access_key == "ASIANEXT"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in kept.directory.iterdir()}
    assert modes == {aws.CONFIG: 0o600, aws.TAKEN: 0o600}
    assert stat.S_IMODE(kept.directory.stat().st_mode) == 0o700


def as_an_sdk_again():
    return botocore.session.Session().get_credentials()


async def test_a_renewal_that_fails_is_tried_again_and_the_first_one_is_refused_at_once(account, tmp_path):
    with pytest.raises(Problem):
        async with aws.credentials(identity(external_id="another"), account.url, keeping=keeping(tmp_path)):
            raise AssertionError("taken on")
    calls = []

    async def renew():
        calls.append(len(calls))
        if len(calls) in {2, 3}:
            raise Unavailable("The network is away.")

    async with lasting.renewed(renew, every=0.01, again=0.01), asyncio.timeout(20):
        while len(calls) < 6:
            await asyncio.sleep(0.01)
