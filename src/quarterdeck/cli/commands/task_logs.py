"""`qd task logs`: what a task's terminal has shown, and what the system said about it."""

from __future__ import annotations

import time
from typing import Annotated

from cyclopts import Parameter, validators

from quarterdeck.cli import task_following, tasks
from quarterdeck.cli.commands import task_answers as _answers  # noqa: F401 - adds its verbs
from quarterdeck.cli.commands import tasks as noun
from quarterdeck.cli.options import Common
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.task_following import patient
from quarterdeck.cli.tasks import ENDED, Row, about, number
from quarterdeck.cli.terminal import clean

MOST = 1000
"""Lines of one answer."""
task = noun.task
"""With all verbs of the other modules."""


def logs(
    task_id: str,
    /,
    *,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"])] = False,
    tail: Annotated[int, Parameter(name=["--tail", "-t"], validator=validators.Number(gte=0, lte=MOST))] = 100,
    timestamps: bool = False,
    common: Common = Common(),
) -> None:
    """Show the log of a task. Its terminal itself: qd attach 42

    qd task logs 42
    qd task logs 42 --follow --tail 20
    qd task logs 42 --json

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    follow
        Go on until the task has ended, or Ctrl-C. Questions to a person are told meanwhile.
    tail
        How many of the last lines, 0 to 1000.
    timestamps
        Begin each line with its time.
    """
    ref = number(task_id)
    with session(common) as opened, about(ref):
        terminal = opened.terminal
        body = task_following.last_lines(opened, ref, tail)
        if not follow:
            if terminal.format == "json":
                terminal.document(body)
                return
            _lines(opened, body["items"], timestamps=timestamps)
            if not body["items"] and tail and terminal.format == "text":
                terminal.say(f"Task #{ref} has said nothing yet.")
            return
        if terminal.format == "json":
            terminal.format = "jsonl"  # a document without an end is none
        with task_following.detachable(ref):
            _follow(opened, ref, body, timestamps=timestamps)


def diff(task_id: str, /, *, common: Common = Common()) -> None:
    """Print what a task changes against its base branch, as its machine told last, as a unified diff.

    qd task diff 42
    qd task diff 42 | git apply

    Parameters
    ----------
    task_id
        Its number, 42 or #42.
    """
    ref = number(task_id)
    with session(common) as opened, about(ref, not_found=f"qd task show {ref}"):
        found: Row = opened.api.read("tasks.diff", taskId=ref)
        terminal = opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(found, name=ref, text="")
            return
        patch = str(found["patch"]).removesuffix("\n")
        terminal.line(clean(patch) if terminal.out.isatty() else patch)  # a program gets it as it is
        of = f"delivered as {found['commitSha'][:12]}" if found["commitSha"] else "of its worktree"
        files = f"{found['filesChanged']} {'file' if found['filesChanged'] == 1 else 'files'}"
        figures = f"{files}, +{found['insertions']} -{found['deletions']}"
        terminal.say(f"{figures}, {of}, told {tasks.local(found['createdAt'])}.")
        if found["truncated"]:
            terminal.say("This is the beginning: its machine told the first 512 KiB.")


def _lines(opened: Session, lines: list[Row], *, timestamps: bool) -> None:
    for line in lines:
        if opened.terminal.structured:
            opened.terminal.document(line)
        else:
            stamp = f"{tasks.local(line['ts'])}  " if timestamps else ""
            opened.terminal.line(stamp + clean(str(line["text"])).rstrip("\n"))


def _follow(opened: Session, ref: str, body: Row, *, timestamps: bool) -> None:
    """Offsets count lines, so nothing is lost or told twice when the connection breaks."""
    gates = task_following.Gates(opened, ref)
    _lines(opened, body["items"], timestamps=timestamps)
    seen = int(body["total"]) if not body["items"] else int(body["offset"]) + len(body["items"])
    while True:
        told = patient(opened, "tasks.show", ref)
        more: list[Row] = [{}]
        while more:
            more = patient(opened, "tasks.logs", ref, {"offset": seen, "limit": MOST})["items"]
            _lines(opened, more, timestamps=timestamps)
            seen += len(more)
        if told["status"] in ENDED:
            return
        gates.tell(told)
        time.sleep(task_following.PAUSE)


for _command in (logs, diff):
    task.command(_command)
