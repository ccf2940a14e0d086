"""`qd task confirm`, `choose`, `input`, `messages`, `say`: what a person tells a task."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter, validators

from quarterdeck.cli import task_files, tasks
from quarterdeck.cli.commands.tasks import task
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.options import Changing, Common, Words
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.tasks import Row, about, number

COMMON, CHANGING = Common(), Changing()
Stage = Annotated[int | None, Parameter(validator=validators.Number(gte=0))]
ASKS = {"confirm": "a confirmation", "choice": "a choice", "input": "a text"}


def confirm(task_id: str, /, *, stage: Stage = None, reject: bool = False, changing: Changing = CHANGING) -> None:
    """Let a task go on that waits for a confirmation; with --reject end it there. The first answer counts.

    qd task confirm 42
    qd task confirm 42 --stage 1
    qd task confirm 42 --reject

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    stage
        The stage that is meant, counted from 0. Default: the one that waits.
    reject
        Do not go on: the task is canceled.
    """
    ref = number(task_id)
    with session(changing) as opened, about(ref):
        if reject:
            named = _stage_name(opened, ref, stage)
            opened.terminal.confirm(f"Reject stage {named} and end task #{ref}?")
            body: dict[str, Any] = {"stageName": named, "approved": False}
            _answer(opened, ref, body, f"Rejected stage {named}; task #{ref} ends.")
        else:
            index = _index(opened, ref, stage, "confirm")
            _answer(opened, ref, {"stageIndex": index, "result": "confirm"}, f"Confirmed; task #{ref} goes on.")


def choose(task_id: str, option: str, /, *, stage: Stage = None, changing: Changing = CHANGING) -> None:
    """Choose for a task that waits for a choice. The first answer counts.

    qd task choose 42 staging
    qd task choose 42 staging --stage 2

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    option
        One of those that the task asks for.
    stage
        The stage that is meant, counted from 0. Default: the one that waits.
    """
    ref = number(task_id)
    with session(changing) as opened, about(ref):
        body = {"stageIndex": _index(opened, ref, stage, "choice", option), "result": option}
        _answer(opened, ref, body, f"Chose {option}; task #{ref} goes on.")


def give(task_id: str, text: Words, /, *, stage: Stage = None, changing: Changing = CHANGING) -> None:
    """Give a task the text that it waits for. The first answer counts.

    qd task input 42 "Use the blue of the logo"
    qd task input 42 - < notes.md

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    text
        The text; - reads stdin.
    stage
        The stage that is meant, counted from 0. Default: the one that waits.
    """
    ref, words = number(task_id), _words(text, "qd task input 42 TEXT")
    with session(changing) as opened, about(ref):
        body = {"stageIndex": _index(opened, ref, stage, "input"), "result": words}
        _answer(opened, ref, body, f"Told task #{ref}; it goes on.")


def messages(
    task_id: str,
    /,
    *,
    limit: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1000))] = 100,
    common: Common = COMMON,
) -> None:
    """List what people have said to a task beside its description, oldest first.

    qd task messages 42

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    limit
        How many of the newest.
    """
    ref = number(task_id)
    with session(common) as opened, about(ref):
        items = sorted(opened.api.pages("tasks.messages", {}, limit, taskId=ref), key=lambda one: int(one["id"]))
        rows = [
            [
                tasks.local(one["createdAt"]),
                str(one.get("author") or one.get("authorId") or ""),
                tasks.local(one.get("deliveredAt")) or "not yet",
                str(one["text"]),
            ]
            for one in items
        ]
        columns = ["SAID", "BY", "READ BY THE AGENT", "TEXT"]
        opened.terminal.table(items, columns, rows, names=[str(one["id"]) for one in items])


def say(task_id: str, text: Words, /, *, changing: Changing = CHANGING) -> None:
    """Say something more to a task: the agent reads it as soon as it can.

    qd task say 42 "Leave the footer as it is"
    qd task say 42 - < review.md

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    text
        What to say; - reads stdin.
    """
    ref, words = number(task_id), _words(text, "qd task say 42 TEXT")
    with session(changing) as opened, about(ref):
        answer: Row = opened.api.change("tasks.say", {"text": words}, what="message", taskId=ref)
        opened.done(answer, name=str(answer["id"]), text=f"Said it to task #{ref}.")


def _words(text: str, way: str) -> str:
    words = task_files.text_of("-", what="text").rstrip("\n") if text == "-" else text
    if not words.strip():
        raise usage("The text is empty.", way, code="text_required")
    return words


def _waiting(opened: Session, ref: str) -> Row:
    asked = tasks.pending(opened.api, ref)
    if asked is None:
        raise Failure(
            f"Task #{ref} waits for no answer.",
            exit=Exit.CONFLICT,
            code="task_not_waiting",
            hint=f"qd task show {ref}",
        )
    return asked


def _index(opened: Session, ref: str, stage: int | None, kind: str, option: str | None = None) -> int:
    """The stage that is answered. One that is named is the server's to judge; else the question has to fit."""
    if stage is not None:
        return stage
    asked = _waiting(opened, ref)
    if asked["kind"] != kind:
        raise usage(
            f"Task #{ref} waits for {ASKS.get(str(asked['kind']), 'something else')}, not for {ASKS[kind]}.",
            tasks.answer_line(ref, asked),
            code="task_asks_otherwise",
        )
    choices = [str(one) for one in asked.get("choices") or []]
    if option is not None and option not in choices:
        raise usage(
            f"{option} is none of the options of task #{ref}: {', '.join(choices)}.",
            f"qd task choose {ref} {choices[0]}" if choices else f"qd task show {ref}",
            code="no_such_option",
        )
    return int(asked["stageIndex"])


def _stage_name(opened: Session, ref: str, stage: int | None) -> str:
    if stage is None:
        return str(_waiting(opened, ref)["stageName"])
    runs: list[Row] = opened.api.read("tasks.show", taskId=ref).get("stages") or []
    named = next((str(run["name"]) for run in runs if run["index"] == stage), None)
    if named is None:
        raise Failure(f"Task #{ref} has no stage {stage}.", exit=Exit.NOT_FOUND, hint=f"qd task show {ref}")
    return named


def _answer(opened: Session, ref: str, body: dict[str, Any], text: str) -> None:
    answer: Row = opened.api.change("tasks.confirm-stage", body, taskId=ref)
    opened.done(answer, name=ref, text=text)


for _command in (confirm, choose, messages, say):
    task.command(_command)
task.command(give, name="input")
