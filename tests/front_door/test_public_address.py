"""A server on the internet, as its visitors find it: with a certificate of a local authority, asked over ACME."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from front_door.conftest import in_a_network_of_its_own

pytestmark = [pytest.mark.edge, pytest.mark.root]
PUBLIC = "https://deck.example.test"


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Any]]:
    """Everything that `visiting` has seen, in a network of its own where port 80 is free and names are ours."""
    with tempfile.TemporaryDirectory(prefix="qd-door-") as place:
        visiting = in_a_network_of_its_own("front_door.visiting", place)
        said, errors = visiting.communicate(timeout=240)
        assert visiting.returncode == 0, errors[-6000:]
        yield json.loads(said)


def test_a_certificate_is_had_by_itself_and_soon(seen):
    assert seen["seconds"] < 20
    assert seen["again"] < 5


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.1"])
def test_old_protocols_are_refused(seen, version):
    assert "PROTOCOL_VERSION" in seen[version]["refused"].upper()


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_present_protocols_are_spoken_with_forward_secrecy_and_http_2(seen, version):
    shown = seen[version]
    assert shown["version"] == version
    assert shown["alpn"] == "h2"
    assert shown["cipher"].startswith(("ECDHE-", "TLS_"))
    assert any(word in shown["cipher"] for word in ("GCM", "CHACHA20"))


def test_weak_ciphers_are_refused_and_the_best_version_is_taken(seen):
    assert "refused" in seen["weak"]
    assert seen["usual"]["version"] == "TLSv1.3"


def test_another_name_gets_no_certificate_and_no_application(seen):
    assert "refused" in seen["stranger"]
    assert seen["other-host"]["status"] == 404
    assert seen["direct-other-host"]["status"] == 421


def test_plain_http_leads_to_https_keeping_address_and_method(seen):
    assert seen["plain"]["status"] == seen["plain-post"]["status"] == 308
    assert seen["plain"]["headers"]["location"] == f"{PUBLIC}/console/?next=1"
    assert seen["plain"]["cookies"] == []


@pytest.mark.parametrize("page", ["api", "root", "sign-in-page", "no-token", "token"])
def test_every_answer_carries_the_headers_that_keep_browsers_safe(seen, page):
    shown = seen[page]["headers"]
    age = int(shown["strict-transport-security"].removeprefix("max-age="))
    assert age >= 31_536_000
    assert shown["x-content-type-options"] == "nosniff"
    assert shown["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in shown["content-security-policy"]
    assert "unsafe" not in shown["content-security-policy"]
    assert shown["referrer-policy"] == "same-origin"
    assert not {"server", "via", "x-powered-by"} & set(shown)


def test_the_bare_address_leads_a_person_to_the_console(seen):
    assert seen["root"]["status"] == 303
    assert seen["root"]["headers"]["location"] == "/console/"


def test_cookies_travel_over_tls_alone_and_are_closed_to_scripts(seen):
    assert seen["cookies"]
    for cookie in seen["cookies"]:
        words = {word.strip().lower() for word in cookie.split(";")}
        assert {"secure", "httponly", "samesite=lax"} <= words


def test_the_first_administrator_needs_the_token_whichever_way_one_comes(seen):
    for way in ("no-token", "forwarded", "bad-token"):
        assert seen[way]["status"] == 403
        assert "setup_token_required" in seen[way]["body"]
    assert seen["token"]["status"] == 201


def test_a_caller_cannot_say_whose_address_he_has(seen):
    for callers in seen["callers"].values():
        assert callers
        assert set(callers) == {"127.0.0.1"}


def test_a_trusted_proxy_can(seen):
    assert seen["trusted"] == "192.0.2.77"


def test_nobody_but_the_edge_may_use_its_way_in(seen):
    assert seen["socket"] == "0o600"


def test_the_doctor_knows_the_certificate(seen):
    details = seen["doctor"]["readiness"]["details"]
    assert details["publicUrl"] == PUBLIC
    assert "Caddy Local Authority" in details["certificateIssuer"]
    assert details["certificateEnds"] > details["time"]


def test_while_the_server_is_down_visitors_are_told(seen):
    assert seen["down"]["status"] == 502
    assert "edge_upstream_unavailable" in seen["down"]["body"]
