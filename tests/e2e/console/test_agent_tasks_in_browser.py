"""An agent's task in a browser, over a real installation: asked for, watched, answered, typed into, finished."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.agency import Agency, agency
from e2e.client import EMAIL, PASSWORD

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge, pytest.mark.browser]
SLOW = 90_000


@pytest.fixture(scope="module")
def there(place: Path, database_url: str | None) -> Iterator[Agency]:
    with agency(place, database_url) as made:
        yield made


@pytest.fixture
def complaints() -> list[str]:
    """Console errors and exceptions: what the page's policy refuses, too."""
    return []


@pytest.fixture
def reader(browser: Browser, there: Agency, complaints: list[str]) -> Iterator[Page]:
    """The administrator's browser, signed in at the console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(there.deck.url + "/console/tasks")
    page.get_by_label("E-mail or username").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(there.deck.url + "/console/tasks")
    yield page
    context.close()


def created(reader: Page, there: Agency, key: str, description: str) -> int:
    """A task that was asked for in the form; its page is open."""
    reader.goto(f"{there.deck.url}/console/tasks/new")
    reader.get_by_label("Project", exact=True).select_option(key)
    reader.get_by_label("What shall be changed").fill(description)
    reader.get_by_role("button", name="Create task").click()
    expect(reader).to_have_url(re.compile(r"/console/tasks/\d+$"))
    return int(reader.url.rpartition("/")[2])


def test_a_task_is_asked_for_watched_answered_taken_over_and_finished(
    reader: Page, there: Agency, complaints: list[str]
) -> None:
    """From the form to the delivered branch; but for the terminal, which makes the page load itself again once, the
    page moves by what the server tells it.
    """
    number = created(reader, there, there.project(), "the page")
    terminal, question = reader.locator(".xterm-accessibility"), reader.locator("#gate")
    state, take = reader.locator("[data-term-state]"), reader.locator("[data-term-take]")
    expect(question).to_contain_text("stage 1 of 3, plan", timeout=SLOW)
    expect(reader).to_have_title(re.compile(f"^◆ Answer needed · #{number} the page"))
    expect(state).to_have_text("Read only, 1 watching", timeout=SLOW)
    expect(reader.locator("#n-tasks")).to_have_class("count ask")
    answered(reader, "Go on")
    expect(question).to_contain_text("stage 2 of 3, build", timeout=SLOW)
    expect(terminal).to_contain_text("● planning the page", timeout=SLOW)

    expect(state).to_have_text("Read only, 1 watching")
    take.click()
    expect(state).to_have_text("You hold the keyboard, F6 leaves it, 1 watching")
    expect(take).to_have_text("Give it back")
    reader.keyboard.type("do say typed by hand")
    reader.keyboard.press("Enter")
    expect(terminal).to_contain_text("● typed by hand", timeout=SLOW)
    reader.keyboard.press("F6")
    expect(take).to_be_focused()
    taken_over_by_another(reader, there, number)
    reader.keyboard.press("Enter")
    expect(state).to_have_text("Read only, 1 watching")
    expect(take).to_have_text("Take over")

    log = reader.context.new_page()
    log.goto(reader.url + "/log")
    expect(log.locator("[data-live]")).to_have_text("Live")
    question.get_by_role("radio", name="blue").check()
    answered(reader, "Send answer")
    expect(question).to_contain_text("stage 3 of 3, name", timeout=SLOW)
    expect(terminal).to_contain_text("● colour blue", timeout=SLOW)
    expect(log.locator("[data-log]")).to_contain_text("colour blue", timeout=SLOW)
    log.close()
    question.get_by_label("Your answer").fill("Ada")
    answered(reader, "Send answer")
    expect(reader.locator("#task-head")).to_contain_text("Completed", timeout=SLOW)
    expect(reader.locator("#task-side")).to_contain_text("Delivered")
    expect(reader.locator("#task-side")).to_contain_text(there.task(number)["commitSha"][:12])
    expect(take).to_be_hidden()
    expect(reader.locator("#n-tasks")).to_be_hidden()
    expect(reader.get_by_label("Message to the agent")).to_be_hidden()
    assert reader.evaluate("window.answered"), "it was not loaded again"

    reader.reload()  # the last screen is there, and the recording, played and fetched
    expect(terminal).to_contain_text("● colour blue", timeout=SLOW)
    expect(state).to_have_text("As it was at the end")
    reader.get_by_role("button", name="Play").click()
    reader.get_by_role("button", name="Show the end").click()
    expect(state).to_have_text("As it was at the end")
    with reader.expect_download() as fetched:
        reader.get_by_role("link", name="Download").click()
    assert fetched.value.suggested_filename == f"task-{number}.cast"
    reader.set_viewport_size({"width": 390, "height": 800})
    expect(reader.get_by_text("Scroll sideways for the rest of it")).to_be_visible()
    box = reader.locator("[data-term-box]")
    assert box.evaluate("box => box.scrollWidth > box.clientWidth"), "all of it can be reached"
    reader.set_viewport_size({"width": 1280, "height": 800})
    expect(reader.get_by_text("Scroll sideways for the rest of it")).to_be_hidden()
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert complaints == []


def answered(reader: Page, button: str) -> None:
    """Send the answer, and mark the page that comes then: a page that is loaded again has no mark."""
    with reader.expect_navigation():
        reader.locator("#gate").get_by_role("button", name=button).click()
    reader.evaluate("window.answered = true")


def taken_over_by_another(reader: Page, there: Agency, number: int) -> None:
    """A second page sees the same and takes the keyboard; the first, whose button has the focus, takes it back."""
    state, other = reader.locator("[data-term-state]"), reader.context.new_page()
    other.goto(reader.url)
    expect(other.locator(".xterm-accessibility")).to_contain_text("● typed by hand", timeout=SLOW)
    expect(other.locator("[data-term-state]")).to_have_text(
        re.compile("ada holds the keyboard, 2 watching", re.IGNORECASE)
    )
    other.locator("[data-term-take]").click()
    expect(other.locator("[data-term-state]")).to_have_text(re.compile("^You hold the keyboard"))
    expect(state).to_have_text(re.compile("ada holds the keyboard, 2 watching", re.IGNORECASE))
    there.until(lambda: "control_taken" in {one["type"] for one in there.events(number)}, "it is told")
    reader.locator("[data-term-take]").click()
    expect(state).to_have_text(re.compile("^You hold the keyboard"))
    other.close()
    expect(state).to_have_text(re.compile("1 watching$"))
    reader.locator("[data-term-take]").focus()
