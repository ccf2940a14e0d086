"""Administering tasks in a browser: a machine's token, and a pipeline that is put together by hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from e2e.console.conftest import Visit
from e2e.console.test_every_page import findings
from e2e.truth import until
from quarterdeck.kernel.errors import Invalid

pytestmark = pytest.mark.browser
ENROL, PIPELINE = "/console/tasks/machines/enrol", "/console/tasks/pipelines/WEB"


def test_a_token_is_made_shown_once_and_gone_with_the_next_page(visit: Visit) -> None:
    page = visit.go("/console/tasks/machines")
    page.get_by_role("link", name="Enrol a machine").click()
    page.get_by_label("What it is called in this list").fill("forge")
    page.get_by_label("It ends unused").select_option("In a week")
    page.get_by_role("button", name="Make token").click()
    expect(page.get_by_text("ovw_4_0123456789abcdef")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the token")).to_be_visible()
    expect(page.get_by_text("--token @worker.token --capability tasks")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("link", name="I have stored it").click()
    expect(page.get_by_text("ovw_4_")).to_have_count(0)
    page.get_by_role("link", name="Revoke forge").click()
    page.wait_for_selector("dialog[open] #dialog-h")
    assert findings(page) == []
    page.get_by_role("button", name="Revoke forge").click()
    expect(page).to_have_url(visit.deck.address + ENROL)
    told = [("create-enrolment", "forge", 168), ("revoke-enrolment", 3)]
    until(lambda: visit.deck.ports.deeds == told, lambda: visit.deck.ports.deeds)  # the page was there before, too
    assert visit.complaints == []


def stages(page: Page) -> list[str]:
    return [field.input_value() for field in page.get_by_label("Name", exact=True).all()]


def test_a_pipeline_is_put_together_and_a_wrong_value_is_shown_where_it_is(visit: Visit) -> None:
    page = visit.go(PIPELINE)
    page.get_by_role("button", name="Move build up").click()
    expect(page.get_by_text("Not saved yet.")).to_be_visible()
    assert stages(page) == ["plan", "build", "colour"]
    page.get_by_role("button", name="Remove plan").click()
    page.get_by_role("button", name="Add a stage").click()
    expect(page.locator("#f-stage-2-name")).to_be_focused()
    page.keyboard.type("ship")
    page.locator("#f-stage-2-command").fill("/ship {input}")
    page.locator("#f-stage-2-kind").select_option("A text")
    place = "pipeline[2].retries"
    visit.deck.ports.problem = Invalid(f"{place}: too often.", code="pipeline_invalid", field=place, hint="Less.")
    page.locator("#f-stage-2-name").press("Enter")  # saves, and moves nothing
    expect(page.locator("#f-stage-2-retries")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#f-stage-2-retries")).to_be_visible()
    expect(page.get_by_text(f"{place}: too often.")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Save pipeline").click()
    expect(page).to_have_url(visit.deck.address + PIPELINE)
    expect(page.get_by_text("Not saved yet.")).to_have_count(0)
    ((_, key, saved, _),) = visit.deck.ports.deeds
    assert (key, [one["name"] for one in saved]) == ("WEB", ["build", "colour", "ship"])
    assert saved[2] == {"name": "ship", "command": "/ship {input}", "input": True}
    assert [text for text in visit.complaints if "400" not in text] == []
