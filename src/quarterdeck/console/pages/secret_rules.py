"""Rules: the list, one of them, what would happen by them, and their end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Request, Response

from quarterdeck.console import secret_commands
from quarterdeck.console.desk import AnyRequest, Page, act, open_desk, part, read_form
from quarterdeck.console.pages.questions import ask
from quarterdeck.console.pages.secret_requests import ANYBODY, HERE
from quarterdeck.console.views.secret_rules import SELECTOR, RuleDraft, RuleRow
from quarterdeck.console.views.secrets import KINDS, PROVIDERS, RULES, Wanted
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.shared_signature import get, post

EDIT, AUTHOR = "broker:policy.edit", "broker:policy.author"
LIST = Crumb("Rules", RULES)
RULE = "/secrets/policies/{rule:str}"
ANY = ("", "Any")
LOOKS = ("kept", "place", "ref", "kind")


@get("/secrets/policies", opt=ANYBODY)
async def rules(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The list in the order of asking, and what would happen to a request that the address describes."""
    return await _rules(request)


async def _rules(request: AnyRequest) -> Response[bytes]:
    desk, query = await open_desk(request), request.query_params
    said = {word: query.get(word, "")[:1000].strip() for word in LOOKS}
    trial, problem = None, None
    if said["kept"]:
        wanted = Wanted(kind=said["kind"] or "read", kept=said["kept"], place=said["place"], ref=said["ref"])
        try:
            trial = await desk.ports.try_secret(desk.who, wanted)
        except Problem as refused:
            problem = refused
    choices = await desk.ports.secret_choices(desk.who)
    return desk.page(
        "pages/secret_rules.html",
        here="secrets",
        crumbs=(HERE, Crumb("Rules")),
        problem=problem,
        rows=await desk.ports.secret_rules(desk.who),
        trial=trial,
        asked=(
            Field("kind", "What", said["kind"], "select", choices=tuple(KINDS.items())),
            Field("kept", "Kept in", said["kept"], "select", choices=choices.kept),
            Field("place", "For", said["place"], "select", choices=(("", "No project"), *choices.places)),
            Field("ref", "Secret", said["ref"], placeholder="apps/shop/db", attributes={"autocomplete": "off"}),
        ),
        command=secret_commands.list_rules(),
        trying=secret_commands.try_rules(),
    )


@get("/secrets/policies/new", opt=ANYBODY)
async def new_rule(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _form(request)


@get(RULE, opt=ANYBODY)
async def rule(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _form(request)


async def _form(
    request: AnyRequest, problem: Problem | None = None, typed: Mapping[str, str] | None = None
) -> Response[bytes]:
    desk = await open_desk(request)
    uid = str(request.path_params.get("rule", ""))
    row = await desk.ports.secret_rule(desk.who, uid) if uid else None
    said = dict(typed) if typed is not None else _said(row)
    return desk.page(
        "pages/secret_rule.html",
        here="secrets",
        crumbs=(HERE, LIST, Crumb(row.name if row is not None else "New rule")),
        problem=problem,
        row=row,
        editable=desk.viewer.may_somewhere(EDIT) or desk.viewer.may_somewhere(AUTHOR),
        fields=_fields(said, problem, await desk.ports.secret_workflows(desk.who)),
        about=_about(said, problem, await desk.ports.secret_projects(desk.who), new=row is None),
        said=said,
        command=secret_commands.rule(row, "PUT" if row is not None else "POST"),
    )


def _said(row: RuleRow | None) -> dict[str, str]:
    if row is None:
        return {"priority": "100", "enabled": "yes"}
    return {
        "name": row.name, "workflow": row.workflow[0], "priority": str(row.priority),
        "enabled": "yes" if row.enabled else "", "direct": "yes" if row.direct else "",
        "project": row.project[0] if row.project is not None else "", **row.selector,
    }  # fmt: skip


def _fields(said: Mapping[str, str], problem: Problem | None, workflows: Any) -> tuple[Field, ...]:
    wrong, told = _wrong(problem)
    return (
        Field("name", "Name", said.get("name", ""), required=True, error=told if wrong == "name" else "",
              attributes={"maxlength": "200", "autocomplete": "off"}),
        Field("workflow", "Leads to the workflow", said.get("workflow", ""), "select",
              error=told if wrong == "workflow_id" else "",
              choices=tuple((one.uid, one.name + ("" if one.enabled else ", switched off")) for one in workflows)),
        Field("priority", "Priority", said.get("priority", ""), required=True, hint="Higher ones are asked first.",
              error=told if wrong == "priority" else "", attributes={"inputmode": "numeric", "maxlength": "7"}),
    )  # fmt: skip


def _about(said: Mapping[str, str], problem: Problem | None, projects: Any, *, new: bool) -> tuple[Field, ...]:
    wrong, told = _wrong(problem)
    plain = {"autocomplete": "off", "spellcheck": "false"}

    def chosen(key: str, label: str, choices: Any) -> Field:
        error = told if wrong == f"selector.{key}" else ""
        value = said.get(key, "")
        return Field(key, label, value, "select", choices=offered((ANY, *choices), value), error=error)

    def typed(key: str, label: str, example: str) -> Field:
        error = told if wrong == f"selector.{key}" else ""
        return Field(key, label, said.get(key, ""), error=error, placeholder=example, attributes=plain)

    whose = Field("project", "Rule of", said.get("project", ""), "select", error=told if wrong == "project_id" else "",
                  choices=(("", "The organization"), *projects))  # fmt: skip
    kinds = (("prod", "Production, and what nobody knows"), ("non_prod", "Other than production"))
    return (
        *((whose,) if new else ()),
        chosen("project_id", "Project", projects),
        chosen("environment_kind", "Kind of environment", kinds),
        typed("environment", "Environment", "staging"),
        chosen("provider_type", "Kept in", PROVIDERS.items()),
        typed("secret_ref_prefix", "Reference begins with", "apps/shop/"),
        chosen("operation", "To", (("read", "read"), ("patch", "change"))),
    )


def offered(choices: tuple[tuple[str, str], ...], value: str) -> tuple[tuple[str, str], ...]:
    """The choices with the one that stands: what a form does not know it would change by itself."""
    return choices if any(value == one for one, _ in choices) else (*choices, (value, value))


def _wrong(problem: Problem | None) -> tuple[str, str]:
    return (str(problem.details.get("field", "")), problem.message) if problem else ("", "")


def _draft(form: Mapping[str, str]) -> RuleDraft:
    return RuleDraft(
        name=form.get("name", ""),
        workflow=form.get("workflow", ""),
        priority=form.get("priority", ""),
        enabled=form.get("enabled") == "yes",
        direct=form.get("direct") == "yes",
        project=form.get("project", ""),
        selector={key: form.get(key, "") for key in SELECTOR},
    )


@post("/secrets/policies/new", opt=ANYBODY)
async def make_rule(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form = await open_desk(request), await read_form(request)
    deed = desk.ports.save_secret_rule(desk.who, "", _draft(form))
    return await act(deed, RULES, "rule-saved", partial(_again, request, form))


@post(RULE, opt=ANYBODY)
async def change_rule(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "rule")
    deed = desk.ports.save_secret_rule(desk.who, uid, _draft(form))
    return await act(deed, f"{RULES}/{uid}", "rule-saved", partial(_again, request, form))


async def _again(request: AnyRequest, form: Mapping[str, str], problem: Problem) -> Page:
    return await _form(request, problem, form)


@get(RULE + "/delete", opt=ANYBODY)
async def ask_delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _deletion(request)


async def _deletion(request: AnyRequest, failed: Problem | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    row = await desk.ports.secret_rule(desk.who, part(request, "rule"))
    return ask(
        desk,
        here="secrets",
        crumbs=(HERE, LIST, Crumb(row.name, row.href), Crumb("Delete")),
        failed=failed,
        title=f"Delete the rule {row.name}?",
        texts=("Requests that are waiting keep their workflow. New ones are sent by the rules that are left.",),
        action=f"{row.href}/delete",
        back=row.href,
        keep="Keep it",
        button="Delete rule",
        danger=True,
        must_equal=row.name,
        blocked="It is built in. Change it instead." if row.built_in else "",
        command=secret_commands.rule(row, "DELETE"),
    )


@post(RULE + "/delete", opt=ANYBODY)
async def delete(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, form, uid = await open_desk(request), await read_form(request), part(request, "rule")
    deed = desk.ports.delete_secret_rule(desk.who, uid, form.get("confirmation", ""))
    return await act(deed, RULES, "rule-deleted", partial(_deletion, request))


HANDLERS: tuple[Any, ...] = (rules, new_rule, make_rule, rule, change_rule, ask_delete, delete)
