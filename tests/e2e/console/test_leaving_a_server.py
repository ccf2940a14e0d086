"""A server behind SSH is left in the console: what would go is said first, and then that machine is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.client import EMAIL, PASSWORD, Client, signed_in
from e2e.over_ssh import application, eventually, key_pair, put_away, register, visit
from e2e.repositories import Repositories
from e2e.server import deck
from e2e.truth import rows
from real.host import Machine, machine

pytestmark = [pytest.mark.browser, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]
SLOW = 120_000


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Machine]:
    with machine(21, authorized=[keys[1]], engine=False) as made:
        yield made


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    """How a server is left does not depend on the database."""
    with deck(place / "left") as made, signed_in(made) as client:
        yield client


@pytest.fixture
def page(browser: Browser, client: Client) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(SLOW)
    opened = context.new_page()
    opened.goto(f"{client.deck.url}/console/sign-in")
    opened.get_by_label("E-mail or username").fill(EMAIL)
    opened.get_by_label("Password").fill(PASSWORD)
    opened.get_by_role("button", name="Sign in").click()
    expect(opened).not_to_have_url(f"{client.deck.url}/console/sign-in", timeout=SLOW)
    yield opened
    context.close()


def test_a_server_is_uninstalled_in_the_console_and_nothing_stays_on_it(
    page: Page, client: Client, there: Machine, keys: tuple[str, str], repositories: Repositories
) -> None:
    server = register(client, there, keys[0])
    repository = repositories.add("left", {"index.html": "here for a while"})
    app = application(client, server, "left", repository.source(), port=None, kind="static-site")
    deployment = client.deployed(app)
    assert visit(client, there, deployment).text == "here for a while"
    name, main = f"There {there.number}", page.locator("main")
    at = f"{client.deck.url}/console/fleet/servers/{server}"

    # While something of somebody serves there, it is refused and the page says what.
    page.goto(at)
    page.get_by_role("link", name="Uninstall").click()
    expect(page.get_by_role("heading", name=f"Uninstall Quarterdeck from {name}?")).to_be_visible(timeout=SLOW)
    expect(page.get_by_label(f"Type {name} to confirm")).to_be_visible()
    page.get_by_label(f"Type {name} to confirm").fill(name)
    page.get_by_role("button", name="Uninstall").click()
    expect(page.locator(".note.t-bad, .note.t-warn").first).to_be_visible(timeout=SLOW)
    assert visit(client, there, deployment).text == "here for a while"

    put_away(client, server)
    page.goto(f"{at}/uninstall")
    expect(main).to_contain_text("edge Caddy", timeout=SLOW)
    expect(main).to_contain_text("/var/lib/quarterdeck/runtime/edge")
    expect(main).to_contain_text("the line in authorized_keys is yours to remove")
    assert there.root.exists()
    page.get_by_label(f"Type {name} to confirm").fill(name)
    page.get_by_role("button", name="Uninstall").click()
    expect(page.get_by_role("heading", name=f"Uninstalled from {name}")).to_be_visible(timeout=SLOW)
    expect(main).to_contain_text("removed")
    told = page.get_by_role("region", name="Each thing")
    expect(told.get_by_role("row", name="Edge Caddy Removed")).to_be_visible()
    expect(told).to_contain_text("/var/lib/quarterdeck/runtime/edge")
    expect(told).not_to_contain_text("Stays")

    assert not there.root.parent.exists()
    assert there.run("pgrep", "-c", "caddy", check=False).strip() == "0"
    eventually(lambda: actions(client, server)[-2:], ["server.uninstalling", "server.uninstalled"])
    page.goto(f"{at}/uninstall")
    expect(main).to_contain_text("Nothing of ours is there.", timeout=SLOW)


def actions(client: Client, server: str) -> list[str]:
    """What the trail keeps of it, but for what was refused."""
    query = (
        f"SELECT action FROM audit_events WHERE resource_id = '{server}' AND action LIKE 'server.unins%' ORDER BY id"
    )
    return [str(row[0]) for row in rows(client.deck, query)]
