"""What an installation says of itself: to Prometheus, to probes, to the doctor."""

from __future__ import annotations

import asyncio
import io
import json
import os
import socket
import tempfile
from pathlib import Path

import httpx
import pytest
import structlog

from quarterdeck import doctor, support_bundle
from quarterdeck.access import grants
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.routes import ProxyRoute, encode_route
from quarterdeck.identity import sessions, users
from quarterdeck.identity.model import Organization
from quarterdeck.kernel import events, telemetry
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.db.migrate import revisions
from quarterdeck.kernel.events import subscriptions
from quarterdeck.providers import certificates_told
from support.deck import running, signed_in


@pytest.fixture
async def deck(tmp_path, database_address):
    async with running(tmp_path, database_address) as fresh:
        yield await signed_in(fresh)


def nearby(deck, peer: str = "127.0.0.1", host: str = "localhost") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=deck.client._transport.app, client=(peer, 5000))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}:8700")


def figure(text: str, name: str) -> float:
    (line,) = (line for line in text.splitlines() if line.startswith(name + " "))
    return float(line.rpartition(" ")[2])


async def test_a_scraper_on_this_machine_reads_figures(deck):
    project = await deck.project("Figures")
    await deck.do("projects.show", projectId=project)
    async with nearby(deck) as scraper:
        answer = await scraper.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    text = answer.text
    assert figure(text, 'quarterdeck_jobs_pending{lane="normal"}') == 0
    assert figure(text, 'quarterdeck_jobs_running{lane="urgent"}') == 0
    assert figure(text, "quarterdeck_edge_up") == 0
    assert figure(text, "quarterdeck_workers_connected") == 0
    assert figure(text, "quarterdeck_database_waiting") >= 0
    assert figure(text, "quarterdeck_audit_unsealed") >= 0
    shown = 'quarterdeck_http_requests_total{method="GET",route="/api/projects/{projectId}",status="200"}'
    assert figure(text, shown) == 1
    assert project not in text


async def test_addresses_that_clients_make_up_are_one_figure(deck):
    for number in range(5):
        await deck.send("GET", f"/nothing/{number}")
    async with nearby(deck) as scraper:
        text = (await scraper.get("/metrics")).text
    assert "/nothing/" not in text
    assert figure(text, 'quarterdeck_http_requests_total{method="GET",route="(none)",status="404"}') == 5


@pytest.mark.parametrize(
    ("peer", "host", "headers"),
    [
        ("192.0.2.7", "localhost", {}),
        ("127.0.0.1", "deck.example.com", {}),
        ("127.0.0.1", "localhost", {"x-forwarded-for": "192.0.2.7"}),
        ("127.0.0.1", "localhost", {"forwarded": "for=192.0.2.7"}),
        ("127.0.0.1", "localhost", {"authorization": "Bearer nonsense"}),
    ],
)
async def test_everybody_else_needs_a_credential_for_figures(deck, peer, host, headers):
    async with nearby(deck, peer, host) as client:
        assert (await client.get("/metrics", headers=headers)).status_code == 401


async def test_who_administers_the_installation_reads_figures_from_anywhere(deck):
    async with nearby(deck, "192.0.2.7", "deck.example.com") as client:
        answer = await client.get("/metrics", headers={"authorization": f"Bearer {deck.token}"})
    assert answer.status_code == 200


async def test_the_installation_is_told_of_in_its_first_organization_alone(deck):
    """Owners of another one, and its administrators by any route, see neither figures nor facts of all."""
    theirs = {role: await outsider(deck, role) for role in ("owner", "viewer")}
    for path in ("/metrics", "/api/system/doctor", "/console/backups"):
        for token in theirs.values():
            answer = await deck.send("GET", path, token=token)
            assert answer.status_code == 403, (path, answer.text[:200])
        assert (await deck.send("GET", path)).status_code == 200
    assert "whole installation" in (await deck.send("GET", "/api/system/doctor", token=theirs["owner"])).text
    assert (await deck.send("GET", "/api/projects", token=theirs["owner"])).status_code == 200
    for token, count in ((theirs["owner"], 0), ("", 1)):
        items = (await deck.send("GET", "/api/providers", token=token)).json()["items"]
        (acme,) = (one for one in items if one["key"] == "acme")
        assert len(acme["configuration"]["diagnostics"]) == count, acme
    assert (await deck.send("GET", "/metrics", token=await deck.member("viewer"))).status_code == 403


async def outsider(deck, role: str) -> str:
    """The token of somebody who acts in another organization."""

    def verb(tx):
        place = Organization(uid=tx.ids.uid(), ref=f"org_{role}", name=role, slug=f"{role}-place", created_at=tx.now)
        tx.add(place)
        user = users.create(tx, username=f"{role}-elsewhere")
        tx.flush()
        grants.give(tx, deck.instance.access, user.id, place.id, f"organization:{role}")
        made = sessions.open_session(tx, user, place, kinds=("long",), client_kind="web")
        return made.tokens["long"].reveal()

    return await deck.instance.db.write(verb)


async def test_a_subscriber_that_an_event_stops_is_told_of(deck, monkeypatch):
    def refuse(_tx, _event):
        raise LookupError

    subscriber = events.Subscriber("test.stopped", frozenset({"test-happened"}), refuse)
    monkeypatch.setitem(subscriptions._REGISTERED, subscriber.name, subscriber)
    database = deck.instance.db
    assert not any("test.stopped" in one for one in (await deck.instance.health())["problems"])
    await database.write(events.append, "test:1", "test-happened")
    for _ in range(subscriptions.PATIENCE + 1):
        await database.write(subscriptions.fail, subscriber.name, "LookupError")
    health = await deck.instance.health()
    (problem,) = (one for one in health["problems"] if "test.stopped" in one)
    for word in ("LookupError", "test-happened", "event_not_delivered"):
        assert word in problem
    assert health["facts"]["subscriberStopped1"] == "test.stopped"
    async with nearby(deck) as scraper:
        text = (await scraper.get("/metrics")).text
    assert figure(text, 'quarterdeck_event_subscriber_failures{subscriber="test.stopped"}') > subscriptions.PATIENCE
    address = deck.instance.database_address
    bundle = await asyncio.to_thread(support_bundle.collect, deck.instance.settings, deck.instance.data, address)
    (told,) = (one for one in bundle["database.json"]["subscribers"] if one["name"] == "test.stopped")
    assert told["error"] == "LookupError"
    assert told["next"].startswith("20")


async def test_the_scraper_reads_nothing_else(deck):
    async with nearby(deck) as scraper:
        assert (await scraper.get("/api/projects")).status_code == 401


async def test_probes_tell_when_the_server_is_about_to_end(deck):
    assert (await deck.send("GET", "/healthz", token=None)).json()["status"] == "ok"
    assert (await deck.send("GET", "/readyz", token=None)).json() == {"status": "ready"}
    deck.instance.stopping.set()
    answer = await deck.send("GET", "/readyz", token=None)
    assert (answer.status_code, answer.json()) == (503, {"status": "not_ready", "reason": "stopping"})
    deck.instance.stopping.clear()


async def test_the_doctor_names_facts_and_is_quick(deck):
    began = asyncio.get_running_loop().time()
    found = await deck.do("system.doctor")
    took = asyncio.get_running_loop().time() - began
    readiness = found["readiness"]
    assert readiness["checks"] == {"database": True, "migrations": True}
    facts = readiness["details"]
    assert facts["database"] == deck.instance.db.dialect
    assert facts["migrations"] == "current"
    assert facts["schema"] == revisions()[-1]
    assert facts["edge"] == "off"
    assert facts["docker"]
    assert {"diskFree", "git", "workers", "capabilities", "time", "version"} <= set(facts)
    assert "local" not in facts["capabilities"], "what the console shows of the same worker: no marks of machines"
    assert "server" in facts["capabilities"]
    assert took < 3, f"{took:.2f} s on this machine"


async def test_the_doctor_says_what_is_missing_and_never_raises(deck, monkeypatch):
    async def broken(_instance):
        raise RuntimeError("a defect")

    async def hanging(_instance):
        await asyncio.sleep(60)

    monkeypatch.setattr(doctor, "SECONDS", 0.5)
    monkeypatch.setattr(doctor, "_docker", hanging)
    monkeypatch.setattr(doctor, "_edge", broken)
    found = await deck.do("system.doctor")
    assert found["readiness"]["status"] == "degraded"
    said = " ".join(found["readiness"]["details"].values())
    assert "docker took longer" in said
    assert "edge failed (RuntimeError)" in said
    assert "a defect" not in said
    assert "No worker is connected" in said


async def test_the_doctor_names_who_has_the_ports_that_the_edge_needs(deck, monkeypatch):
    with tempfile.TemporaryDirectory(prefix="edge-") as place, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with Edge(Path(place), http_port=port, address="127.0.0.1") as edge:
            monkeypatch.setattr(deck.instance, "edge", edge)
            who = f"Port {port} belongs to process {os.getpid()} (python"
            for number, needed in enumerate(("one route needs it", "2 routes need it"), 1):
                path = edge.layout.route(f"web{number}")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(encode_route(ProxyRoute(id=path.stem, hostnames=(f"{path.stem}.localhost",))))
                said = " ".join((await deck.do("system.doctor"))["readiness"]["details"].values())
                assert f"The edge is not running, and {needed}. {who}" in said


@pytest.mark.parametrize(
    ("made", "names", "told"),
    [
        (1, 1, "The only name has a certificate; it ends on"),
        (1, 2, "1 of 2 names has a certificate; it ends on"),
        (2, 3, "2 of 3 names have a certificate; the first ends on"),
    ],
)
def test_certificates_are_counted_in_words_that_agree(made: int, names: int, told: str):
    assert certificates_told(made, names) == told


@pytest.mark.parametrize(("count", "told"), [(1, "One migration is"), (2, "2 migrations are")])
def test_pending_migrations_are_counted_in_words_that_agree(count: int, told: str):
    assert doctor._pending(count).startswith(f"{told} pending;")


async def test_a_busy_machine_is_slow_and_not_wrong(deck, monkeypatch):
    from quarterdeck import doctor

    look = doctor._database

    async def slow(instance):
        await asyncio.sleep(1)
        return await look(instance)

    monkeypatch.setattr(doctor, "_database", slow)
    readiness = (await deck.do("system.doctor"))["readiness"]
    assert readiness["checks"] == {"database": True, "migrations": True}
    assert "took longer" not in " ".join(readiness["details"].values())

    monkeypatch.setattr(doctor, "SECONDS", 0.5)
    readiness = (await deck.do("system.doctor"))["readiness"]
    assert readiness["checks"] == {"database": False, "migrations": True}, "what was not seen is not wrong"
    assert "database took longer than 0.5 s" in " ".join(readiness["details"].values())


async def test_without_a_docker_engine_the_doctor_says_why(deck, monkeypatch):
    from dataclasses import replace

    deck.instance.placement = replace(deck.instance.placement, docker_host="unix:///nonexistent/docker.sock")
    facts = (await deck.do("system.doctor"))["readiness"]["details"]
    assert facts["docker"].startswith("none: ")
    assert "docker.sock" in facts["docker"]
    assert "dockerProblem" not in facts


async def test_no_query_string_and_no_local_reaches_the_log(deck):
    heard = io.StringIO()
    telemetry.configure("info", stream=heard)
    try:
        await deck.send("GET", "/api/projects?token=hunter2-in-the-query")
        password = "hunter2-in-a-local"  # noqa: F841 - what a traceback with locals would show
        try:
            int("a defect")
        except ValueError:
            structlog.get_logger("quarterdeck.test").exception("failed")
    finally:
        structlog.reset_defaults()
        import logging

        logging.getLogger().handlers.clear()
    lines = [json.loads(line) for line in heard.getvalue().splitlines()]
    assert any(line["event"] == "request" and line["path"] == "/api/projects" for line in lines)
    assert any("ValueError: invalid literal" in line.get("exception", "") for line in lines)
    assert "hunter2-in-the-query" not in heard.getvalue()
    assert "hunter2-in-a-local" not in heard.getvalue().replace('password = "hunter2-in-a-local"', "")


# -- where the program stands


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({}, False),
        ({"host": "0.0.0.0"}, True),  # noqa: S104 - what an operator may choose
        ({"public_url": "https://deck.example.com"}, True),
        ({"trusted_proxy": ("10.0.0.0/8",)}, True),
    ],
)
@pytest.mark.parametrize("door", ["/api/auth/setup", "/api/bootstrap/auth/first-admin"])
async def test_the_first_administrator_needs_the_printed_token_unless_only_this_machine_can_knock(
    tmp_path, database_address, settings, needed, door
):
    body = {"password": "correct horse battery"}
    body |= {"username": "ada"} if door.endswith("setup") else {"email": "ada@example.com", "displayName": "Ada"}
    async with running(tmp_path, database_address, **settings) as deck:
        host = {"host": "localhost"}
        token = deck.instance.setup_token
        assert (token is not None) == needed
        if token is not None:
            refused = await deck.send("POST", door, body, token=None, headers=host)
            assert refused.status_code == 403
            assert token.reveal() not in refused.text
            wrong = await deck.send("POST", door, body, token=None, headers={**host, "x-setup-token": "wrong"})
            assert wrong.status_code == 403
            host["x-setup-token"] = token.reveal()
        answer = await deck.send("POST", door, body, token=None, headers=host)
        assert answer.status_code in {200, 201}, answer.text


async def test_a_public_address_makes_cookies_secure_and_other_hosts_strangers(tmp_path, database_address):
    async with running(tmp_path, database_address, public_url="https://deck.example.com") as deck:
        token = deck.instance.setup_token.reveal()
        body = {"email": "ada@example.com", "password": "correct horse battery", "displayName": "Ada"}
        headers = {"host": "deck.example.com", "x-setup-token": token}
        await deck.send("POST", "/api/bootstrap/auth/first-admin", body, token=None, headers=headers)
        body.pop("displayName")
        host = {"host": "deck.example.com"}
        signed = await deck.send("POST", "/api/auth/sign-in/email", body, token=None, headers=host)
        assert signed.status_code == 200, signed.text
        for cookie in signed.headers.get_list("set-cookie"):
            assert "Secure" in cookie
            assert "HttpOnly" in cookie
            assert "samesite=lax" in cookie.lower()
        assert "max-age" in signed.headers["strict-transport-security"]
        made = await deck.send("POST", "/api/admin/worker-tokens", {}, token=signed.json()["token"], headers=host)
        assert made.json()["serverUrl"] == "https://deck.example.com", "where machines dial in"
        assert (await deck.send("GET", "/healthz", token=None, headers={"host": "evil.example"})).status_code == 421
        assert (await deck.send("GET", "/healthz", token=None, headers={"host": "127.0.0.1:8700"})).status_code == 200


def held(deck):
    """The application with a limiter whose time stands still, however long passwords take to check here."""
    app = deck.client._transport.app
    app.state["frame"].limiter._clock = HeldClock()
    return app


async def test_only_a_trusted_proxy_is_believed_about_addresses(tmp_path, database_address):
    """The doors count attempts by address: whoever could make addresses up would never be slowed down."""
    async with running(tmp_path, database_address, trusted_proxy=("10.0.0.0/8",)) as deck:
        app = held(deck)

        async def knock(peer: str, forwarded: str) -> int:
            transport = httpx.ASGITransport(app=app, client=(peer, 5000))
            async with httpx.AsyncClient(transport=transport, base_url="http://deck.test") as client:
                body = {"username": "nobody", "password": "wrong"}
                answer = await client.post("/api/auth/login", json=body, headers={"x-forwarded-for": forwarded})
                return answer.status_code

        made_up = [await knock("192.0.2.7", f"198.51.100.{number}") for number in range(21)]
        assert made_up[-1] == 429
        relayed = [await knock("10.1.2.3", f"198.51.100.{number}") for number in range(21)]
        assert 429 not in relayed


@pytest.mark.parametrize("door", ["/api/auth/setup", "/api/auth/login", "/api/auth/sign-in/email"])
async def test_doors_are_slow_for_whoever_knocks_too_often(tmp_path, database_address, door):
    async with running(tmp_path, database_address) as deck:
        held(deck)
        body = {"username": "nobody", "email": "nobody@example.com", "password": ""}
        statuses = [(await deck.send("POST", door, body, token=None)).status_code for _ in range(21)]
        assert statuses[-1] == 429
        assert 429 not in statuses[:20]
