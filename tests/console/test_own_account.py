"""One's own account in the console: what is shown once, what is told beside the field, what acts for somebody."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console.ledgerside import NOW
from console.own_side import CODES, PASSWORD, SECRET, TOKEN
from console.portside import Portside
from quarterdeck.access.scopes import SCOPES
from quarterdeck.console.pages import own_tokens
from quarterdeck.kernel.errors import Conflict

FACTOR = "/console/me/second-factor"


def beside(text: str, name: str) -> str:
    """What is said to be wrong at a field."""
    field = re.search(rf'<input[^>]*id="([a-z]-{name})"[^>]*>', text)
    assert field is not None
    found = re.search(rf'id="{field[1]}-e">.*?</svg>([^<]*)<', text)
    assert ('aria-invalid="true"' in field[0]) is (found is not None)
    return found[1] if found else ""


def test_what_a_new_password_ends_is_said_before(client: TestClient[Litestar], ports: Portside) -> None:
    text = client.get("/console/me/password").text
    assert "Your other session ends with it" in text
    assert "2 personal tokens" in text
    assert text.count('type="password"') == 3
    ports.own = replace(ports.own, others=0, tokens=0)
    text = client.get("/console/me/password").text
    assert "other session" not in text
    assert "personal token<" not in text


def test_a_password_that_cannot_be_is_told_beside_its_field_and_typed_again(
    client: TestClient[Litestar], ports: Portside
) -> None:
    good = {"currentPassword": PASSWORD, "password": "a new one of mara", "passwordAgain": "a new one of mara"}
    for name, changed in (
        ("currentPassword", {"currentPassword": "a guess of somebody"}),
        ("password", {"password": "short", "passwordAgain": "short"}),
        ("passwordAgain", {"passwordAgain": "another one of mara"}),
    ):
        answer = client.post("/console/me/password", data=good | changed)
        assert answer.status_code == 400
        assert beside(answer.text, name)
        assert 'role="alert"' not in answer.text
        assert not any(value in answer.text for value in (good | changed).values())
    assert ports.deeds == []


def test_who_has_no_password_is_asked_for_none(client: TestClient[Litestar], ports: Portside) -> None:
    ports.own = replace(ports.own, password=False, factor=NOW, codes=8)
    assert "<input class" not in client.get("/console/me/password").text.partition("<main")[2].partition("</main")[0]
    assert 'name="password"' not in client.get(FACTOR).text


def test_a_second_factor_is_begun_confirmed_and_its_codes_shown_in_one_answer_each(
    client: TestClient[Litestar], ports: Portside
) -> None:
    assert SECRET not in client.get(FACTOR).text
    begun = client.post(FACTOR)
    assert (begun.status_code, begun.headers["cache-control"]) == (200, "no-store")
    assert "JBSW Y3DP EHPK" in begun.text
    picture = begun.text.partition('class="qr"')[2].partition("</svg>")[0]
    assert 'fill="#fff"' in picture
    assert "style=" not in picture
    assert SECRET not in client.get(FACTOR).text
    wrong = client.post(f"{FACTOR}/confirm", data={"code": "000000", "secret": SECRET})
    assert (wrong.status_code, 'class="qr"' in wrong.text) == (400, True)
    assert beside(wrong.text, "code") == "The code is wrong. Give the newest."
    forged = client.post(f"{FACTOR}/confirm", data={"code": "000000", "secret": "A" * 32})
    assert (forged.status_code, 'class="qr"' in forged.text, 'role="alert"' in forged.text) == (400, False, True)
    ports.deeds.clear()
    on = client.post(f"{FACTOR}/confirm", data={"code": "123456", "secret": SECRET})
    assert (on.status_code, on.headers["cache-control"], ports.deeds) == (200, "no-store", [("confirm-factor",)])
    assert all(code in on.text for code in CODES)
    assert SECRET not in on.text
    assert CODES[0] not in client.get(FACTOR).text


def test_a_second_factor_that_is_on_says_how_many_codes_are_left(client: TestClient[Litestar], ports: Portside) -> None:
    ports.own = replace(ports.own, factor=NOW - timedelta(days=3), codes=8)
    assert "8 left" in client.get(FACTOR).text
    assert "make new ones" not in client.get(FACTOR).text
    ports.own = replace(ports.own, codes=2)
    assert "make new ones" in client.get(FACTOR).text
    wrong = client.post(f"{FACTOR}/codes", data={"code": "000000"}).text
    assert 'id="r-code-e"' in wrong
    assert 'id="o-code-e"' not in wrong
    renewed = client.post(f"{FACTOR}/codes", data={"code": "123456"})
    assert all(code in renewed.text for code in CODES)
    wrong = client.post(f"{FACTOR}/off", data={"code": "000000", "password": PASSWORD}).text
    assert 'id="o-code-e"' in wrong
    assert 'id="r-code-e"' not in wrong
    wrong = client.post(f"{FACTOR}/off", data={"code": "123456", "password": "a guess of somebody"}).text
    assert 'id="o-password-e"' in wrong
    assert "a guess of somebody" not in wrong
    assert ports.deeds == [("renew-codes",)]
    off = client.post(f"{FACTOR}/off", data={"code": "123456", "password": PASSWORD})
    assert (off.headers["location"], ports.deeds[1:]) == (FACTOR, [("factor-off",)])
    assert "The second factor is off." in client.get(FACTOR).text


def test_beginning_what_is_there_already_is_told_on_the_page(client: TestClient[Litestar], ports: Portside) -> None:
    ports.problem = Conflict("A second factor is set up already.", hint="Switch it off first.")
    answer = client.post(FACTOR)
    assert (answer.status_code, "set up already" in answer.text) == (409, True)


def test_a_token_is_made_from_what_was_chosen_and_shown_in_that_answer_alone(
    client: TestClient[Litestar], ports: Portside
) -> None:
    page = client.get("/console/me/tokens").text
    assert "backup &lt;b&gt;job&lt;/b&gt;" in page
    assert "never used" in page
    assert page.count("/revoke") == 2, "one of the three has expired"
    form = {"label": " ci ", "ends": "30", "scope-runbooks": "yes", "scope-deploy:read": "yes"}
    made = client.post("/console/me/tokens", data=form)
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert TOKEN in made.text
    ((deed, label, scopes, days),) = ports.deeds
    assert (deed, label, set(scopes), days) == ("create-token", "ci", {"runbooks", "deploy:read"}, 30)
    assert TOKEN not in client.get("/console/me/tokens").text
    client.post("/console/me/tokens", data={"label": "for ever", "ends": ""})
    assert ports.deeds[1] == ("create-token", "for ever", (), None)


@pytest.mark.parametrize(("changed", "name"), [({"label": ""}, "label"), ({"ends": "4000"}, "ends")])
def test_a_token_that_cannot_be_keeps_what_was_typed(
    changed: dict[str, str], name: str, client: TestClient[Litestar], ports: Portside
) -> None:
    form = {"label": "ci", "ends": "30", "scope-runbooks": "yes"} | changed
    answer = client.post("/console/me/tokens", data=form)
    assert (answer.status_code, ports.deeds) == (400, [])
    assert f'id="f-{name}-e"' in answer.text
    assert re.search('name="scope-runbooks"[^>]* checked', answer.text)


def test_every_scope_there_is_can_be_chosen() -> None:
    assert set(own_tokens.SCOPES) == set(SCOPES)


def test_a_token_that_is_not_there_is_not_asked_about(client: TestClient[Litestar]) -> None:
    assert "Revoke laptop?" in client.get("/console/me/tokens/3/revoke").text
    assert client.get("/console/me/tokens/33/revoke").status_code == 404


def test_other_sessions_and_organizations_are_offered_where_there_are_any(
    client: TestClient[Litestar], ports: Portside
) -> None:
    page = client.get("/console/me").text
    assert "Sign out everywhere else" in page
    assert "Acme Ltd" in page
    question = client.get("/console/me/sign-out-elsewhere").text
    assert "qd on fra-1" in question
    assert "Chromium on Linux" not in question
    ports.empty = True
    assert "Act here" not in client.get("/console/me").text


def test_the_tabs_of_an_account_say_which_one_is_open(client: TestClient[Litestar]) -> None:
    for path in ("", "/password", "/second-factor", "/tokens"):
        page = client.get(f"/console/me{path}").text
        tabs = page.partition('<nav class="tabs"')[2].partition("</nav>")[0]
        assert re.findall(r'href="([^"]+)" aria-current="page"', tabs) == [f"/console/me{path}"]
