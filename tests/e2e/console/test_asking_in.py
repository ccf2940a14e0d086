"""Somebody is asked in where no mail is sent: the link is shown once, and opens the account of who was meant."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.server import Deck

pytestmark = pytest.mark.browser
EMAIL, PASSWORD = "ada@example.test", "correct horse battery staple"
THEIRS = "a staple of a correct horse"
SLOW = 60_000


def sign_in(page: Page, bare: Deck) -> None:
    page.goto(f"{bare.url}/console/sign-in")
    page.get_by_label("E-mail or username").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Nothing is deployed yet")).to_be_visible(timeout=SLOW)


def test_without_mail_the_link_is_shown_once_passed_on_and_used_once(browser: Browser, bare: Deck) -> None:
    first = {"email": EMAIL, "password": PASSWORD, "displayName": "Ada"}
    made = httpx.post(f"{bare.url}/api/bootstrap/auth/first-admin", json=first, trust_env=False)
    assert made.status_code == 201, made.text
    hers, his = (browser.new_context(reduced_motion="reduce") for _ in range(2))
    for context in (hers, his):
        context.set_default_timeout(SLOW)
    page, other = hers.new_page(), his.new_page()
    sign_in(page, bare)

    page.goto(f"{bare.url}/console/access/people")
    asked = page.locator("form[action$='/invitations']")
    expect(asked).to_contain_text("This installation has no mail server")
    asked.get_by_label("E-mail").fill("bob@example.test")
    asked.get_by_label("Comes as").select_option("viewer")
    asked.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("heading", name="bob@example.test is invited")).to_be_visible(timeout=SLOW)
    expect(page.locator("main")).to_contain_text("Nobody was written to")
    link = page.get_by_role("region", name="The link of the invitation").locator("code").inner_text()
    assert re.fullmatch(rf"{re.escape(bare.url)}/console/accept-invitation#\S{{40,}}", link), link
    token = link.partition("#")[2]
    assert token not in page.url

    # Nowhere once more.
    page.get_by_role("main").get_by_role("link", name="People").click()
    expect(page.get_by_role("region", name="Invitations", exact=True)).to_contain_text("bob@example.test", timeout=SLOW)
    assert token not in page.content()
    page.goto(f"{bare.url}/console/jobs")
    assert token not in page.content()
    page.goto(f"{bare.url}/console/audit")
    assert token not in page.content()

    other.goto(link)
    expect(other).to_have_url(f"{bare.url}/console/accept-invitation")
    other.get_by_label("Your name").fill("Bob")
    other.get_by_label("Password", exact=True).fill(THEIRS)
    other.get_by_label("The same password again").fill(THEIRS)
    other.get_by_role("button", name="Accept and sign in").click()
    expect(other).to_have_url(f"{bare.url}/console/", timeout=SLOW)
    page.goto(f"{bare.url}/console/access/people")
    expect(page.get_by_role("region", name="Table of members")).to_contain_text("bob@example.test")
    expect(page.locator("main")).to_contain_text("Nobody is waited for.")

    his.clear_cookies()
    other.goto(link)
    expect(other.locator("main")).to_contain_text("not valid any more", timeout=SLOW)
    hers.close()
    his.close()
