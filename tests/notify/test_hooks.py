"""Outgoing webhooks against a real receiver: signed, tried again, given up, and only where they may go."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import ssl
import time
from datetime import timedelta

import pytest

from fakes.chat.serving import Fake
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify import addresses
from quarterdeck.notify.hooks import deliveries, offered, signing
from quarterdeck.notify.hooks.model import Hook
from support import own_roles
from support.certificates import issued
from support.chats import happen, quiet
from support.crew import Crew
from support.deck import running, signed_in

HOOKS = "/api/admin/hooks"


class Receiver(Fake):
    """Answers with each of `statuses` once, then 200; a status of 0 breaks the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: list[int] = []

    def answer(self, asked):
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise ConnectionError("gone")
        return status, {"ok": status < 300}


@pytest.fixture
def receiver():
    fake = Receiver()
    with fake.served():
        yield fake


@pytest.fixture
async def crew(tmp_path, database_address):
    async with running(tmp_path, database_address) as deck:
        yield Crew(await signed_in(deck))


@pytest.fixture
def hasty(monkeypatch):
    """Tries follow each other at once."""
    kind = jobs.kinds.get(deliveries.KIND)
    fields = {name: getattr(kind, name) for name in kind.__slots__}
    jobs.kinds.register(jobs.JobKind(**{**fields, "backoff_seconds": 0}))
    yield
    jobs.kinds.register(kind)


async def hook(crew, url, events=("task.*",), **more):
    body = {"name": "ci", "url": url, "events": list(events), **more}
    return await crew.ok("POST", HOOKS, body, status=201)


async def sent(crew, number):
    return (await crew.ok("GET", f"{HOOKS}/{number}/deliveries"))["items"]


def proved(secret, asked):
    """Whether a request is ours, as docs/reference/webhooks.md says that it is looked at."""
    parts = dict(one.split("=", 1) for one in asked.headers["x-quarterdeck-signature"].split(","))
    digest = hmac.new(secret.encode(), parts["t"].encode() + b"." + asked.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(parts["v1"], digest) and abs(time.time() - int(parts["t"])) < 300


def test_the_signature_is_made_as_documented():
    from datetime import UTC, datetime

    at = datetime(2027, 1, 1, tzinfo=UTC)
    digest = "t=1798761600,v1="
    told = signing.signed(Secret("whsec_test"), b'{"id":"1"}', at)
    assert told.startswith(digest)
    assert told == digest + hmac.new(b"whsec_test", b'1798761600.{"id":"1"}', hashlib.sha256).hexdigest()


async def test_an_event_is_sent_signed_to_who_wants_it_and_to_nobody_else(crew, receiver):
    wanting = await hook(crew, f"{receiver.url}/one?a=b")
    await hook(crew, f"{receiver.url}/other", events=["deployment.*"])
    disabled = await hook(crew, f"{receiver.url}/disabled", events=["*"])
    await crew.ok("PUT", f"{HOOKS}/{disabled['id']}", {"enabled": False})
    _, eve = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    await happen(crew.deck, "status_change", {"to": "completed", "text": "ä"})
    await happen(crew.deck, "status_change", {"to": "completed"}, organization_id=2)
    await happen(crew.deck, "nothing-that-is-offered", {})
    await happen(crew.deck, "status_change", {"to": "elsewhere"})
    await quiet(crew.deck)
    (asked,) = receiver.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/one", {"a": "b"})
    assert asked.headers["host"] == receiver.url.removeprefix("http://")
    assert asked.headers["x-quarterdeck-event"] == "task.completed"
    assert proved(wanting["secret"], asked)
    assert not proved("another", asked)
    told = asked.json
    assert told["id"] == asked.headers["x-quarterdeck-delivery"]
    assert (told["event"], told["subject"], told["organizationId"]) == ("task.completed", "task:42", "org_self_hosted")
    assert told["data"] == {"to": "completed", "text": "ä"}
    (one,) = await sent(crew, wanting["id"])
    assert (one["status"], one["attempts"], one["responseStatus"], one["error"]) == ("delivered", 1, 200, None)
    for way in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test")):
        body = {} if way[0] != "GET" else None
        await crew.refused(404, "WEBHOOK_NOT_FOUND", way[0], f"{HOOKS}/{wanting['id']}{way[1]}", body, token=eve)
    assert (await crew.ok("GET", HOOKS, token=eve))["items"] == []


async def test_what_fails_is_tried_again_until_it_is_taken(crew, receiver, hasty):
    receiver.statuses = [500, 0, 429, 302]
    made = await hook(crew, receiver.url)
    await happen(crew.deck, "status_change", {"to": "failed", "n": 42})
    await quiet(crew.deck)
    assert [one.headers["x-quarterdeck-attempt"] for one in receiver.asked] == ["1", "2", "3", "4", "5"]
    assert len({one.headers["x-quarterdeck-delivery"] for one in receiver.asked}) == 1
    assert len({one.body for one in receiver.asked}) == 1
    assert all(proved(made["secret"], one) for one in receiver.asked)
    (one,) = await sent(crew, made["id"])
    assert (one["status"], one["attempts"], one["responseStatus"]) == ("delivered", 5, 200)
    assert (await crew.ok("GET", f"{HOOKS}/{made['id']}"))["failingSince"] is None


async def test_the_certificate_is_that_of_the_name_though_its_number_is_called(crew, tmp_path, monkeypatch):
    """The connection goes to the address that was looked at; the name is still what is asked for and proved."""
    certificate, key = issued("localhost")
    pair = tmp_path / "pair.pem"
    pair.write_bytes(certificate + key)
    asked_for: list[str | None] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair)
    tls.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    fake = Receiver()
    with fake.served(tls):
        made = await hook(crew, fake.url)
        await crew.ok("POST", f"{HOOKS}/{made['id']}/test", status=201)
        there = f"{HOOKS}/{made['id']}/deliveries"
        async with asyncio.timeout(60):
            while not (await crew.ok("GET", there))["items"][0]["attempts"]:
                await asyncio.sleep(0.05)
        (one,) = (await crew.ok("GET", there))["items"]
        assert (one["status"], one["responseStatus"]) == ("pending", None)  # nobody trusts that certificate
        assert "did not answer" in one["error"]
        monkeypatch.setenv("SSL_CERT_FILE", str(pair))
        await crew.ok("POST", f"{HOOKS}/{made['id']}/test", status=201)
        async with asyncio.timeout(60):
            while (await crew.ok("GET", there))["items"][0]["status"] == "pending":
                await asyncio.sleep(0.05)
        assert (await crew.ok("GET", there))["items"][0]["status"] == "delivered"
    assert [one.headers["host"] for one in fake.asked] == [fake.url.removeprefix("https://")]
    assert set(asked_for) == {"localhost"}


async def test_what_takes_nothing_for_a_day_is_disabled_and_who_manages_webhooks_is_told(
    crew, receiver, hasty, monkeypatch
):
    monkeypatch.setattr(deliveries, "TRIES", 2)
    receiver.statuses = [500] * 20
    made = await hook(crew, receiver.url)
    _, lou = await crew.person("lou", "tasks:developer")
    keeper, kim = await crew.person("kim", "tasks:developer")
    await crew.db.write(own_roles.held, crew.deck.instance.access, keeper, "tasks:hooks.manage")
    await happen(crew.deck, "status_change", {"to": "failed", "n": 1})
    await quiet(crew.deck)
    there = f"{HOOKS}/{made['id']}"
    shown = await crew.ok("GET", there)
    assert shown["enabled"] is True
    assert shown["failingSince"]
    (one,) = await sent(crew, made["id"])
    assert (one["status"], one["attempts"], one["responseStatus"]) == ("failed", 2, 500)

    def long_ago(tx):
        row = tx.get(Hook, made["id"])
        row.failing_since = tx.now - timedelta(hours=25)
        tx.flush()

    await crew.db.write(long_ago)
    await happen(crew.deck, "status_change", {"to": "failed", "n": 2})
    await quiet(crew.deck)
    shown = await crew.ok("GET", there)
    assert shown["enabled"] is False
    assert "has taken nothing since" in shown["disabledReason"]
    (told,) = (await crew.ok("GET", "/api/web/notifications"))["items"]
    assert (told["type"], told["title"]) == ("webhook_disabled", "The webhook ci was disabled")
    (again,) = (await crew.ok("GET", "/api/web/notifications", token=kim))["items"]
    assert again["title"] == told["title"]
    assert (await crew.ok("GET", "/api/web/notifications", token=lou))["items"] == []
    assert [one["action"] for one in await crew.told()][-1] == "webhook.disabled"
    await happen(crew.deck, "status_change", {"to": "failed", "n": 3})
    await quiet(crew.deck)
    assert len(receiver.asked) == 4
    again = await crew.ok("PUT", there, {"enabled": True})
    assert (again["failingSince"], again["disabledReason"]) == (None, None)
    receiver.statuses = []
    await crew.ok("POST", f"{there}/test", status=201)
    await quiet(crew.deck)
    assert receiver.asked[-1].headers["x-quarterdeck-event"] == "ping"
    assert (await sent(crew, made["id"]))[0]["status"] == "delivered"


async def test_what_waits_for_a_webhook_that_is_gone_is_dropped(crew, receiver):
    made = await hook(crew, receiver.url)
    await crew.ok("PUT", f"{HOOKS}/{made['id']}", {"enabled": False})
    await crew.refused(409, "WEBHOOK_DISABLED", "POST", f"{HOOKS}/{made['id']}/test")
    gone = await hook(crew, receiver.url)
    receiver.statuses = [500]
    await crew.ok("POST", f"{HOOKS}/{gone['id']}/test", status=201)
    await crew.ok("DELETE", f"{HOOKS}/{gone['id']}")
    await crew.refused(404, "WEBHOOK_NOT_FOUND", "GET", f"{HOOKS}/{gone['id']}/deliveries")


async def test_the_secret_is_shown_once_and_nowhere_else(crew, receiver, capfd):
    made = await crew.once("webhook.created", "POST", HOOKS, {"name": "a", "url": receiver.url}, status=201)
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["*"]
    there = f"{HOOKS}/{made['id']}"
    before = len(crew.deck.heard)
    await crew.ok("GET", HOOKS)
    await crew.ok("GET", there)
    chosen = "a secret of my own"
    await crew.once("webhook.changed", "PUT", there, {"secret": chosen})
    await crew.ok("POST", f"{there}/test", status=201)
    await quiet(crew.deck)
    assert proved(chosen, receiver.asked[-1])
    heard = "".join(crew.deck.heard[before:]) + "".join(capfd.readouterr())
    names = ("notify_hooks", "notify_deliveries", "jobs", "audit_events", "domain_events")
    kept = await crew.db.read(lambda tx: "".join(str(r) for name in names for r in tx.execute(f"SELECT * FROM {name}")))
    for secret in (made["secret"], chosen):
        assert secret not in heard
        assert secret not in kept


async def test_bad_input_makes_no_webhook(crew, receiver):
    _, lead = await crew.person("lea", "tasks:lead")
    good = {"name": "a", "url": receiver.url}
    for code, change in (
        ("ADDRESS_NOT_ALLOWED", {"url": "http://hooks.example.com/"}),
        ("ADDRESS_NOT_ALLOWED", {"url": "https://user:pw@hooks.example.com/"}),
        ("ADDRESS_NOT_ALLOWED", {"url": "https://169.254.169.254/latest/meta-data"}),
        ("ADDRESS_NOT_ALLOWED", {"url": "file:///etc/passwd"}),
        ("ADDRESS_NOT_ALLOWED", {"url": "https://[::1"}),
        ("WEBHOOK_EVENT_UNKNOWN", {"events": ["user.*"]}),
        ("VALIDATION_ERROR", {"events": []}),
        ("VALIDATION_ERROR", {"secret": "short"}),
        ("VALIDATION_ERROR", {"name": "\u202egpj"}),
    ):
        await crew.refused(400, code, "POST", HOOKS, {**good, **change})
    await crew.refused(403, "PRODUCT_AUTH_FORBIDDEN", "POST", HOOKS, good, token=lead)
    assert (await crew.ok("GET", HOOKS))["items"] == []


async def test_another_organization_reaches_nothing_that_is_private(crew, receiver):
    """Who administers an organization does not thereby reach into the network of whoever runs the installation."""
    _, eve = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    for url in (
        receiver.url, "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://[::1]/",
        "https://192.168.1.1/", "https://[::ffff:10.0.0.1]/", "https://100.64.0.1/", "https://[::]/",
    ):  # fmt: skip
        body = {"name": "a", "url": url}
        await crew.refused(400, "ADDRESS_NOT_ALLOWED", "POST", HOOKS, body, token=eve)
    # A name says only when it is called what it stands for.
    made = await crew.ok("POST", HOOKS, {"name": "a", "url": "https://inside.example.com/"}, status=201, token=eve)
    assert made["url"] == "https://inside.example.com/"


@pytest.mark.parametrize(
    ("address", "near", "far"),
    [
        ("93.184.216.34", True, True), ("2606:2800:220:1::1", True, True), ("127.0.0.1", True, False),
        ("10.1.2.3", True, False), ("172.16.0.1", True, False), ("fd00::1", True, False), ("100.64.1.1", True, False),
        ("169.254.169.254", False, False), ("fe80::1", False, False), ("::", False, False),
        ("224.0.0.1", False, False), ("::ffff:169.254.169.254", False, False), ("::ffff:10.0.0.1", True, False),
        ("2002:a9fe:a9fe::1", False, False), ("240.0.0.1", True, False),
    ],
)  # fmt: skip
def test_which_addresses_may_be_called(address, near, far):
    found = ipaddress.ip_address(address)
    assert (addresses.allowed(found, near=True), addresses.allowed(found, near=False)) == (near, far)


async def test_a_name_is_judged_by_every_address_that_it_stands_for(monkeypatch):

    told = [["93.184.216.34"], ["93.184.216.34", "10.0.0.1"], ["169.254.169.254"]]

    async def stand_for(*_: object, **__: object):
        return [(2, 1, 6, "", (one, 443)) for one in told[0]]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", stand_for)
    called = await addresses.resolve("https://hooks.example.com:8443/a?b=c", near=False)
    assert called == addresses.Called("https://93.184.216.34:8443/a?b=c", "hooks.example.com", "hooks.example.com:8443")
    for near in (False, True):
        told[0] = told[1] if not near else told[2]
        with pytest.raises(Problem) as refused:
            await addresses.resolve("https://hooks.example.com/", near=near)
        assert refused.value.code == "address_not_allowed"


def test_what_is_offered_is_matched_by_name_and_by_group():
    assert offered.matches(["task.*"], "task.failed")
    assert not offered.matches(["task.*"], "deployment.failed")
    assert offered.matches(["task.failed"], "task.failed")
    assert not offered.matches(["task.failed"], "task.completed")
    assert offered.matches(["*"], "machine.drained")
    assert json.dumps(offered.NAMES)
