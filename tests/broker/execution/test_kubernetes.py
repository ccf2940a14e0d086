"""Kubernetes, against an API made from the published OpenAPI document."""

from __future__ import annotations

import asyncio
import time

import pytest

from fakes.kubernetes_api import KubernetesApi
from fakes.loopback import Answer, serving
from quarterdeck.broker.execution.providers import calling, kubernetes, protocol
from quarterdeck.broker.execution.providers.kubernetes import KubernetesProvider
from quarterdeck.kernel.errors import Conflict, Invalid, Problem
from quarterdeck.kernel.vault import Secret

CANARY = "canary-of-kubernetes"


@pytest.fixture
def api():
    with serving(KubernetesApi()) as found:
        yield found
    assert found.refused == []


def opened(api, credential="of-the-account", environment=None, **config) -> KubernetesProvider:
    given = {"address": api.url, "namespace": "shop", **config}
    return KubernetesProvider.of(given, Secret(credential) if credential else None, environment or {})


@pytest.fixture
async def provider(api):
    made = opened(api)
    yield made
    await made.close()


async def found(provider, **labels):
    return {one.secret_ref: one async for one in provider.find(labels)}


async def test_a_change_touches_nothing_but_keys(api, provider):
    version = api.put("db", {"A": "1", "OLD": "2", "KEY": b"\xff\x00"}, team="shop")
    api.secrets["db"]["metadata"]["annotations"] = {"owner": "ops"}
    api.secrets["db"]["type"] = "example.com/own"
    seen = await provider.read("db")
    assert (seen.version, seen.values) == (version, {"A": "1", "OLD": "2", "KEY": "/wA="})
    await provider.write("db", {"A": "neü", "KEY": "/wA=", "B": ""}, seen)
    assert api.values("db") == {"A": "neü".encode(), "KEY": b"\xff\x00", "B": b""}
    assert api.secrets["db"]["metadata"]["annotations"] == {"owner": "ops"}
    assert api.secrets["db"]["metadata"]["labels"] == {"team": "shop"}
    assert api.secrets["db"]["type"] == "example.com/own"


async def test_a_secret_is_made_where_there_is_none_and_one_without_data_is_no_failure(api, provider):
    assert await provider.read("new") is None
    await provider.write("new", {"A": "1"}, None)
    assert api.values("new") == {"A": b"1"}
    del api.secrets["new"]["data"]
    seen = await provider.read("new")
    assert seen.values == {}
    await provider.write("new", {"B": "2"}, seen)
    assert api.values("new") == {"B": b"2"}


async def test_what_somebody_else_has_written_meanwhile_is_not_lost(api, provider):
    api.put("db", {"A": "1"})
    seen = await provider.read("db")
    api.put("db", {"A": "theirs"})
    for given in (seen, None):
        with pytest.raises(Conflict) as refused:
            await provider.write("db", {"A": "ours"}, given)
        assert refused.value.code == "secret_changed_meanwhile"
    assert api.values("db") == {"A": b"theirs"}
    del api.secrets["db"]
    with pytest.raises(Conflict):
        await provider.write("db", {"A": "ours"}, seen)


async def test_of_two_writers_one_wins(api, provider):
    api.put("db", {"A": "1"})
    seen = await provider.read("db")
    ended = await asyncio.gather(
        *(provider.write("db", {"A": f"ours-{number}"}, seen) for number in range(2)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in ended) == ["Conflict", "NoneType"]


async def test_a_list_goes_page_by_page_by_labels_and_has_no_value(api, provider, monkeypatch):
    monkeypatch.setattr(kubernetes, "AT_ONCE", 3)
    for number in range(8):
        api.put(f"db-{number}", {"A": CANARY}, team="shop" if number % 2 else "other")
    listed = await found(provider)
    assert len(listed) == 8
    assert listed["db-1"].labels == {"team": "shop"}
    assert listed["db-1"].version == api.secrets["db-1"]["metadata"]["resourceVersion"]
    assert sorted(await found(provider, team="shop")) == ["db-1", "db-3", "db-5", "db-7"]
    lists = [one for one in api.asked if one.path.endswith("/secrets")]
    assert len(lists) == 5
    assert {one.headers["Accept"] for one in lists} == {kubernetes.WITHOUT_VALUES["Accept"]}


async def test_a_connection_stays_below_its_prefix_and_in_its_namespace(api):
    api.put("shop-db", {"A": "1"})
    api.put("other", {"A": "2"})
    provider = opened(api, prefix="shop-")
    assert (await provider.read("db")).values == {"A": "1"}
    assert set(await found(provider)) == {"db"}
    for ref in ("../../other/secrets/x", "", "a/b", "UPPER", "a?b", "x" * 260, "db%2e"):
        with pytest.raises(Invalid) as refused:
            await provider.read(ref)
        assert refused.value.code == "secret_ref_malformed"
    await provider.close()
    with pytest.raises(Invalid):
        opened(api, namespace="kube-system/secrets")


async def told(provider, code="secret_provider_refused") -> str:
    with pytest.raises(Problem) as refused:
        await provider.read("db")
    assert refused.value.code == code
    text = str(vars(refused.value))
    assert CANARY not in text
    assert "of-the-account" not in text
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    return refused.value.message


async def test_refusals_say_what_to_look_at_and_nothing_of_the_servers_own_words(api, provider):
    api.denied.add("get")
    assert "lets the credential not do this" in await told(provider)
    for status in (301, 401, 429, 500):
        api.odd = lambda asked, status=status: Answer(status, {"message": CANARY})
        await told(provider)
    stranger = opened(api, "another")
    api.odd = None
    assert "does not accept the credential" in await told(stranger)
    await stranger.close()


async def test_an_immutable_secret_and_a_key_that_cannot_be_are_refused(api, provider):
    api.put("db", {"A": "1"})
    seen = await provider.read("db")
    with pytest.raises(Problem) as refused:
        await provider.write("db", {"A": "1", "no key": CANARY}, seen)
    assert (refused.value.code, CANARY in refused.value.message) == ("secret_provider_refused", False)
    api.secrets["db"]["immutable"] = True
    with pytest.raises(Problem) as refused:
        await provider.write("db", {"A": "2"}, seen)
    assert refused.value.code == "secret_provider_refused"
    assert api.values("db") == {"A": b"1"}


@pytest.mark.parametrize(
    "raw",
    [b"<html>", b"[1]", b'{"metadata": {}}', b'{"metadata": {"resourceVersion": "1"}, "data": {"A": "no base64!"}}',
     b'{"metadata": {"resourceVersion": "1"}, "data": {"A": 7}}',
     b'{"metadata": {"resourceVersion": "1"}, "data": [1]}'],
)  # fmt: skip
async def test_garbage_is_no_secret(api, provider, raw):
    api.odd = lambda asked: Answer(200, raw=raw)
    assert "cannot be understood" in await told(provider)


async def test_an_endless_a_slow_and_an_absent_server_are_given_up(api, provider, monkeypatch):
    monkeypatch.setattr(calling, "LARGEST", 1000)
    api.odd = lambda asked: Answer(200, {"data": {"A": "x" * 2000}})
    assert "more than can be read" in await told(provider)
    monkeypatch.setattr(protocol, "SECONDS", 0.2)
    api.before = lambda asked: time.sleep(0.6)
    await told(provider, "secret_provider_unreachable")
    with serving(KubernetesApi()) as gone:
        absent = opened(gone)
    await told(absent, "secret_provider_unreachable")
    await absent.close()


async def test_the_agents_own_account_is_for_its_own_cluster_alone(api, tmp_path, monkeypatch):
    monkeypatch.setattr(kubernetes, "SERVICE_ACCOUNT", tmp_path)
    inside = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    for environment, config in ((inside, {}), (inside, {"address": ""}), ({}, {"address": ""})):
        with pytest.raises(Invalid) as refused:
            opened(api, None, environment, **config)
        assert refused.value.code == "provider_credential_missing"
    (tmp_path / "token").write_text("of-the-account\n")
    with pytest.raises(Invalid):
        opened(api, None, inside)
    own = opened(api, None, inside, address="")
    assert own._caller.base == "https://[fd00::1]:6443"
    await own.close()
    monkeypatch.setattr(kubernetes, "_own_address", lambda environment: api.url)
    own = opened(api, None, inside, address="")
    api.put("db", {"A": "1"})
    assert (await own.read("db")).values == {"A": "1"}
    await own.close()
