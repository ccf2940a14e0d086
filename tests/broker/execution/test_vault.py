"""Vault and OpenBao, against a server made from the published API."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

import pytest

from fakes.loopback import Answer, serving
from fakes.vault_server import TOKEN, VaultServer
from quarterdeck.broker.execution.providers import calling, protocol
from quarterdeck.broker.execution.providers.vault import VaultProvider
from quarterdeck.kernel.errors import Conflict, Invalid, Problem, ProviderFailure
from quarterdeck.kernel.vault import Secret
from support.certificates import issued

CANARY = "canary-of-vault"


@pytest.fixture
def vault():
    with serving(VaultServer()) as found:
        yield found
    assert found.refused == []


def opened(vault, credential=TOKEN, environment=None, **config) -> VaultProvider:
    config = {"address": vault.url, **config}
    return VaultProvider.of(config, Secret(credential) if credential else None, environment or {})


@pytest.fixture
async def provider(vault):
    made = opened(vault)
    yield made
    await made.close()


async def found(provider, **labels):
    return {one.secret_ref: one async for one in provider.find(labels)}


async def test_values_that_are_no_texts_are_read_as_json_and_stay_what_they_are_when_others_change(vault, provider):
    vault.put("apps/db", {"USER": "shop", "PORT": 5432, "TAGS": ["a", "ü"], "ON": True, "NONE": None})
    seen = await provider.read("apps/db")
    assert seen.values == {"USER": "shop", "PORT": "5432", "TAGS": '["a","ü"]', "ON": "true", "NONE": "null"}
    assert seen.version == "1"
    await provider.write("apps/db", {**seen.values, "USER": "new", "ON": "false"}, seen)
    assert vault.values("apps/db") == {"USER": "new", "PORT": 5432, "TAGS": ["a", "ü"], "ON": "false", "NONE": None}


async def test_a_secret_is_made_where_there_is_none(vault, provider):
    assert await provider.read("apps/new") is None
    await provider.write("apps/new", {"A": "1"}, None)
    assert vault.values("apps/new") == {"A": "1"}


async def test_one_whose_last_version_was_deleted_is_made_again(vault, provider):
    vault.put("apps/db", {"A": "1"})
    vault.put("apps/db", None)
    assert await provider.read("apps/db") is None
    assert await found(provider) == {}
    await provider.write("apps/db", {"A": "2"}, None)
    assert vault.values("apps/db") == {"A": "2"}


async def test_what_somebody_else_has_written_meanwhile_is_not_lost(vault, provider):
    vault.put("apps/db", {"A": "1"})
    seen = await provider.read("apps/db")
    vault.put("apps/db", {"A": "theirs"})
    with pytest.raises(Conflict) as refused:
        await provider.write("apps/db", {"A": "ours"}, seen)
    assert refused.value.code == "secret_changed_meanwhile"
    assert vault.values("apps/db") == {"A": "theirs"}


async def test_of_two_that_make_the_same_secret_one_does(vault):
    one, other = opened(vault), opened(vault)
    assert [await each.read("apps/db") for each in (one, other)] == [None, None]
    ended = await asyncio.gather(
        *(each.write("apps/db", {"A": str(number)}, None) for number, each in enumerate((one, other))),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in ended) == ["Conflict", "NoneType"]
    assert len(vault.kept["apps/db"].versions) == 1
    await one.close()
    await other.close()


async def test_a_list_has_all_folders_with_labels_and_versions_and_reads_no_value(vault, provider):
    vault.put("root", {"A": CANARY})
    vault.put("apps/shop/db", {"A": CANARY}, team="shop", tier="1")
    vault.put("apps/shop/db", {"A": CANARY})
    vault.put("apps/shop", {"A": CANARY}, team="shop")
    for number in range(20):
        vault.put(f"many/{number}", {"A": CANARY})
    listed = await found(provider)
    assert len(listed) == 23
    assert (listed["apps/shop/db"].labels, listed["apps/shop/db"].version) == ({"team": "shop", "tier": "1"}, "2")
    assert set(await found(provider, team="shop")) == {"apps/shop/db", "apps/shop"}
    assert set(await found(provider, team="shop", tier="1")) == {"apps/shop/db"}
    assert not [one for one in vault.asked if "/data/" in one.path]


async def test_a_name_that_may_be_listed_and_not_looked_at_is_told_without_labels(vault, provider):
    vault.put("hidden", {"A": "1"}, team="shop")
    vault.denied.add("hidden")
    assert (await found(provider))["hidden"].labels == {}
    assert await found(provider, team="shop") == {}


async def test_a_connection_stays_below_its_prefix_in_its_mount_and_namespace():
    with serving(VaultServer(mount="team/kv", namespace="eu")) as vault:
        vault.put("prod/db", {"A": "1"})
        vault.put("elsewhere", {"A": "2"})
        provider = opened(vault, mount="team/kv", namespace="eu", prefix="prod")
        assert (await provider.read("db")).values == {"A": "1"}
        assert set(await found(provider)) == {"db"}
        for ref in ("../elsewhere", "a/../../elsewhere", "", "a//b", "/db", "db/", "."):
            with pytest.raises(Invalid) as refused:
                await provider.read(ref)
            assert refused.value.code == "secret_ref_malformed"
        assert await provider.read("%2e%2e/elsewhere") is None
        assert await provider.read("db?version=1#x") is None
        await provider.close()
        assert vault.refused == []


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [
        ({"VAULT_TOKEN": TOKEN}, False),
        ({"VAULT_TOKEN": TOKEN, "VAULT_ADDR": "https://vault.example.com"}, False),
        ({"VAULT_ADDR": "URL"}, False),
        ({"VAULT_TOKEN": TOKEN, "VAULT_ADDR": "URL/"}, True),
    ],
)
async def test_an_agents_own_token_goes_to_its_own_vault_alone(vault, environment, allowed):
    vault.put("a", {"A": "1"})
    environment = {name: value.replace("URL", vault.url) for name, value in environment.items()}
    if allowed:
        provider = opened(vault, None, environment)
        assert (await provider.read("a")).values == {"A": "1"}
        await provider.close()
        return
    with pytest.raises(Invalid) as refused:
        opened(vault, None, environment)
    assert refused.value.code == "provider_credential_missing"
    assert TOKEN not in str(vars(refused.value))
    assert vault.asked == []


async def told(provider, code="secret_provider_refused") -> str:
    with pytest.raises(Problem) as refused:
        await provider.read("apps/db")
    assert refused.value.code == code
    text = str(vars(refused.value)) + repr(refused.value)
    assert CANARY not in text
    assert TOKEN not in text
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    return refused.value.message


async def test_refusals_say_what_to_look_at_and_nothing_of_the_servers_own_words(vault, provider):
    vault.denied.add("apps/db")
    assert "lets the credential not do this" in await told(provider)
    vault.sealed = True
    assert "HTTP 503" in await told(provider)
    answers = [Answer(status, {"errors": [CANARY]}) for status in (301, 307, 400, 401, 429, 500)]
    for answer in answers:
        answer.headers = (("Location", f"{vault.url}/v1/kv/data/{CANARY}"),)
        vault.odd = lambda asked, answer=answer: answer
        before = len(vault.asked)
        await told(provider)
        assert len(vault.asked) == before + 1


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>" + CANARY.encode(),
        b"",
        b"[]",
        b"null",
        b'{"data": "canary-of-vault"}',
        b'{"data": {"data": ["canary-of-vault"], "metadata": {"version": 1}}}',
        b'{"data": {"data": {"A": "1"}, "metadata": {"version": "canary-of-vault"}}}',
        b'{"data": {"data": {"A": "\\ud800"}, "metadata": {"version": 1}}}',
        b"[" * 100_000,
        b'{"data": {"data": {"A": NaN}, "metadata": {"version": 1}}}',
    ],
)
async def test_garbage_is_no_secret(vault, provider, raw):
    vault.odd = lambda asked: Answer(200, raw=raw)
    assert "cannot be understood" in await told(provider)


async def test_an_endless_answer_is_not_read_to_its_end(vault, provider, monkeypatch):
    monkeypatch.setattr(calling, "LARGEST", 10_000)
    vault.odd = lambda asked: Answer(200, {"data": {"data": {"A": "x" * 20_000}, "metadata": {"version": 1}}})
    assert "more than can be read" in await told(provider)


async def test_a_slow_server_and_one_that_is_down_are_given_up(vault, monkeypatch):
    monkeypatch.setattr(protocol, "SECONDS", 0.2)
    provider = opened(vault)
    vault.before = lambda asked: time.sleep(0.6)
    began = time.monotonic()
    await told(provider, "secret_provider_unreachable")
    assert time.monotonic() - began < 0.5
    await provider.close()
    with serving(VaultServer()) as gone:
        provider = opened(gone)
    assert "did not answer" in await told(provider, "secret_provider_unreachable")
    await provider.close()


async def test_proxies_of_the_environment_are_not_asked(vault, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    vault.put("a", {"A": "1"})
    provider = opened(vault)
    assert (await provider.read("a")).values == {"A": "1"}
    await provider.close()


@pytest.mark.parametrize("credential", ["with\nline", "ümlaut", "tab\tbed"])
async def test_a_credential_that_no_token_can_be_is_refused_without_being_told(vault, credential):
    with pytest.raises(ProviderFailure) as refused:
        opened(vault, credential)
    assert credential not in str(vars(refused.value))


async def test_only_the_connections_own_certificate_is_trusted_where_it_has_one(tmp_path: Path):
    pem, key = issued("localhost")
    (tmp_path / "server.pem").write_bytes(pem + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server = VaultServer()
    server.put("a", {"A": "1"})
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server) as vault:
        address = f"https://localhost:{vault.server_address[1]}"
        provider = opened(vault, address=address, ca_pem=pem.decode())
        assert (await provider.read("a")).values == {"A": "1"}
        await provider.close()
        for given in ({}, {"ca_pem": issued("localhost")[0].decode()}):
            stranger = opened(vault, address=address, **given)
            await told(stranger, "secret_provider_unreachable")
            await stranger.close()
        with pytest.raises(ProviderFailure):
            opened(vault, address=address, ca_pem="-----BEGIN CERTIFICATE-----\nnone")
        assert len(vault.asked) == 1
