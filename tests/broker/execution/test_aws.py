"""AWS Secrets Manager, against moto."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
import time
from contextlib import contextmanager

import pytest

from fakes.loopback import Answer, Loopback, serving
from quarterdeck.broker.execution import opening
from quarterdeck.broker.execution.machine import Machine
from quarterdeck.broker.execution.orders import BrokerOrder, Provider
from quarterdeck.broker.execution.providers import aws_client, protocol
from quarterdeck.broker.execution.providers.aws import AwsProvider
from quarterdeck.kernel import telemetry
from quarterdeck.kernel.errors import Conflict, Invalid, Problem
from quarterdeck.kernel.vault import Secret
from support.amazon import amazon

CANARY = "canary-of-aws"
ROLE = "arn:aws:iam::123456789012:role/secrets"
KEYS = "AKIAEXAMPLEEXAMPLE00:of-the-connection"


@pytest.fixture(scope="module")
def imitation():
    with amazon() as found:
        yield found


@pytest.fixture
def account(imitation, monkeypatch):
    from moto.backends import get_backend

    get_backend("secretsmanager").reset()
    imitation.forbidden.clear()
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # not believed
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", "/nonexistent")
    return imitation


@pytest.fixture(scope="module")
def owner(imitation):
    return imitation.client("secretsmanager", "eu-central-1")


def opened(account, credential=KEYS, **config) -> AwsProvider:
    given = {"region": "eu-central-1", "endpoint": account.url, **config}
    return AwsProvider.of(given, Secret(credential) if credential else None)


@pytest.fixture
async def provider(account):
    made = opened(account)
    yield made
    await made.close()


def current(owner, name):
    return owner.get_secret_value(SecretId=name, VersionStage="AWSCURRENT")


def kept(owner, name):
    return json.loads(current(owner, name)["SecretString"])


async def found(provider, **labels):
    return {one.secret_ref: one async for one in provider.find(labels)}


async def test_a_change_keeps_types_of_what_it_does_not_touch_and_leaves_the_version_before(owner, provider):
    made = owner.create_secret(Name="db", SecretString='{"A": "1", "PORT": 5432, "N": {"x": [1]}}')
    seen = await provider.read("db")
    assert (seen.values, seen.version) == ({"A": "1", "PORT": "5432", "N": '{"x":[1]}'}, made["VersionId"])
    await provider.write("db", {**seen.values, "A": "neü"}, seen)
    assert kept(owner, "db") == {"A": "neü", "PORT": 5432, "N": {"x": [1]}}
    stages = owner.describe_secret(SecretId="db")["VersionIdsToStages"]
    assert stages.pop(made["VersionId"]) == ["AWSPREVIOUS"]
    assert list(stages.values()) == [["AWSCURRENT"]]


async def test_a_secret_is_made_where_there_is_none(owner, provider):
    assert await provider.read("apps/new") is None
    await provider.write("apps/new", {"A": "1"}, None)
    assert kept(owner, "apps/new") == {"A": "1"}


async def test_one_that_was_made_without_a_value_gets_one(owner, provider):
    owner.create_secret(Name="empty")
    assert await provider.read("empty") is None
    await provider.write("empty", {"A": "1"}, None)
    assert kept(owner, "empty") == {"A": "1"}


async def test_what_somebody_else_has_written_meanwhile_is_not_lost(owner, provider):
    owner.create_secret(Name="db", SecretString='{"A": "1"}')
    seen = await provider.read("db")
    owner.put_secret_value(SecretId="db", SecretString='{"A": "theirs"}')
    for given in (seen, None):
        with pytest.raises(Conflict) as refused:
            await provider.write("db", {"A": "ours"}, given)
        assert refused.value.code == "secret_changed_meanwhile"
    assert kept(owner, "db") == {"A": "theirs"}


async def test_nor_what_is_written_between_the_look_and_the_write(owner, provider, monkeypatch):
    """The service itself refuses to take the label of the current version from one that has lost it."""
    owner.create_secret(Name="db", SecretString='{"A": "1"}')
    seen = await provider.read("db")
    look = AwsProvider._current

    def looked(self, name):
        current = look(self, name)
        owner.put_secret_value(SecretId="db", SecretString='{"A": "theirs"}')
        return current

    monkeypatch.setattr(AwsProvider, "_current", looked)
    with pytest.raises(Conflict):
        await provider.write("db", {"A": "ours"}, seen)
    assert kept(owner, "db") == {"A": "theirs"}
    stages = owner.describe_secret(SecretId="db")["VersionIdsToStages"]
    assert sorted(label for one in stages.values() for label in one) == ["AWSCURRENT", "AWSPREVIOUS"]


async def test_of_two_that_make_the_same_secret_one_does(account, owner):
    one, other = opened(account), opened(account)
    ended = await asyncio.gather(
        *(each.write("db", {"A": str(number)}, None) for number, each in enumerate((one, other))),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in ended) == ["Conflict", "NoneType"]


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"SecretString": "plain"}, "plain"),
        ({"SecretString": "[1]"}, "[1]"),
        ({"SecretString": "NaN"}, "NaN"),
        ({"SecretBinary": b"plain"}, "plain"),
        ({"SecretBinary": b"\xff\x00"}, "/wA="),
    ],
)
async def test_what_is_no_object_is_read_as_one_value_and_is_not_to_be_written(owner, provider, given, value):
    owner.create_secret(Name="db", **given)
    seen = await provider.read("db")
    assert (seen.values, seen.writable) == ({"value": value}, False)


async def test_an_object_that_is_kept_as_bytes_stays_so(owner, provider):
    owner.create_secret(Name="db", SecretBinary=b'{"A": "1"}')
    seen = await provider.read("db")
    assert seen.values == {"A": "1"}
    await provider.write("db", {"A": "2"}, seen)
    found = current(owner, "db")
    assert "SecretString" not in found
    assert json.loads(found["SecretBinary"]) == {"A": "2"}


async def test_a_list_goes_page_by_page_with_tags_and_reads_no_value(account, owner, monkeypatch):
    monkeypatch.setattr("quarterdeck.broker.execution.providers.aws.AT_ONCE", 3)
    for number in range(7):
        tags = [{"Key": "team", "Value": "shop" if number % 2 else "other"}]
        made = owner.create_secret(Name=f"prod/db-{number}", SecretString='{"A": "1"}', Tags=tags)
    owner.create_secret(Name="elsewhere", SecretString="x")
    provider = opened(account, prefix="prod")
    listed = await found(provider)
    assert sorted(listed) == [f"db-{number}" for number in range(7)]
    assert (listed["db-6"].labels, listed["db-6"].version) == ({"team": "other"}, made["VersionId"])
    assert sorted(await found(provider, team="shop")) == ["db-1", "db-3", "db-5"]
    assert (await provider.read("db-1")).values == {"A": "1"}
    await provider.close()


@pytest.mark.parametrize("ref", ["", "a b", "arn:aws:secretsmanager:eu-central-1:1:secret:other", "x" * 600])
async def test_a_reference_names_a_secret_below_the_prefix(account, ref):
    with pytest.raises(Invalid) as refused:
        await opened(account, prefix="prod").read(ref)
    assert refused.value.code == "secret_ref_malformed"


async def test_a_role_is_taken_on_for_a_quarter_of_an_hour(account, owner, monkeypatch):
    monkeypatch.setattr("support.amazon.EXTERNAL_ID", None)
    owner.create_secret(Name="db", SecretString='{"A": "1"}')
    before = len(account.assumed)
    provider = opened(account, role_arn=ROLE)
    assert (await provider.read("db")).values == {"A": "1"}
    said = account.assumed[before]
    assert (said["RoleArn"], said["DurationSeconds"]) == (ROLE, "900")
    credentials = provider._client._request_signer._credentials
    assert credentials.access_key != KEYS.partition(":")[0]
    await provider.close()


async def test_without_a_credential_the_machines_own_is_used_and_without_both_that_is_said(account, owner, monkeypatch):
    owner.create_secret(Name="db", SecretString='{"A": "1"}')
    with pytest.raises(Invalid) as refused:
        await opened(account, None).read("db")
    assert refused.value.code == "provider_credential_missing"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-machine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-machine")
    assert (await opened(account, None).read("db")).values == {"A": "1"}


async def test_an_order_of_a_connection_opens_it(account, owner, tmp_path):
    owner.create_secret(Name="prod/db", SecretString='{"A": "1"}')
    config = {"region": "eu-central-1", "endpoint": account.url, "prefix": "prod", "allow_server": True}
    connection = Provider(type="aws-sm", config=config, credential=KEYS)
    order = BrokerOrder(job="j", job_type="read", provider_type="aws-sm", seconds=5, connection=connection)
    made = opening.opened(None, order, Machine(tmp_path, own=True))
    assert (await made.read("db")).values == {"A": "1"}
    await made.close()


@pytest.mark.parametrize("credential", ["no-colon", ":", "AKIA:", "A K:secret"])
def test_a_credential_of_another_form_is_refused_without_being_told(account, credential):
    with pytest.raises(Problem) as refused:
        opened(account, credential)
    assert credential == ":" or credential not in str(vars(refused.value))


@contextmanager
def standing_in(status, body=None, raw=None, before=None):
    """Something at the address that is not AWS."""

    class Odd(Loopback):
        def api(self, asked):
            return Answer(status, body, raw)

    with serving(Odd()) as server:
        server.before = before
        yield server


async def told(server, code="secret_provider_refused") -> str:
    provider = opened(server)
    with pytest.raises(Problem) as refused:
        await provider.read("db")
    await provider.close()
    assert refused.value.code == code
    assert CANARY not in str(vars(refused.value))
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    return refused.value.message


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (400, {"__type": "AccessDeniedException", "message": CANARY}, "AccessDeniedException"),
        (400, {"__type": f"{CANARY} 7", "message": CANARY}, "(refused)"),
        (400, {"__type": "DecryptionFailure", "Message": CANARY}, "DecryptionFailure"),
        (200, [CANARY], "understood"),
        (200, {"SecretString": CANARY}, "understood"),
        (302, {}, "refused"),
    ],
)
async def test_refusals_and_garbage_say_nothing_of_the_servers_own_words(account, status, body, says):
    with standing_in(status, body) as server:
        assert says in await told(server)
        assert len(server.asked) == 1


async def test_an_endless_a_slow_and_an_absent_server_are_given_up(account, monkeypatch):
    monkeypatch.setattr(aws_client, "LARGEST", 1000)
    with standing_in(200, {"SecretString": "x" * 2000}) as server:
        await told(server, "secret_provider_unreachable")
    monkeypatch.setattr(protocol, "SECONDS", 0.2)
    with standing_in(200, {}, before=lambda asked: time.sleep(0.5)) as server:
        began = time.monotonic()
        await told(server, "secret_provider_unreachable")
        assert time.monotonic() - began < 2


async def test_a_server_that_is_not_there_is_told(account):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        provider = opened(account, endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(Problem) as refused:
            await provider.read("db")
    assert refused.value.code == "secret_provider_unreachable"


async def test_no_value_is_logged_at_any_level(owner, provider):
    owner.create_secret(Name="db", SecretString=f'{{"A": "{CANARY}"}}')
    stream, root = io.StringIO(), logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        telemetry.configure("debug", stream=stream)
        seen = await provider.read("db")
        await provider.write("db", {"A": f"{CANARY}-2"}, seen)
        logging.getLogger("quarterdeck").debug("heard")
    finally:
        root.handlers[:], root.level = before
    assert "heard" in stream.getvalue()
    assert CANARY not in stream.getvalue()
