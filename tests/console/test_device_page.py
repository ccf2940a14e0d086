"""The page where a program is let in that asked with a code."""

from __future__ import annotations

from litestar import Litestar
from litestar.testing import TestClient

from console.portside import Portside

PAGE = "/cli/login?device_code="


def test_it_says_who_asks_from_where_and_asks_for_a_press(client: TestClient[Litestar], ports: Portside) -> None:
    page = client.get(f"{PAGE}waiting-here").text
    for shown in ("waiting-here", "alethia/0.4.0", "127.0.0.1", "Mara Lindqvist", "Saltmarsh"):
        assert shown in page
    assert "another address" not in page
    assert '<form method="post" action="/cli/login">' in page
    assert ports.deeds == []


def test_it_warns_where_the_program_asks_from_elsewhere(client: TestClient[Litestar]) -> None:
    page = client.get(f"{PAGE}waiting-elsewhere").text
    assert "It asks from another address than yours." in page
    assert "198.51.100.7" in page


def test_a_press_approves_or_refuses_and_leads_back_to_the_page(client: TestClient[Litestar], ports: Portside) -> None:
    for answer, deed in (("approve", "approve-device"), ("refuse", "refuse-device")):
        sent = client.post("/cli/login", data={"device_code": "waiting-here", "answer": answer})
        assert (sent.status_code, sent.headers["location"]) == (303, f"{PAGE}waiting-here")
        assert ports.deeds[-1][:2] == (deed, "waiting-here")


def test_without_a_button_nothing_is_approved(client: TestClient[Litestar], ports: Portside) -> None:
    sent = client.post("/cli/login", data={"device_code": "waiting-here"})
    assert sent.status_code == 400
    assert "Neither button was pressed." in sent.text
    assert ports.deeds == []


def test_what_cannot_be_approved_any_more_says_so_and_has_no_button(client: TestClient[Litestar]) -> None:
    sent = client.post("/cli/login", data={"device_code": "expired-here", "answer": "approve"})
    assert sent.status_code == 400
    assert "Nobody approved this login within ten minutes." in sent.text
    for state in ("approved", "ended", "expired", "unknown"):
        assert "<button" not in client.get(f"{PAGE}{state}-here").text


def test_until_the_program_asks_the_page_looks_again_by_itself(client: TestClient[Litestar]) -> None:
    address = f"{PAGE}unknown-here"
    for looked in range(5):
        answer = client.get(address)
        wait, _, address = answer.headers["refresh"].partition("; url=")
        assert (wait, address) == ("3", f"{PAGE}unknown-here&looked={looked + 1}")
    for still in (address, f"{PAGE}unknown-here&looked=x", f"{PAGE}waiting-here"):
        assert "refresh" not in client.get(still).headers
    assert f'href="{PAGE}unknown-here">Look again</a>' in client.get(address).text


def test_who_is_not_signed_in_comes_back_to_the_code_after_signing_in(client: TestClient[Litestar]) -> None:
    client.cookies.clear()
    answer = client.get(f"{PAGE}waiting-here")
    assert answer.headers["location"] == "/console/sign-in?next=/cli/login%3Fdevice_code%3Dwaiting-here"
    form = {"username": "mara", "password": "correct horse battery", "next": f"{PAGE}waiting-here"}
    assert client.post("/console/sign-in", data=form).headers["location"] == f"{PAGE}waiting-here"


def test_a_code_is_text_on_the_page(client: TestClient[Litestar]) -> None:
    page = client.get("/cli/login", params={"device_code": 'waiting-"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page
