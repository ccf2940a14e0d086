"""What every page promises before a browser sees it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from console.ledgerside import BASE
from console.portside import EVERYTHING, Portside
from e2e.console.addresses import PAGES
from quarterdeck.access import CATALOGUE
from quarterdeck.console.domain.sources import file_of
from quarterdeck.console.navigation import ROOMS
from quarterdeck.console.render import HOME
from quarterdeck.console.router import HANDLERS, console_address
from quarterdeck.console.views.people import Refusal
from quarterdeck.kernel.errors import Conflict, Forbidden, Invalid

SHOWN = {name: path for name, path in PAGES.items() if name not in {"nothing", "refused", "new-refused", "why-unknown"}}


class Markup(HTMLParser):
    """Ids, attributes and open elements of a page."""

    VOID = frozenset({"input", "meta", "link", "br", "path", "circle", "rect", "use", "option"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.stack: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.stack.pop() == tag


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_carries_no_inline_script_style_or_handler_and_no_id_twice(
    name: str, client: TestClient[Litestar]
) -> None:
    answer = client.get(SHOWN[name])
    assert answer.status_code == 200
    page = Markup(answer.text)
    assert page.stack == []
    assert len(page.ids) == len(set(page.ids)), sorted(one for one in page.ids if page.ids.count(one) > 1)
    for tag, attribute, _ in page.attributes:
        assert attribute != "style"
        assert not attribute.startswith(("on", "hx-on")), (tag, attribute)
    assert "<script>" not in answer.text
    assert "<style" not in answer.text
    assert answer.text.count("<h1") == 1


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_has_the_strict_policy_and_is_not_stored(name: str, client: TestClient[Litestar]) -> None:
    headers = client.get(SHOWN[name]).headers
    policy = headers["content-security-policy"]
    assert re.fullmatch(
        r"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[0-9a-f]{24}'; img-src 'self'; "
        r"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        policy,
    )
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert client.get(SHOWN[name]).headers["content-security-policy"] != policy


@pytest.mark.parametrize("name", SHOWN)
def test_without_a_session_every_page_leads_to_the_door(name: str, client: TestClient[Litestar]) -> None:
    client.cookies.clear()
    answer = client.get(SHOWN[name])
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in")
    assert not answer.text


def test_every_route_declares_a_permission_that_the_catalogue_has() -> None:
    for handler in HANDLERS:
        permission = handler.opt.get("permission", "")
        assert permission in {"public", "authenticated"} or permission in CATALOGUE, (permission, handler)


def test_every_permission_that_a_page_asks_for_is_in_the_catalogue() -> None:
    templates = "".join(path.read_text() for path in HOME.rglob("*.html"))
    asked = set(re.findall(r"viewer\.may\([\"']([^\"']+)", templates))
    assert asked
    assert asked <= set(CATALOGUE)


def test_htmx_gets_the_main_part_alone(client: TestClient[Litestar]) -> None:
    part = client.get(BASE, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith("<title>● Verifying v42 · web · Quarterdeck</title>")
    assert "<nav id" not in part
    assert 'class="phases"' in part


def test_a_dialog_gets_the_question_alone(client: TestClient[Litestar]) -> None:
    part = client.get(f"{BASE}/deployments/40/rollback", headers={"HX-Request": "true", "X-Console-Ask": "1"}).text
    assert part.lstrip().startswith('<div class="card question">')
    assert '<h2 id="dialog-h">Roll Storefront / web back to v40?</h2>' in part


def test_the_theme_of_the_cookie_is_in_the_first_paint(client: TestClient[Litestar]) -> None:
    assert "data-theme" not in client.get("/console/").text.split("<head>")[0]
    client.cookies.set("qd_theme", "dark")
    assert '<html lang="en" data-theme="dark">' in client.get("/console/").text
    client.cookies.set("qd_theme", '"><script>')
    assert "data-theme" not in client.get("/console/").text.split("<head>")[0]


def test_the_menu_holds_only_rooms_that_answer(client: TestClient[Litestar]) -> None:
    for room in ROOMS:
        page = client.get(room.href)
        assert page.status_code == 200
        assert f'href="{room.href}" aria-current="page"' in page.text


def test_a_disabled_deploy_button_says_why_and_stays_focusable(client: TestClient[Litestar]) -> None:
    page = client.get(BASE).text
    assert 'aria-disabled="true" aria-describedby="busy">Deploy</button>' in page
    assert '<span id="busy">v42 is being deployed.</span>' in page


def test_buttons_stand_only_where_the_reader_may(client: TestClient[Litestar], ports: Portside) -> None:
    ports.ended = True
    assert f'action="{BASE}/deploy"' in client.get(BASE).text
    ports.permissions = EVERYTHING - {"deploy:deployments.redeploy", "deploy:deployments.rollback"}
    page = client.get(BASE).text
    assert f'action="{BASE}/deploy"' not in page
    assert "Roll back to" not in page


def test_text_of_others_is_never_markup(client: TestClient[Litestar]) -> None:
    page = client.get(f"{BASE}/deployments/42").text
    assert "503 &lt;b&gt;warming&lt;/b&gt;" in page
    assert "Saltmarsh &lt;shop&gt;" in client.get(f"{BASE}/variables").text
    assert "<script>alert" not in client.get("/console/search?q=<script>alert(1)</script>").text


def test_the_log_is_numbered_text_with_its_phases_and_colours(client: TestClient[Litestar]) -> None:
    page = client.get(f"{BASE}/deployments/40").text
    assert '<a class="n" href="#L3" tabindex="-1" aria-label="Line 3">3</a>' in page
    assert '<span class="ph">plan</span> install: pnpm install --frozen-lockfile' in page
    assert '<span class="ok">SvelteKit (node adapter)</span>' in page
    assert "120 earlier lines" in page
    raw = client.get(f"{BASE}/deployments/40/log")
    assert raw.headers["content-type"].startswith("text/plain")
    assert "plan install: pnpm install" in raw.text


def test_the_rollback_question_lists_what_differs_and_what_is_not_rolled_back(client: TestClient[Litestar]) -> None:
    page = client.get(f"{BASE}/deployments/40/rollback").text
    assert "The database is not rolled back. 2 values differ from today." in page
    assert "FEATURE_SLOTS" in page
    assert "v41 keeps serving until v40 is healthy." in page
    assert "qd rollback storefront/production/web --to 40" in page


def test_a_version_that_cannot_come_back_says_why_beside_the_button(client: TestClient[Litestar]) -> None:
    page = client.get(f"{BASE}/deployments/39/rollback").text
    assert 'aria-disabled="true" type="button" aria-describedby="why-not"' in page
    assert "v39 keeps no image to go back to." in page


def test_deploy_plans_again_by_itself_what_was_not_ready(client: TestClient[Litestar], ports: Portside) -> None:
    form = {"kind": "git", "locator": "https://git.example.com/blocked.git"}
    page = client.get("/console/projects/new", params=form).text
    assert 'name="unready"' in page
    again = client.post("/console/projects/new", data={**form, "unready": "1"})
    assert again.status_code == 200
    assert "What is missing stands above" in again.text
    mended = {**form, "locator": "https://git.example.com/shop.git", "unready": "1"}
    assert client.post("/console/projects/new", data=mended).status_code == 303


def test_what_is_not_there_is_a_page_that_says_so(client: TestClient[Litestar]) -> None:
    answer = client.get("/console/projects/atlantis")
    assert answer.status_code == 404
    assert "There is no project &#39;atlantis&#39;." in answer.text
    assert "It may have another name now." in answer.text
    for path in (f"{BASE}/deployments/x", f"{BASE}/deployments/99999999999999999999", f"{BASE}/deployments/%E0%A5%AA"):
        assert client.get(path).status_code == 404


def test_a_refusal_names_the_permission_and_who_can_grant_it(client: TestClient[Litestar]) -> None:
    answer = client.get("/console/projects/storefront/production/secret")
    assert answer.status_code == 403
    assert "deploy:resources.show" in answer.text
    assert "<dt>Where</dt><dd>everywhere in Saltmarsh</dd>" in answer.text
    assert "<dt>Who could give it</dt><dd>jonas</dd>" in answer.text
    assert "#i-lock" in answer.text


def test_an_empty_console_says_how_to_begin(client: TestClient[Litestar], ports: Portside) -> None:
    ports.empty = True
    assert "Nothing is deployed yet" in client.get("/console/").text
    assert "qd deploy ./my-app" in client.get("/console/projects").text
    assert "Never deployed" in client.get(BASE).text
    assert "Nothing has run yet" in client.get(f"{BASE}/logs").text


def test_a_keyset_list_has_its_neighbours_in_the_address(client: TestClient[Litestar]) -> None:
    assert f'rel="next" href="{BASE}/deployments?before=13"' in client.get(f"{BASE}/deployments").text
    second = client.get(f"{BASE}/deployments?before=13").text
    assert f'rel="prev" href="{BASE}/deployments"' in second
    assert 'rel="next"' not in second
    assert 'href="/console/jobs?before=120"' in client.get("/console/jobs").text


def test_filters_are_kept_in_the_address_and_in_the_form(client: TestClient[Litestar]) -> None:
    page = client.get("/console/audit?outcome=denied&action=project").text
    assert '<option value="denied" selected>' in page
    assert 'value="project"' in page
    assert "deployment.finished" not in page
    assert "No event matches." in client.get("/console/audit?action=zzz").text
    days = client.get("/console/audit?from=2026-01-02&to=nonsense&text=web").text
    assert 'type="date" value="2026-01-02"' in days
    assert 'type="date" value=""' in days
    assert 'href="/console/audit/export?text=web&amp;from=2026-01-02&amp;format=csv"' in days


def test_the_audit_list_is_exported_with_its_filters(client: TestClient[Litestar], ports: Portside) -> None:
    table = client.get("/console/audit/export?format=csv&actor=Mara&outcome=x")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert table.text.startswith("id,time,actor,")
    assert client.get("/console/audit/export?format=json").json() == []
    assert ports.deeds[0] == ("audit-export", "csv", {"actor": "Mara"})


def test_a_refusal_is_read_before_its_answer_begins(client: TestClient[Litestar], ports: Portside) -> None:
    address = "/console/projects/storefront/production/secret"
    answer = client.get(address)
    assert (answer.status_code, "content-length" in answer.headers) == (403, True)
    assert "jonas" in answer.text

    async def away(who: object, permission: str) -> Refusal:
        raise RuntimeError("The database is away.")

    ports.refusal = away  # type: ignore[method-assign]
    failed = client.get(address)
    assert failed.status_code == 500
    assert "Something failed here" in failed.text
    assert failed.text.rstrip().endswith("</html>")

    async def refused(who: object, permission: str) -> Refusal:
        raise Forbidden("You are no member any more.")

    ports.refusal = refused  # type: ignore[method-assign]
    told = client.get(address)
    assert told.status_code == 403
    assert "You are no member any more." in told.text


@pytest.mark.parametrize("problem", [Invalid("No."), Conflict("No."), Forbidden("No.")])
def test_a_failed_deed_shows_its_problem_on_the_page_it_came_from(
    problem: Exception, client: TestClient[Litestar], ports: Portside
) -> None:
    ports.ended, ports.problem = True, problem
    answer = client.post(f"{BASE}/deploy")
    assert answer.status_code in {400, 403, 409}
    assert "<b>No.</b>" in answer.text
    assert ports.deeds == []


@pytest.mark.parametrize(
    "path", ["/console/nowhere", "/console/projects/a/b/c/nowhere", "/console/jobs/1/2", "/console/sign-out"]
)
def test_an_address_that_no_page_has_leads_to_the_page_that_says_so(path: str, client: TestClient[Litestar]) -> None:
    lost = console_address("GET", path)
    page = client.get(lost)
    assert page.status_code == 404
    assert "There is no page at this address." in page.text
    assert '<nav id="nav"' in page.text
    client.cookies.delete("qd_session")
    assert client.get(lost).headers["location"] == "/console/sign-in"


@pytest.mark.parametrize("path", [*PAGES.values(), "/console/", "/console", "/console/static/x", "/console/sign-in"])
def test_the_address_of_a_page_is_left_alone(path: str) -> None:
    plain = path.partition("?")[0]
    assert console_address("GET", plain) == plain
    assert console_address("POST", "/console/nowhere") == "/console/nowhere"
    assert console_address("GET", "/api/nowhere") == "/api/nowhere"


def test_a_session_can_be_asked_after_and_the_door_comes_as_a_question(client: TestClient[Litestar]) -> None:
    assert client.get("/console/alive").status_code == 200
    client.cookies.delete("qd_session")
    asking = {"HX-Request": "true", "X-Console-Ask": "1"}
    assert client.get("/console/alive", headers=asking).status_code == 401
    question = client.get("/console/sign-in", headers=asking).text
    assert "Your session has ended" in question
    assert "<html" not in question


@pytest.mark.parametrize(
    ("marker", "name"),
    [("requirements-txt", "requirements.txt"), ("package-lock", "package-lock.json"), ("uv-lock", "uv.lock"),
     ("go-mod", "go.mod"), ("next-app-router", "next app router")],
)  # fmt: skip
def test_evidence_is_named_as_the_file_it_is(marker: str, name: str) -> None:
    assert file_of(marker) == name


def test_only_an_archived_project_offers_its_end_and_the_name_is_typed(
    client: TestClient[Litestar], ports: Portside
) -> None:
    address = "/console/projects/storefront"
    assert "Delete project" not in client.get(address).text
    ports.lifecycle = "archived"
    assert f'href="{address}/-/delete"' in client.get(address).text
    question = client.get(f"{address}/-/delete").text
    assert "Stands in the way: 2 resources." in question
    assert "qd project delete storefront" in question
    refused = client.post(f"{address}/-/delete", data={"confirmation": "shop"})
    assert refused.status_code == 400
    assert "The name typed is not the name of the project." in refused.text
    assert ports.deeds == []
    done = client.post(f"{address}/-/delete", data={"confirmation": "storefront"})
    assert done.headers["location"] == "/console/projects"
    assert ports.deeds == [("delete-project", "storefront")]
