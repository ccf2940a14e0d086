"""Lines that are kept beyond their time, on the page of what wrote them; and where its images are built."""

from __future__ import annotations

from litestar import Litestar
from litestar.testing import TestClient

from console.ledgerside import BASE
from console.portside import Portside
from quarterdeck.console.ports import Place

WEB = Place("storefront", "production", "web")
Client = TestClient[Litestar]


def test_lines_are_kept_with_a_reason_and_shown_on_a_page_of_their_own(client: Client, ports: Portside) -> None:
    page = client.get(f"{BASE}/logs").text
    assert "the failed sale &lt;b&gt;of May&lt;/b&gt;" in page
    kept = client.post(f"{BASE}/logs/keep", data={"lines": "500", "reason": "the sale", "service": ""})
    assert (kept.status_code, kept.headers["location"]) == (303, f"{BASE}/logs/kept/rla_000000000002")
    assert ports.deeds == [("keep-log", WEB, "500", "", "the sale")]
    shown = client.get(f"{BASE}/logs/kept/rla_000000000002").text
    assert "GET http://web-v42:3000/healthz" in shown
    assert "qd log-archive show rla_000000000002" in shown
    assert "healthz" in client.get(f"{BASE}/logs/kept/rla_000000000002/raw").text
    assert client.get(f"{BASE}/logs/kept/rla_000000000009").status_code == 404


def test_a_refused_keeping_says_why_and_keeps_what_was_typed(client: Client, ports: Portside) -> None:
    refused = client.post(f"{BASE}/logs/keep", data={"lines": "500", "reason": "the sale", "service": "nobody"})
    assert (refused.status_code, ports.deeds) == (400, [])
    assert "web has no service nobody." in refused.text
    assert 'value="the sale"' in refused.text
    assert 'value="500" selected' in refused.text


def test_kept_lines_are_deleted_when_the_name_is_typed(client: Client, ports: Portside) -> None:
    asked = client.get(f"{BASE}/logs/delete-kept?days=90").text
    assert "One archive, kept more than 90 days ago." in asked
    assert "Nothing was kept before then." in client.get(f"{BASE}/logs/delete-kept?days=365").text
    assert client.get(f"{BASE}/logs/delete-kept?days=7").status_code == 400
    wrong = client.post(f"{BASE}/logs/delete-kept", data={"days": "90", "confirmation": "shop"})
    assert (wrong.status_code, ports.deeds) == (400, [])
    done = client.post(f"{BASE}/logs/delete-kept", data={"days": "90", "confirmation": "web"})
    assert (done.status_code, ports.deeds) == (303, [("delete-kept", WEB, 90)])


def test_who_may_only_read_logs_sees_no_kept_ones(client: Client, ports: Portside) -> None:
    ports.permissions -= {one for one in ports.permissions if "archive" in one}
    page = client.get(f"{BASE}/logs").text
    assert "Kept lines" not in page
    assert "healthz" in page


def test_where_images_are_built_is_chosen_in_the_settings_and_shown(client: Client, ports: Portside) -> None:
    assert "built on hel-2" in client.get(BASE).text
    page = client.get(f"{BASE}/settings").text
    assert 'value="srv_2" selected>hel-2' in page
    saved = (ports.version, {"kind": "remote-git", "locator": "https://git.example/a", "buildServerId": "srv_1"})
    answer = client.post(f"{BASE}/settings", data={"form": "source", "version": saved[0], **saved[1]})
    assert answer.status_code == 303
    assert ports.deeds[-1][3]["buildServerId"] == "srv_1"
    form = {"kind": "git", "locator": "https://git.example/a.git", "builder": "srv_2", "name": "a"}
    assert client.post("/console/projects/new", data=form).status_code == 303
    assert ports.deeds[-1][1].builder == "srv_2"
    found = client.get("/console/projects/new?kind=git&locator=https://git.example/a.git&builder=srv_2").text
    assert "--build-on srv_2" in found
