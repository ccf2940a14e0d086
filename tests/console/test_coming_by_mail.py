"""An invitation and a forgotten password, from the mail's link to the console; the token travels in bodies only."""

from __future__ import annotations

import re

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console.portside import Portside

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def nobody(client: TestClient[Litestar]) -> None:
    client.cookies.clear()


@pytest.mark.parametrize("page", ["accept-invitation", "reset-password", "confirm-address", "forgot-password"])
def test_the_page_is_for_everybody_and_posts_to_itself(page: str, client: TestClient[Litestar]) -> None:
    answer = client.get(f"/console/{page}")
    assert answer.status_code == 200
    assert f'<form method="post" action="/console/{page}">' in answer.text
    assert ("data-from-link" in answer.text) is (page != "forgot-password")
    assert "/console/sign-in" in answer.text


@pytest.mark.parametrize("pasted", ["t0ken", " https://deck.example/console/accept-invitation#t0ken "])
def test_an_invitation_is_accepted_by_its_token_or_by_the_whole_link(
    pasted: str, client: TestClient[Litestar], ports: Portside
) -> None:
    form = {"token": pasted, "name": " Bob ", "password": GOOD + " "}
    answer = client.post("/console/accept-invitation", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
    assert "qd_session=mara" in answer.headers["set-cookie"]
    assert ports.deeds == [("accept-invitation", "t0ken", "Bob", GOOD + " ")]


def test_an_invitation_says_who_asks_whom_into_what_before_it_is_accepted(
    client: TestClient[Litestar], ports: Portside
) -> None:
    new = client.post("/console/accept-invitation", data={"token": "https://deck.example/console/x#t0ken"})
    assert (new.status_code, ports.deeds) == (200, [])
    assert "Mara Lindqvist asks you into Saltmarsh. Your account here is bob@saltmarsh.example." in new.text
    assert '<input type="hidden" name="token" value="t0ken">' in new.text
    assert new.text.count('type="password"') == 2
    here = client.post("/console/accept-invitation", data={"token": "two-factors"})
    assert here.text.count('type="password"') == 1
    assert "You have an account here" in here.text


def test_a_new_password_is_typed_twice(client: TestClient[Litestar], ports: Portside) -> None:
    form = {"token": "t0ken", "name": "Bob", "password": GOOD, "again": GOOD + "!"}
    answer = client.post("/console/accept-invitation", data=form)
    assert (answer.status_code, ports.deeds) == (400, [])
    assert "The two passwords differ." in answer.text
    assert re.search('name="again"[^>]*aria-invalid="true"', answer.text)
    assert re.search('name="name"[^>]*value="Bob"', answer.text)
    assert client.post("/console/accept-invitation", data={**form, "again": GOOD}).status_code == 303


def test_who_has_a_second_factor_signs_in_after_accepting(client: TestClient[Litestar]) -> None:
    answer = client.post("/console/accept-invitation", data={"token": "two-factors", "password": GOOD})
    assert answer.headers["location"] == "/console/sign-in"
    assert "qd_session" not in answer.headers["set-cookie"]
    assert "Invitation accepted." in client.get("/console/sign-in").text


def test_a_link_that_was_used_is_told_with_the_link_but_not_the_password(client: TestClient[Litestar]) -> None:
    form = {"token": "used", "name": "Bob", "password": "a secret of mine"}
    answer = client.post("/console/accept-invitation", data=form)
    assert answer.status_code == 400
    assert "not valid any more" in answer.text
    assert "Ask for a new one." in answer.text
    assert re.search('name="token"[^>]*value="used"', answer.text)
    assert "a secret of mine" not in answer.text
    assert "set-cookie" not in answer.headers


def test_a_new_password_leads_to_the_sign_in_page_that_says_so(client: TestClient[Litestar], ports: Portside) -> None:
    short = client.post("/console/reset-password", data={"token": "t0ken", "password": "short"})
    assert (short.status_code, ports.deeds) == (400, [])
    assert re.search('name="password"[^>]*aria-invalid="true"', short.text)
    answer = client.post("/console/reset-password", data={"token": "t0ken", "password": GOOD})
    assert answer.headers["location"] == "/console/sign-in"
    assert ports.deeds == [("reset-password", "t0ken", GOOD)]
    assert "Your new password is set." in client.get("/console/sign-in").text


def test_an_address_is_confirmed_by_its_link_and_a_used_one_is_told(
    client: TestClient[Litestar], ports: Portside
) -> None:
    used = client.post("/console/confirm-address", data={"token": "used"})
    assert (used.status_code, "not valid any more" in used.text, ports.deeds) == (400, True, [])
    answer = client.post("/console/confirm-address", data={"token": "https://deck.example/console/#t0ken"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
    assert ports.deeds == [("confirm-address", "t0ken")]
    assert "Your new address counts" in client.get("/console/sign-in").text


def test_a_forgotten_password_is_asked_for_from_the_sign_in_page(client: TestClient[Litestar], ports: Portside) -> None:
    assert 'href="/console/forgot-password"' in client.get("/console/sign-in").text
    answer = client.post("/console/forgot-password", data={"email": "bob@saltmarsh.example"})
    assert answer.status_code == 200
    assert "If somebody has this address here" in answer.text
    assert ports.deeds == [("forgot-password", "bob@saltmarsh.example")]


def test_without_a_mail_server_nobody_is_written_to_and_the_page_says_so(
    client: TestClient[Litestar], ports: Portside
) -> None:
    ports.mail = False
    for answer in (
        client.get("/console/forgot-password"),
        client.post("/console/forgot-password", data={"email": "bob@saltmarsh.example"}),
    ):
        assert answer.status_code == 200
        assert "Nobody is written to" in answer.text
        assert 'name="email"' not in answer.text
        assert "is on its way" not in answer.text
    assert ports.deeds == []


@pytest.mark.parametrize("page", ["accept-invitation", "reset-password", "confirm-address", "forgot-password"])
def test_another_site_sends_none_of_these_forms(page: str, client: TestClient[Litestar], ports: Portside) -> None:
    form = {"token": "t0ken", "password": GOOD, "email": "bob@saltmarsh.example"}
    answer = client.post(f"/console/{page}", data=form, headers={"origin": "https://evil.example"})
    assert (answer.status_code, ports.deeds) == (403, [])
    assert "set-cookie" not in answer.headers


def test_the_ways_to_identity_providers_stand_in_the_form_behind_an_or(client: TestClient[Litestar]) -> None:
    form = client.get("/console/sign-in").text.partition("<form")[2].partition("</form>")[0]
    assert re.search('<p class="or">or</p>.*Continue with Saltmarsh login', form, re.DOTALL)
