"""`qd spec drift`: whether what there is still is what the last apply left."""

from __future__ import annotations

import shlex
from typing import Annotated

from cyclopts import Parameter

from quarterdeck.cli import infra_naming, infra_plans, infra_watching
from quarterdeck.cli.commands import infra_spec_documents as noun
from quarterdeck.cli.commands.infra_running import Follow, Wait
from quarterdeck.cli.failure import usage
from quarterdeck.cli.infra_options import Timeout, Watch, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import ago, local

spec = noun.spec
"""With all its verbs."""


def drift(
    spec: str | None = None,
    /,
    *,
    spec_id: Annotated[str | None, Parameter(name=["--id", "--spec-id"])] = None,
    look: bool = False,
    wait: Wait = False,
    follow: Follow = False,
    timeout: Timeout = None,
    changing: Changing = Changing(),
) -> None:
    """Show what somebody else has changed of what a spec has made, as the last look found it.

    qd spec drift ledger
    qd spec drift ledger --look --wait

    How often it is looked by itself: qd spec edit ledger --set drift_minutes=60

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
    spec_id
        The same, by name.
    look
        Look now, as a job that changes nothing.
    wait
        With --look: watch until it has ended, and show what it found.
    follow
        With --look: watch with its log.
    timeout
        Seconds to watch; after that status 8, and the job goes on.
    """
    watch = Watch(wait, follow, timeout)
    if watch.any and not look:
        raise usage(
            "There is nothing to wait for without --look.",
            f"qd spec drift {shlex.quote(spec or spec_id or 'NAME')} --look --wait",
        )
    with session(changing) as opened, about(not_found="qd spec list"):
        found = infra_naming.spec(opened, one_of(spec, spec_id), option="--id")
        identity, name = str(found["id"]), str(found["project_name"])
        if look:
            with about(conflict=f"qd jobs list --spec-id {name}"):
                made = opened.api.change("specs.look", what="job", specId=identity)
            opened.sent()
            text = f"Looking at {name}, as job {made['job']['id']}."
            if infra_watching.accepted(opened, made["job"], watch, text=text) is None:
                return
        _shown(opened, name, opened.api.read("specs.drift", specId=identity))


def _shown(opened: Session, name: str, answer: Row) -> None:
    terminal, found = opened.terminal, answer["drift"]
    if terminal.structured or terminal.format == "name":
        terminal.answer(answer, name=name, text="")
        return
    failing = answer.get("failing")
    if failing is not None:
        message = (failing["message"] or "no reason was given").splitlines()[0]
        terminal.line(f"Looks at {name} fail: {terminal.plain(message)}")
        terminal.line(f"  qd jobs logs {failing['job_id']}")
    if found is None:
        if failing is None:
            terminal.line(f"Nobody has looked yet: qd spec drift {name} --look --wait")
        return
    said = "has drifted" if found["drifted"] else "is as the last apply left it"
    terminal.line(f"{name} {said} ({ago(found['at'])})")
    for line in infra_plans.lines(opened, found):
        terminal.line(line)
    if found["left_out"]:
        terminal.line(f"    and {found['left_out']} more")
    if answer["due_at"]:
        terminal.line(f"  The next look is due {local(answer['due_at'])}")


spec.command(drift)
