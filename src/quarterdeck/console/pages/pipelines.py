"""The editor of a pipeline: its stages as a form and as JSON, without scripts; a wrong value is told at its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response

from quarterdeck.console import task_commands
from quarterdeck.console.desk import AnyRequest, open_desk, part, read_form, status_of
from quarterdeck.console.pages import stage_forms
from quarterdeck.console.pages.stage_forms import Stage
from quarterdeck.console.permissions import needs
from quarterdeck.console.render import see
from quarterdeck.console.views.pipelines import DEFAULT, EXAMPLE, Pipeline
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Conflict, Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post

VIEW = "tasks:projects.view"
TASKS = Crumb("Tasks", "/console/tasks")


@get("/tasks/pipelines/{key:str}", opt=needs(VIEW))
async def pipeline(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request, as_json=request.query_params.get("as") == "json")


@post("/tasks/pipelines/{key:str}", opt=needs(VIEW))
async def change_pipeline(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Saves, or answers the form with one stage more, less, or at another place. Nothing is kept until it is saved."""
    desk, key, form = await open_desk(request), part(request, "key"), await read_form(request)
    deed, as_json, typed = form.get("deed", ""), "json" in form, form.get("json", "")
    stages: Sequence[Stage] = () if as_json else stage_forms.stages_of(form)
    try:
        if as_json:
            stages = _read(typed)
        if deed in {"as-json", "as-form"}:
            return await _page(request, stages=stages, as_json=deed == "as-json", version=form.get("version"))
        if (moved := stage_forms.arranged(stages, deed)) is not None:
            fresh = len(moved) - 1 if deed in {"add", "add-gate"} else None
            return await _page(request, stages=moved, version=form.get("version"), fresh=fresh)
        stage_forms.require_numbers(stages)
        wanted = None if deed == "default" else list(stages)
        await desk.ports.save_pipeline(desk.who, key, wanted, form.get("version", ""))
    except Problem as problem:
        version = None if isinstance(problem, Conflict) else form.get("version")
        return await _page(
            request, problem, stages=stages, as_json=as_json, typed=typed if as_json else None, version=version
        )
    return see((await desk.ports.pipeline(desk.who, key))[0].href, "saved")


def _read(text: str) -> list[Stage]:
    """Raises `Invalid` with the place in the text."""
    try:
        return list(msgspec.json.decode(text or "[]", type=list[dict[str, Any]]))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Invalid(
            f"This is no list of stages: {error}",
            code="pipeline_invalid",
            hint=f"Write them as in {EXAMPLE}",
            field="pipeline",
        ) from None


async def _page(
    request: AnyRequest,
    problem: Problem | None = None,
    *,
    stages: Sequence[Stage] | None = None,
    as_json: bool = False,
    typed: str | None = None,
    version: str | None = None,
    fresh: int | None = None,
) -> Response[bytes]:
    desk = await open_desk(request)
    view, current = await desk.ports.pipeline(desk.who, part(request, "key"))
    known = view.stages if stages is None else stages
    text = typed if typed is not None else msgspec.json.format(msgspec.json.encode(list(known)), indent=2).decode()
    at_field = problem is not None and str(problem.details.get("field", "")).startswith(("pipeline", "defaultPipeline"))
    told = problem.message if problem and at_field else ""
    at, _ = stage_forms.where(problem)
    above = ((TASKS, Crumb("Settings", view.back)) if view.key == DEFAULT
             else (TASKS, Crumb("Projects", "/console/tasks/projects"), Crumb(view.key, view.back)))  # fmt: skip
    return desk.page(
        "pages/pipeline.html",
        here="tasks",
        crumbs=(*above, Crumb("Pipeline")),
        problem=None if at_field else problem,
        status=status_of(problem) if problem else 200,
        view=view,
        changed=stages is not None,
        version=version if version is not None else current,
        stages=stage_forms.shown(known, problem, fresh),
        error=told if at_field and at is None and not as_json else "",
        json=Field("json", "Stages, as JSON", text, "area", full=True, error=told if as_json else "",
                   hint=f"A list; a wrong value is named by its path. One with a gate: {EXAMPLE}", required=True),
        as_json=as_json,
        default=_is_default(view),
        command=task_commands.pipeline(view.key),
    )  # fmt: skip


def _is_default(view: Pipeline) -> bool:
    return view.key == DEFAULT


HANDLERS: tuple[Any, ...] = (pipeline, change_pipeline)
