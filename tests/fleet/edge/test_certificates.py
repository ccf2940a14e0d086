"""Why a name has no certificate, and whether one is old."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quarterdeck.fleet.edge.certificates import Certificate, Lacking, why_none

NAME = "shop.example.test"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def line(error: str, name: str = NAME, logger: str = "tls.obtain") -> str:
    return json.dumps({"level": "error", "logger": logger, "identifier": name, "error": error}) + "\n"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ('performing request: Get "https://ca/directory": dial tcp 127.0.0.2:9443: connect: connection refused',
         "does not answer"),
        ("performing request: dial tcp: lookup ca.example.test: no such host", "does not answer"),
        ("HTTP 429 urn:ietf:params:acme:error:rateLimited - too many certificates", "makes it wait"),
        ("authorization failed: HTTP 400 urn:ietf:params:acme:error:connection - 192.0.2.1: Connection refused",
         "did not find this machine"),
        ("HTTP 400 urn:ietf:params:acme:error:dns - no valid A records found", "did not find this machine"),
        ("HTTP 400 urn:ietf:params:acme:error:rejectedIdentifier - forbidden by policy", "will not or may not"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "SSL_CERT_FILE"),
    ],
)  # fmt: skip
def test_what_the_edge_says_is_put_in_words(tmp_path: Path, error: str, words: str) -> None:
    log = tmp_path / "caddy.json"
    log.write_text("no json\n" + line("something older") + line(error) + line("another's", "other.example.test"))
    assert words in (why_none(log, NAME) or "")


def test_what_nobody_knows_is_not_explained(tmp_path: Path) -> None:
    log = tmp_path / "caddy.json"
    assert why_none(log, NAME) is None
    log.write_text(line("a riddle") + line("connection refused", logger="http.handlers"))
    assert why_none(log, NAME) is None


def test_a_certificate_in_the_last_quarter_of_its_life_should_have_been_renewed() -> None:
    made = Certificate("CN=Harbour", NOW, NOW + timedelta(days=80))
    assert not made.overdue(NOW + timedelta(days=59))
    assert made.overdue(NOW + timedelta(days=61))
    told = Lacking(NAME, made.ends, "the certificate authority does not answer").message
    assert told == (
        f"The certificate of {NAME} ends on 2026-05-20T00:00:00.000Z and has not been renewed: "
        "the certificate authority does not answer."
    )
