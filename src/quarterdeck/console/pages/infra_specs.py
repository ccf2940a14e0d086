"""Specifications: the list, one of them, what it was before, and its end."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response

from quarterdeck.console import infra_commands
from quarterdeck.console.desk import AnyRequest, Page, act, open_desk, part, read_form
from quarterdeck.console.pages.ledger import turn
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.permissions import needs
from quarterdeck.console.render import secure_headers
from quarterdeck.console.state import states
from quarterdeck.console.views.infra import INFRA, JOBS, SPECS, File, SpecRow, SpecsAsked, SpecView
from quarterdeck.console.views.shell import Crumb, Field, Pages
from quarterdeck.console.words import counted
from quarterdeck.kernel.errors import NotFound, Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW, MANAGE, DELETE = "infra:specs.view", "infra:specs.manage", "infra:specs.delete"
PLAN, DESTROY = "infra:jobs.plan", "infra:jobs.destroy"
HERE = Crumb("Infrastructure", INFRA)
SPEC = "/infra/specs/{spec:str}"
PAGE, VERSIONS = 50, 30
STATUSES = ("draft", "queued", "provisioning", "active", "destroying", "destroyed", "failed")
STAGES = ("development", "staging", "production")


@get("/infra", opt=needs(VIEW))
async def specs(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, query = await open_desk(request), request.query_params
    status, stage = query.get("status", ""), query.get("stage", "")
    asked = SpecsAsked(
        query.get("q", "")[:200].strip(),
        query.get("zone", "")[:64],
        status.upper() if status in STATUSES else "",
        stage if stage in STAGES else "",
    )
    before = query.get("before", "")[:64]
    view = await desk.ports.infra_specs(desk.who, asked, before, PAGE)
    filters = {"q": asked.words, "zone": asked.zone, "status": asked.status.lower(), "stage": asked.stage}
    narrowed = any(filters.values()) or bool(before)
    return desk.page(
        "pages/infra_specs.html",
        here="infra",
        crumbs=(Crumb("Infrastructure"),),
        topics="" if narrowed else "infra",
        view=view,
        asked=filters,
        narrowed=narrowed,
        statuses=STATUSES,
        stages=STAGES,
        pages=turn(INFRA, view.older, before, **filters),
        command=infra_commands.list_specs(),
    )


@get(SPEC, opt=needs(VIEW))
async def spec(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _spec(request)


async def _spec(request: AnyRequest, problem: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_spec(desk.who, part(request, "spec"))
    return desk.page(
        "pages/infra_spec.html",
        here="infra",
        crumbs=crumbs_of(view.row),
        topics=f"infra-spec:{view.row.uid}",
        problem=problem,
        view=view,
        command=infra_commands.plan(view.row),
    )


def crumbs_of(row: SpecRow, *more: str) -> tuple[Crumb, ...]:
    """The way to a page of a specification; its zone stands in it where it has one."""
    above = (HERE, *((Crumb(row.zone[1], f"/console/infra/zones/{row.zone[0]}"),) if row.zone else ()))
    return (*above, Crumb(row.name, row.href), *(Crumb(word) for word in more))


@post(SPEC + "/plan", opt=needs(PLAN))
async def plan(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "spec")
    deed = desk.ports.ask_for_plan(desk.who, uid, form.get("runner", ""))
    return await act(deed, lambda job: f"{JOBS}/{job}", "planning", partial(_spec, request))


@post(SPEC + "/drift", opt=needs(PLAN))
async def look_for_drift(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid = await open_desk(request), part(request, "spec")
    deed = desk.ports.look_for_drift(desk.who, uid)
    return await act(deed, lambda job: f"{JOBS}/{job}", "looking", partial(_spec, request))


@get(SPEC + "/destroy", opt=needs(DESTROY))
async def ask_destroy(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _destruction(request)


async def _destruction(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_spec(desk.who, part(request, "spec"))
    lost = counted(view.resources, "resource")
    return ask(
        desk,
        here="infra",
        crumbs=crumbs_of(view.row, "Destroy"),
        failed=failed,
        title=f"Destroy what {view.row.name} has made?",
        texts=(
            f"{lost} of {view.row.provider} will be gone, with what is in them. This cannot be undone.",
            "The specification and the versions of its state stay.",
        ),
        action=f"{view.row.href}/destroy",
        back=view.row.href,
        keep="Keep it",
        button=f"Destroy {lost}",
        danger=True,
        must_equal=view.row.name,
        blocked=view.why_not_destroy,
        command=infra_commands.destroy(view.row),
    )


@post(SPEC + "/destroy", opt=needs(DESTROY))
async def destroy(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "spec")
    deed = desk.ports.destroy_infra(desk.who, uid, form.get("runner", ""), form.get("confirmation", ""))
    return await act(deed, lambda job: f"{JOBS}/{job}", "destroying", partial(_destruction, request))


@get(SPEC + "/versions", opt=needs(VIEW))
async def versions(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, query = await open_desk(request), request.query_params
    uid, before = part(request, "spec"), number(query.get("before", ""))
    view = await desk.ports.infra_spec_versions(desk.who, uid, before or None, VERSIONS)
    newest = view.rows[0].number if view.rows else 1
    to = number(query.get("to", "")) or newest
    since = number(query.get("from", "")) or max(to - 1, 1)
    wanted = "to" in query or "from" in query
    diff = await desk.ports.infra_spec_diff(desk.who, uid, since, to) if wanted else None
    here = f"{view.row.href}/versions"
    return desk.page(
        "pages/infra_versions.html",
        here="infra",
        crumbs=crumbs_of(view.row, "Versions"),
        view=view,
        diff=diff,
        since=since,
        to=to,
        pages=Pages(f"{here}?{urlencode({'before': view.older})}" if view.older else None, here if before else None),
        command=infra_commands.version_diff(view.row, since, to) if diff else infra_commands.versions(view.row),
    )


def number(text: str) -> int:
    """A number of a version, 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@get(SPEC + "/export", opt=needs(VIEW))
async def export(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, query = await open_desk(request), request.query_params
    form, version = query.get("format", "yaml"), number(query.get("version", ""))
    return download(await desk.ports.export_infra_spec(desk.who, part(request, "spec"), form, version or None))


def download(file: File) -> Page:
    """A file that the browser keeps, under its name."""
    headers = secure_headers("none") | {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


@get(SPEC + "/clone", opt=needs(MANAGE))
async def ask_clone(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _cloning(request)


async def _cloning(
    request: AnyRequest, problem: Problem | None = None, typed: dict[str, str] | None = None
) -> Response[bytes]:
    desk, said = await open_desk(request), typed or {}
    view = await desk.ports.infra_spec_draft(desk.who, part(request, "spec"))
    row = view.row
    if row is None:
        raise NotFound("There is no such specification.", hint="Look at the list.")
    choices = await desk.ports.infra_spec_choices(desk.who)
    wrong = problem is not None and "project_name" in str(problem.details.get("field", ""))
    place = said.get("zone", row.zone[0] if row.zone else "")
    fields = (
        Field("name", "Name of the new one", said.get("name", f"{row.name}-copy"), required=True,
              error=problem.message if problem is not None and wrong else "", attributes={"autocomplete": "off"}),
        Field("stage", "Stage", said.get("stage", row.stage), "select", choices=tuple((one, one) for one in STAGES)),
        Field("zone", "Zone", place, "select", choices=(("", "No zone"), *choices.zones)),
    )  # fmt: skip
    return desk.page(
        "pages/infra_clone.html",
        here="infra",
        crumbs=crumbs_of(row, "Clone"),
        problem=None if wrong else problem,
        status=400 if wrong else 200,
        row=row,
        fields=fields,
        command=infra_commands.clone_spec(row),
    )


@post(SPEC + "/clone", opt=needs(MANAGE))
async def clone(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.clone_infra_spec(
        desk.who,
        part(request, "spec"),
        name=form.get("name", ""),
        stage=form.get("stage", ""),
        zone=form.get("zone", ""),
    )
    return await act(deed, lambda uid: f"{SPECS}/{uid}", "spec-made", lambda problem: _cloning(request, problem, form))


@get(SPEC + "/delete", opt=needs(DELETE))
async def ask_delete_spec(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _deletion(request)


async def _deletion(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.infra_spec(desk.who, part(request, "spec"))
    forcing = view.removal is not None and view.may_force and not view.busy
    return ask(
        desk,
        here="infra",
        crumbs=crumbs_of(view.row, "Delete"),
        failed=failed,
        title=f"Delete the specification {view.row.name}?",
        notes=(view.removal,) if view.removal is not None else (),
        texts=("It goes with its versions. Its state, and what its jobs have told, stay. Nothing is destroyed.",),
        action=f"{view.row.href}/delete",
        back=view.row.href,
        keep="Keep it",
        button="Delete specification",
        danger=True,
        must_equal=view.row.name,
        blocked=_blocked(view),
        reason="Why, although something stands" if forcing else "",
        choice=("force", "Delete it all the same: I know what stays behind") if forcing else None,
        command=infra_commands.delete_spec(view.row),
    )


def _blocked(view: SpecView) -> str:
    if view.removal is None or (view.may_force and not view.busy):
        return ""
    return "Not yet: see above."


@post(SPEC + "/delete", opt=needs(DELETE))
async def delete_spec(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "spec")
    deed = desk.ports.delete_infra_spec(
        desk.who, uid, form.get("confirmation", ""), force=form.get("force") == "yes", reason=form.get("reason", "")
    )
    return await act(deed, INFRA, "spec-deleted", partial(_deletion, request))


assert set(STATUSES) <= states("specification")  # noqa: S101 - the console has a word for each

HANDLERS: tuple[Any, ...] = (
    specs,
    spec,
    plan,
    look_for_drift,
    ask_destroy,
    destroy,
    versions,
    export,
    ask_clone,
    clone,
    ask_delete_spec,
    delete_spec,
)
