"""Asking for a secret, and changing what was asked for: the forms, and what would happen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from litestar import Request, Response

from quarterdeck.console import secret_commands
from quarterdeck.console.desk import AnyRequest, Desk, open_desk, read_form
from quarterdeck.console.pages.secret_requests import ANYBODY, HERE, REQUEST, crumbs_of, uid_of
from quarterdeck.console.render import see
from quarterdeck.console.views.secrets import KINDS, REQUESTS, Choices, TrialView, Wanted
from quarterdeck.console.views.shell import Crumb, Field
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.http.shared_signature import get, post

CHANGES = ("patch", "update")
ALPHABETS = (("letters-digits", "letters and digits"), ("hex", "hexadecimal digits"), ("digits", "digits"),
             ("printable", "anything printable"))  # fmt: skip
ROWS, MOST_ROWS = 3, 100
WHERE = {
    "target_provider_type": "kept", "target_provider_config": "kept", "target_provider_config.connection": "kept",
    "project_id": "place", "environment": "place", "target_secret_ref": "ref", "target_keys": "keys",
    "key_values": "values", "justification": "justification", "rotation.length": "length",
    "rotation.alphabet": "alphabet", "recipient_key": "recipient",
}  # fmt: skip
"""The field of the form by the one that a problem names."""


@get("/secrets/ask", opt=ANYBODY)
async def ask(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The form, filled in as the address says."""
    desk, query = await open_desk(request), request.query_params
    choices = await desk.ports.secret_choices(desk.who)
    kept = query.get("kept", "")[:300]
    if provider := query.get("provider", "")[:40]:
        kept = next((value for value, _ in choices.kept if value.startswith(f"{provider}:")), kept)
    wanted = Wanted(
        kind=_kind(query.get("kind", "")),
        kept=kept,
        place=query.get("place", "")[:300],
        ref=query.get("ref", "")[:1000],
        keys=_keys(query.get("keys", "")[:4000]),
        justification=query.get("why", "")[:4000],
    )
    return _form(desk, choices, wanted)


def _form(
    desk: Desk,
    choices: Choices,
    wanted: Wanted,
    problem: Problem | None = None,
    trial: TrialView | None = None,
) -> Response[bytes]:
    wrong = WHERE.get(str(problem.details.get("field", "")), "") if problem else ""
    return desk.page(
        "pages/secret_ask.html",
        here="secrets",
        crumbs=(HERE, Crumb("Ask for a secret")),
        problem=problem,
        wanted=wanted,
        kinds=tuple(KINDS.items()),
        fields=_fields(choices, wanted, wrong, problem),
        making=_making(wanted, wrong, problem),
        keys=_keys_field(wanted, wrong, problem),
        why=_why(wanted.justification, wrong, problem),
        rows=_rows(wanted),
        values_wrong=problem.message if problem and wrong == "values" else "",
        trial=trial,
        lost=bool(problem or trial) and wanted.kind in CHANGES,
        command=secret_commands.ask(wanted.kind),
    )


def _fields(choices: Choices, wanted: Wanted, wrong: str, problem: Problem | None) -> tuple[Field, ...]:
    told = problem.message if problem else ""
    plain = {"autocomplete": "off", "spellcheck": "false"}
    return (
        Field("kept", "Kept in", wanted.kept, "select", choices=choices.kept, error=told if wrong == "kept" else ""),
        Field("place", "For", wanted.place, "select", error=told if wrong == "place" else "",
              choices=(("", "No project (counts as production)"), *choices.places)),
        Field("ref", "Secret", wanted.ref, error=told if wrong == "ref" else "", placeholder="apps/shop/db", full=True,
              hint="Its reference there. Variables of an environment need none.",
              attributes={**plain, "maxlength": "1000"}),
    )  # fmt: skip


def _keys_field(wanted: Wanted, wrong: str, problem: Problem | None) -> Field:
    every = "" if wanted.kind == "rotate" else " Empty: all of them."
    return Field(
        "keys", "Keys", " ".join(wanted.keys), error=problem.message if problem and wrong == "keys" else "",
        required=wanted.kind == "rotate", placeholder="USERNAME PASSWORD", full=True,
        hint=f"With spaces or commas between them.{every}",
        attributes={"autocomplete": "off", "spellcheck": "false", "maxlength": "4000"},
    )  # fmt: skip


def _making(wanted: Wanted, wrong: str, problem: Problem | None) -> tuple[Field, ...]:
    told = problem.message if problem else ""
    return (
        Field("length", "Characters of a new value", wanted.length, required=True,
              error=told if wrong == "length" else "", attributes={"inputmode": "numeric", "maxlength": "3"}),
        Field("alphabet", "Made of", wanted.alphabet, "select", choices=ALPHABETS),
    )  # fmt: skip


def _why(text: str, wrong: str, problem: Problem | None) -> Field:
    return Field(
        "justification", "Why", text, error=problem.message if problem and wrong == "justification" else "",
        full=True, hint="Whoever decides reads it, and most workflows insist. Say nothing secret.",
        attributes={"maxlength": "4000"},
    )  # fmt: skip


def _rows(wanted: Wanted) -> tuple[str, ...]:
    """Keys of the rows for values; what was typed as a value is never shown again."""
    known = wanted.keys
    return (*known, *[""] * max(ROWS - len(known), 1 if known else ROWS))[:MOST_ROWS]


@post("/secrets/ask", opt=ANYBODY)
async def asking(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk = await open_desk(request)
    wanted = await read_wanted(request)
    try:
        wanted = replace(wanted, values=await read_values(request))
        made = await desk.ports.ask_for_secret(desk.who, wanted)
    except Problem as problem:
        return _form(desk, await desk.ports.secret_choices(desk.who), wanted, problem)
    return see(f"{REQUESTS}/{made}", "secret-asked")


@post("/secrets/ask/try", opt=ANYBODY)
async def trying(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What would happen: on the page of the form, or by itself for the script that keeps what was typed."""
    desk = await open_desk(request)
    wanted = await read_wanted(request)
    try:
        trial = await desk.ports.try_secret(desk.who, wanted)
    except Problem as problem:
        if request.headers.get("x-console-ask"):
            return desk.page("pages/secret_trial.html", here="secrets", crumbs=(HERE,), problem=problem, trial=None)
        return _form(desk, await desk.ports.secret_choices(desk.who), wanted, problem)
    if request.headers.get("x-console-ask"):
        return desk.page("pages/secret_trial.html", here="secrets", crumbs=(HERE,), trial=trial)
    return _form(desk, await desk.ports.secret_choices(desk.who), wanted, trial=trial)


@get(REQUEST + "/edit", opt=ANYBODY)
async def edit(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _editing(request)


async def _editing(request: AnyRequest, problem: Problem | None = None, typed: Wanted | None = None) -> Response[bytes]:
    desk = await open_desk(request)
    view = await desk.ports.secret_request(desk.who, uid_of(request))
    wanted = replace(
        typed or Wanted(justification=view.reason, keys=view.keys), kind=view.row.kind, ref=view.row.ref
    )  # fmt: skip
    wrong = WHERE.get(str(problem.details.get("field", "")), "") if problem else ""
    return desk.page(
        "pages/secret_edit.html",
        here="secrets",
        crumbs=crumbs_of(view, "Change it"),
        problem=problem,
        view=view,
        wanted=wanted,
        keys=_keys_field(wanted, wrong, problem),
        why=_why(wanted.justification, wrong, problem),
        rows=_rows(wanted),
        values_wrong=problem.message if problem and wrong == "values" else "",
        lost=problem is not None and wanted.kind in CHANGES,
        command=secret_commands.edit(view),
    )


@post(REQUEST + "/edit", opt=ANYBODY)
async def change(request: Request[Any, Any, Any]) -> Response[bytes]:
    desk, uid = await open_desk(request), uid_of(request)
    wanted = await read_wanted(request)
    try:
        wanted = replace(wanted, values=await read_values(request))
        await desk.ports.edit_secret_request(desk.who, uid, wanted)
    except Problem as problem:
        return await _editing(request, problem, wanted)
    return see(f"{REQUESTS}/{uid}", "secret-changed")


async def read_wanted(request: AnyRequest) -> Wanted:
    """The form as it was sent, but for values; of a change the keys are those of its rows."""
    form = await read_form(request)
    kind = _kind(form.get("kind", ""))
    return Wanted(
        kind=kind,
        kept=form.get("kept", ""),
        place=form.get("place", ""),
        ref=form.get("ref", ""),
        keys=await _typed_keys(request) if kind in CHANGES else _keys(form.get("keys", "")),
        justification=form.get("justification", ""),
        length=form.get("length", "32"),
        alphabet=form.get("alphabet", ALPHABETS[0][0]),
        recipient=form.get("recipient", ""),
        direct=form.get("way") == "direct",
        emergency=form.get("way") == "emergency",
    )


async def _typed_keys(request: AnyRequest) -> tuple[str, ...]:
    posted = await request.form()
    return tuple(dict.fromkeys(key for one in posted.getall("key", []) if (key := str(one).strip())))[:MOST_ROWS]


async def read_values(request: AnyRequest) -> Mapping[str, str]:
    """Values by their keys, as they were typed; a line ends as on the server, not as in a form. Raises `Invalid` for a
    value without a key, and two of one key.
    """
    posted = await request.form()
    keys, values = ([str(one) for one in posted.getall(name, [])] for name in ("key", "value"))
    found: dict[str, str] = {}
    for key, value in zip(keys, values, strict=False):
        called = key.strip()
        if not called and not value:
            continue
        if not called:
            raise Invalid("A value has no key.", hint="Name its key, and type the values again.", field="key_values")
        if called in found:
            raise Invalid(
                f"The key {called[:60]} is there twice.", hint="Type the values again.", field="key_values"
            )  # fmt: skip
        found[called] = value.replace("\r\n", "\n")
    return found


def _kind(text: str) -> str:
    return text if text in KINDS else "read"


def _keys(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in re.split(r"[\s,]+", text) if one))


HANDLERS: tuple[Any, ...] = (ask, asking, trying, edit, change)
