"""Brokered secrets in two people's browsers, over a real installation whose own worker keeps them in an encrypted file:
asked for, approved by another, revealed once, and sealed so that one browser alone opens them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from e2e.client import EMAIL, PASSWORD, signed_in
from e2e.console.test_every_page import findings
from e2e.server import Deck, deck

pytestmark = [pytest.mark.end_to_end, pytest.mark.browser]
BOB, THEIRS = "bob@example.test", "a staple of a correct horse"
CANARY, SECOND = "v9!Hq-<tide>-27 Lamp\nline two", "canary-4410"
SECRETS = "/console/secrets"
SLOW = 60_000


@pytest.fixture(scope="module")
def there(place: Path, database_url: str | None) -> Iterator[Deck]:
    with deck(place / "secrets", database_url=database_url) as made, signed_in(made) as client:
        _bob(made, client.header("Authorization"))
        yield made


def _bob(made: Deck, bearer: str) -> None:
    """Somebody who may approve, and nothing else."""
    with httpx.Client(base_url=made.url, headers={"Authorization": bearer}, trust_env=False, timeout=60) as ada:

        def ok(method: str, path: str, body: Any = None) -> Any:
            answer = ada.request(method, path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

        where = "/api/organizations/org_self_hosted/invitations"
        asked = ok("POST", where, {"email": BOB, "role": "viewer"})["invitationId"]
        link = ok("POST", f"{where}/{asked}/resend", {})["link"].partition("#")[2]
        user = ok("POST", f"/api/auth/invite/{link}", {"password": THEIRS})["user"]["uid"]
        role = next(one["id"] for one in ok("GET", "/api/v1/roles") if one["name"] == "approver")
        ok("POST", "/api/v1/user-roles", {"user_id": user, "role_id": role})


@dataclass
class Reader:
    """Somebody's browser. `complaints` are console errors and exceptions: what the page's policy refuses, too."""

    context: BrowserContext
    page: Page
    complaints: list[str]


def enters(browser: Browser, there: Deck, email: str, password: str, **look: Any) -> Reader:
    context = browser.new_context(reduced_motion="reduce", **look)
    context.set_default_timeout(SLOW)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(there.url + SECRETS)
    page.get_by_label("E-mail or username").fill(email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Secrets", exact=True)).to_be_visible(timeout=SLOW)
    return Reader(context, page, complaints)


@pytest.fixture
def ada(browser: Browser, there: Deck) -> Iterator[Reader]:
    made = enters(browser, there, EMAIL, PASSWORD, viewport={"width": 1440, "height": 900})
    yield made
    made.context.close()
    assert [one for one in made.complaints if "status of 4" not in one] == []


@pytest.fixture
def bob(browser: Browser, there: Deck) -> Iterator[Reader]:
    made = enters(browser, there, BOB, THEIRS, viewport={"width": 390, "height": 844})
    yield made
    made.context.close()
    assert made.complaints == []


def asked(page: Page) -> None:
    """Press the button, and be on the page of the request."""
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page).to_have_url(re.compile(rf"{SECRETS}/requests/[0-9a-f-]{{36}}$"), timeout=SLOW)
    expect(page.locator("#decide")).to_contain_text("You have asked for it, so others decide.")


def approves(bob: Reader, address: str) -> None:
    bob.page.goto(address)
    bob.page.get_by_label("Comment").fill("Go on")
    bob.page.get_by_role("button", name="Approve").click()
    expect(bob.page.locator(".toasts")).to_contain_text("Approved")


def delivered(ada: Reader, bob: Reader) -> str:
    """The page moves by what the server tells it, until its request is carried out."""
    address = ada.page.url
    approves(bob, address)
    expect(ada.page.locator("#secret-head")).to_contain_text("Delivered", timeout=SLOW)
    return address


def written(ada: Reader, bob: Reader, key: str, value: str) -> None:
    """Have a secret in the file; the first connection is made by its form."""
    page, there = ada.page, ada.page.url.partition("/console")[0]
    page.goto(f"{there}{SECRETS}/connections")
    if not page.get_by_role("link", name="main", exact=True).count():
        page.get_by_label("Kept in").select_option("file")
        page.get_by_role("button", name="Go on").click()
        page.get_by_label("Name", exact=True).fill("main")
        page.get_by_label("Name of the file").fill("main")
        page.get_by_label("Passphrase").fill("a passphrase that opens it")
        page.get_by_role("button", name="Define connection").click()
        expect(page.get_by_role("heading", name="main In use")).to_be_visible()
    page.goto(f"{there}{SECRETS}/ask?kind=update")
    page.get_by_label("Kept in").select_option("file:main")
    page.get_by_label("Secret", exact=False).first.fill("apps/shop/db")
    page.get_by_label("Why").fill("the shop is new")
    page.get_by_label("Key", exact=True).first.fill(key)
    page.get_by_label("Value", exact=True).first.fill(value)
    page.get_by_role("button", name="What would happen").click()
    expect(page.locator("#would")).to_contain_text("sends it to the workflow standard")
    expect(page.locator("#would")).to_contain_text("bob")
    expect(page.get_by_label("Value", exact=True).first).to_have_value(value)
    assert findings(page) == []
    asked(page)
    assert "canary" not in page.content()
    delivered(ada, bob)


def wanted(page: Page, key: str) -> None:
    """The form for reading, filled in by the keyboard."""
    page.goto(page.url.partition("/console")[0] + f"{SECRETS}/ask?kept=file:main&ref=apps/shop/db")
    page.get_by_label("Keys").fill(key)
    page.keyboard.press("Tab")
    page.keyboard.type("the shop is down")


def reveal(page: Page, key: str) -> Locator:
    return page.get_by_role("button", name=re.compile(rf"Reveal once\s*: {key}"))


def card(page: Page, key: str) -> Locator:
    return page.get_by_role("region", name=f"Value of {key}")


def test_it_is_asked_for_approved_by_another_and_revealed_once(ada: Reader, bob: Reader, there: Deck) -> None:
    written(ada, bob, "PASSWORD", CANARY)
    page = ada.page
    wanted(page, "PASSWORD")
    asked(page)
    bob.page.goto(there.url + "/console/")
    expect(bob.page.get_by_role("link", name="asks to read apps/shop/db").first).to_be_visible()
    address = delivered(ada, bob)
    expect(page.get_by_role("heading", name="Ready for you")).to_be_visible()
    assert "tide" not in page.content()

    late = ada.context.new_page()
    late.goto(address)
    expect(reveal(late, "PASSWORD")).to_be_visible()
    with page.expect_response(re.compile("/values/")) as answered:
        reveal(page, "PASSWORD").click()
    assert answered.value.request.method == "POST"
    assert answered.value.headers["cache-control"] == "no-store"
    expect(card(page, "PASSWORD").locator("output")).to_have_text(CANARY)
    assert page.url == address
    assert findings(page) == []

    reveal(late, "PASSWORD").click()
    expect(late.get_by_role("alert")).to_contain_text("The value was given out already.")
    expect(reveal(late, "PASSWORD")).to_have_count(0)
    card(page, "PASSWORD").get_by_role("button", name="Remove now").click()
    expect(card(page, "PASSWORD")).to_have_count(0)
    page.reload()
    expect(page.locator("#secret-state")).to_contain_text("Given out")
    expect(page.locator("#secret-side")).to_contain_text("fetched the value of PASSWORD")
    assert "tide" not in page.content()
    bob.page.goto(address)
    expect(bob.page.get_by_role("button", name=re.compile("Reveal"))).to_have_count(0)
    assert "tide" not in bob.page.content()


def test_what_is_shown_goes_after_a_minute_and_when_the_page_is_left(ada: Reader, bob: Reader) -> None:
    written(ada, bob, "FIRST", SECOND)
    page = ada.page
    for way in ("minute", "leaving"):
        wanted(page, "FIRST")
        asked(page)
        address = delivered(ada, bob)
        if way == "minute":
            page.clock.install()
            page.goto(address)
        reveal(page, "FIRST").click()
        expect(card(page, "FIRST").locator("output")).to_have_text(SECOND)
        if way == "minute":
            page.clock.run_for(61_000)
        else:
            page.goto(page.url.partition("/console")[0] + SECRETS)
            page.go_back()
        expect(page.locator("#secret-head")).to_contain_text("Delivered")
        expect(card(page, "FIRST")).to_have_count(0)
        assert SECOND not in page.content()


def test_a_value_that_is_sealed_to_a_browser_opens_in_no_other(
    ada: Reader, bob: Reader, browser: Browser, there: Deck
) -> None:
    written(ada, bob, "TOKEN", SECOND)
    page = ada.page
    wanted(page, "TOKEN")
    page.get_by_label("Seal to this browser").check()
    expect(page.locator("[name=recipient]")).to_have_value(re.compile(r"^[A-Za-z0-9+/]{43}=$"))
    kept = page.evaluate(
        """() => new Promise(done => { const asked = indexedDB.open("quarterdeck", 1); asked.onsuccess = () => {
        const all = asked.result.transaction("sealing-keys").objectStore("sealing-keys").getAll();
        all.onsuccess = () => done(all.result.map(one => one.private.extractable)); }; })"""
    )
    assert kept == [False]
    asked(page)
    address = delivered(ada, bob)
    expect(page.locator("#secret-state")).to_contain_text("sealed to a browser of yours")

    elsewhere = enters(browser, there, EMAIL, PASSWORD)
    elsewhere.page.goto(address)
    reveal(elsewhere.page, "TOKEN").click()
    expect(elsewhere.page.get_by_role("alert")).to_contain_text("This browser has no key for it.")
    expect(reveal(elsewhere.page, "TOKEN")).to_be_visible()
    elsewhere.context.close()

    with page.expect_response(re.compile("/values/")) as answered:
        reveal(page, "TOKEN").click()
    assert SECOND not in answered.value.text()
    expect(card(page, "TOKEN").locator("output")).to_have_text(SECOND)
    assert page.url == address
