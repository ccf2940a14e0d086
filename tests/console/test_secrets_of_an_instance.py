"""Brokered secrets in the console of a real instance: who is asked is told so, who may not is refused, and a value is
shown once to whoever asked for it, and stands on no page.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.console.composition import InstancePorts
from quarterdeck.kernel.principal import Context, current
from quarterdeck.kernel.vault import Secret
from support.crew import Crew
from support.deck import running, signed_in
from surfaces.broker.wire_agent import WireAgent

HERE = {"origin": "http://localhost"}
SECRETS = "/console/secrets"
ASKED = {
    "kind": "read",
    "kept": "vault:",
    "ref": "apps/shop/db",
    "keys": "PASSWORD",
    "justification": "the shop is down",
}
CANARY = "canary-7f3a"


class Carried:
    """The requests of an agent over the crew's client."""

    def __init__(self, crew):
        self.crew = crew

    async def send(self, method, path, body=None, *, token=None, headers=None):
        self.crew.deck.client.cookies.clear()
        return await self.crew.send(method, path, body, token=token, headers=headers)


@pytest.fixture
async def crew(tmp_path, database_address):
    async with running(tmp_path, database_address) as deck:
        yield Crew(await signed_in(deck))


@pytest.fixture
async def dora(crew):
    return (await crew.person("dora", "organization:viewer", "broker:developer"))[1]


@pytest.fixture
async def paul(crew):
    return (await crew.person("paul", "organization:viewer", "broker:approver"))[1]


async def send(crew, method, path, token=None, headers=None, **form):
    crew.deck.client.cookies.set("qd_session", crew.deck.instance.signer.sign(Secret(token or crew.deck.token)))
    return await crew.deck.client.request(method, path, headers={**HERE, **(headers or {})}, data=form or None)


async def page(crew, path, token=None):
    answer = await send(crew, "GET", path, token)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


async def posted(crew, path, token=None, **form):
    """The address that a form leads to."""
    answer = await send(crew, "POST", path, token, **form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def agent(crew, name="eu"):
    """One that the console has minted, and that has said so by its own calls."""
    answer = await send(crew, "POST", f"{SECRETS}/agents/new", name=name, scope="")
    assert answer.status_code == 200, answer.text
    uid = re.search(r'<code class="value">([0-9a-f-]{36})</code>', answer.text)[1]
    secret = re.search(r'<div class="code"><code>([\w-]{43})</code>', answer.text)[1]
    made = WireAgent(Carried(crew), uid, secret)
    await made.begin()
    return made


async def delivered(crew, dora, paul, made, **more):
    """A read that was asked for, approved and carried out; the address of its page."""
    asked = await posted(crew, f"{SECRETS}/ask", dora, **{**ASKED, **more})
    await posted(crew, f"{asked}/say", paul, deed="approve", comment="")
    job = await made.claim()
    uid = asked.rpartition("/")[2]
    assert (await made.deliver(uid, "PASSWORD", CANARY.encode())).status_code == 201
    assert await made.complete(job["id"]) == 204
    return asked


async def revealed(crew, address, token):
    return await send(crew, "POST", address, token, headers={"x-console-reveal": "1"})


def buttons(text):
    return re.findall(r'data-reveal="([^"]+)"', text)


def beside(text):
    """The number beside the room, with its tone."""
    found = re.search(r'<span class="count (\w+)" id="n-secrets">(\d+)', text)
    return (found[1], int(found[2])) if found else None


async def test_a_secret_is_asked_for_decided_by_another_and_revealed_once(crew, dora, paul):
    made = await agent(crew)
    asked = await posted(crew, f"{SECRETS}/ask", dora, **ASKED)
    mine = await page(crew, asked, dora)
    assert "You have asked for it, so others decide." in mine
    assert 'value="approve"' not in mine
    assert beside(await page(crew, "/console/", dora)) is None
    refused = await send(crew, "POST", f"{asked}/say", dora, deed="approve")
    assert refused.status_code == 403

    home = await page(crew, "/console/", paul)
    assert "dora asks to read apps/shop/db" in home
    assert beside(home) == ("ask", 1)
    assert "apps/shop/db" in await page(crew, SECRETS, paul)
    theirs = await page(crew, asked, paul)
    assert "Let dora read this?" in theirs
    assert "the shop is down" in theirs
    assert await posted(crew, f"{asked}/say", paul, deed="approve", comment="Go <b>on</b>") == asked
    assert "Go &lt;b&gt;on&lt;/b&gt;" in (await send(crew, "GET", asked, dora)).text
    assert beside(await page(crew, "/console/", paul)) is None
    assert "It waits for an agent." in await page(crew, asked, dora)

    job = await made.claim()
    await made.deliver(asked.rpartition("/")[2], "PASSWORD", CANARY.encode())
    await made.complete(job["id"])
    assert "apps/shop/db can be revealed" in await page(crew, "/console/", dora)
    ready = await page(crew, asked, dora)
    assert "Ready for you" in ready
    assert CANARY not in ready
    [address] = buttons(ready)
    assert buttons(await page(crew, asked, paul)) == []
    others = await revealed(crew, address, paul)
    assert (others.status_code, others.json()["code"]) == (403, "wrap_not_yours")
    by_form = await send(crew, "POST", address, dora)
    assert by_form.status_code == 403
    assert "Nothing was given out." in by_form.json()["hint"]
    assert (await send(crew, "GET", address, dora)).status_code in {404, 405}

    answer = await revealed(crew, address, dora)
    assert answer.json() == {"key": "PASSWORD", "value": CANARY, "encoding": "text", "sealed": False}
    assert answer.headers["cache-control"] == "no-store"
    again = await revealed(crew, address, dora)
    assert (again.status_code, again.json()["code"]) == (410, "wrap_consumed")
    assert "given out already" in again.json()["error"]
    after = await page(crew, asked, dora)
    assert "Given out" in after
    assert buttons(after) == []
    for words in ("asked", "approved", "delivered the value of PASSWORD", "fetched the value of PASSWORD"):
        assert words in after
    for path in ("/console/", SECRETS, "/console/audit"):
        assert CANARY not in await page(crew, path)


async def test_of_many_who_reveal_a_value_at_once_one_gets_it(crew, dora, paul):
    [address] = buttons(await page(crew, await delivered(crew, dora, paul, await agent(crew)), dora))
    answers = await asyncio.gather(*(revealed(crew, address, dora) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [200, 410, 410, 410, 410]


async def test_what_is_no_text_is_given_in_base64(crew, dora, paul):
    made = await agent(crew)
    asked = await posted(crew, f"{SECRETS}/ask", dora, **ASKED)
    await posted(crew, f"{asked}/say", paul, deed="approve")
    job = await made.claim()
    await made.deliver(asked.rpartition("/")[2], "PASSWORD", b"\xff\x00\xfe")
    await made.complete(job["id"])
    [address] = buttons(await page(crew, asked, dora))
    assert (await revealed(crew, address, dora)).json()["encoding"] == "base64"


async def test_values_that_were_typed_are_kept_and_never_shown_again(crew, dora, paul):
    form = {"kind": "patch", "kept": "vault:", "ref": "apps/shop/db", "justification": "rotation",
            "key": ["PASSWORD", "CERT", ""], "value": [f" {CANARY} ", f"{CANARY}\r\nline", ""]}  # fmt: skip
    wrong = await send(crew, "POST", f"{SECRETS}/ask", dora, **{**form, "ref": "/leaves"})
    assert wrong.status_code == 400
    assert "leaves the place where secrets are kept" in wrong.text
    assert CANARY not in wrong.text
    assert 'value="PASSWORD"' in wrong.text
    tried = await send(crew, "POST", f"{SECRETS}/ask/try", dora, **form)
    assert tried.status_code == 200
    assert CANARY not in tried.text
    twice = await send(crew, "POST", f"{SECRETS}/ask", dora, **{**form, "key": ["A", "A", ""]})
    assert twice.status_code == 400
    assert "The key A is there twice." in twice.text
    asked = await posted(crew, f"{SECRETS}/ask", dora, **form)
    for path in (asked, f"{asked}/edit", SECRETS):
        assert CANARY not in await page(crew, path, dora)
    made = await agent(crew)
    await posted(crew, f"{asked}/say", paul, deed="approve")
    job = await made.claim()
    given = {}
    for one in job["payload"]["wraps"]:
        given[one["key_name"]] = made.opened((await made.call("GET", f"/wraps/{one['wrap_id']}")).json())
    assert given == {"PASSWORD": f" {CANARY} ".encode(), "CERT": f"{CANARY}\nline".encode()}


async def test_a_request_is_changed_refused_and_taken_back(crew, dora, paul):
    asked = await posted(crew, f"{SECRETS}/ask", dora, **ASKED)
    assert (
        await send(crew, "POST", f"{asked}/edit", paul, kind="read", keys="X", justification="x")
    ).status_code == 403
    await posted(crew, f"{asked}/edit", dora, kind="read", keys="USER, PASSWORD", justification="two of them")
    text = await page(crew, asked, paul)
    assert "<code>USER</code>" in text
    assert "two of them" in text
    silent = await send(crew, "POST", f"{asked}/say", paul, deed="refuse", comment=" ")
    assert silent.status_code == 400
    assert "A refusal needs a reason." in silent.text
    await posted(crew, f"{asked}/say", paul, deed="refuse", comment="Not today")
    text = await page(crew, asked, dora)
    assert "It was refused." in text
    assert "Not today" in text
    assert f'href="{asked}/cancel"' not in text
    other = await posted(crew, f"{SECRETS}/ask", dora, **ASKED)
    assert (await send(crew, "POST", f"{other}/cancel", paul)).status_code == 403
    await posted(crew, f"{other}/cancel", dora)
    assert "Canceled" in await page(crew, other, dora)
    late = await send(crew, "POST", f"{other}/say", paul, deed="approve")
    assert late.status_code == 409


async def test_what_nobody_of_the_reader_s_may_see_is_not_there(crew, dora, paul):
    asked = await posted(crew, f"{SECRETS}/ask", dora, **ASKED)
    _, eve = await crew.person("eve", "organization:viewer", "broker:developer")
    for path in (asked, f"{asked}/edit", f"{asked}/cancel"):
        assert (await send(crew, "GET", path, eve)).status_code == 404
    assert (await send(crew, "POST", f"{asked}/say", eve, deed="approve")).status_code == 404
    assert "apps/shop/db" not in await page(crew, f"{SECRETS}?box=all", eve)
    _, nobody = await crew.person("nora", "organization:viewer")
    home = await page(crew, "/console/", nobody)
    assert 'href="/console/secrets"' not in home
    assert 'href="/console/secrets"' in await page(crew, "/console/", eve)


async def test_an_emergency_goes_ahead_and_somebody_else_looks_at_it(crew, dora, paul):
    made = await agent(crew)
    workflows = await page(crew, f"{SECRETS}/workflows")
    address = re.search(r'href="(/console/secrets/workflows/[0-9a-f-]{36})"', workflows)[1]
    denied = await send(crew, "POST", f"{SECRETS}/ask", dora, **ASKED, way="emergency")
    assert denied.status_code == 403
    assert "knows no emergencies" in html.unescape(denied.text)
    await posted(crew, address, **STANDARD, emergencies="yes")
    asked = await posted(crew, f"{SECRETS}/ask", dora, **ASKED, way="emergency")
    assert await made.claim()
    home = await page(crew, "/console/", paul)
    assert "dora went ahead with apps/shop/db without approval" in home
    assert "apps/shop/db" in await page(crew, f"{SECRETS}?box=emergencies", paul)
    assert (await send(crew, "POST", f"{asked}/review", dora, comment="fine")).status_code == 403
    await posted(crew, f"{asked}/review", paul, comment="It was right")
    text = await page(crew, asked, paul)
    assert "looked at it" in text
    assert "dora went ahead with apps/shop/db" not in await page(crew, "/console/", paul)


STANDARD = {
    "description": "", "people-1": "1", "request_ttl_seconds": "14d", "wrap_ttl_created_seconds": "7d",
    "wrap_ttl_approved_seconds": "1h", "wrap_ttl_claimed_seconds": "5m", "grant_seconds": "0", "justification": "yes",
    "enabled": "yes",
}  # fmt: skip


async def test_a_rule_sends_requests_to_a_workflow_and_what_would_happen_says_so(crew, dora, paul):
    await posted(
        crew, f"{SECRETS}/workflows/new", name="careful", **{**STANDARD, "people-1": "2", "grant_seconds": "30m"}
    )
    text = await page(crew, f"{SECRETS}/workflows")
    [careful] = re.findall(r'href="(/console/secrets/workflows/[0-9a-f-]{36})"><b>careful', text)
    assert 'value="30m"' in await page(crew, careful)
    rule = {"name": "shop", "workflow": careful.rpartition("/")[2], "priority": "500", "enabled": "yes",
            "secret_ref_prefix": "apps/shop/"}  # fmt: skip
    wrong = await send(crew, "POST", f"{SECRETS}/policies/new", **{**rule, "priority": "soon"})
    assert wrong.status_code == 400
    assert html.unescape(wrong.text).count("'soon' is not a number.") == 2
    assert await posted(crew, f"{SECRETS}/policies/new", **rule) == f"{SECRETS}/policies"
    tried = await page(crew, f"{SECRETS}/policies?kept=vault:&ref=apps/shop/db&kind=read", dora)
    assert "The rule shop of the organization, priority 500, sends it to the workflow careful." in tried
    assert "Every key of its selector fits." in tried
    elsewhere = await page(crew, f"{SECRETS}/policies?kept=vault:&ref=other&kind=read", dora)
    assert "It asks for a secret_ref_prefix of apps/shop/; the reference begins otherwise." in elsewhere
    assert "by Approver" in elsewhere or "approver" in elsewhere
    assert (await send(crew, "POST", f"{SECRETS}/policies/new", paul, **rule)).status_code == 403
    [shop] = re.findall(
        r'href="(/console/secrets/policies/[0-9a-f-]{36})"><b>shop', await page(crew, f"{SECRETS}/policies")
    )
    await posted(crew, shop, **{**rule, "enabled": ""})
    assert "sends it to the workflow careful" not in await page(
        crew, f"{SECRETS}/policies?kept=vault:&ref=apps/shop/db"
    )
    untyped = await send(crew, "POST", f"{shop}/delete", confirmation="Shop")
    assert untyped.status_code == 400
    used = await send(crew, "POST", f"{careful}/delete", confirmation="careful")
    assert used.status_code == 409
    assert "is used by 1 policy" in used.text
    await posted(crew, f"{shop}/delete", confirmation="shop")
    await posted(crew, f"{careful}/delete", confirmation="careful")


async def test_an_agent_s_secret_is_shown_once_changed_and_ended(crew, dora):
    made = await agent(crew, "eu")
    listed = await page(crew, f"{SECRETS}/agents")
    assert made.secret not in listed
    one = f"{SECRETS}/agents/{made.id}"
    assert "on file" in await page(crew, one)
    answer = await send(crew, "POST", f"{one}/rotate", grace="0")
    fresh = re.search(r'<div class="code"><code>([\w-]{43})</code>', answer.text)[1]
    assert (await made.call("POST", "/heartbeat")).status_code == 401
    made.secret = fresh
    assert (await made.call("POST", "/heartbeat")).status_code == 204
    taken = await send(crew, "POST", f"{SECRETS}/agents/new", name="eu", scope="")
    assert taken.status_code == 409
    odd = await send(crew, "POST", f"{SECRETS}/agents/new", name="us", scope="cluster")
    assert odd.status_code == 400
    assert "is no word with a value" in odd.text
    assert (await send(crew, "GET", f"{SECRETS}/agents", dora)).status_code == 403
    assert (await send(crew, "POST", f"{one}/revoke", confirmation="us")).status_code == 400
    await posted(crew, f"{one}/revoke", confirmation="eu", reason="moved")
    assert "Revoked" in await page(crew, one)
    assert (await made.call("POST", "/heartbeat")).status_code == 401


async def test_a_connection_is_defined_changed_switched_off_and_deleted_and_its_credential_is_never_shown(crew, dora):
    form = {"provider": "vault", "name": "main", "config.address": "https://vault.example.com", "config.mount": "kv",
            "credential": CANARY, "rhythm": "6h", "place": "", "scope": "cluster=eu"}  # fmt: skip
    wrong = await send(crew, "POST", f"{SECRETS}/connections/new", **{**form, "config.address": "http://vault.example"})
    assert wrong.status_code == 400
    assert "would send secrets in the clear" in wrong.text
    assert CANARY not in wrong.text
    one = await posted(crew, f"{SECRETS}/connections/new", **form)
    text = await page(crew, one)
    assert CANARY not in text
    assert "kept, sealed" in text
    assert "every 6h" in text
    moved = await send(crew, "POST", one, **{**form, "config.address": "https://other.example.com", "credential": ""})
    assert moved.status_code == 400
    assert "was given for another address" in moved.text
    await posted(crew, one, **{**form, "config.mount": "other", "credential": "", "rhythm": "0"})
    assert "other" in await page(crew, one)
    assert 'value="vault:main"' in await page(crew, f"{SECRETS}/ask", dora)
    await posted(crew, f"{one}/discover")
    await posted(crew, f"{one}/switch", deed="off")
    assert "Switched off" in await page(crew, one)
    assert 'value="vault:main"' not in await page(crew, f"{SECRETS}/ask", dora)
    assert (await send(crew, "POST", f"{one}/discover")).status_code == 409
    assert (await send(crew, "POST", f"{one}/switch", dora, deed="on")).status_code == 403
    await posted(crew, f"{one}/delete", confirmation="main")
    assert (await send(crew, "GET", one)).status_code == 404


async def test_found_secrets_are_filtered_and_asked_for(crew, dora):
    made = await agent(crew)
    items = [{"secret_ref": "apps/a", "labels": {"team": "shop"}}, {"secret_ref": "apps/b_c", "labels": {}}]
    body = {"cluster_name": "eu", "provider_type": "vault", "items": items}
    assert (await made.call("POST", "/secrets/bulk", body)).status_code == 200
    text = await page(
        crew, f"{SECRETS}/found?prefix=apps/a&label=team:shop&provider=vault&status=present&cluster=eu", dora
    )
    assert "1 secret matches" in text
    assert "apps/b_c" not in text
    assert "No secret matches." in await page(crew, f"{SECRETS}/found?prefix=apps/b%25", dora)
    ask = re.search(r'href="(/console/secrets/ask\?[^"]+)"', text)[1]
    form = await page(crew, ask, dora)
    assert 'value="apps/a"' in form
    assert '<option value="vault:" selected>' in form


async def test_an_open_page_follows_its_request_and_nobody_else_s(crew, dora, paul):
    asked = await posted(crew, f"{SECRETS}/ask", dora, **ASKED)
    uid = asked.rpartition("/")[2]
    answer = await send(crew, "GET", f"/console/stream?topics=secret-request:{uid.replace(uid[0], 'f', 1)}", paul)
    assert answer.status_code == 404
    who = await principal(crew, paul)
    current.set(Context(principal=who))
    ports = InstancePorts(crew.deck.instance)
    updates = ports.follow(who, (f"secret-request:{uid}",), 0)
    first = asyncio.ensure_future(anext(updates))
    await asyncio.sleep(0.2)
    await posted(crew, f"{asked}/cancel", dora)
    update = await asyncio.wait_for(first, 5)
    assert update.topic == f"secret-request:{uid}"
    await updates.aclose()


async def principal(crew, token):
    from quarterdeck.identity import sessions

    return await crew.db.read(sessions.authenticate, token)


async def test_what_is_over_is_said_so(crew, dora, paul):
    asked = await delivered(crew, dora, paul, await agent(crew))
    [address] = buttons(await page(crew, asked, dora))

    def age(tx):
        for wrap in tx.scalars(select(Wrap)):
            wrap.expires_at = tx.now - timedelta(seconds=1)
        for request in tx.scalars(select(Request)):
            request.created_at = tx.now - timedelta(hours=1)

    await crew.db.write(age)
    answer = await revealed(crew, address, dora)
    assert (answer.status_code, answer.json()["code"]) == (410, "wrap_expired")
    assert json.loads(answer.text)["hint"]
    text = await page(crew, asked, dora)
    assert "Expired" in text
    assert buttons(text) == []
