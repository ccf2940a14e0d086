"""One's own personal tokens: the list, the form that makes one, the question before one ends."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from quarterdeck.console import commands
from quarterdeck.console.desk import AnyRequest, act, open_desk, part, read_form, status_of
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import SIGNED_IN, needs
from quarterdeck.console.views.account import NewToken
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Invalid, NotFound, Problem
from quarterdeck.kernel.http.shared_signature import get, post

HERE = "/console/me/tokens"
CRUMBS = (Crumb("You", "/console/me"), Crumb("Tokens", HERE))
ENDS = {"7": "In 7 days", "30": "In 30 days", "90": "In 90 days", "365": "In a year", "": "Never"}
SCOPES = {
    "deploy:read": "See applications and servers",
    "deploy:write": "Change applications and servers",
    "runbooks": "Run books, inventory",
    "broker": "Secrets that are asked for",
    "tasks:read": "See tasks",
    "tasks:write": "Make and answer tasks",
    "projects:read": "See projects of tasks",
    "projects:write": "Manage projects of tasks",
    "machines:read": "See machines of tasks",
    "machines:write": "Manage machines of tasks",
    "admin": "Everything but changing your account",
}
MOST_ENDED = 20


@get("/me/tokens", opt=needs(SIGNED_IN))
async def own_tokens(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request, {})


@post("/me/tokens", opt=needs(SIGNED_IN))
async def create_token(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Answers the token itself: an address to come back to would show it twice."""
    desk, form = await open_desk(request), await read_form(request)
    scopes = tuple(name.removeprefix("scope-") for name in form if name.startswith("scope-"))
    days = form.get("ends", "")
    try:
        if days not in ENDS:
            raise Invalid("This is none of the times to choose from.", hint="Choose one.", field="ends")
        made = await desk.ports.create_token(
            desk.who, label=form.get("label", ""), scopes=scopes, days=int(days) if days else None
        )
    except Problem as problem:
        return await _page(request, form, problem)
    return await _page(request, {}, made=made)


async def _page(
    request: AnyRequest, typed: dict[str, str], problem: Problem | None = None, made: NewToken | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    rows = await desk.ports.tokens(desk.who)
    ended = [row for row in rows if not row.live]
    field = str(problem.details.get("field", "")) if problem else ""

    def wrong(name: str) -> str:
        return problem.message if problem and field == name else ""

    return desk.page(
        "pages/own_tokens.html",
        here="me",
        crumbs=(CRUMBS[0], Crumb("Tokens")),
        problem=None if field in {"label", "ends", "scopes"} else problem,
        status=status_of(problem) if problem else 200,
        made=made,
        rows=(*(row for row in rows if row.live), *ended[:MOST_ENDED]),
        wrong=wrong("scopes"),
        fields=(
            Field("label", "What it is for", typed.get("label", ""), required=True, error=wrong("label"),
                  placeholder="laptop", attributes={"maxlength": "200", "autocomplete": "off"}),
            Field("ends", "It ends", typed.get("ends", "90"), kind="select", choices=tuple(ENDS.items()),
                  required=False, error=wrong("ends")),
        ),
        scopes=tuple(
            Field(f"scope-{name}", f"{label} ({name})", typed.get(f"scope-{name}", ""), kind="check")
            for name, label in SCOPES.items()
        ),
        command=commands.OWN_TOKEN,
    )  # fmt: skip


@get("/me/tokens/{ref:str}/revoke", opt=needs(SIGNED_IN))
async def ask_revoke(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _ask(request)


async def _ask(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk, ref = await open_desk(request), part(request, "ref")
    row = next((one for one in await desk.ports.tokens(desk.who) if one.ref == ref), None)
    if row is None:
        raise NotFound(f"You have no token {ref[:40]}.", hint="Look at your tokens.")
    return ask(
        desk,
        here="me",
        crumbs=(*CRUMBS, Crumb("Revoke")),
        failed=problem,
        title=f"Revoke {row.label}?",
        texts=("Programs with it are shut out at once. This cannot be undone; another token can be made.",),
        action=f"{HERE}/{row.ref}/revoke",
        back=HERE,
        keep="Keep it",
        button=f"Revoke {row.label}",
        danger=True,
        command=commands.revoke_token(row),
    )


@post("/me/tokens/{ref:str}/revoke", opt=needs(SIGNED_IN))
async def revoke_token(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    await read_form(request)
    deed = desk.ports.revoke_token(desk.who, part(request, "ref"))
    return await act(deed, HERE, "token-revoked", lambda problem: _page(request, {}, problem))


HANDLERS: tuple[Any, ...] = (own_tokens, create_token, ask_revoke, revoke_token)
