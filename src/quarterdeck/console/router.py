"""All routes under `/console`, and what becomes of their problems."""

from __future__ import annotations

from typing import Any, cast

from litestar import Request, Response, Router, get

from quarterdeck.console.desk import console_of, desk_of, note_of, part, request_id, sign_in_address, status_of
from quarterdeck.console.pages import (
    deployments,
    doors,
    home,
    ledger,
    me,
    new_project,
    projects,
    resource,
    resource_tabs,
)
from quarterdeck.console.permissions import PUBLIC, needs
from quarterdeck.console.render import secure_headers, see
from quarterdeck.console.stream import stream
from quarterdeck.console.views.shell import Crumb
from quarterdeck.kernel.errors import NotFound, Problem, Unauthenticated

FOREVER = "public, max-age=31536000, immutable"
HEADINGS = {
    "unauthenticated": "Sign in first",
    "invalid": "That does not work",
    "forbidden": "You may not see this",
    "not-found": "There is nothing here",
    "conflict": "Not now",
    "provider": "Something else failed",
    "unavailable": "Not available now",
    "timeout": "It took too long",
    "internal": "Something failed here",
}


@get("/static/{name:str}", opt=needs(PUBLIC))
async def static(request: Request[Any, Any, Any]) -> Response[bytes]:
    """A file named by its content: kept for ever."""
    name = part(request, "name")
    asset = console_of(request).renderer.assets.find(name)
    if asset is None:
        raise NotFound(f"There is no file {name}.", hint="Reload the page.")
    headers = {"Cache-Control": FOREVER, "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.media_type, headers=headers | {"Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def show_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """A page that says what happened and what to do; without a session, the door."""
    if isinstance(problem, Unauthenticated):
        if request.headers.get("hx-request"):
            headers = secure_headers("none") | {"HX-Redirect": "/console/sign-in"}
            return Response(b"", status_code=401, media_type="text/plain", headers=headers)
        return see(sign_in_address(request))
    heading = HEADINGS[problem.kind]
    desk = desk_of(request)
    return console_of(request).renderer.page(
        request,
        "pages/problem.html",
        viewer=desk.viewer if desk else None,
        status=status_of(problem),
        values={
            "heading": heading,
            "crumbs": (Crumb(heading),),
            "counts": desk.counts if desk else {},
            "problem": note_of(problem, request_id(request)),
        },
    )


HANDLERS: tuple[Any, ...] = (
    static,
    stream,
    home.home,
    doors.sign_in,
    doors.signing_in,
    doors.first_admin,
    doors.making_first_admin,
    doors.sign_out,
    projects.projects,
    new_project.new,
    new_project.deploy,
    projects.project,
    projects.change_project,
    projects.create_environment,
    projects.ask_archive,
    projects.archive,
    projects.restore,
    projects.environment,
    projects.ask_remove,
    projects.set_environment_variable,
    resource.resource,
    resource.deploy,
    resource.ask_control,
    resource.control,
    deployments.deployments,
    deployments.deployment,
    deployments.raw_log,
    deployments.ask_cancel,
    deployments.cancel,
    deployments.retry,
    deployments.ask_rollback,
    deployments.roll_back,
    resource_tabs.logs,
    resource_tabs.raw_logs,
    resource_tabs.variables,
    resource_tabs.ask_remove,
    resource_tabs.set_variable,
    resource_tabs.settings,
    resource_tabs.change_settings,
    resource_tabs.ask_archive,
    resource_tabs.archive,
    resource_tabs.ask_delete,
    resource_tabs.delete,
    ledger.fleet,
    ledger.jobs,
    ledger.job,
    ledger.cancel_job,
    ledger.retry_job,
    ledger.audit,
    me.me,
    me.change_me,
    me.change_theme,
    me.revoke,
    me.search,
    me.palette,
)


def console_router() -> Router:
    """The console's routes. `app.state.console` must hold a `desk.Console`."""
    return Router(
        path="/console",
        route_handlers=HANDLERS,
        exception_handlers={Problem: cast("Any", show_problem)},
        include_in_schema=False,
    )
