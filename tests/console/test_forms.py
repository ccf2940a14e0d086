"""Every form posts without scripts, does one deed, and leads to where it is seen."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console.ledgerside import BASE
from console.people_side import JONAS
from console.portside import Portside
from quarterdeck.console.door_ports import Bootstrap
from quarterdeck.console.ports import Place
from quarterdeck.console.views.people import PEOPLE, ROLES, RoleForm
from quarterdeck.kernel.errors import Invalid

WEB = Place("storefront", "production", "web")
SHOP = "/console/projects/storefront"
DEEDS: list[tuple[str, dict[str, str], tuple[Any, ...], str]] = [
    (f"{BASE}/deploy", {}, ("deploy", WEB), f"{BASE}/deployments/42"),
    (f"{BASE}/deployments/42/cancel", {}, ("cancel", WEB, 42), f"{BASE}/deployments/42"),
    (f"{BASE}/deployments/38/retry", {}, ("retry", WEB, 38), f"{BASE}/deployments/42"),
    (f"{BASE}/deployments/v40/rollback", {}, ("roll-back", WEB, 40), f"{BASE}/deployments/42"),
    (f"{BASE}/control/stop", {}, ("control", WEB, "stop"), BASE),
    (f"{BASE}/control/start", {}, ("control", WEB, "start"), BASE),
    (
        f"{BASE}/variables",
        {"key": "A", "value": " spaces stay ", "exposure": "runtime", "secret": "yes"},
        ("set-variable", WEB, "A", " spaces stay ", "runtime", True),
        f"{BASE}/variables",
    ),
    (
        f"{BASE}/variables",
        {"remove": "A", "exposure": "runtime"},
        ("unset-variable", WEB, "A", "runtime"),
        f"{BASE}/variables",
    ),
    (
        f"{BASE}/variables/import",
        {"content": "A=1\nB= 2 ", "exposure": "runtime", "seal": "A", "plain": ""},
        ("import-variables", WEB, "A=1\nB= 2 ", "runtime", "A", ""),
        f"{BASE}/variables",
    ),
    (f"{BASE}/deployments/40/archive", {}, ("archive-deployment", WEB, 40), f"{BASE}/deployments"),
    (
        f"{SHOP}/production/-/variables",
        {"key": "A", "value": "1", "exposure": "runtime"},
        ("set-variable", ("storefront", "production"), "A", "1", "runtime", False),
        f"{SHOP}/production",
    ),
    (
        f"{BASE}/settings",
        {"form": "network", "version": "7", "internalPort": "4000", "upstreamProtocol": "http", "exposureMode": "none"},
        (
            "change-settings",
            WEB,
            "network",
            {
                "internalPort": "4000",
                "upstreamProtocol": "http",
                "exposureMode": "none",
                "targetServiceName": "",
                "hostPort": "",
            },
        ),
        f"{BASE}/settings",
    ),
    (f"{BASE}/archive", {}, ("archive-resource", WEB), f"{BASE}/settings"),
    (f"{BASE}/delete", {"confirmation": "web"}, ("delete-resource", WEB), f"{SHOP}/production"),
    (SHOP, {"name": "Shop", "description": "x", "version": "7"}, ("change-project", "storefront", "Shop", "x"), SHOP),
    (
        f"{SHOP}/-/environments",
        {"name": "qa", "kind": "test"},
        ("create-environment", "storefront", "qa", "test"),
        f"{SHOP}/qa",
    ),
    (f"{SHOP}/-/archive", {}, ("archive-project", "storefront"), SHOP),
    (f"{SHOP}/-/restore", {}, ("restore-project", "storefront"), SHOP),
    ("/console/jobs/9f2c1ab0/cancel", {}, ("cancel-job", "9f2c1ab0"), "/console/jobs/9f2c1ab0"),
    ("/console/jobs/9f2c1ab0/retry", {}, ("retry-job", "9f2c1ab0"), "/console/jobs/9f2c1ab0"),
    (
        "/console/jobs/9f2c1ab1/recover",
        {"reason": "by hand"},
        ("recover-job", "9f2c1ab1", "by hand"),
        "/console/jobs/9f2c1ab1",
    ),
    (
        "/console/jobs/9f2c1ab1/give-up",
        {"reason": "gone"},
        ("give-up-job", "9f2c1ab1", "gone"),
        "/console/jobs/9f2c1ab1",
    ),
    (f"{PEOPLE}/invitations/inv_000000000001/revoke", {}, ("revoke-invitation", "inv_000000000001"), PEOPLE),
    (f"{JONAS.href}/role", {"role": "admin"}, ("change-rank", JONAS.ref, "admin"), JONAS.href),
    (f"{JONAS.href}/remove", {"confirmation": "jonas"}, ("remove-member", JONAS.ref, "jonas"), PEOPLE),
    (f"{JONAS.href}/owner", {"confirmation": "S"}, ("transfer-ownership", JONAS.ref, "S"), JONAS.href),
    (
        f"{JONAS.href}/grants",
        {"role": "r3", "narrowed_by": "environment", "value": "production"},
        ("give-role", JONAS.ref, "r3", "environment", "production"),
        JONAS.href,
    ),
    (f"{JONAS.href}/grants/g2/take", {}, ("take-role", JONAS.ref, "g2"), JONAS.href),
    (
        ROLES,
        {"name": "Release", "may-deploy:deployments.create": "yes"},
        ("create-role", "Release", frozenset({"deploy:deployments.create"})),
        f"{ROLES}/r3",
    ),
    (
        f"{ROLES}/r3",
        {"name": "Release", "text": "x", "version": "7", "may-a:b": "yes"},
        ("change-role", "r3", RoleForm("Release", "x", frozenset({"a:b"}), "7")),
        f"{ROLES}/r3",
    ),
    (f"{ROLES}/r3/delete", {"confirmation": "Release"}, ("delete-role", "r3", "Release"), ROLES),
    ("/console/me/sessions/ses_2/revoke", {}, ("revoke", "ses_2"), "/console/me"),
    ("/console/me/sign-out-elsewhere", {}, ("sign-out-elsewhere",), "/console/me"),
    ("/console/me/organization", {"organization": "org_2"}, ("switch-organization", "org_2"), "/console/"),
    ("/console/me/tokens/3/revoke", {}, ("revoke-token", "3"), "/console/me/tokens"),
    (
        "/console/me/password",
        {
            "currentPassword": "correct horse battery",
            "password": " a new one of mara ",
            "passwordAgain": " a new one of mara ",
        },
        ("change-password", " a new one of mara "),
        "/console/me/password",
    ),
    ("/console/sign-out", {}, ("sign-out", "mara"), "/console/sign-in"),
]


@pytest.mark.parametrize(("path", "form", "deed", "leads"), DEEDS)
def test_a_form_does_its_deed_once_and_leads_to_where_it_is_seen(
    path: str, form: dict[str, str], deed: tuple[Any, ...], leads: str, client: TestClient[Litestar], ports: Portside
) -> None:
    answer = client.post(path, data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == leads
    assert ports.deeds == [deed]


@pytest.mark.parametrize(("path", "form"), [(path, form) for path, form, _, _ in DEEDS])
def test_a_post_without_a_session_does_nothing(
    path: str, form: dict[str, str], client: TestClient[Litestar], ports: Portside
) -> None:
    client.cookies.clear()
    answer = client.post(path, data=form)
    assert answer.headers["location"] == "/console/sign-in"
    assert ports.deeds == []


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client: TestClient[Litestar]) -> None:
    client.cookies.clear()
    referer = {"referer": f"http://deck.example{BASE}/settings"}
    answer = client.post(f"{BASE}/settings", data={"form": "network"}, headers=referer)
    assert answer.headers["location"] == f"/console/sign-in?next={BASE}/settings"
    answer = client.post(f"{BASE}/settings", headers={"referer": "https://evil.example/x"})
    assert answer.headers["location"] == "/console/sign-in"


def test_the_result_is_told_once_on_the_page_that_follows(client: TestClient[Litestar]) -> None:
    client.post(f"{BASE}/deployments/42/cancel")
    assert "<span>Cancel requested</span>" in client.get(f"{BASE}/deployments/42").text
    assert "<span>Cancel requested</span>" not in client.get(f"{BASE}/deployments/42").text
    client.cookies.set("qd_flash", "<b>surely not</b>", path="/console")
    assert "surely not" not in client.get("/console/").text


def test_a_form_made_from_an_older_version_shows_both_and_overwrites_nothing(
    client: TestClient[Litestar], ports: Portside
) -> None:
    form = {"form": "runtime", "version": "6", "strategy": "auto", "startCommand": "node other.js"}
    answer = client.post(f"{BASE}/settings", data=form)
    assert answer.status_code == 409
    assert "saved: <code>node build</code>" in answer.text
    assert "yours: <code>node other.js</code>" in answer.text
    assert 'name="startCommand" type="text" value="node other.js"' in answer.text
    assert 'name="version" value="7"' in answer.text
    assert ports.deeds == []


def test_an_error_stands_at_its_field_and_keeps_what_was_typed(client: TestClient[Litestar], ports: Portside) -> None:
    ports.problem = Invalid("The port 99999 is too large.", hint="Ports end at 65535.", field="internalPort")
    answer = client.post(f"{BASE}/settings", data={"form": "network", "version": "7", "internalPort": "99999"})
    assert answer.status_code == 400
    assert 'name="internalPort" type="text" value="99999" required aria-invalid="true"' in answer.text
    assert 'id="network-internalPort-e"' in answer.text
    assert "Ports end at 65535." in answer.text


def test_a_secret_that_was_typed_is_never_sent_back(client: TestClient[Litestar], ports: Portside) -> None:
    ports.problem = Invalid("Not this key.")
    form = {"key": "K", "value": "hunter2-hunter2", "secret": "yes", "exposure": "build-time"}
    answer = client.post(f"{BASE}/variables", data=form)
    assert answer.status_code == 400
    assert "hunter2" not in answer.text
    assert 'value="K"' in answer.text


def test_deleting_asks_for_the_name_and_the_server_compares_it(client: TestClient[Litestar], ports: Portside) -> None:
    assert 'data-must-equal="web"' in client.get(f"{BASE}/delete").text
    answer = client.post(f"{BASE}/delete", data={"confirmation": "wob"})
    assert answer.status_code == 400
    assert "The name typed is not the name of the resource." in answer.text
    assert ports.deeds == []


def test_looking_at_a_source_changes_nothing_and_stands_in_the_address(
    client: TestClient[Litestar], ports: Portside
) -> None:
    answer = client.post("/console/projects/new", data={"look": "1", "kind": "git", "locator": "https://g.example/x"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/projects/new?kind=git&locator=https%3A%2F%2Fg.example%2Fx")
    page = client.get(answer.headers["location"]).text
    assert "SvelteKit (node adapter)" in page
    assert "because of package.json, svelte.config.js" in page
    assert "qd deploy https://g.example/x --environment production" in page
    assert ports.deeds == []


def test_a_pasted_file_never_gets_into_an_address(client: TestClient[Litestar]) -> None:
    answer = client.post("/console/projects/new", data={"look": "1", "kind": "dockerfile", "locator": "FROM scratch"})
    assert answer.status_code == 200
    assert ">FROM scratch</textarea>" in answer.text
    assert "qd deploy SOURCE" in answer.text


def test_a_dockerfile_is_pasted_with_its_lines(client: TestClient[Litestar], ports: Portside) -> None:
    """Into a field of its own: one of a single line joins what is pasted."""
    assert '<textarea class="in mono" id="f-dockerfile" name="dockerfile"' in client.get("/console/projects/new").text
    form = {"look": "1", "kind": "dockerfile", "locator": "", "dockerfile": "FROM scratch\r\nCMD /a"}
    assert ">FROM scratch\r\nCMD /a</textarea>" in client.post("/console/projects/new", data=form).text
    empty = client.post("/console/projects/new", data={**form, "dockerfile": ""})
    assert empty.status_code == 400
    assert 'id="f-dockerfile-e"' in empty.text


def test_a_token_in_the_address_of_a_repository_never_gets_into_an_address_of_ours(
    client: TestClient[Litestar],
) -> None:
    for locator in ("https://sesame@git.example/team/shop.git", "https://sesame@[git.example/team/shop.git"):
        answer = client.post("/console/projects/new", data={"look": "1", "kind": "git", "locator": locator})
        assert (answer.status_code, "location" in answer.headers) == (200, False)
        assert "SvelteKit (node adapter)" in answer.text


def test_deploying_a_new_source_leads_to_its_first_deployment(client: TestClient[Litestar], ports: Portside) -> None:
    form = {"kind": "git", "locator": "https://g.example/x", "project": "storefront", "environment": "production"}
    answer = client.post("/console/projects/new", data=form)
    assert answer.headers["location"] == f"{BASE}/deployments/42"
    assert ports.deeds[0][1].project == "storefront"


def test_a_source_that_cannot_be_reached_is_told_at_its_field(client: TestClient[Litestar]) -> None:
    answer = client.get("/console/projects/new?kind=git&locator=https://nowhere.example/")
    assert answer.status_code == 400
    assert 'aria-invalid="true" autofocus aria-describedby="f-locator-e f-locator-h"' in answer.text


def test_signing_in_sets_the_session_and_goes_where_one_wanted_to(client: TestClient[Litestar]) -> None:
    client.cookies.clear()
    form = {"username": "mara", "password": "correct horse battery", "next": BASE}
    answer = client.post("/console/sign-in", data=form)
    assert answer.headers["location"] == BASE
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("qd_session=mara;")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example/", "/console//evil.example", "/console/\\evil", "/api/x", "\n"]
)
def test_signing_in_never_leads_out_of_the_console(address: str, client: TestClient[Litestar]) -> None:
    client.cookies.clear()
    form = {"username": "mara", "password": "correct horse battery", "next": address}
    assert client.post("/console/sign-in", data=form).headers["location"] == "/console/"


def test_a_failed_sign_in_keeps_the_name_and_not_the_password(client: TestClient[Litestar]) -> None:
    client.cookies.clear()
    answer = client.post("/console/sign-in", data={"username": "mara", "password": "wrong-secret"})
    assert answer.status_code == 401
    assert "This name and password do not go together." in answer.text
    assert 'value="mara"' in answer.text
    assert "wrong-secret" not in answer.text
    assert "set-cookie" not in answer.headers


def test_a_one_time_code_is_asked_for_only_once_the_password_was_right(
    client: TestClient[Litestar], ports: Portside
) -> None:
    client.cookies.clear()
    field, form = 'name="totpCode"', {"username": "aiko", "next": "/console/jobs"}
    assert field not in client.get("/console/sign-in").text
    assert field not in client.post("/console/sign-in", data=form | {"password": "wrong-secret"}).text
    asked = client.post("/console/sign-in", data=form | {"password": "correct horse battery"})
    assert (asked.status_code, field in asked.text) == (401, True)
    assert 'name="password"' not in asked.text
    assert 'name="step" value="right-password"' in asked.text
    assert "set-cookie" not in asked.headers
    step = {"step": "right-password", "next": "/console/jobs"}
    wrong = client.post("/console/sign-in", data=step | {"totpCode": "000000"})
    assert (wrong.status_code, field in wrong.text, "The code is wrong." in wrong.text) == (401, True, True)
    late = client.post("/console/sign-in", data=step | {"step": "old", "totpCode": "123456"})
    assert (late.status_code, 'name="password"' in late.text, field in late.text) == (400, True, False)
    assert ports.deeds == []
    for typed, code in (("123 456", "123456"), (" 0a1b2c3d-4e5f6a7b ", "0a1b2c3d-4e5f6a7b")):
        came = client.post("/console/sign-in", data=step | {"totpCode": typed})
        assert came.headers["location"] == "/console/jobs"
        assert "qd_session=mara" in came.headers["set-cookie"]
        assert ports.deeds.pop() == ("second-step", code)


def test_the_first_administrator_is_made_once_and_with_the_setup_token_where_it_is_needed(
    client: TestClient[Litestar], ports: Portside
) -> None:
    client.cookies.clear()
    assert client.get("/console/first-admin").headers["location"] == "/console/sign-in"
    ports.bootstrap_state = Bootstrap(required=True, token_required=False)
    assert client.get("/console/sign-in").headers["location"] == "/console/first-admin"
    assert "setupToken" not in client.get("/console/first-admin").text
    ports.bootstrap_state = Bootstrap(required=True, token_required=True)
    assert 'name="setupToken"' in client.get("/console/first-admin").text
    form = {"name": "Mara", "email": "mara@saltmarsh.example", "password": "short", "setupToken": "t"}
    assert 'minlength="10"' in client.get("/console/first-admin").text
    nine = client.post("/console/first-admin", data=form | {"password": "9" * 9})
    assert "A password has 10 to 512 characters." in nine.text
    assert ports.deeds == []
    done = client.post("/console/first-admin", data=form | {"password": "1" * 10})
    assert done.headers["location"] == "/console/"
    assert "qd_session=mara" in done.headers["set-cookie"]
    assert ports.deeds == [("first-admin", "mara@saltmarsh.example", "Mara", "t")]


def test_theme_and_keys_are_kept_in_cookies_and_only_known_values(client: TestClient[Litestar]) -> None:
    answer = client.post("/console/me", data={"theme": "dark", "keys": "off"})
    cookies = answer.headers.get_list("set-cookie")
    assert any(one.startswith("qd_theme=dark;") for one in cookies)
    assert any(one.startswith("qd_keys=off;") for one in cookies)
    answer = client.post("/console/me/theme", data={"theme": "plaid", "back": "https://evil.example"})
    assert answer.headers["location"] == "/console/"
    assert "qd_theme" not in str(answer.headers)


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {}])
def test_another_site_cannot_sign_anybody_in(headers: dict[str, str], client: TestClient[Litestar]) -> None:
    client.cookies.clear()
    del client.headers["origin"]
    form = {"username": "mara", "password": "correct horse battery"}
    answer = client.post("/console/sign-in", data=form, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_door_is_bounded() -> None:
    from quarterdeck.console.pages import doors

    assert doors.signing_in.opt["rate"].count == 20
    assert doors.making_first_admin.opt["rate"].count == 20
