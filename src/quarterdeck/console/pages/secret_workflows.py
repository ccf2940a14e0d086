"""Workflows: the list, one of them, and their end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import secret_commands
from quarterdeck.console.desk import AnyRequest, Page, act, open_desk, part, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.pages.secret_requests import ANYBODY, HERE
from quarterdeck.console.pages.secret_rules import offered
from quarterdeck.console.permissions import needs
from quarterdeck.console.views.secret_rules import TIMES, WorkflowDraft, WorkflowRow
from quarterdeck.console.views.secrets import WORKFLOWS
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

EDIT = "broker:workflow.edit"
LIST = Crumb("Workflows", WORKFLOWS)
WORKFLOW = "/secrets/workflows/{workflow:str}"
STEPS, MOST_STEPS = 4, 10
LABELS = {
    "request_ttl_seconds": ("A request waits for its approval", "Then it has expired."),
    "wrap_ttl_created_seconds": ("Values given with it are kept", "While it waits."),
    "wrap_ttl_approved_seconds": (
        "After the approval it is good for",
        "Until it is carried out, and its values fetched.",
    ),
    "wrap_ttl_claimed_seconds": ("Values are good for, once an agent has the job", ""),
    "grant_seconds": ("Reading again needs no approval for", "0: each time anew."),
}
USUAL = {"request_ttl_seconds": "14d", "wrap_ttl_created_seconds": "7d", "wrap_ttl_approved_seconds": "1h",
         "wrap_ttl_claimed_seconds": "5m", "grant_seconds": "0"}  # fmt: skip


@get("/secrets/workflows", opt=ANYBODY)
async def workflows(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    return desk.page(
        "pages/secret_workflows.html",
        here="secrets",
        crumbs=(HERE, Crumb("Workflows")),
        rows=await desk.ports.secret_workflows(desk.who),
        command=secret_commands.list_workflows(),
    )


@get("/secrets/workflows/new", opt=needs(EDIT))
async def new_workflow(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _form(request)


@get(WORKFLOW, opt=ANYBODY)
async def workflow(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _form(request)


async def _form(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    uid = str(request.path_params.get("workflow", ""))
    row = await desk.ports.secret_workflow(desk.who, uid) if uid else None
    said = dict(typed) if typed is not None else _said(row)
    roles = (("", "Anybody who approves"), *(await desk.ports.secret_roles(desk.who)))
    return desk.page(
        "pages/secret_workflow.html",
        here="secrets",
        crumbs=(HERE, LIST, Crumb(row.name if row is not None else "New workflow")),
        problem=problem,
        row=row,
        named=_named(said, problem, new=row is None),
        steps=tuple(_step(said, number, roles) for number in range(1, _rows(said) + 1)),
        times=_times(said, problem),
        said=said,
        command=secret_commands.workflow(row, "PUT" if row is not None else "POST"),
    )


def _said(row: WorkflowRow | None) -> dict[str, str]:
    if row is None:
        return {"people-1": "1", "justification": "yes", "enabled": "yes", **USUAL}
    said = {"description": row.description, **{word: spelt(row.times[word]) for word in TIMES}}
    for number, (step, role) in enumerate(zip(row.steps, row.roles, strict=True), 1):
        said |= {f"step-{number}": step.name if row.own_steps else "", f"people-{number}": str(step.required),
                 f"role-{number}": role}  # fmt: skip
    marks = {"justification": row.justification, "self_approval": row.self_approval, "emergencies": row.emergencies,
             "enabled": row.enabled}  # fmt: skip
    return said | {name: "yes" if on else "" for name, on in marks.items()}


def spelt(seconds: int) -> str:
    """Seconds as they are typed: `2h`, `90s`."""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else "0"


def _named(said: Mapping[str, str], problem: Problem | None, *, new: bool) -> tuple[Field, ...]:
    wrong, told = _wrong(problem)
    name = Field("name", "Name", said.get("name", ""), required=True, error=told if wrong == "name" else "",
                 hint="It stays.", attributes={"maxlength": "200", "autocomplete": "off"})  # fmt: skip
    description = Field("description", "What it is for", said.get("description", ""), full=True,
                        attributes={"maxlength": "2000"})  # fmt: skip
    return (name, description) if new else (description,)


def _rows(said: Mapping[str, str]) -> int:
    """Four steps, or one more than there are."""
    known = [number for number in range(1, MOST_STEPS + 1) if said.get(f"people-{number}")]
    return min(MOST_STEPS, max(STEPS, max(known, default=0) + 1))


def _step(said: Mapping[str, str], number: int, roles: tuple[tuple[str, str], ...]) -> tuple[Field, ...]:
    return (
        Field(f"step-{number}", f"Step {number}", said.get(f"step-{number}", ""), placeholder="security",
              attributes={"maxlength": "100", "autocomplete": "off"}),
        Field(f"people-{number}", "People", said.get(f"people-{number}", ""),
              attributes={"inputmode": "numeric", "maxlength": "2", "autocomplete": "off"}),
        Field(f"role-{number}", "With the role", said.get(f"role-{number}", ""), "select",
              choices=offered(roles, said.get(f"role-{number}", ""))),
    )  # fmt: skip


def _times(said: Mapping[str, str], problem: Problem | None) -> tuple[Field, ...]:
    wrong, told = _wrong(problem)
    return tuple(
        Field(word, LABELS[word][0], said.get(word, ""), required=True, hint=LABELS[word][1],
              error=told if wrong == word else "", attributes={"maxlength": "12", "autocomplete": "off"})
        for word in TIMES
    )  # fmt: skip


def _wrong(problem: Problem | None) -> tuple[str, str]:
    return (str(problem.details.get("field", "")), problem.message) if problem else ("", "")


def _draft(form: Mapping[str, str]) -> WorkflowDraft:
    steps = tuple(
        (form.get(f"step-{number}", ""), form.get(f"people-{number}", ""), form.get(f"role-{number}", ""))
        for number in range(1, MOST_STEPS + 1)
        if form.get(f"people-{number}", "")
    )
    return WorkflowDraft(
        name=form.get("name", ""),
        description=form.get("description", ""),
        steps=steps,
        times={word: form.get(word, "") for word in TIMES},
        justification=form.get("justification") == "yes",
        self_approval=form.get("self_approval") == "yes",
        emergencies=form.get("emergencies") == "yes",
        enabled=form.get("enabled") == "yes",
    )


@post("/secrets/workflows/new", opt=needs(EDIT))
async def make_workflow(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.save_secret_workflow(desk.who, "", _draft(form))
    return await act(deed, WORKFLOWS, "workflow-saved", partial(_again, request, form))


@post(WORKFLOW, opt=needs(EDIT))
async def change_workflow(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "workflow")
    deed = desk.ports.save_secret_workflow(desk.who, uid, _draft(form))
    return await act(deed, f"{WORKFLOWS}/{uid}", "workflow-saved", partial(_again, request, form))


async def _again(request: AnyRequest, form: Mapping[str, str], problem: Problem) -> Page:
    return await _form(request, problem, form)


@get(WORKFLOW + "/delete", opt=needs(EDIT))
async def ask_delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _deletion(request)


async def _deletion(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    row = await desk.ports.secret_workflow(desk.who, part(request, "workflow"))
    return ask(
        desk,
        here="secrets",
        crumbs=(HERE, LIST, Crumb(row.name, row.href), Crumb("Delete")),
        failed=failed,
        title=f"Delete the workflow {row.name}?",
        texts=("One that requests have taken stays with them: switch it off instead.",),
        action=f"{row.href}/delete",
        back=row.href,
        keep="Keep it",
        button="Delete workflow",
        danger=True,
        must_equal=row.name,
        blocked="It is built in. Change it instead." if row.built_in else "",
        command=secret_commands.workflow(row, "DELETE"),
    )


@post(WORKFLOW + "/delete", opt=needs(EDIT))
async def delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "workflow")
    deed = desk.ports.delete_secret_workflow(desk.who, uid, form.get("confirmation", ""))
    return await act(deed, WORKFLOWS, "workflow-deleted", partial(_deletion, request))


HANDLERS: tuple[Any, ...] = (
    workflows, new_workflow, make_workflow, workflow, change_workflow, ask_delete, delete,
)  # fmt: skip
