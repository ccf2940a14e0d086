"""Infrastructure in a browser, over a real installation with the real terraform: declared by a form, planned, read,
applied, changed, gone back, looked at, destroyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.client import EMAIL, PASSWORD, Client, signed_in
from e2e.console.test_every_page import findings
from e2e.server import Deck, deck

pytestmark = [pytest.mark.end_to_end, pytest.mark.edge, pytest.mark.browser]
SLOW = 90_000


@pytest.fixture(scope="module")
def there(place: Path, database_url: str | None) -> Iterator[Deck]:
    with deck(place / "deck", database_url=database_url) as made, signed_in(made) as client:
        _prepared(client)
        yield made


def _prepared(client: Client) -> None:
    """Nothing but the administrator: everything else is made in the browser."""
    assert client.get("/api/cli/configurations")["configurations"] == []


@pytest.fixture
def complaints() -> list[str]:
    """Console errors and exceptions: what the page's policy refuses, too."""
    return []


@pytest.fixture
def reader(browser: Browser, there: Deck, complaints: list[str]) -> Iterator[Page]:
    """The administrator's browser, signed in at the console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(there.url + "/console/infra")
    page.get_by_label("E-mail or username").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No specifications yet")).to_be_visible()
    yield page
    context.close()


def test_it_is_declared_planned_read_applied_changed_gone_back_and_destroyed(
    reader: Page, there: Deck, complaints: list[str]
) -> None:
    spec = declared(reader)
    applied(reader, spec, create=6)
    expect(reader.locator("#infra-spec-head")).to_contain_text("6 resources")
    outputs = reader.locator("section:has(#h-out)")
    expect(outputs).to_contain_text("ledger-development")
    expect(outputs).to_contain_text("(sensitive)")

    changed(reader, spec)
    applied(reader, spec, create=1, update=1)
    expect(reader.locator("#infra-spec-head")).to_contain_text("7 resources")

    reader.get_by_role("button", name="Look now").click()
    ended(reader, "Succeeded")
    reader.goto(spec)
    expect(reader.locator("#drift")).to_contain_text("None")

    gone_back(reader, spec)
    replaced(reader, spec)
    destroyed(reader, spec)
    assert [one for one in complaints if "status of 400" not in one] == []


def declared(reader: Page) -> str:
    """A zone and a specification, by the keyboard and by both forms; what is wrong is told at its field. Answers the
    address of the page.
    """
    reader.get_by_role("link", name="Zones").click()
    reader.get_by_role("link", name="New zone").first.click()
    reader.get_by_label("Name", exact=True).fill("payments")
    reader.keyboard.press("Enter")
    expect(reader.get_by_role("heading", name="payments")).to_be_visible()
    reader.locator(".acts").get_by_role("link", name="New specification").click()
    name, port = reader.locator("#f-project_name"), reader.locator("[id='f-databases[0].port']")
    name.fill("led ger")
    reader.get_by_role("button", name="Add database").click()
    expect(reader.locator("[id='f-databases[0].name']")).to_be_focused()
    reader.keyboard.type("main")
    port.fill("99999")
    reader.get_by_role("button", name="Make specification").click()
    expect(reader.get_by_text("2 fields are wrong.")).to_be_visible()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(reader.locator("[id='f-databases[0].port-e']")).to_contain_text("from 1 to 65535")
    expect(port).to_have_value("99999")
    assert findings(reader) == []
    name.fill("ledger")
    port.fill("5433")
    reader.get_by_role("button", name="YAML", exact=True).click()
    text = reader.get_by_label("Document, as YAML or JSON")
    expect(text).to_have_value(re.compile("port: 5433"))
    text.fill(text.input_value().replace("port: 5433", "port: nothing"))
    reader.get_by_role("button", name="Make specification").click()
    expect(reader.get_by_role("region", name="What is wrong")).to_contain_text(
        re.compile(r"databases\[0\]\.port line \d+")
    )
    text.fill(text.input_value().replace("port: nothing", "port: 5434"))
    reader.get_by_role("button", name="Form", exact=True).click()
    expect(port).to_have_value("5434")
    reader.get_by_role("button", name="Make specification").click()
    expect(reader).to_have_url(re.compile(r"/console/infra/specs/[0-9a-f-]{36}$"))
    expect(reader.get_by_role("heading", name="ledger Draft")).to_be_visible()
    return reader.url


def ended(reader: Page, word: str) -> None:
    """The page of a job moves by what the server tells it, until its end."""
    expect(reader).to_have_url(re.compile(r"/console/infra/jobs/"))
    expect(reader.locator("#infra-job-head")).to_contain_text(word, timeout=SLOW)


def planned(reader: Page, spec: str, **counts: int) -> None:
    """The plan of a specification, on its page, with so many changes of each kind."""
    reader.goto(spec)
    reader.get_by_role("button", name="Plan", exact=True).click()
    ended(reader, "Succeeded")
    expect(reader.locator("[data-log]")).to_contain_text("Plan:")
    reader.get_by_role("link", name="Review the plan").click()
    words = {"create": "create", "update": "change", "delete": "destroy", "replace": "replace"}
    summary = reader.get_by_role("group", name="Summary")
    for action, number in counts.items():
        expect(summary).to_contain_text(re.compile(rf"{number}\s*{words[action]}"))
    assert findings(reader) == []


def applied(reader: Page, spec: str, **counts: int) -> None:
    planned(reader, spec, **counts)
    reader.get_by_role("button", name="Apply exactly this plan").click()
    expect(reader.get_by_role("heading", name="Apply exactly this plan to ledger?")).to_be_visible()
    reader.get_by_role("button", name="Apply exactly this plan").click()
    ended(reader, "Succeeded")
    reader.get_by_role("link", name="The plan of it").click()
    expect(reader.get_by_text("a plan is applied once")).to_be_visible()
    expect(reader.get_by_role("button", name="Apply exactly this plan")).to_have_attribute("aria-disabled", "true")
    reader.goto(spec)
    expect(reader.get_by_role("heading", name="ledger Active")).to_be_visible()


def changed(reader: Page, spec: str) -> None:
    """Another port and a queue: the page says what differs between the versions."""
    reader.goto(spec + "/edit")
    reader.locator("[id='f-databases[0].port']").fill("5440")
    reader.get_by_text("Network", exact=True).click()
    reader.get_by_role("button", name="Add queue").click()
    expect(reader.locator("[id='f-queues[0].name']")).to_be_focused()
    expect(reader.locator("[id='f-network.cidr_block']")).to_be_visible()
    reader.locator("[id='f-queues[0].name']").fill("orders")
    reader.locator("#f-comment").fill("Orders come by a queue")
    reader.get_by_role("button", name="Save", exact=True).last.click()
    expect(reader).to_have_url(spec)
    expect(reader.locator("#infra-spec-head")).to_contain_text("changed since the last apply")
    reader.get_by_role("link", name="Versions").click()
    expect(reader.get_by_text("Orders come by a queue")).to_be_visible()
    reader.get_by_role("link", name="2", exact=True).click()
    expect(reader.locator("section:has(#h-diff)")).to_contain_text("databases[main].port")
    expect(reader.locator("section:has(#h-diff)")).to_contain_text("queues[orders]")


def gone_back(reader: Page, spec: str) -> None:
    """To the first version of the state, with a reason: what was made since then stands in no state, so that a plan
    would make it again.
    """
    reader.goto(spec + "/state")
    expect(reader.locator("section:has(#h-now)")).to_contain_text("7")
    reader.get_by_role("link", name="Diff of version 2").click()
    expect(reader.get_by_role("region", name="What differs")).to_contain_text("terraform_data")
    reader.goto(spec + "/state")
    with reader.expect_download() as fetched:
        reader.get_by_role("link", name="Download", exact=True).click()
    assert "terraform_data" in Path(fetched.value.path()).read_text()
    reader.get_by_role("link", name="Go back to version 1").click()
    question = reader.locator("dialog[open]")
    expect(question).to_contain_text("1 resource forgotten, not removed: terraform_data.queue")
    question.get_by_label("Type ledger to confirm").fill("ledger")
    question.get_by_label("Why").fill("The queue came too early")
    question.get_by_role("button", name="Go back to version 1").click()
    expect(reader).to_have_url(spec + "/state")
    expect(reader.get_by_text("The queue came too early")).to_be_visible()
    expect(reader.locator("section:has(#h-now)")).to_contain_text("6")


def replaced(reader: Page, spec: str) -> None:
    """What is destroyed stands first and open, and its name is typed before it is applied."""
    reader.goto(spec + "/edit")
    reader.get_by_text("Network", exact=True).click()
    reader.locator("[id='f-network.cidr_block']").fill("10.9.0.0/16")
    reader.get_by_role("button", name="Save", exact=True).last.click()
    expect(reader).to_have_url(spec)
    planned(reader, spec, replace=1, create=1)
    first = reader.locator(".group").first
    expect(first).to_contain_text("Replace")
    expect(first.locator("details[open]")).to_contain_text("10.9.0.0/16")
    reader.get_by_role("button", name="Apply exactly this plan").click()
    expect(reader.get_by_text("1 resource will be destroyed")).to_be_visible()
    confirm = reader.get_by_role("button", name="Apply exactly this plan")
    expect(confirm).to_be_disabled()
    reader.get_by_label("Type ledger to confirm").fill("ledger")
    assert findings(reader) == []
    confirm.click()
    ended(reader, "Succeeded")


def destroyed(reader: Page, spec: str) -> None:
    reader.goto(spec)
    reader.get_by_role("link", name="Destroy resources").click()
    question = reader.locator("dialog[open]")
    question.get_by_label("Type ledger to confirm").fill("ledger")
    question.get_by_role("button", name="Destroy 7 resources").click()
    ended(reader, "Succeeded")
    reader.goto(spec)
    expect(reader.get_by_role("heading", name="ledger Destroyed")).to_be_visible()
    reader.get_by_role("link", name="Delete specification").click()
    question = reader.locator("dialog[open]")
    question.get_by_label("Type ledger to confirm").fill("ledger")
    question.get_by_role("button", name="Delete specification").click()
    expect(reader.get_by_role("heading", name="No specifications yet")).to_be_visible()


def test_without_scripts_the_same_forms_do_the_same(browser: Browser, there: Deck) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(there.url + "/console/infra/specs/new")
    page.get_by_label("E-mail or username").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.locator("#f-project_name").fill("plain")
    page.get_by_role("button", name="Make specification").click()
    expect(page.locator("#infra-spec-head")).to_contain_text("plain")
    spec = page.url
    page.get_by_role("button", name="Plan", exact=True).click()
    for _ in range(60):
        page.reload()
        if page.get_by_role("link", name="Review the plan").count():
            break
        page.wait_for_timeout(1000)
    page.get_by_role("link", name="Review the plan").click()
    expect(page.get_by_role("group", name="Summary")).to_contain_text("create")
    page.goto(spec + "/delete")
    page.get_by_label("Type plain to confirm").fill("another")
    page.get_by_role("button", name="Delete specification").click()
    expect(page.get_by_text("What was typed is not plain.")).to_be_visible()
    page.get_by_label("Type plain to confirm").fill("plain")
    page.get_by_role("button", name="Delete specification").click()
    expect(page).to_have_url(there.url + "/console/infra")
    context.close()
