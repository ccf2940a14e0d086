from __future__ import annotations

import copy
import json
import pickle

import msgspec
import pytest

from quarterdeck.kernel.redaction import redact, sensitive
from quarterdeck.kernel.vault import Secret, conceal, refuse_secrets

SECRET = Secret("the-value")


def test_a_secret_shows_in_no_text():
    shown = f"{SECRET} {SECRET!r} {SECRET!s} {SECRET:>40} {[SECRET]} {{'a': {SECRET}}}"
    assert "the-value" not in shown + str(vars) + "%s" % SECRET  # noqa: UP031 - this form too


@pytest.mark.parametrize(
    "serialise",
    [
        json.dumps,
        msgspec.json.encode,
        msgspec.msgpack.encode,
        lambda value: msgspec.json.encode({"a": [value]}, enc_hook=refuse_secrets),
        pickle.dumps,
        copy.deepcopy,
        copy.copy,
        hash,
        lambda value: value == "the-value",
    ],
)
def test_a_secret_does_not_serialise_copy_or_compare(serialise):
    with pytest.raises(TypeError) as refusal:
        serialise(SECRET)
    assert "the-value" not in str(refusal.value)


def test_a_secret_matches_in_constant_time():
    assert SECRET.matches("the-value")
    assert SECRET.matches(b"the-value")
    assert not SECRET.matches("other")
    assert Secret(b"raw").matches("raw")


def test_concealing_nothing_is_nothing():
    assert conceal(None) is None
    assert conceal("x").reveal() == "x"


@pytest.mark.parametrize("name", ["password", "dbPassword", "api_key", "Authorization", "clientSecret", "set-cookie"])
def test_names_of_secrets_are_known(name):
    assert sensitive(name)


@pytest.mark.parametrize("name", ["tokenId", "secret_name", "expiresAt", "keyboard", "credentialKind", "author"])
def test_names_that_only_speak_of_secrets_are_shown(name):
    assert not sensitive(name)


def test_redaction_bounds_what_it_writes_down():
    deep: dict = {}
    inner = deep
    for _ in range(20):
        inner["a"] = inner = {}
    assert "…" in json.dumps(redact(deep), ensure_ascii=False)
    assert len(redact("x" * 10_000)) < 5_000
    assert redact({"password": None, "token": Secret("x")}) == {"password": None, "token": "****"}
