"""The reader's own page: sessions, organizations, theme, keyboard; and the search over everything."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, inside, open_desk, part, read_form
from quarterdeck.console.navigation import ROOMS
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import SIGNED_IN, needs
from quarterdeck.console.render import KEYS_COOKIE, THEME_COOKIE, secure_headers, see
from quarterdeck.console.views.ledger import Found
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

YEAR = 31_536_000
THEMES = (("", "As the system says"), ("light", "Light"), ("dark", "Dark"))
KEYS = (("", "On"), ("off", "Off"))


@get("/me", opt=needs(SIGNED_IN))
async def me(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await me_page(request)


async def me_page(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    sessions = await desk.ports.sessions(desk.who)
    organizations = await desk.ports.organizations(desk.who)
    accounts = await desk.ports.external_accounts(desk.who)
    return desk.page(
        "pages/me.html",
        here="me",
        crumbs=(Crumb("You"),),
        problem=problem,
        sessions=sessions,
        organizations=organizations,
        switch_command=commands.switch_organization(organizations),
        accounts=accounts,
        fields=(
            Field(
                "theme", "Theme", request.cookies.get(THEME_COOKIE, ""), kind="select", choices=THEMES, required=True
            ),
            Field(
                "keys",
                "Single-key shortcuts",
                request.cookies.get(KEYS_COOKIE, ""),
                kind="select",
                choices=KEYS,
                required=True,
                hint="They move and focus, they never change anything. Press ? for the list.",
            ),
        ),
    )


@post("/me", opt=needs(SIGNED_IN))
async def change_me(request: Request[Any, Any, Any]) -> Response[bytes]:
    form = await read_form(request)
    answer = see("/console/me", "saved")
    _remember(answer, THEME_COOKIE, form.get("theme", ""), dict(THEMES))
    _remember(answer, KEYS_COOKIE, form.get("keys", ""), dict(KEYS))
    return answer


@post("/me/theme", opt=needs(SIGNED_IN))
async def change_theme(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The button in the menu, for when no script answers it."""
    form = await read_form(request)
    answer = see(inside(form.get("back", "")))
    _remember(answer, THEME_COOKIE, form.get("theme", ""), dict(THEMES))
    return answer


@post("/me/sessions/{ref:str}/revoke", opt=needs(SIGNED_IN))
async def revoke(request: Request[Any, Any, Any]) -> Response[bytes]:
    ref = part(request, "ref")
    desk = await open_desk(request)
    try:
        await desk.ports.revoke_session(desk.who, ref)
    except Problem as problem:
        return await me_page(request, problem)
    return see("/console/me", "session-ended")


@get("/me/sign-out-elsewhere", opt=needs(SIGNED_IN))
async def ask_sign_out_elsewhere(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    others = [one for one in await desk.ports.sessions(desk.who) if not one.current]
    return ask(
        desk,
        here="me",
        crumbs=(Crumb("You", "/console/me"), Crumb("Sign out everywhere else")),
        title="Sign out everywhere else?",
        texts=("These sessions end at once. Personal tokens stay; end them under Tokens.",),
        items=tuple((one.client, one.address) for one in others),
        action="/console/me/sign-out-elsewhere",
        back="/console/me",
        keep="Not now",
        button="Sign out everywhere else",
        blocked="" if others else "You are signed in nowhere else.",
    )


@post("/me/sign-out-elsewhere", opt=needs(SIGNED_IN))
async def sign_out_elsewhere(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    await read_form(request)
    deed = desk.ports.sign_out_elsewhere(desk.who)
    return await act(deed, "/console/me", "sessions-ended", lambda problem: me_page(request, problem))


@post("/me/organization", opt=needs(SIGNED_IN))
async def switch_organization(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Leads to the first page: whatever stood on the one before belongs to the other organization."""
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.switch_organization(desk.who, form.get("organization", ""))
    return await act(deed, "/console/", "organization-switched", lambda problem: me_page(request, problem))


@get("/search", opt=needs(SIGNED_IN))
async def search(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    words = request.query_params.get("q", "")[:200].strip()
    found = (*_rooms(words), *(await desk.ports.search(desk.who, words, 50)))
    return desk.page("pages/search.html", here="", crumbs=(Crumb("Search"),), words=words, found=found)


@get("/alive", opt=needs(SIGNED_IN))
async def alive(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Whether the session is good: asked before a form is sent, so that what was typed waits for a new sign-in."""
    await open_desk(request)
    return Response(b"", status_code=200, media_type="text/plain", headers=secure_headers("none"))


@get("/palette", opt=needs(SIGNED_IN))
async def palette(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The same index as options, for the combobox."""
    desk = await open_desk(request)
    words = request.query_params.get("q", "")[:200].strip()
    found = (*(await desk.ports.search(desk.who, words, 12)), *_rooms(words))
    text = desk.console.renderer.text("pages/palette.html", {"found": found})
    return desk.console.renderer.answer(request, text)


def _rooms(words: str) -> tuple[Found, ...]:
    """Rooms and deeds whose name has all the words."""
    wanted = words.lower().split()
    places = [Found(room.icon, room.label, room.href, "Go to", room.key) for room in ROOMS]
    places.append(Found("people", "Your account: sessions, organizations, theme, keyboard", "/console/me", "Go to"))
    places.append(Found("lock", "Your password", "/console/me/password", "Go to"))
    places.append(Found("lock", "Your second factor and recovery codes", "/console/me/second-factor", "Go to"))
    places.append(Found("key", "Your personal tokens", "/console/me/tokens", "Go to"))
    places.append(Found("people", "People: members and invitations", "/console/access/people", "Go to"))
    places.append(Found("lock", "Roles and permissions", "/console/access/roles", "Go to"))
    places.append(Found("lock", "Ask why somebody may do something", "/console/access/why", "Go to"))
    places.append(Found("key", "SSH keys", "/console/fleet/keys", "Go to"))
    places.append(Found("fleet", "Tidying: policies for old things on servers", "/console/fleet/policies", "Go to"))
    places.append(Found("plus", "Deploy something…", "/console/projects/new", "Do"))
    places.append(Found("plus", "Invite somebody…", "/console/access/people#invite", "Do"))
    places.append(Found("plus", "New role…", "/console/access/roles/new", "Do"))
    places.append(Found("plus", "Add a server…", "/console/fleet/new", "Do"))
    return tuple(place for place in places if all(word in place.label.lower() for word in wanted))


def _remember(answer: Response[bytes], cookie: str, value: str, allowed: dict[str, str]) -> None:
    """A reversible preference. Scripts write the theme too, so it is not HttpOnly; it says nothing about anyone."""
    if value in allowed:
        answer.set_cookie(Cookie(cookie, value=value, path="/", max_age=YEAR if value else 0, samesite="lax"))
