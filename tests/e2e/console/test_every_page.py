"""Promises that hold for every page: for everyone, in both themes, at every width, within the budgets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from e2e.console.addresses import PAGES
from e2e.console.conftest import AXE, Deck, Visit
from support.run import ALL, SEED, sample

pytestmark = pytest.mark.browser
WITH_TERMINAL = {"task-asks", "task-runs", "task-done"}
"""Pages that load the drawing of terminals beside everything else: three files, a style sheet, and a channel token."""
LOOKS = [(theme, width) for theme in ("light", "dark") for width in (1440, 390)]
TURNS = 3


def pages_of(turn: int) -> list[str]:
    """Every run looks at each page for one of the promises, which take turns by the seed; `--all` for all of them."""
    return list(PAGES) if ALL else list(PAGES)[(SEED + turn) % TURNS :: TURNS]


def findings(page: Page) -> list[str]:
    """What axe-core finds; run through the browser's own channel, which the page's policy does not concern."""
    page.evaluate(AXE.read_text())
    result: dict[str, Any] = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    return [f"{one['id']}: {node['html'][:160]}" for one in result["violations"] for node in one["nodes"]]


@pytest.mark.parametrize("name", pages_of(0))
def test_axe_finds_nothing_in_both_themes_at_both_widths(name: str, browser: Browser, deck: Deck) -> None:
    """A page is seen in one look by the seed; `--all` takes it in all four."""
    found = []
    for theme, width in sample(LOOKS, 1, name):
        visit = Visit(browser, deck, viewport={"width": width, "height": 844}, color_scheme=theme)
        page = visit.go(PAGES[name])
        page.wait_for_load_state()
        found += [f"{theme} {width}: {one}" for one in findings(page)]
        visit.close()
    assert found == []


@pytest.mark.parametrize(
    "name", ["sign-in", "first-admin", "accept-invitation", "reset-password", "confirm-address", "forgot-password"]
)
def test_axe_finds_nothing_at_the_doors(name: str, browser: Browser, deck: Deck) -> None:
    from quarterdeck.console.door_ports import Bootstrap

    deck.ports.bootstrap_state = Bootstrap(required=name == "first-admin", token_required=True)
    found = []
    try:
        for theme, width in LOOKS:
            visit = Visit(browser, deck, viewport={"width": width, "height": 844}, color_scheme=theme)
            visit.context.clear_cookies()
            page = visit.go(f"/console/{name}")
            assert page.url.endswith(name)
            found += [f"{theme} {width}: {one}" for one in findings(page)]
            visit.close()
    finally:
        deck.ports.bootstrap_state = Bootstrap(required=False, token_required=False)
    assert found == []


@pytest.mark.parametrize("link", ["Cancel", "Roll back to v40", "Stop"])
def test_axe_finds_nothing_in_an_open_dialog(link: str, browser: Browser, deck: Deck) -> None:
    for theme, width in LOOKS:
        visit = Visit(browser, deck, viewport={"width": width, "height": 844}, color_scheme=theme)
        page = visit.go(PAGES["resource"])
        page.get_by_role("link", name=link).first.click()
        page.wait_for_selector("dialog[open] #dialog-h")
        assert findings(page) == []
        visit.close()


def test_axe_finds_nothing_where_a_session_has_ended(browser: Browser, deck: Deck) -> None:
    for theme, width in LOOKS:
        visit = Visit(browser, deck, viewport={"width": width, "height": 844}, color_scheme=theme)
        page = visit.go(PAGES["variables"])
        page.fill("[name=key]", "LOG_LEVEL")
        visit.context.clear_cookies(name="qd_session")
        page.get_by_role("button", name="Save variable").click()
        page.wait_for_selector("#door[open] #door-h")
        assert findings(page) == []
        visit.close()


def test_axe_finds_nothing_in_the_palette_and_the_keyboard_help(visit: Visit) -> None:
    page = visit.go(PAGES["resource"])
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette[open] [role=option]")
    assert findings(page) == []


@pytest.mark.parametrize("name", pages_of(1))
def test_a_page_needs_no_sideways_scrolling_at_320_pixels(name: str, browser: Browser, deck: Deck) -> None:
    visit = Visit(browser, deck, viewport={"width": 320, "height": 700})
    page = visit.go(PAGES[name])
    wide = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5)
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    visit.close()
    assert wide == []


@pytest.mark.parametrize("name", pages_of(2))
def test_a_page_stays_within_its_budgets_and_its_policy(name: str, browser: Browser, deck: Deck) -> None:
    visit = Visit(browser, deck)
    session = visit.context.new_cdp_session(visit.page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page = visit.go(PAGES[name])
    page.wait_for_load_state("load")
    elements = page.evaluate("document.querySelectorAll('*').length")
    shift = page.evaluate(
        """() => new Promise(done => { let sum = 0; new PerformanceObserver(list => { for (const one of
        list.getEntries()) sum += one.value; }).observe({type: 'layout-shift', buffered: true}); setTimeout(() =>
        done(sum), 100); })"""
    )
    asked = list(visit.requests)
    complaints = [text for text in visit.complaints if "404" not in text and "403" not in text and "400" not in text]
    visit.close()
    assert complaints == []
    more, bytes_more = (5, 130_000) if name in WITH_TERMINAL else (0, 0)
    assert len(asked) <= 8 + more, json.dumps(asked, indent=1)
    assert sum(sizes) <= 60_000 + bytes_more
    assert elements <= 3000
    assert shift <= 0.02
