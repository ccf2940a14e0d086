"""All routes under `/console`, and what becomes of their problems."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, Response
from litestar.types import Scope

from quarterdeck.console.desk import (
    HOME,
    LOST,
    Desk,
    console_of,
    desk_of,
    note_of,
    open_desk,
    part,
    request_id,
    sign_in_address,
)
from quarterdeck.console.pages import (
    audit,
    backups,
    bots,
    by_mail,
    deployments,
    doors,
    enrolling,
    external,
    fleet,
    home,
    infra_clouds,
    infra_jobs,
    infra_plans,
    infra_runners,
    infra_spec_editor,
    infra_specs,
    infra_states,
    infra_zones,
    kept_logs,
    ledger,
    machines,
    me,
    new_project,
    new_server,
    notices,
    own_factor,
    own_password,
    own_tokens,
    people,
    pipelines,
    policies,
    projects,
    resource,
    resource_tabs,
    roles,
    secret_agents,
    secret_asking,
    secret_connections,
    secret_found,
    secret_requests,
    secret_rules,
    secret_workflows,
    task_projects,
    task_settings,
    tasks,
)
from quarterdeck.console.permissions import PUBLIC, SIGNED_IN, needs
from quarterdeck.console.render import secure_headers, see
from quarterdeck.console.stream import stream
from quarterdeck.console.views.people import Refusal
from quarterdeck.console.views.shell import Crumb, Note
from quarterdeck.kernel.errors import Forbidden, NotFound, Unauthenticated
from quarterdeck.kernel.http.dialects import sentence
from quarterdeck.kernel.http.failures import failure_of
from quarterdeck.kernel.http.routing import Routes
from quarterdeck.kernel.http.shared_signature import get

TOLD = "console_told"
FOREVER = "public, max-age=31536000, immutable"
HEADINGS = {
    400: "That does not work",
    401: "Sign in first",
    403: "You may not do this",
    404: "There is nothing here",
    405: "That does not work",
    409: "Not now",
    413: "That is too large",
    429: "Too many tries",
    500: "Something failed here",
    502: "Something else failed",
    503: "Not available now",
    504: "It took too long",
}


@get("/", opt=needs(PUBLIC), include_in_schema=False)
async def front(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The bare address, for a person: the console is where they want to go. Programs get what is there, nothing."""
    if "text/html" not in request.headers.get("accept", ""):
        raise NotFound("There is nothing at this address.", hint="The HTTP API is described at /openapi.json.")
    return see("/console/")


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


@get(LOST, opt=needs(SIGNED_IN))
async def lost(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Where addresses lead that no page has, so that a person who is signed in keeps the menu."""
    await open_desk(request)
    raise NotFound("There is no page at this address.", hint="It may have been renamed. The menu and Search know all.")


def show_failure(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A page that says what happened and what to do; without a session, the door."""
    if isinstance(error, Unauthenticated):
        if request.headers.get("hx-request"):
            headers = secure_headers("none") | {"HX-Redirect": "/console/sign-in"}
            return Response(b"", status_code=401, media_type="text/plain", headers=headers)
        return see(sign_in_address(request))
    if isinstance(error, Forbidden) and (told := told_of(request)) is not None:
        return refuse(request, error, *told)
    failure = failure_of(error, request_id() or "-")
    desk = desk_of(request)
    heading = HEADINGS.get(failure.status, HEADINGS[500])
    tone = "off" if isinstance(error, Forbidden) else "bad"
    note = Note(tone, sentence(failure), failure.hint or "", None if tone == "off" else request_id())
    answer = console_of(request).renderer.page(
        request,
        "pages/problem.html",
        viewer=desk.viewer if desk else None,
        status=failure.status,
        values={
            "heading": heading,
            "crumbs": (Crumb(heading),),
            "counts": desk.counts if desk else {},
            "problem": note,
        },
    )
    answer.headers.update(failure.headers)
    return answer


async def before_failure(error: Exception, scope: Scope) -> None:
    """Read for the page of a refusal what is missing, where, and who could give it: the guard refuses before a page
    knows its reader.
    """
    state = scope["state"]
    if not isinstance(error, Forbidden) or scope.get("user") is None or TOLD in state:
        return
    state[TOLD] = None  # what is refused to this reading itself is told without it
    request: Request[Any, Any, Any] = Request(scope)
    desk = desk_of(request) or await open_desk(request)
    permission = str(error.details.get("permission", ""))
    state[TOLD] = (desk, await desk.ports.refusal(desk.who, permission) if permission else None)


def told_of(request: Request[Any, Any, Any]) -> tuple[Desk, Refusal | None] | None:
    """What `before_failure` read of this request's refusal."""
    found: tuple[Desk, Refusal | None] | None = request.scope.get("state", {}).get(TOLD)
    return found


def refuse(request: Request[Any, Any, Any], error: Forbidden, desk: Desk, refusal: Refusal | None) -> Response[Any]:
    """The page of a refusal."""
    heading = HEADINGS[403]
    return console_of(request).renderer.page(
        request,
        "pages/refused.html",
        viewer=desk.viewer,
        status=403,
        values={
            "heading": heading,
            "crumbs": (Crumb(heading),),
            "counts": desk.counts,
            "told": note_of(error),
            "refusal": refusal,
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
    by_mail.invitation,
    by_mail.accepting,
    by_mail.new_password,
    by_mail.resetting,
    by_mail.new_address,
    by_mail.confirming,
    by_mail.forgotten,
    by_mail.asking,
    external.begin,
    external.callback,
    external.connect,
    external.disconnect,
    projects.projects,
    new_project.new,
    new_project.deploy,
    projects.project,
    projects.change_project,
    projects.create_environment,
    projects.ask_archive,
    projects.archive,
    projects.restore,
    projects.ask_delete,
    projects.delete,
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
    deployments.ask_archive,
    deployments.archive,
    deployments.retry,
    deployments.ask_rollback,
    deployments.roll_back,
    resource_tabs.logs,
    resource_tabs.raw_logs,
    *kept_logs.HANDLERS,
    resource_tabs.variables,
    resource_tabs.ask_remove,
    resource_tabs.set_variable,
    resource_tabs.import_variables,
    resource_tabs.settings,
    resource_tabs.change_settings,
    resource_tabs.ask_archive,
    resource_tabs.archive,
    resource_tabs.ask_delete,
    resource_tabs.delete,
    *fleet.HANDLERS,
    *new_server.HANDLERS,
    *policies.HANDLERS,
    *enrolling.HANDLERS,
    *machines.HANDLERS,
    *task_projects.HANDLERS,
    *pipelines.HANDLERS,
    *task_settings.HANDLERS,
    *bots.HANDLERS,
    *tasks.HANDLERS,
    *notices.HANDLERS,
    *infra_zones.HANDLERS,
    *infra_spec_editor.HANDLERS,
    *infra_specs.HANDLERS,
    *infra_states.HANDLERS,
    *infra_plans.HANDLERS,
    *infra_jobs.HANDLERS,
    *infra_runners.HANDLERS,
    *infra_clouds.HANDLERS,
    *secret_requests.HANDLERS,
    *secret_asking.HANDLERS,
    *secret_rules.HANDLERS,
    *secret_workflows.HANDLERS,
    *secret_agents.HANDLERS,
    *secret_connections.HANDLERS,
    *secret_found.HANDLERS,
    ledger.jobs,
    ledger.job,
    ledger.cancel_job,
    ledger.retry_job,
    ledger.ask_recover,
    ledger.recover,
    ledger.ask_give_up,
    ledger.give_up,
    *people.HANDLERS,
    *roles.HANDLERS,
    audit.audit,
    audit.export,
    audit.verify,
    backups.backups,
    me.me,
    me.change_me,
    me.change_theme,
    me.revoke,
    me.ask_sign_out_elsewhere,
    me.sign_out_elsewhere,
    me.switch_organization,
    *own_password.HANDLERS,
    *own_factor.HANDLERS,
    *own_tokens.HANDLERS,
    me.search,
    me.palette,
    me.alive,
    lost,
)
_PARAMETER = re.compile(r"\{[^}]+\}")
_PAGES = re.compile(
    "|".join(
        _PARAMETER.sub("[^/]+", HOME + path.rstrip("/"))
        for handler in HANDLERS
        if "GET" in handler.http_methods
        for path in handler.paths
    )
)


def console_address(method: str, path: str) -> str:
    """The address to route: its own, or that of the page which says that there is none."""
    if method != "GET" or not path.startswith(f"{HOME}/") or _PAGES.fullmatch(path.rstrip("/")):
        return path
    return HOME + LOST


def console_router() -> Routes:
    """The console's routes. `app.state.console` must hold a `desk.Console`."""
    return Routes(
        path=HOME,
        route_handlers=HANDLERS,
        exception_handlers={Exception: show_failure},
        opt={"before_failure": before_failure},
        include_in_schema=False,
    )
