"""Master keys in Transit: what is wrapped opens there alone, in its place, and nothing is made or told in vain."""

from __future__ import annotations

import pytest

from fakes.transit_server import OPERATOR, Key, transit_server
from quarterdeck.kernel.errors import Conflict, Problem, Unavailable
from quarterdeck.kernel.vault import Secret
from quarterdeck.kernel.vault.backend import Wrapped
from quarterdeck.kernel.vault.transit import Place, TransitBackend, token_of

PLAIN, BOUND = bytes(range(32)), b"quarterdeck data key one"


@pytest.fixture
def server():
    with transit_server() as found:
        yield found
        assert found.unknown == []


def backend(server, *, token: str = OPERATOR, opened: bool = True, **given) -> TransitBackend:
    made = TransitBackend(Place(server.url, token_of(Secret(token)), **given))
    if opened:
        made.open(create=False)
    return made


def refusal(kind: type[Problem], call, *given, **named) -> Problem:
    """The refusal, which tells nothing of what was given or answered."""
    with pytest.raises(kind) as raised:
        call(*given, **named)
    told = f"{raised.value.message}{raised.value.hint}{raised.value.details}"
    assert "hvs." not in told
    assert raised.value.hint
    assert raised.value.__cause__ is None
    return raised.value


@pytest.mark.parametrize("kind", ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "rsa-2048"])
@pytest.mark.parametrize("derived", [False, True])
def test_a_data_key_opens_where_it_was_wrapped_and_nowhere_else(server, kind, derived) -> None:
    derived = derived and kind != "rsa-2048"
    server.keys["transit/quarterdeck"] = Key(type=kind, derived=derived)
    transit = backend(server)
    wrapped = transit.wrap(PLAIN, BOUND)
    assert wrapped.master_key_id == transit.current == "transit/quarterdeck:v1"
    assert backend(server).unwrap(wrapped, BOUND) == PLAIN
    with pytest.raises(ValueError, match="altered"):
        transit.unwrap(wrapped, b"quarterdeck data key two")


def test_older_versions_and_other_keys_of_the_server_still_open(server) -> None:
    transit = backend(server)
    first = transit.wrap(PLAIN, BOUND)
    assert transit.stage() == "transit/quarterdeck:v2"
    second = transit.wrap(PLAIN, BOUND)
    assert second.master_key_id == "transit/quarterdeck:v2"
    server.mounts.add("teams/keys")
    server.keys["teams/keys/deck"] = Key()
    moved = backend(server, mount="teams/keys", key="deck")
    assert [moved.unwrap(one, BOUND) for one in (first, second)] == [PLAIN, PLAIN]
    assert moved.wrap(PLAIN, BOUND).master_key_id == "teams/keys/deck:v1"
    assert transit.retire() == []
    assert transit.unwrap(first, BOUND) == PLAIN


def altered(wrapped: Wrapped) -> list[Wrapped]:
    text, last = wrapped.text, "B" if wrapped.text[-5] == "A" else "A"
    key = wrapped.master_key_id
    texts = [text[:-5] + last + text[-4:], text[:-8], text.replace("vault:v1", "vault:v9"), text[9:], "vault:v1:!", ""]
    names = ["transit/quarterdeck:v2", "transit/../sys/policy:v1", "../quarterdeck:v1", "transit/a/../b:v1", key[:-1]]
    return [*(Wrapped(key, one) for one in texts), *(Wrapped(one, text) for one in names)]


def test_what_was_altered_does_not_open_and_asks_no_other_path(server) -> None:
    transit = backend(server)
    wrapped = transit.wrap(PLAIN, BOUND)
    server.calls.clear()
    for one in altered(wrapped):
        with pytest.raises(ValueError, match="altered"):
            transit.unwrap(one, BOUND)
    assert {path for _, path in server.calls} <= {"/v1/transit/decrypt/quarterdeck"}


def test_a_version_that_may_not_decrypt_any_more_does_not_open(server) -> None:
    transit = backend(server)
    wrapped = transit.wrap(PLAIN, BOUND)
    server.keys["transit/quarterdeck"].rotate()
    server.keys["transit/quarterdeck"].min_decryption_version = 2
    with pytest.raises(ValueError, match="altered"):
        transit.unwrap(wrapped, BOUND)


def test_no_key_is_made_where_there_is_none_even_by_a_token_that_may(server) -> None:
    del server.keys["transit/quarterdeck"]
    told = refusal(Conflict, backend(server, opened=False).open, create=True)
    assert (told.code, "bao write -f transit/keys/quarterdeck" in (told.hint or "")) == (
        "key_backend_key_missing",
        True,
    )
    server.mounts.clear()
    assert refusal(Conflict, backend(server, opened=False).open, create=True).code == "key_backend_key_missing"
    assert server.keys == {}
    assert {method for method, _ in server.calls} == {"GET"}


def test_a_key_that_only_signs_is_refused(server) -> None:
    server.keys["transit/quarterdeck"] = Key(type="ed25519")
    assert refusal(Conflict, backend(server, opened=False).open, create=False).code == "key_backend_key_unsuitable"


def test_the_policy_of_the_guide_is_enough_and_less_says_what_is_missing(server) -> None:
    policy = {
        "transit/keys/quarterdeck": {"read"},
        "transit/encrypt/quarterdeck": {"update"},
        "transit/decrypt/quarterdeck": {"update"},
    }
    server.policies["narrow"] = policy
    transit = backend(server, token="narrow")
    assert transit.unwrap(transit.wrap(PLAIN, BOUND), BOUND) == PLAIN
    told = refusal(Conflict, transit.stage)
    assert (told.code, "--keep-master-key" in (told.hint or "")) == ("key_backend_refused", True)
    del policy["transit/encrypt/quarterdeck"]
    assert "update on transit/encrypt/quarterdeck" in (refusal(Conflict, transit.wrap, PLAIN, BOUND).hint or "")
    policy.clear()
    assert "read its key" in refusal(Conflict, transit.open, create=False).message


def test_the_namespace_goes_with_every_call(server) -> None:
    server.namespace = "teams/platform"
    transit = backend(server, namespace="teams/platform")
    assert transit.unwrap(transit.wrap(PLAIN, BOUND), BOUND) == PLAIN
    assert refusal(Conflict, backend(server, opened=False).open, create=False).code == "key_backend_refused"


def test_a_token_is_read_from_its_file_whenever_it_is_used(server, tmp_path) -> None:
    file = tmp_path / "token"
    file.write_text("hvs.first\n")
    server.policies = {"hvs.first": server.policies[OPERATOR]}
    transit = backend(server, token=f"@{file}")
    wrapped = transit.wrap(PLAIN, BOUND)
    server.policies = {"hvs.second": server.policies["hvs.first"]}
    assert refusal(Conflict, transit.unwrap, wrapped, BOUND).code == "key_backend_refused"
    file.write_text("hvs.second\n")
    assert transit.unwrap(wrapped, BOUND) == PLAIN
    file.write_bytes(b"hvs.\xff\n")
    assert str(file) in (refusal(Conflict, transit.unwrap, wrapped, BOUND).hint or "")
    file.write_text("hvs.a\nX-Injected: hvs.b")
    assert refusal(Unavailable, transit.unwrap, wrapped, BOUND).code == "key_backend_unavailable"
    file.unlink()
    assert str(file) in (refusal(Conflict, transit.unwrap, wrapped, BOUND).hint or "")


@pytest.mark.parametrize("status", [500, 502, 503, 429, 307, 472, 200])
def test_whatever_else_is_answered_is_told_as_being_away(server, status) -> None:
    transit = backend(server)
    wrapped = transit.wrap(PLAIN, BOUND)
    server.down = status
    for call, given in (
        (transit.wrap, (PLAIN, BOUND)),
        (transit.unwrap, (wrapped, BOUND)),
        (lambda: transit.open(create=False), ()),
    ):
        told = refusal(Unavailable, call, *given)
        assert (told.code, server.url in told.message) == ("key_backend_unavailable", True)
    server.down = None
    assert transit.unwrap(wrapped, BOUND) == PLAIN


def test_a_server_that_is_sealed_or_gone_is_away() -> None:
    with transit_server() as server:
        transit = backend(server)
        wrapped = transit.wrap(PLAIN, BOUND)
        server.sealed = True
        assert "sealed" in refusal(Unavailable, transit.unwrap, wrapped, BOUND).message
    assert refusal(Unavailable, transit.unwrap, wrapped, BOUND).code == "key_backend_unavailable"
