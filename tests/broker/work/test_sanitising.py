"""What is kept of a failure has nothing in it that looks like a secret, and is short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from quarterdeck.broker.work.sanitising import LONGEST, sanitised

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.dBjftJeZ4CVP"


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("AccessDenied for AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("permission denied: hvs.CAESIJ1234567890abcdef", "hvs.CAESIJ1234567890abcdef"),
        ("old token s.aBcDeFgHiJkLmNoPqRsTuVwX", "s.aBcDeFgHiJkLmNoPqRsTuVwX"),
        (f"401 with {JWT}", JWT),
        ("dial https://ops:hunter2@db.example.com:5432/x", "hunter2"),
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ('{"password": "correct horse"}', "correct"),
        ("api_key=12345", "12345"),
        ("key " + "Zm9v" * 20, "Zm9v" * 20),
        ("digest 0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "MIIE"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstu", "AIzaSyA1234567890"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_0123456789"),
    ],
)
def test_what_looks_like_a_secret_is_masked(said, secret):
    told = sanitised(said)
    assert secret not in told
    assert "****" in told


@given(some.text(max_size=9000))
def test_what_is_kept_is_one_short_line(said):
    told = sanitised(said)
    assert len(told) <= LONGEST
    assert "\n" not in told
    told.encode()


def test_plain_words_stay_as_they_are():
    assert sanitised("secret apps/shop was not found (404)") == "secret apps/shop was not found (404)"
