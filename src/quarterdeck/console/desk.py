"""What a page handler has at hand: the ports, the renderer, who asks, and how to answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from litestar import Request, Response

from quarterdeck.console.ports import ConsolePorts, Place, Principal
from quarterdeck.console.render import Renderer, see
from quarterdeck.console.views.shell import Count, Crumb, Note, Viewer
from quarterdeck.kernel.errors import Forbidden, Invalid, Problem, RateLimited, Unauthenticated
from quarterdeck.kernel.http.failures import STATUS_BY_KIND
from quarterdeck.kernel.http.guard import origin_of
from quarterdeck.kernel.principal import current

T = TypeVar("T")
Page = Response[bytes]
AnyRequest = Request[Any, Any, Any]
HOME, LOST = "/console", "/-/lost"


@dataclass(frozen=True, slots=True)
class Console:
    """The console of one instance; handlers find it in `app.state.console`."""

    ports: ConsolePorts
    renderer: Renderer
    public_url: str | None = None

    def secure(self, request: AnyRequest) -> bool:
        """Whether cookies travel over TLS only."""
        return (self.public_url or "").startswith("https://") or request.scope["scheme"] == "https"


@dataclass(frozen=True, slots=True)
class Desk:
    """One signed-in request."""

    request: AnyRequest
    console: Console
    who: Principal
    viewer: Viewer
    counts: Mapping[str, Count]

    @property
    def ports(self) -> ConsolePorts:
        return self.console.ports

    def page(
        self,
        template: str,
        *,
        here: str,
        crumbs: tuple[Crumb, ...],
        topics: str = "",
        problem: Problem | None = None,
        status: int = 200,
        **values: Any,
    ) -> Response[bytes]:
        """The page `template` in the room `here`; a problem stands above its content and sets the status."""
        return self.console.renderer.page(
            self.request,
            template,
            viewer=self.viewer,
            status=status_of(problem) if problem else status,
            values={
                "here": here,
                "crumbs": crumbs,
                "topics": topics,
                "counts": self.counts,
                "problem": note_of(problem, request_id()) if problem else None,
                **values,
            },
        )


def console_of(request: AnyRequest) -> Console:
    found: Console = request.app.state.console
    return found


def signed_in(request: AnyRequest) -> Principal:
    """Who the HTTP frame recognised; raises Unauthenticated for anyone else."""
    who: Principal = request.scope.get("user")
    if who is None:
        raise Unauthenticated("This page is for people who are signed in.", hint="Sign in.")
    return who


async def open_desk(request: AnyRequest) -> Desk:
    """The desk of a signed-in person; raises Unauthenticated for anyone else."""
    if "%00" in request.url.query:  # as in the path, which the frame refuses: no database takes it
        raise Invalid("The address holds a character that cannot be looked for (U+0000).", hint="Search without it.")
    console, who = console_of(request), signed_in(request)
    desk = Desk(request, console, who, await console.ports.viewer(who), await console.ports.counts(who))
    request.scope["state"]["console_desk"] = desk
    return desk


def desk_of(request: AnyRequest) -> Desk | None:
    """The desk that the handler of this request opened, for the page that tells what went wrong."""
    found: Desk | None = request.scope.get("state", {}).get("console_desk")
    return found


def request_id() -> str | None:
    """The id under which the server's log has this request."""
    found = current.get().request_id
    return found if found != "-" else None


def status_of(problem: Problem) -> int:
    return 429 if isinstance(problem, RateLimited) else STATUS_BY_KIND[problem.kind]


def note_of(problem: Problem, ask: str | None = None) -> Note:
    """A problem as a note: what happened, then what to do. A refusal is grey, everything else is red."""
    tone = "off" if isinstance(problem, Forbidden) else "bad"
    return Note(tone, problem.message, problem.hint or "", None if tone == "off" else ask)


async def read_form(request: AnyRequest) -> dict[str, str]:
    """The posted fields as text, trimmed; passwords and areas keep their spaces. Files are not read. Raises `Invalid`
    for a field with a character that no database takes.
    """
    kept = {"password", "currentPassword", "passwordAgain", "value", "content", "credential"}
    posted = await request.form()
    if any(isinstance(value, str) and "\x00" in value for value in posted.values()):
        raise Invalid("A field holds a character that cannot be kept (U+0000).", hint="Type it again without it.")
    return {
        name: value if name in kept else value.strip()
        for name, value in posted.items()
        if isinstance(name, str) and isinstance(value, str)
    }


async def act(
    deed: Awaitable[T], address: str | Callable[[T], str], flash: str, refused: Callable[[Problem], Awaitable[Page]]
) -> Page:
    """Do what a form asked for and lead to `address`, made of what came of it; `refused` shows why it was not done."""
    try:
        made = await deed
    except Problem as problem:
        return await refused(problem)
    return see(address if isinstance(address, str) else address(made), flash)


def part(request: AnyRequest, name: str) -> str:
    """A named part of the address."""
    return str(request.path_params[name])


def place_of(request: AnyRequest) -> Place:
    """The resource that the address names."""
    return Place(part(request, "project"), part(request, "environment"), part(request, "resource"))


def address_of(request: AnyRequest) -> str:
    """Where this console answers, without a slash at its end: publicly, else as the reader has called it."""
    public = console_of(request).public_url
    return public.rstrip("/") if public else f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def check_own_page(request: AnyRequest) -> None:
    """Raise `Forbidden` for a form of another site: the frame asks this only where there is a session already."""
    public = console_of(request).public_url
    if origin := request.headers.get("origin"):
        own = origin_of(f"{request.scope['scheme']}://{request.headers.get('host', '')}")
        if origin_of(origin) in {own, origin_of(public) if public else own} - {None}:
            return
    elif request.headers.get("sec-fetch-site") in {"same-origin", "none"}:
        return
    raise Forbidden("This form was sent from another site.", hint="Open the console and try again from there.")


def sign_in_address(request: AnyRequest) -> str:
    """Where a person without a session is sent; the page they asked for, or whose form they sent, is remembered."""
    path, query = request.url.path, request.url.query
    if request.method != "GET":
        page = urlsplit(request.headers.get("referer", ""))
        path, query = page.path, page.query
    asked = f"{path}?{query}" if query else path
    if path in {"/console/", HOME + LOST} or inside(asked) == "/console/":
        return "/console/sign-in"
    return "/console/sign-in?next=" + quote(asked, safe="/")


def inside(address: str) -> str:
    """`address` if it is a path of the console, else its first page: nobody is sent elsewhere by a parameter."""
    plain = (
        address.startswith(("/console/", "/cli/login?"))
        and "\\" not in address
        and "//" not in address.partition("?")[0]
    )
    return address if plain and not any(ord(mark) < 32 for mark in address) else "/console/"
