"""The editor of a specification: one document as a form and as YAML, with everything that is wrong at its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from litestar import Request, Response

from quarterdeck.console import infra_commands
from quarterdeck.console.desk import AnyRequest, open_desk, part, read_form, status_of
from quarterdeck.console.pages import infra_spec_forms as forms
from quarterdeck.console.pages.infra_specs import HERE, MANAGE, SPEC, crumbs_of
from quarterdeck.console.permissions import needs
from quarterdeck.console.render import see
from quarterdeck.console.views.infra import SPECS, FieldError, SpecDraft
from quarterdeck.console.views.infra_forms import Section
from quarterdeck.console.views.shell import Crumb, Field, Note
from quarterdeck.console.words import counted
from quarterdeck.kernel.errors import Conflict, Problem
from quarterdeck.kernel.http.shared_signature import get, post

NEW, EDIT = "/infra/specs/new", SPEC + "/edit"
Document = Mapping[str, Any]


@get(NEW, opt=needs(MANAGE))
async def new_spec(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request, "", as_text=request.query_params.get("as") == "yaml")


@get(EDIT, opt=needs(MANAGE))
async def edit_spec(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _page(request, part(request, "spec"), as_text=request.query_params.get("as") == "yaml")


@post(NEW, opt=needs(MANAGE))
async def make_spec(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _posted(request, "")


@post(EDIT, opt=needs(MANAGE))
async def change_spec(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _posted(request, part(request, "spec"))


async def _posted(request: AnyRequest, uid: str) -> Response[bytes]:
    """Saves, or answers the form with one thing more or less, or as the other form. Nothing is kept until it is
    saved.
    """
    desk, form = await open_desk(request), await read_form(request)
    deed, as_text, text = form.get("deed", ""), "content" in form, form.get("content", "")
    document: Document = {}
    lines: Mapping[str, int] = {}
    opened = forms.opened(form)
    try:
        if as_text:
            document, lines = await desk.ports.read_infra_spec(desk.who, text)
            document = _versioned(document, form)
        else:
            document = forms.typed(form, (await desk.ports.infra_spec_choices(desk.who)).schema)
        if deed in {"as-yaml", "as-form"}:
            return await _page(
                request, uid, document=document, as_text=deed == "as-yaml", version=form.get("version"), opened=opened
            )
        if (moved := forms.arranged(dict(document), deed)) is not None:
            fresh = deed.removeprefix("add-") if deed.startswith("add-") else ""
            return await _page(request, uid, document=moved, version=form.get("version"), fresh=fresh, opened=opened)
        if deed == "check":
            wrong = await desk.ports.examine_infra_spec(desk.who, _bare(document))
            return await _page(
                request, uid, document=document, as_text=as_text, text=text if as_text else None, wrong=wrong,
                lines=lines, version=form.get("version"), checked=True, opened=opened,
            )  # fmt: skip
        made = await desk.ports.save_infra_spec(desk.who, uid, document, again=form.get("again") == "yes")
    except Problem as problem:
        return await _page(
            request, uid, problem, document=document, as_text=as_text, text=text if as_text else None,
            wrong=_wrong(problem), lines=lines, version=None if isinstance(problem, Conflict) else form.get("version"),
            opened=opened,
        )  # fmt: skip
    return see(f"{SPECS}/{made}", "saved" if uid else "spec-made")


def _versioned(document: Document, form: Mapping[str, str]) -> Document:
    """A text says no version and no comment of its own: these stand beside it."""
    more: dict[str, Any] = {}
    version = form.get("version", "")
    if version.isascii() and version.isdigit() and version != "0" and "version" not in document:
        more["version"] = int(version[:9])
    if form.get("comment"):
        more["comment"] = form["comment"]
    if form.get("module_token"):
        more["module_token"] = form["module_token"]
    return {**document, **more}


def _bare(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "version"}


def _wrong(problem: Problem) -> tuple[FieldError, ...]:
    """Every field that a refusal names."""
    told = problem.details.get("fields")
    if not isinstance(told, list):
        field = str(problem.details.get("field", ""))
        return (FieldError(field, problem.message),) if field and field != "content" else ()
    return tuple(FieldError(str(one["field"]), str(one["message"])) for one in told if isinstance(one, dict))


async def _page(
    request: AnyRequest,
    uid: str,
    problem: Problem | None = None,
    *,
    document: Document | None = None,
    as_text: bool = False,
    text: str | None = None,
    wrong: Sequence[FieldError] = (),
    lines: Mapping[str, int] | None = None,
    version: str | None = None,
    fresh: str = "",
    checked: bool = False,
    opened: Collection[str] = (),
) -> Response[bytes]:
    desk = await open_desk(request)
    query = request.query_params
    choices = await desk.ports.infra_spec_choices(desk.who)
    begun = SpecDraft(forms.fresh(query.get("provider", "local")[:20], query.get("zone", "")[:64]))
    draft = await desk.ports.infra_spec_draft(desk.who, uid) if uid else begun
    shown = draft.document if document is None else document
    made, left = forms.sections(shown, choices, wrong, fresh_list=fresh, has_token=draft.has_token, opened=opened)
    content = text if text is not None else await _text(desk, shown) if as_text else ""
    listed = _placed(wrong if as_text else left, lines or {})
    stands = bool(wrong) and not isinstance(problem, Conflict)
    action = f"{SPECS}/{uid}/edit" if uid else f"{SPECS}/new"
    row = draft.row
    return desk.page(
        "pages/infra_spec_editor.html",
        here="infra",
        crumbs=crumbs_of(row, "Change") if row else (HERE, Crumb("New specification")),
        problem=None if stands else problem,
        status=status_of(problem) if problem else 200,
        row=row,
        action=action,
        back=row.href if row else "/console/infra",
        sections=made,
        comment=Field("comment", "What is changed", str(shown.get("comment") or ""), full=True,
                      hint="Stands beside the version.", attributes={"maxlength": "500", "autocomplete": "off"}),
        content=Field("content", "Document, as YAML or JSON", content, "area", required=True, full=True,
                      error=problem.message if problem and problem.details.get("field") == "content" else "",
                      hint="Fields that are left out get their defaults."),
        as_text=as_text,
        listed=listed,
        again=Field("again", "Make another one of that name", "", "check") if _twin(problem) else None,
        summary=_summary(wrong, checked=checked),
        version=version if version is not None else str(draft.version),
        conflict=_conflict(problem, made, draft, choices),
        command=infra_commands.change_spec(row) if row else infra_commands.create_spec(),
    )  # fmt: skip


def _twin(problem: Problem | None) -> bool:
    return problem is not None and problem.code == "spec_exists"


async def _text(desk: Any, document: Document) -> str:
    beside = {"comment", "module_token", "version"}
    bare = {name: value for name, value in document.items() if name not in beside}
    text: str = await desk.ports.infra_spec_text(desk.who, bare)
    return text


def _placed(wrong: Sequence[FieldError], lines: Mapping[str, int]) -> tuple[FieldError, ...]:
    """With the line of each in a text: that of the field itself, or of the nearest around it."""
    return tuple(FieldError(one.field, one.message, _line(one.field, lines)) for one in wrong)


def _line(path: str, lines: Mapping[str, int]) -> int:
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path, 0)


def _summary(wrong: Sequence[FieldError], *, checked: bool) -> Note | None:
    if wrong:
        return Note("bad", f"{counted(len(wrong), 'field')} {'is' if len(wrong) == 1 else 'are'} wrong.",
                    "Nothing was saved. What was typed is still here.")  # fmt: skip
    return Note("good", "The document is good.", "It is not saved yet.") if checked else None


def _conflict(
    problem: Problem | None, made: Sequence[Section], draft: SpecDraft, choices: Any
) -> tuple[tuple[str, str, str], ...]:
    """After a conflict of versions: what stands now and what was typed, of every field that differs."""
    if not isinstance(problem, Conflict) or problem.code != "spec_changed":
        return ()
    saved = _values(forms.sections(draft.document, choices)[0])
    mine = _values(made)
    return tuple(
        (path, saved.get(path, ""), mine.get(path, ""))
        for path in dict.fromkeys((*saved, *mine))
        if saved.get(path, "") != mine.get(path, "") and path != "module_token"
    )


def _values(made: Sequence[Section]) -> dict[str, str]:
    fields = [one for section in made for one in (*section.fields, *(f for e in section.entries for f in e.fields))]
    return {one.name: one.value for one in fields}


HANDLERS: tuple[Any, ...] = (new_spec, edit_spec, make_spec, change_spec)
