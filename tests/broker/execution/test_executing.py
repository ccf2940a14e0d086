"""What an attempt does, step by step, with a provider and a server that are under the test's hands."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec
import pytest

from quarterdeck.broker.execution import executing
from quarterdeck.broker.execution.executing import ALPHABETS, drawn, execute
from quarterdeck.broker.execution.machine import Machine
from quarterdeck.broker.execution.opening import opened
from quarterdeck.broker.execution.orders import BrokerOrder, Provider, WrapRef
from quarterdeck.broker.execution.providers.protocol import Bundle, Found, changed_meanwhile
from quarterdeck.broker.sealing import agreement
from quarterdeck.broker.sealing.encoding import decoded, encoded
from quarterdeck.broker.sealing.keys import content_hash
from quarterdeck.kernel.errors import Conflict, Invalid, NotFound, Problem
from quarterdeck.kernel.ids import Ids

CANARY = "canary-of-an-attempt"


class Kept:
    """A provider in memory. `between` is called before each write."""

    def __init__(self, bundle=None, found=0) -> None:
        self.bundle, self.count = bundle, found
        self.calls: list[str] = []
        self.between = lambda: None
        self.slow = 0.0

    async def read(self, ref):
        self.calls.append("read")
        await asyncio.sleep(self.slow)
        return self.bundle

    async def write(self, ref, values, seen):
        self.between()
        self.calls.append("write")
        if seen is not self.bundle:
            raise changed_meanwhile(ref)
        self.bundle = Bundle(dict(values), "next")

    async def find(self, labels):
        for number in range(self.count):
            yield Found(f"apps/{number}", labels)

    async def close(self):
        self.calls.append("close")


class Context:
    """The server's side of an attempt."""

    def __init__(self, values=None, lost=(), spoilt=False) -> None:
        self.values, self.lost, self.spoilt = values or {}, lost, spoilt
        self.said: list[tuple[str, object]] = []

    async def record(self, kind, data):
        self.said.append((kind, data))
        if kind in self.lost:
            return None
        if kind == "take":
            key, value = self.values[data["wrap_id"]]
            sealed = agreement.seal(decoded(data["public_key"], "public_key"), value.encode())
            hashed = content_hash(b"other" if self.spoilt else value.encode())
            return {"sealed": msgspec.to_builtins(sealed), "content_hash": hashed, "key_name": key}
        if kind == "data-key":
            return {"plaintext": encoded(bytes(32)), "ciphertext": encoded(b"wrapped"), "kms_key_id": "local"}
        return {}


@pytest.fixture
def provider(monkeypatch):
    made = Kept(Bundle({"A": "1", "B": "2"}, "v"))
    monkeypatch.setattr(executing, "opened", lambda context, order, machine: made)
    return made


def order(job_type, **more) -> BrokerOrder:
    given = {"job": "j", "provider_type": "file", "seconds": 5, "secret_ref": "apps/db", **more}
    return BrokerOrder(job_type=job_type, **given)


async def run(context, an_order, tmp_path):
    return await execute(context, an_order, Machine(tmp_path))


def wraps(*names):
    return [WrapRef(wrap_id=name, key_name=name) for name in names]


async def test_a_value_is_taken_only_once_the_provider_was_read(provider, tmp_path):
    provider.bundle = Bundle({"value": "plain"}, "v", writable=False)
    context = Context({"w": ("A", CANARY)})
    for job_type in ("patch", "update", "rotate"):
        with pytest.raises(Invalid) as refused:
            await run(context, order(job_type, wraps=wraps("w"), keys=["A"]), tmp_path)
        assert refused.value.code == "secret_no_object"
    assert context.said == []
    assert "write" not in provider.calls
    assert provider.calls.count("close") == 3


async def test_a_change_is_made_after_that_of_somebody_else(provider, tmp_path):
    others = [Bundle({"A": "theirs", "C": "3"}, "w")]

    def between():
        if others:
            provider.bundle = others.pop()

    provider.between = between
    context = Context({"w": ("A", CANARY)})
    assert await run(context, order("patch", wraps=wraps("w")), tmp_path) == {"keys": 1}
    assert provider.bundle.values == {"A": CANARY, "C": "3"}
    assert [kind for kind, _ in context.said] == ["take"]


async def test_one_that_turned_into_no_object_meanwhile_is_not_overwritten(provider, tmp_path):
    plain = Bundle({"value": "plain"}, "w", writable=False)
    provider.between = lambda: setattr(provider, "bundle", plain)
    with pytest.raises(Invalid):
        await run(Context({"w": ("A", CANARY)}), order("patch", wraps=wraps("w")), tmp_path)
    assert provider.bundle is plain


async def test_whoever_keeps_writing_wins_after_three_tries(provider, tmp_path):
    provider.between = lambda: setattr(provider, "bundle", Bundle({"A": "theirs"}, "w"))
    with pytest.raises(Conflict) as refused:
        await run(Context({"w": ("A", CANARY)}), order("patch", wraps=wraps("w")), tmp_path)
    assert refused.value.code == "secret_changed_meanwhile"
    assert provider.calls.count("write") == 3
    assert provider.bundle.values == {"A": "theirs"}


@pytest.mark.parametrize(
    ("trouble", "code"), [({"lost": ("take",)}, "wrap_answer_lost"), ({"spoilt": True}, "wrap_unreadable")]
)
async def test_a_value_that_did_not_arrive_whole_is_not_written(provider, tmp_path, trouble, code):
    with pytest.raises(Conflict) as refused:
        await run(Context({"w": ("A", CANARY)}, **trouble), order("patch", wraps=wraps("w")), tmp_path)
    assert refused.value.code == code
    assert "write" not in provider.calls
    assert CANARY not in str(vars(refused.value))


async def test_what_is_delivered_is_sealed_and_a_data_key_that_got_lost_delivers_nothing(provider, tmp_path):
    provider.bundle = Bundle({"A": CANARY, "EMPTY": "", "B": "2"}, "v")
    context = Context()
    assert await run(context, order("read"), tmp_path) == {"keys": 2}
    assert [kind for kind, _ in context.said] == ["data-key", "deliver"] * 2
    assert CANARY not in str(context.said)
    context = Context(lost=("data-key",))
    with pytest.raises(Conflict):
        await run(context, order("read"), tmp_path)
    assert [kind for kind, _ in context.said] == ["data-key"]


@pytest.mark.parametrize("bundle", [None, Bundle({}), Bundle({"A": ""}), Bundle({"B": "1"})])
async def test_a_read_that_finds_nothing_fails(provider, tmp_path, bundle):
    provider.bundle = bundle
    with pytest.raises(NotFound) as refused:
        await run(Context(), order("read", keys=["A"]), tmp_path)
    assert refused.value.code == "secret_missing"


async def test_a_rotation_reports_no_value(provider, tmp_path):
    context = Context()
    rotation = {"length": 24, "alphabet": "digits"}
    assert await run(context, order("rotate", keys=["A"], rotation=rotation), tmp_path) == {"keys": 1}
    assert context.said == []
    made = provider.bundle.values
    assert (made["B"], len(made["A"]), made["A"].isdigit()) == ("2", 24, True)


async def test_found_secrets_are_told_by_two_hundred(provider, tmp_path):
    provider.count = 450
    context = Context()
    assert await run(context, order("discover"), tmp_path) == {"secrets": 450}
    assert [len(data["items"]) for kind, data in context.said] == [200, 200, 50]
    assert await run(Context(), order("verify", keys=["A"]), tmp_path) == {"keys": 2}


async def test_an_attempt_ends_before_its_lease(provider, tmp_path):
    provider.slow = 5
    an_order = order("read", seconds=0)
    with pytest.raises(Problem) as refused:
        await run(Context(), an_order, tmp_path)
    assert refused.value.code == "secret_provider_slow"
    assert provider.calls[-1] == "close"


async def test_what_no_worker_of_ours_does_fails_instead_of_pretending(provider, tmp_path):
    for job_type in ("sync", "delete", "unheard"):
        with pytest.raises(Invalid) as refused:
            await run(Context(), order(job_type), tmp_path)
        assert refused.value.code == "broker_job_unsupported"
    assert provider.calls == []


@pytest.mark.parametrize("provider_type", ["file", "quarterdeck", "gcp-sm"])
def test_another_machine_opens_nothing_of_the_servers_own(provider_type, tmp_path):
    an_order = order("read", provider_type=provider_type)
    with pytest.raises(Invalid) as refused:
        opened(Context(), an_order, Machine(tmp_path))
    assert refused.value.code == "provider_unsupported"


@pytest.mark.parametrize("provider_type", ["vault", "aws-sm", "kubernetes"])
def test_the_server_lends_nobody_what_its_machine_is_trusted_with(provider_type, tmp_path):
    config = {"address": "https://vault.example.com", "region": "eu-central-1", "namespace": "shop"}
    own = {"VAULT_TOKEN": CANARY, "VAULT_ADDR": "https://vault.example.com", "AWS_ACCESS_KEY_ID": CANARY}
    an_order = order("read", connection=Provider(type=provider_type, config=config), provider_type=provider_type)
    with pytest.raises(Invalid) as refused:
        opened(Context(), an_order, Machine(tmp_path, own=True, environment=own))
    assert refused.value.code == "provider_credential_missing"


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_each_letter_is_as_likely_as_any_other(alphabet):
    letters = ALPHABETS[alphabet]
    count = Counter(drawn(Ids(), letters, 20_000))
    assert set(count) == set(letters)
    expected = 20_000 / len(letters)
    assert all(abs(found - expected) < 7 * expected**0.5 for found in count.values())
