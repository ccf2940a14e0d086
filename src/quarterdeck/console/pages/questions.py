"""Questions before a deed: a page of their own, and the same form in a dialog when scripts are on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from litestar import Response

from quarterdeck.console.desk import Desk, note_of, request_id, status_of
from quarterdeck.console.views.shell import Command, Crumb, Note
from quarterdeck.kernel.errors import Conflict, Problem


@dataclass(frozen=True, slots=True)
class Question:
    """`must_equal` is the name to type, for what cannot be undone; `blocked` says why the deed cannot be done now;
    `reason` is the label of a field that asks why it is done; `items` are things with a word about each.
    """

    title: str
    action: str
    back: str
    keep: str
    button: str
    notes: tuple[Note, ...] = ()
    texts: tuple[str, ...] = ()
    command: Command | None = None
    danger: bool = False
    must_equal: str = ""
    blocked: str = ""
    hidden: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    items: tuple[tuple[str, str], ...] = ()
    problem: Note | None = None


def ask(
    desk: Desk,
    *,
    crumbs: tuple[Crumb, ...],
    here: str = "projects",
    failed: Problem | None = None,
    differences: tuple[Any, ...] = (),
    **question: Any,
) -> Response[bytes]:
    """The question as a page or, when a dialog asked, as the inside of one. `failed` is why a first try was refused."""
    note = note_of(failed, request_id()) if failed else None
    return desk.page(
        "pages/question.html",
        here=here,
        crumbs=crumbs,
        status=status_of(failed) if failed else 200,
        question=Question(**question, problem=note),
        differences=differences,
    )


def ask_remove_variable(
    desk: Desk, *, crumbs: tuple[Crumb, ...], of: str, action: str, back: str, command: Command
) -> Response[bytes]:
    """Before a variable goes: a sealed value cannot be had back."""
    query = desk.request.query_params
    key, exposure = query.get("key", "")[:200], query.get("exposure", "runtime")[:20]
    return ask(
        desk,
        crumbs=crumbs,
        title=f"Remove {key} from {of}?",
        texts=("Its value is lost here. What runs keeps it until the next deployment.",),
        action=action,
        back=back,
        keep="Keep it",
        button=f"Remove {key}",
        danger=True,
        hidden={"remove": key, "exposure": exposure},
        command=command,
    )


def typed_conflict(
    problem: Problem | None, typed: dict[str, str], saved: dict[str, str]
) -> tuple[tuple[str, str, str], ...]:
    """After a conflict of versions: (field, what stands now, what was typed) for every field that differs."""
    if not isinstance(problem, Conflict):
        return ()
    return tuple(
        (name, saved.get(name, ""), typed[name]) for name in typed if name in saved and typed[name] != saved[name]
    )
