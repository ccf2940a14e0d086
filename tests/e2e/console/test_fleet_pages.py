"""Servers in a real browser: added step by step with and without scripts, tidied, left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from console.quay import PUBLIC, SHOWN
from e2e.console.conftest import Deck, Visit
from e2e.console.test_every_page import LOOKS, findings

pytestmark = pytest.mark.browser
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\npear-tree-4711\n-----END OPENSSH PRIVATE KEY-----"


@pytest.fixture(params=[True, False], ids=["with-scripts", "without-scripts"])
def any_visit(request: pytest.FixtureRequest, browser: Browser, deck: Deck) -> Iterator[Visit]:
    deck.ports.done.clear()
    made = Visit(browser, deck, java_script_enabled=request.param)
    yield made
    made.close()


def fill(page: Page, **more: str) -> None:
    for name, value in {"name": "ber-1", "host": "203.0.113.9", "username": "ada", **more}.items():
        page.fill(f"[name={name}]", value)


def test_a_server_is_added_with_a_key_made_on_the_way(any_visit: Visit) -> None:
    page = any_visit.go("/console/fleet/new")
    fill(page)
    expect(page.get_by_label("Private key")).to_be_hidden()
    page.get_by_role("button", name="Test the connection").click()
    expect(page.get_by_text("Nothing was tested yet.")).to_be_visible()
    expect(page.get_by_text(PUBLIC, exact=True)).to_be_visible()
    page.get_by_role("button", name="Test the connection").first.click()  # in the card of the key
    expect(page.get_by_text("The edge would listen on 8080 and 8443.")).to_be_visible()
    expect(page.get_by_text(SHOWN)).to_be_visible()
    expect(page.locator("[name=name]")).to_have_value("ber-1")
    page.get_by_role("button", name="Add server").click()
    page.wait_for_url("**/console/fleet/servers/srv_9")
    (made, added) = any_visit.deck.ports.done
    assert made == ("keep_key", "ber-1", "ada", True)
    assert (added[1].credential, added[1].username, added[1].expected_key) == ("sshcred_1", "ada", SHOWN)
    assert any_visit.complaints == []


def test_a_pasted_key_that_is_refused_is_not_sent_back_and_all_else_is_kept(any_visit: Visit) -> None:
    page = any_visit.go("/console/fleet/new")
    fill(page)
    page.select_option("[name=credential]", "pasted")
    page.get_by_label("Private key").fill("pear-tree-4711")
    page.get_by_role("button", name="Add server").click()
    expect(page.locator("#f-content-e")).to_have_text("This is not a private key.")
    expect(page.get_by_label("Private key")).to_have_value("")
    expect(page.locator("[name=username]")).to_have_value("ada")
    assert "pear-tree-4711" not in page.content()
    assert any_visit.deck.ports.done == []
    page.get_by_label("Private key").fill(KEY)
    page.get_by_role("button", name="Add server").click()
    page.wait_for_url("**/console/fleet/servers/srv_9")
    assert "pear-tree-4711" not in page.content()


def test_who_may_not_store_keys_is_told_who_can_grant_it(any_visit: Visit) -> None:
    page = any_visit.go("/console/fleet/new")
    fill(page)
    any_visit.deck.ports.may_keep_keys = False
    try:
        page.get_by_role("button", name="Test the connection").click()
        expect(page.get_by_text("Ask Jonas Weber.")).to_be_visible()
        expect(page.locator("[name=host]")).to_have_value("203.0.113.9")
    finally:
        any_visit.deck.ports.may_keep_keys = True
    assert any_visit.deck.ports.done == []


@pytest.mark.parametrize("host", ["203.0.113.9", "locked", "a b"])
def test_axe_finds_nothing_in_what_a_test_says_and_nothing_is_too_wide(host: str, browser: Browser, deck: Deck) -> None:
    for theme, width in (*LOOKS, ("light", 320)):
        visit = Visit(browser, deck, viewport={"width": width, "height": 844}, color_scheme=theme)
        page = visit.go("/console/fleet/new")
        fill(page, host=host)
        page.select_option("[name=credential]", "sshcred_1")
        page.get_by_role("button", name="Test the connection").click()
        page.wait_for_url("**/fleet/new/test")
        assert findings(page) == [], (theme, width)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (theme, width)
        visit.close()


def test_what_removes_by_itself_is_asked_about_and_then_kept(any_visit: Visit) -> None:
    page = any_visit.go("/console/fleet/policies?policy=look")
    page.get_by_label("Remove them by itself").check()
    page.get_by_role("button", name="Save policy").click()
    expect(page.get_by_role("heading", name="Remove these things by itself?")).to_be_visible()
    assert any_visit.deck.ports.done == []
    page.get_by_role("button", name="Remove by itself").click()
    expect(page.get_by_text("Policy saved")).to_be_visible()
    kept = any_visit.deck.ports.done[0][1]
    assert (kept.name, kept.remove, kept.enabled) == ("look", True, True)
    assert kept.categories == ("source-workspaces", "preview-workspaces")


def test_a_server_is_left_once_its_name_is_typed(any_visit: Visit) -> None:
    page = any_visit.go("/console/fleet/servers/srv_2")
    page.get_by_role("link", name="Uninstall").click()
    expect(page.get_by_text("Volumes hold data, and are never removed.")).to_be_visible()
    page.fill("[name=confirmation]", "hel-2")
    page.get_by_role("button", name="Uninstall").click()
    expect(page.get_by_role("heading", name="Uninstalled from hel-2")).to_be_visible()
    assert any_visit.deck.ports.done == [("uninstall", "srv_2")]


def test_lines_are_kept_from_the_page_where_they_are_read(any_visit: Visit) -> None:
    page = any_visit.go("/console/projects/storefront/production/web/logs")
    page.fill("[name=reason]", "the failed sale")
    page.get_by_role("button", name="Keep these lines").click()
    page.wait_for_url("**/logs/kept/rla_000000000002")
    expect(page.get_by_role("heading", name="Kept lines of web")).to_be_visible()
    assert any_visit.deck.ports.deeds[-1][2:] == ("1000", "", "the failed sale")
