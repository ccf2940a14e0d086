"""What a reader does and sees: with the keyboard, live, and with scripts switched off."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from console.ledgerside import BASE, NOW
from console.resource_side import LINES
from e2e.console.addresses import PAGES
from e2e.console.conftest import Deck, Visit
from quarterdeck.console.ports import Place, Update
from quarterdeck.console.views.deployments import LineView

pytestmark = pytest.mark.browser
WEB = Place("storefront", "production", "web")


def test_a_keyboard_alone_walks_from_home_to_a_rollback(visit: Visit) -> None:
    page = visit.go("/console/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url("**/console/projects")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Storefront")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/storefront")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/production**")
    page.goto(visit.deck.address + BASE)
    page.get_by_role("link", name="Roll back to v40").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] #dialog-h")
    expect(page.get_by_role("heading", name="Roll Storefront / web back to v40?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).not_to_be_visible()
    expect(page.get_by_role("link", name="Roll back to v40")).to_be_focused()
    assert visit.deck.ports.deeds == []
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Roll back to v40").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/deployments/42")
    assert visit.deck.ports.deeds == [("roll-back", WEB, 40)]
    assert visit.complaints == []


@pytest.mark.parametrize("tab", ["/events", "/log"])
def test_the_tabs_of_a_task_that_runs_are_renewed_in_place(visit: Visit, tab: str) -> None:
    """Its terminal is on the first tab alone: the others do not load themselves anew to get it."""
    page = visit.go(f"/console/tasks/141{tab}")
    expect(page.locator("[data-live]")).to_have_text("Live")
    page.evaluate("window.stays = true")
    line = LineView(99_999, NOW, "said meanwhile")
    visit.deck.send(Update("task-events:141") if tab == "/events" else Update("log:task:141", lines=(line,)))
    if tab == "/log":
        expect(page.locator("[data-log]")).to_contain_text("said meanwhile")
    page.wait_for_timeout(300)  # a page that loads itself anew would have begun by now
    assert page.evaluate("window.stays") is True
    assert visit.complaints == []


@pytest.mark.parametrize("scripts", [True, False])
def test_the_token_of_a_mails_link_goes_into_the_form_and_into_no_address(
    scripts: bool, browser: Browser, deck: Deck
) -> None:
    deck.ports.deeds.clear()
    visit = Visit(browser, deck, java_script_enabled=scripts)
    page = visit.go("/console/accept-invitation#t0ken")
    if not scripts:
        page.get_by_label("Link or token from the mail").fill(page.url)
        page.get_by_role("button", name="Look at the invitation").click()
    page.get_by_label("Your name").fill("Bob")
    assert page.url == deck.address + "/console/accept-invitation"
    expect(page.get_by_role("heading", name="Join Saltmarsh")).to_be_visible()
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_label("The same password again").fill("correct horse battery")
    page.get_by_role("button", name="Accept and sign in").click()
    page.wait_for_url("**/console/")
    assert deck.ports.deeds == [("accept-invitation", "t0ken", "Bob", "correct horse battery")]
    assert not any("t0ken" in one for one in visit.requests if "#" not in one)
    assert visit.complaints == []
    visit.close()


def test_the_palette_finds_a_resource_and_goes_there(visit: Visit) -> None:
    page = visit.go("/console/")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette [role=option]")
    page.keyboard.type("web")
    expect(page.locator("#palette [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{BASE}")


def test_the_palette_offers_what_the_page_itself_can_do_first(visit: Visit) -> None:
    page = visit.go(f"{BASE}/deployments/40")
    page.keyboard.press("Control+k")
    first = page.locator("#palette [role=option]").first
    expect(page.locator("#palette [role=presentation]").first).to_have_text("This page")
    page.keyboard.type("roll")
    expect(first).to_have_text("Roll back to this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Roll Storefront / web back to v40?")).to_be_visible()
    assert visit.deck.ports.deeds == []


def test_single_keys_can_be_switched_off(visit: Visit) -> None:
    visit.context.add_cookies([{"name": "qd_keys", "value": "off", "url": visit.deck.address}])
    page = visit.go("/console/")
    page.keyboard.press("?")
    page.keyboard.press("g")
    page.keyboard.press("j")
    page.wait_for_timeout(200)
    assert page.url.endswith("/console/")
    expect(page.locator("#keys")).not_to_be_visible()


def test_a_name_must_be_typed_before_the_button_wakes(visit: Visit) -> None:
    visit.deck.ports.lifecycle = "archived"
    try:
        page = visit.go(PAGES["settings"])
        page.get_by_role("link", name="Delete web").click()
        button = page.get_by_role("button", name="Delete web")
        expect(page.get_by_label("Type web to confirm")).to_be_focused()
        expect(button).to_be_disabled()
        page.keyboard.type("we")
        expect(button).to_be_disabled()
        page.keyboard.type("b")
        expect(button).to_be_enabled()
    finally:
        visit.deck.ports.lifecycle = "active"


def test_the_theme_button_changes_the_page_at_once_and_the_next_first_paint(visit: Visit) -> None:
    page = visit.go("/console/")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(236, 237, 237)"


def test_lines_arrive_live_once_and_in_order_and_the_filter_still_holds(visit: Visit) -> None:
    page = visit.go(PAGES["deployment-running"])
    expect(page.locator("[data-live]")).to_have_text("Live")
    log = page.locator("[data-log] li")
    expect(log).to_have_count(len(LINES))
    page.get_by_label("Filter lines").fill("try")
    stream = "log:deployment:dep_000000000042"
    fresh = tuple(LineView(n, NOW, f"try {n} of 10") for n in (8, 9, 10))
    visit.deck.send(Update(stream, lines=fresh))
    expect(log).to_have_count(len(LINES) + 2)
    assert page.evaluate("[...document.querySelectorAll('[data-log] li')].map(l => l.id).slice(-3)") == [
        "L8",
        "L9",
        "L10",
    ]
    visit.deck.send(Update(stream, lines=(LineView(11, NOW, "other"),)))
    expect(log).to_have_count(len(LINES) + 3)
    expect(page.locator("#L11")).to_be_hidden()
    expect(page.locator("#L10")).to_be_visible()


def test_a_reader_who_scrolled_up_is_left_alone_and_told_of_new_lines(visit: Visit) -> None:
    page = visit.go(PAGES["deployment-running"])
    expect(page.locator("[data-live]")).to_have_text("Live")
    stream = "log:deployment:dep_000000000042"
    visit.deck.send(Update(stream, lines=tuple(LineView(n, NOW, f"line {n}") for n in range(9, 100))))
    expect(page.locator("#L99")).to_be_in_viewport()
    page.evaluate("document.querySelector('[data-log]').scrollTop = 0")
    follow = page.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "false")
    visit.deck.send(Update(stream, lines=(LineView(100, NOW, "late"),)))
    expect(page.locator("[data-new-lines]")).to_have_text("1 new line")
    assert page.evaluate("document.querySelector('[data-log]').scrollTop") == 0
    follow.click()
    expect(page.locator("#L100")).to_be_in_viewport()


def test_phases_title_and_buttons_follow_the_deployment_to_its_end(visit: Visit) -> None:
    page = visit.go(PAGES["deployment-running"])
    expect(page.locator("[data-live]")).to_have_text("Live")
    assert page.title().startswith("● Verifying v42")
    expect(page.locator("main").get_by_role("link", name="Cancel")).to_be_visible()
    visit.deck.ports.ended = True
    try:
        visit.deck.send(Update("deployment:storefront/production/web/42"))
        expect(page.locator("h1")).to_contain_text("Succeeded")
        expect(page).to_have_title("✓ Succeeded v42 · web · Quarterdeck")
        expect(page.locator("main").get_by_role("link", name="Cancel")).to_have_count(0)
        expect(page.locator(".phase.t-good")).to_have_count(6)
    finally:
        visit.deck.ports.ended = False
    assert visit.complaints == []


@pytest.mark.parametrize("name", ["home", "resource", "deployment-ended", "settings", "variables"])
def test_a_page_reads_and_navigates_without_scripts(name: str, browser: Browser, deck: Deck) -> None:
    visit = Visit(browser, deck, java_script_enabled=False)
    page = visit.go(PAGES[name])
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("[data-live]")).to_have_text("As of 09:54:17")
    assert page.locator("[data-needs-script]:visible").count() == 0
    page.get_by_role("link", name="Search").first.click()
    expect(page.get_by_role("heading", name="Search")).to_be_visible()
    visit.close()


def test_a_rollback_goes_through_without_scripts(browser: Browser, deck: Deck) -> None:
    deck.ports.deeds.clear()
    visit = Visit(browser, deck, java_script_enabled=False)
    page = visit.go(BASE)
    page.get_by_role("link", name="Roll back to v40").click()
    expect(page.get_by_role("heading", name="Roll Storefront / web back to v40?")).to_be_visible()
    page.get_by_role("button", name="Roll back to v40").click()
    expect(page.get_by_role("heading", name="web v42")).to_be_visible()
    expect(page.locator(".toast")).to_have_text("Rolling back")
    assert deck.ports.deeds == [("roll-back", WEB, 40)]
    visit.close()


def test_a_form_saves_without_scripts(browser: Browser, deck: Deck) -> None:
    deck.ports.deeds.clear()
    visit = Visit(browser, deck, java_script_enabled=False)
    page = visit.go(PAGES["variables"])
    page.get_by_role("textbox", name="Key").fill("COLOUR")
    page.get_by_role("textbox", name="Value").fill("blue")
    page.get_by_role("button", name="Save variable").click()
    expect(page.locator(".toast")).to_contain_text("Variable saved")
    assert deck.ports.deeds == [("set-variable", WEB, "COLOUR", "blue", "runtime", False)]
    visit.close()


def test_the_menu_opens_on_a_phone_without_scripts(browser: Browser, deck: Deck) -> None:
    visit = Visit(browser, deck, java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = visit.go("/console/")
    expect(page.locator("#nav")).not_to_be_visible()
    page.get_by_role("navigation", name="Quick").get_by_role("button", name="Menu").click()
    expect(page.locator("#nav").get_by_role("link", name="Fleet")).to_be_visible()
    visit.close()


def test_the_tab_of_the_page_is_in_sight_on_a_phone(browser: Browser, deck: Deck) -> None:
    visit = Visit(browser, deck, viewport={"width": 390, "height": 844})
    page = visit.go(PAGES["settings"])
    tab = page.get_by_role("navigation", name="Resource").get_by_role("link", name="Settings")
    expect(tab).to_be_in_viewport(ratio=0.9)
    visit.close()


def test_a_pressed_button_says_so_and_cannot_be_pressed_twice(visit: Visit) -> None:
    # The page's own listeners decide first; here only what they let through is counted and kept from leaving.
    visit.context.add_init_script(
        "window.sent = 0;"
        "addEventListener('submit', e => { if (!e.defaultPrevented) window.sent++; e.preventDefault(); })"
    )
    page = visit.go(PAGES["variables"])
    page.get_by_role("textbox", name="Key").fill("A")
    button = page.get_by_role("button", name="Save variable")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    expect(button).to_have_text("Save variable")
    button.click()
    assert page.evaluate("sent") == 1


def test_a_deep_link_to_a_log_line_shows_that_line(visit: Visit) -> None:
    ports = visit.deck.ports
    plain = ports.deployment_log

    async def long(who: object, place: Place, number: int, limit: int):  # type: ignore[no-untyped-def]
        view = await plain(who, place, number, limit)
        return replace(view, lines=tuple(LineView(n, NOW, f"line {n}") for n in range(1, 401)), last=400)

    ports.deployment_log = long  # type: ignore[method-assign]
    try:
        page = visit.go(PAGES["deployment-ended"] + "#L200")
        expect(page.locator("#L200")).to_be_in_viewport()
        expect(page.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "false")
    finally:
        ports.deployment_log = plain  # type: ignore[method-assign]


def test_a_session_that_ended_keeps_the_form_and_the_same_post_goes_on(visit: Visit) -> None:
    page = visit.go(f"{BASE}/variables")
    page.fill("[name=key]", "LOG_LEVEL")
    page.fill("[name=value]", "debug")
    visit.context.clear_cookies(name="qd_session")
    page.get_by_role("button", name="Save variable").click()
    expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
    assert visit.deck.ports.deeds == []
    page.fill("#door [name=username]", "mara")
    page.fill("#door [name=password]", "wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#door")).to_contain_text("This name and password do not go together.")
    expect(page.locator("#door [name=username]")).to_have_value("mara")
    page.fill("#door [name=password]", "correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".toast")).to_be_visible()
    assert [deed[0] for deed in visit.deck.ports.deeds] == ["set-variable"]
    assert "debug" in str(visit.deck.ports.deeds)


def test_a_question_waits_for_a_new_sign_in_too(visit: Visit) -> None:
    page = visit.go(BASE)
    page.get_by_role("link", name="Stop").click()
    page.wait_for_selector("#ask[open] #dialog-h")
    visit.context.clear_cookies(name="qd_session")
    page.locator("#ask [data-confirm]").click()
    page.fill("#door [name=username]", "mara")
    page.fill("#door [name=password]", "correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(".toast")
    assert [deed[0] for deed in visit.deck.ports.deeds] == ["control"]


def test_leaving_the_new_sign_in_sends_nothing_and_keeps_what_was_typed(visit: Visit) -> None:
    page = visit.go(f"{BASE}/variables")
    page.fill("[name=key]", "LOG_LEVEL")
    visit.context.clear_cookies(name="qd_session")
    page.get_by_role("button", name="Save variable").click()
    expect(page.get_by_role("heading", name="Your session has ended")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[name=key]")).to_have_value("LOG_LEVEL")
    expect(page.get_by_role("button", name="Save variable")).not_to_have_attribute("aria-busy", "true")
    assert visit.deck.ports.deeds == []


def test_the_log_of_a_failure_opens_at_its_end(visit: Visit) -> None:
    page = visit.go(f"{BASE}/deployments/38")
    at_end = "box => box.scrollHeight - box.scrollTop - box.clientHeight < 24"
    assert page.locator("[data-log]").evaluate(at_end)


def test_the_door_opens_with_scripts_too(browser: Browser, deck: Deck) -> None:
    visit = Visit(browser, deck)
    visit.context.clear_cookies(name="qd_session")
    page = visit.go("/console/projects")
    page.fill("[name=username]", "mara")
    page.fill("[name=password]", "correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/console/projects")
    assert visit.complaints == []
    visit.close()


def test_a_dockerfile_is_pasted_into_a_field_that_keeps_its_lines(visit: Visit) -> None:
    page = visit.go("/console/projects/new")
    assert (page.locator("#f-locator").is_visible(), page.locator("#f-dockerfile").is_visible()) == (True, False)
    page.select_option("#f-kind", "dockerfile")
    hidden = [page.locator(f"#f-{name}").is_visible() for name in ("locator", "branch", "directory", "key")]
    assert (page.locator("#f-dockerfile").is_visible(), any(hidden)) == (True, False)
    page.fill("#f-dockerfile", "FROM scratch\nCMD /a")
    page.get_by_role("button", name="See what is in it").click()
    assert page.locator("#f-dockerfile").input_value() == "FROM scratch\nCMD /a"
    assert page.url.endswith("/console/projects/new")
