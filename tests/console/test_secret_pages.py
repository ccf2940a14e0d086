"""The pages of brokered secrets: what their forms do, what they say of each state, and what is never shown."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console import secret_side as made_up
from console.portside import EVERYTHING, SECRETS, Portside
from console.secret_side import (
    AGENT,
    BUILT_IN,
    CAREFUL,
    EMERGENCY,
    MINE,
    READY,
    RULE,
    VALUE,
    VAULT,
    WAITS,
)
from e2e.console.addresses import PAGES
from quarterdeck.broker.gitops.observing import ACTIVE, APPLIED, FAILED, UNVERIFIED
from quarterdeck.broker.requests.transitions import STATUSES
from quarterdeck.broker.work import transitions as work
from quarterdeck.console.pages.secret_requests import STATUSES as SHOWN
from quarterdeck.console.state import tone
from quarterdeck.console.views.secret_places import CREDENTIALS, FORMS, NEEDED
from quarterdeck.console.views.secrets import PROVIDERS, Wanted
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid

Client = TestClient[Litestar]
HERE = "/console/secrets"
REQUESTS, RULES, WORKFLOWS = f"{HERE}/requests", f"{HERE}/policies", f"{HERE}/workflows"
AGENTS, CONNECTIONS = f"{HERE}/agents", f"{HERE}/connections"
TIMES = {"request_ttl_seconds": "14d", "wrap_ttl_created_seconds": "7d", "wrap_ttl_approved_seconds": "1h",
         "wrap_ttl_claimed_seconds": "5m", "grant_seconds": "0"}  # fmt: skip
DEEDS: list[tuple[str, dict[str, Any], tuple[Any, ...], str]] = [
    (f"{REQUESTS}/{WAITS}/say", {"deed": "approve", "comment": "fine"}, ("say-of-secret", WAITS, True, "fine"),
     f"{REQUESTS}/{WAITS}"),
    (f"{REQUESTS}/{WAITS}/say", {"deed": "refuse", "comment": "no"}, ("say-of-secret", WAITS, False, "no"),
     f"{REQUESTS}/{WAITS}"),
    (f"{REQUESTS}/{EMERGENCY}/review", {"comment": "right"}, ("review-secret", EMERGENCY, "right"),
     f"{REQUESTS}/{EMERGENCY}"),
    (f"{REQUESTS}/{MINE}/cancel", {"x": "y"}, ("cancel-secret", MINE), f"{REQUESTS}/{MINE}"),
    (f"{REQUESTS}/{MINE}/edit", {"kind": "patch", "justification": "why", "key": "A", "value": "1"},
     ("edit-secret", MINE, "why", ("A",), {"A": "1"}), f"{REQUESTS}/{MINE}"),
    (f"{RULES}/{RULE}/delete", {"confirmation": "prod"}, ("delete-rule", RULE, "prod"), RULES),
    (f"{WORKFLOWS}/{CAREFUL}/delete", {"confirmation": "careful"}, ("delete-workflow", CAREFUL, "careful"), WORKFLOWS),
    (f"{AGENTS}/{AGENT}/revoke", {"confirmation": "fra-agent", "reason": "old"},
     ("revoke-agent", AGENT, "old", "fra-agent"), f"{AGENTS}/{AGENT}"),
    (f"{CONNECTIONS}/{VAULT}/switch", {"deed": "off"}, ("switch-connection", VAULT, False), f"{CONNECTIONS}/{VAULT}"),
    (f"{CONNECTIONS}/{VAULT}/switch", {"deed": "on"}, ("switch-connection", VAULT, True), f"{CONNECTIONS}/{VAULT}"),
    (f"{CONNECTIONS}/{VAULT}/discover", {"x": "y"}, ("discover", VAULT), f"{CONNECTIONS}/{VAULT}"),
    (f"{CONNECTIONS}/{VAULT}/delete", {"confirmation": "main"}, ("delete-connection", VAULT, "main"), CONNECTIONS),
]  # fmt: skip
FORMS_THAT_MAKE: list[tuple[str, dict[str, str]]] = [
    (f"{HERE}/ask", {"kind": "read", "kept": "vault:main", "ref": "a"}),
    (f"{RULES}/new", {"name": "x", "priority": "1"}),
    (f"{RULES}/{RULE}", {"name": "x", "priority": "1"}),
    (f"{WORKFLOWS}/new", {"name": "x", "people-1": "1", **TIMES}),
    (f"{WORKFLOWS}/{CAREFUL}", {"people-1": "1", **TIMES}),
    (f"{AGENTS}/new", {"name": "x"}),
    (f"{AGENTS}/{AGENT}/rotate", {"grace": "0"}),
    (f"{CONNECTIONS}/new", {"provider": "vault", "name": "x"}),
    (f"{CONNECTIONS}/{VAULT}", {"config.address": "https://x"}),
]


@pytest.mark.parametrize(("path", "form", "deed", "leads"), DEEDS)
def test_a_form_does_its_deed_once_and_leads_to_where_it_is_seen(
    path: str, form: dict[str, Any], deed: tuple[Any, ...], leads: str, client: Client, ports: Portside
) -> None:
    answer = client.post(path, data=form)
    assert (answer.status_code, answer.headers.get("location")) == (303, leads), answer.text
    assert ports.deeds == [deed]


@pytest.mark.parametrize(("path", "form"), [*((path, form) for path, form, *_ in DEEDS), *FORMS_THAT_MAKE])
@pytest.mark.parametrize("problem", [Invalid("No."), Conflict("No."), Forbidden("No.")], ids=lambda one: one.kind)
def test_what_is_refused_is_told_on_the_page_that_it_came_from(
    path: str, form: dict[str, Any], problem: Exception, client: Client, ports: Portside
) -> None:
    ports.problem = problem
    answer = client.post(path, data=form)
    assert answer.status_code in {400, 403, 409}
    assert "<b>No.</b>" in answer.text
    assert "<h1" in answer.text
    assert ports.deeds == []


def test_what_is_asked_for_is_what_was_chosen_and_typed(client: Client, ports: Portside) -> None:
    form = {"kind": "patch", "kept": "vault:main", "place": "p/production", "ref": "a/b", "justification": "why",
            "way": "emergency", "key": ["A", "B", ""], "value": [" 1 ", "two\r\nlines", ""]}  # fmt: skip
    assert client.post(f"{HERE}/ask", data=form).headers["location"] == f"{REQUESTS}/{MINE}"
    [(_, wanted)] = ports.deeds
    assert wanted == Wanted(
        kind="patch", kept="vault:main", place="p/production", ref="a/b", keys=("A", "B"), justification="why",
        emergency=True, values={"A": " 1 ", "B": "two\nlines"},
    )  # fmt: skip
    assert "lines" not in repr(wanted)


@pytest.mark.parametrize("path", [f"{HERE}/ask", f"{REQUESTS}/{MINE}/edit"])
def test_a_value_is_in_no_page_after_a_mistake(path: str, client: Client, ports: Portside) -> None:
    ports.problem = Invalid("The value of 'A' is empty.", field="key_values")
    form = {"kind": "patch", "kept": "vault:main", "ref": "a/b", "key": ["A", "B"], "value": ["canary-1", "canary-2"]}
    answer = client.post(path, data=form)
    assert answer.status_code == 400
    assert "canary" not in answer.text
    assert 'value="A"' in answer.text
    assert "type them once more" in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_what_would_happen_is_told_by_itself_to_the_script_and_on_the_page_to_others(client: Client) -> None:
    form = {"kind": "patch", "kept": "vault:main", "ref": "a/b", "key": "A", "value": "canary-1"}
    whole = client.post(f"{HERE}/ask/try", data=form).text
    part = client.post(f"{HERE}/ask/try", data=form, headers={"HX-Request": "true", "X-Console-Ask": "1"}).text
    assert "<html" in whole
    assert "<html" not in part
    for text in (whole, part):
        assert "sends it to the workflow careful" in text
        assert "here it is production" in text
        assert "Passed over" in text
        assert "canary" not in text


def test_a_value_is_given_to_the_script_alone_and_nothing_keeps_it(client: Client, ports: Portside) -> None:
    path = f"{REQUESTS}/{READY}/values/{VALUE}"
    by_form = client.post(path, data={"x": "y"})
    assert (by_form.status_code, ports.deeds) == (403, [])
    given = client.post(path, headers={"x-console-reveal": "1"})
    assert given.json() == {"key": "password", "value": "v9!Hq-<tide>-27-Lamp", "encoding": "text", "sealed": False}
    assert given.headers["cache-control"] == "no-store"
    assert given.headers["content-type"].startswith("application/json")
    assert ports.deeds == [("reveal", READY, VALUE)]
    assert client.get(path).status_code in {404, 405}
    page = client.get(f"{REQUESTS}/{READY}").text
    assert "tide" not in page
    assert page.count("data-reveal=") == 2
    assert f'data-sealed="{made_up.PUBLIC}"' in page


@pytest.mark.parametrize("status", STATUSES)
def test_a_request_shows_its_state_in_our_words(status: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    state = ("secret-request", status, None)
    monkeypatch.setitem(made_up.VIEWS, WAITS, replace(made_up.VIEW, row=replace(made_up.VIEW.row, state=state)))
    assert tone(*state).word in client.get(f"{REQUESTS}/{WAITS}").text


def test_every_state_of_the_broker_has_a_tone() -> None:
    assert set(SHOWN) == set(STATUSES)
    for status in (*work.LIVE, *work.ENDED, ACTIVE, APPLIED, FAILED, UNVERIFIED):
        assert tone("broker-job", status).word
    for status in ("active", "stale", "revoked", "enrolled", "present", "missing"):
        assert tone("agent", status).word


def test_there_is_a_form_for_each_provider(client: Client) -> None:
    assert set(FORMS) == set(NEEDED)
    assert set(FORMS) <= set(PROVIDERS)
    for provider, fields in FORMS.items():
        page = client.get(f"{CONNECTIONS}/new?provider={provider}").text
        for name, *_ in fields:
            assert f'name="config.{name}"' in page
        assert ('name="credential"' in page) is (provider in CREDENTIALS)


def test_what_is_built_in_and_what_was_lost_is_said_before_it_is_tried(client: Client) -> None:
    assert "It is built in. Change it instead." in client.get(f"{RULES}/{BUILT_IN}/delete").text
    for path in (f"{RULES}/{RULE}/delete", f"{WORKFLOWS}/{CAREFUL}/delete", f"{AGENTS}/{AGENT}/revoke",
                 f"{CONNECTIONS}/{VAULT}/delete"):  # fmt: skip
        assert "data-must-equal=" in client.get(path).text


def test_the_secret_of_an_agent_is_shown_once(client: Client, ports: Portside) -> None:
    made = client.post(f"{AGENTS}/new", data={"name": "rack-7", "scope": "cluster=eu, environment=staging"})
    assert "9c" * 20 in made.text
    assert ports.deeds == [("mint-agent", "rack-7", {"cluster": "eu", "environment": "staging"})]
    assert "9c9c" not in client.get(f"{AGENTS}/new").text
    assert "7d7d" in client.post(f"{AGENTS}/{AGENT}/rotate", data={"grace": "3600"}).text
    assert ports.deeds[-1] == ("rotate-agent", AGENT, 3600)
    assert "7d7d" not in client.get(f"{AGENTS}/{AGENT}").text


def test_the_room_is_in_the_menu_of_those_alone_who_have_a_permission_of_it(client: Client, ports: Portside) -> None:
    assert 'href="/console/secrets"' in client.get("/console/").text
    ports.permissions = EVERYTHING - set(SECRETS)
    assert 'href="/console/secrets"' not in client.get("/console/").text


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("secret")])
def test_what_somebody_may_not_do_is_not_offered(name: str, client: Client, ports: Portside) -> None:
    """Whoever may only read is offered no form that changes something but what the request itself offers."""
    ports.permissions = EVERYTHING - set(SECRETS) | {"broker:agent.list", "broker:secret.list"}
    answer = client.get(PAGES[name])
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    if name.removeprefix("secret-").partition("-")[0] in {"rules", "rule", "workflows", "workflow", "agents", "agent",
                                                          "connections", "connection"} and not name.endswith(
        ("-delete", "-revoke", "-new")
    ):  # fmt: skip
        assert re.findall(r'<form[^>]*method="post"', main) == []
        assert not re.search(r'href="[^"]*/(new|delete|revoke)"', main)


def test_what_is_not_there_is_a_page_that_says_so(client: Client) -> None:
    for path in (f"{REQUESTS}/x", f"{RULES}/x", f"{WORKFLOWS}/x", f"{AGENTS}/x", f"{CONNECTIONS}/x"):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "Look at the list." in answer.text


def test_an_empty_installation_says_how_to_begin(client: Client, ports: Portside) -> None:
    ports.empty = True
    told = {"": "Nothing waits for your decision.", "?box=mine": "You have asked for nothing yet.",
            "/policies": "There is no rule.", "/agents": "No agents yet", "/connections": "None is defined.",
            "/found": "None was found yet."}  # fmt: skip
    for path, words in told.items():
        assert words in html.unescape(client.get(HERE + path).text), path


def test_texts_of_others_are_no_markup(client: Client) -> None:
    for path in (f"{REQUESTS}/{WAITS}", f"{RULES}/{RULE}", f"{CONNECTIONS}/{VAULT}", f"{HERE}/found"):
        page = client.get(path).text
        for markup in ("<Raman>", "<b>now", "<i>right", "<databases>", "<sealed>", "<old>"):
            assert markup not in page, path


def test_a_form_changes_nothing_that_it_does_not_know(
    client: Client, ports: Portside, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {"provider_type": "vault-of-another", "operation": "reveal", "project_id": "0d0b2800-gone"}
    monkeypatch.setitem(made_up.RULES, RULE, replace(made_up.RULES[RULE], selector=odd))
    page = client.get(f"{RULES}/{RULE}").text
    for value in odd.values():
        assert f'<option value="{value}" selected>' in page
    steps = tuple(replace(made_up.STEPS[0], name=f"s{number}") for number in range(1, 8))
    many = replace(made_up.WORKFLOWS[CAREFUL], steps=steps, roles=("gone",) * 7)
    monkeypatch.setitem(made_up.WORKFLOWS, CAREFUL, many)
    page = client.get(f"{WORKFLOWS}/{CAREFUL}").text
    assert 'name="people-8"' in page
    assert 'value="s7"' in page
    assert page.count('<option value="gone" selected>') == 7
    form = {f"{word}-{number}": value for number in range(1, 8) for word, value in (("step", "s"), ("people", "2"))}
    client.post(f"{WORKFLOWS}/{CAREFUL}", data={**form, **TIMES})
    assert len(ports.deeds[0][2].steps) == 7
