"""The console over a real installation: from the first administrator to a rollback, in a browser, live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.server import Deck

pytestmark = pytest.mark.browser
SITE = Path(__file__).parents[2] / "apps" / "wsgi"
EMAIL, PASSWORD = "ada@example.test", "correct horse battery staple"
SLOW = 90_000


@pytest.fixture(scope="module")
def reader(browser: Browser, bare: Deck) -> Iterator[Page]:
    """The first administrator's browser; made at the first page that a new installation shows."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(bare.url + "/console/")
    expect(page).to_have_url(re.compile("/console/first-admin$"))
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create administrator").click()
    expect(page.get_by_role("heading", name="Nothing is deployed yet")).to_be_visible()
    yield page
    context.close()


@pytest.fixture(scope="module")
def application(reader: Page, bare: Deck) -> str:
    """The address of the application's page: looked at, planned and deployed through the form."""
    reader.goto(bare.url + "/console/projects/new")
    reader.get_by_label("Kind").select_option("folder")
    reader.get_by_role("textbox", name="Where it is").fill(str(SITE))
    reader.get_by_role("button", name="See what is in it").click()
    expect(reader.get_by_role("heading", name="2. What was found")).to_be_visible(timeout=SLOW)
    expect(reader.locator("main")).to_contain_text("gunicorn")
    reader.get_by_label("Project").fill("Harbour")
    reader.get_by_role("button", name="Deploy").click()
    expect(reader).to_have_url(re.compile("/deployments/1$"))
    expect(reader).to_have_title(re.compile("^✓ Succeeded v1"), timeout=SLOW)
    expect(reader.locator("[data-live]")).to_have_text("Live")
    expect(reader.locator(".phase.t-good")).to_have_count(6)
    expect(reader.locator("#deployment-plan")).to_contain_text("python -m gunicorn")
    return reader.url.rsplit("/deployments", 1)[0]


def test_what_was_deployed_through_the_form_answers_at_the_address_that_is_shown(
    reader: Page, application: str
) -> None:
    reader.goto(application)
    shown = reader.get_by_role("link", name="Open").get_attribute("href")
    assert shown is not None
    address = httpx.URL(shown)
    answer = httpx.get(f"http://127.0.0.1:{address.port}/", headers={"host": address.host}, trust_env=False)
    assert answer.status_code == 200


def test_the_log_of_a_deployment_was_streamed_and_is_kept(reader: Page, application: str) -> None:
    reader.goto(application + "/deployments/1")
    expect(reader.locator("[data-log] .ph", has_text="verify")).to_have_count(1)
    lines = reader.locator("[data-log] li")
    raw = reader.request.get(application + "/deployments/1/log").text()
    assert lines.first.get_attribute("id") == "L1"
    assert lines.last.get_attribute("id") == f"L{raw.count(chr(10))}"  # the number that the store gave the last line
    assert lines.count() == raw.count("\n")


def test_a_variable_is_set_deployed_shown_as_a_difference_and_rolled_back(reader: Page, application: str) -> None:
    reader.goto(application + "/variables")
    reader.get_by_role("textbox", name="Key").fill("GREETING")
    reader.get_by_role("textbox", name="Value").fill("ahoy")
    reader.get_by_role("button", name="Save variable").click()
    expect(reader.locator("tr", has_text="GREETING")).to_contain_text("ahoy")
    reader.get_by_role("button", name="Deploy").click()
    expect(reader).to_have_url(re.compile("/deployments/2$"))
    expect(reader).to_have_title(re.compile("^✓ Succeeded v2"), timeout=SLOW)
    expect(reader.get_by_role("region", name="Configuration differences")).to_contain_text("GREETING")
    reader.goto(application)
    reader.get_by_role("link", name="Roll back to v1").first.click()
    question = reader.locator("#ask")
    expect(question).to_contain_text("v2 keeps serving until v1 is healthy.")
    expect(question).to_contain_text("GREETING")
    expect(question).to_contain_text("Settings and variables saved since then stay saved")
    question.get_by_role("button", name="Roll back to v1").click()
    expect(reader).to_have_url(re.compile("/deployments/3$"))
    expect(reader).to_have_title(re.compile("^✓ Succeeded v3"), timeout=SLOW)


def test_a_deployment_that_fails_says_why_and_what_keeps_serving(reader: Page, application: str) -> None:
    reader.goto(application + "/settings")
    runtime = reader.locator("form", has=reader.locator("input[value=runtime]"))
    runtime.get_by_label("Start command").fill("false")
    runtime.get_by_role("button", name="Save").click()
    expect(reader.locator(".toast")).to_have_text("Saved")
    reader.get_by_role("button", name="Deploy").click()
    expect(reader).to_have_title(re.compile("^✗ Failed v4"), timeout=SLOW)
    expect(reader.locator("#deployment-state .note")).to_be_visible()
    expect(reader.locator("#deployment-state")).to_contain_text("keeps serving")
    reader.goto(application)
    expect(reader.locator("#resource-head")).to_contain_text("v4 failed")
    reader.goto(application.rpartition("/")[0])
    expect(reader.locator("tr", has_text="wsgi")).to_contain_text("v4 failed")
    expect(reader.locator("tr", has_text="wsgi")).to_contain_text("v3")
    reader.goto(application.split("/projects/", maxsplit=1)[0] + "/")
    expect(reader.get_by_role("heading", name="One thing needs you")).to_be_visible()
    expect(reader.get_by_role("link", name="Harbour / wsgi v4 failed to deploy", exact=True)).to_be_visible()


def test_the_log_says_which_version_speaks(reader: Page, application: str) -> None:
    reader.goto(application + "/logs")
    expect(reader.locator("[data-log] .ph").first).to_have_text(re.compile(r"^v\d+$"), timeout=SLOW)


def test_an_unknown_address_is_a_page_of_the_console(reader: Page, application: str) -> None:
    answer = reader.goto(application.split("/projects/", maxsplit=1)[0] + "/nowhere/at/all")
    assert answer is not None
    assert answer.status == 404
    expect(reader.locator("main")).to_contain_text("There is no page at this address.")
    expect(reader.get_by_role("navigation", name="Main")).to_be_visible()


def test_every_room_shows_what_happened(reader: Page, application: str) -> None:
    base = application.split("/console/", maxsplit=1)[0]
    reader.goto(base + "/console/jobs")
    expect(reader.locator("tbody tr").first).to_be_visible()
    reader.locator("tbody a.title").first.click()
    expect(reader.get_by_role("heading", name="Facts")).to_be_visible()
    reader.goto(base + "/console/audit?action=deployment.")
    expect(reader.locator("tbody")).to_contain_text("deployment.requested")
    reader.goto(base + "/console/fleet")
    expect(reader.locator("tbody")).to_contain_text("This machine")
    reader.goto(base + "/console/search?q=harbour")
    expect(reader.locator("main")).to_contain_text("Harbour / production / wsgi")


def test_settings_that_somebody_else_saved_meanwhile_are_not_overwritten(reader: Page, application: str) -> None:
    reader.goto(application + "/settings")
    other = reader.context.new_page()
    other.goto(application + "/settings")
    for page, port in ((other, "4100"), (reader, "4200")):
        form = page.locator("form", has=page.locator("input[value=network]"))
        form.get_by_label("Port it listens on").fill(port)
        form.get_by_role("button", name="Save").click()
    expect(other.locator(".toast")).to_have_text("Saved")
    expect(reader.locator("main")).to_contain_text("saved: 4100")
    expect(reader.locator("main")).to_contain_text("yours: 4200")
    other.close()


def test_an_ended_session_leads_back_to_the_door_and_to_the_page_after_it(
    reader: Page, application: str, browser: Browser
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(application)
    page.get_by_label("E-mail or username").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(application)
    reader.goto(application.split("/projects/", maxsplit=1)[0] + "/me")
    reader.get_by_role("button", name="End it").first.click()
    expect(reader.locator(".toast")).to_have_text("Session ended")
    page.reload()
    expect(page).to_have_url(re.compile("/console/sign-in"))
    context.close()


def test_a_stranger_sees_nothing(application: str) -> None:
    for path in ("", "/deployments/1/log", "/settings"):
        answer = httpx.get(application + path, trust_env=False)
        assert answer.status_code == 303
        assert not answer.text
    base = application.split("/console/", maxsplit=1)[0]
    answer = httpx.get(base + "/console/stream?topics=home", headers={"HX-Request": "true"}, trust_env=False)
    assert answer.status_code == 401
