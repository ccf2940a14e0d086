"""`qd attach`: the terminal of an agent task, or a deployment that runs."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from quarterdeck.cli.commands import deployments
from quarterdeck.cli.detaching import TAUGHT
from quarterdeck.cli.failure import Failure, usage
from quarterdeck.cli.options import Following
from quarterdeck.cli.session import Session
from quarterdeck.cli.session import session as opening
from quarterdeck.cli.tasks import NUMBER, number

if TYPE_CHECKING:
    from quarterdeck.cli.attaching import Ending

NO_TERMINAL = "qd attach needs a terminal to show another one in."


def attach(
    what: str | None = None,
    /,
    *,
    watch: bool = False,
    takeover: bool = False,
    session: Annotated[str | None, Parameter(name="--session")] = None,
    following: Following = Following(),
) -> None:
    """Open the terminal that an agent works in, or watch a deployment again, from its beginning to its end.

    A number is a task: what you type goes to its agent, ctrl-] then q leaves it running. One person at a time has the
    keyboard; everybody may watch. A connection that is cut is taken up again.

    qd attach 42
    qd attach 42 --watch
    qd attach 42 --takeover
    qd attach shop
    qd attach dep_4k2m9x0q7c1z

    Parameters
    ----------
    what
        The number of a task, 42 or #42; a deployment's id (dep_…), or the resource whose latest deployment it is.
    watch
        Only look.
    takeover
        Take the keyboard from whoever has it, who goes on watching.
    session
        With --takeover: only if the keyboard is still with this session.
    """
    if what is None or not NUMBER.fullmatch(what):
        if watch or takeover or session:
            raise usage("--watch, --takeover and --session are about the terminal of a task.", "qd attach 42 --watch")
        deployments.attach(what, following=following)
        return
    if following.detach or following.wait or following.timeout is not None:
        raise usage("--wait, --detach and --timeout are about deployments.", f"qd attach {number(what)}")
    if watch and takeover:
        raise usage("Either --watch or --takeover, not both.", f"qd attach {number(what)} --takeover")
    if session and not takeover:
        raise usage("--session says from whom to take the keyboard.", f"qd attach {what} --takeover --session ID")
    with opening(following) as opened:
        _terminal(opened, number(what), watch=watch, takeover=takeover, session=session)


def _terminal(opened: Session, ref: str, *, watch: bool, takeover: bool, session: str | None) -> None:
    from quarterdeck.cli.attaching import Attachment, Wanted
    from quarterdeck.cli.raw_terminal import RawTerminal

    if opened.api.planning:
        opened.api.change("tasks.pty-token", {"mode": "watch" if watch else "control"}, taskId=ref)
        opened.sent()
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise usage(NO_TERMINAL, f"qd task logs {ref} --follow", code="not_a_terminal")
    opened.terminal.say(f"  {'Watching' if watch else 'Attaching to'} task #{ref}.   {TAUGHT} leaves it running.")
    attachment = Attachment(opened.api, Wanted(ref, watch, takeover, session), RawTerminal())
    ending: Ending = asyncio.run(attachment.run())
    if ending.how == "signal":
        _die(int(ending.code or signal.SIGTERM))
    _tell(opened, ref, ending, attachment.session)


def _die(number: int) -> None:
    """As if nobody had caught it, now that the terminal is as it was."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _tell(opened: Session, ref: str, ending: Ending, session: str | None) -> None:
    terminal, how, code = opened.terminal, ending.how, ending.code
    why = f" ({terminal.plain(ending.reason)})" if ending.reason not in {"", "exited"} else ""
    facts = {"taskId": int(ref), "sessionId": session, "ended": how == "exit", "exitCode": code}
    if how == "exit" and code:
        raise Failure(
            f"The terminal of task #{ref} ended with {code}.",
            code="terminal_failed",
            hint=f"qd task show {ref}",
            facts=facts,
        )
    if terminal.structured:
        terminal.document(facts)
    if how == "detached":
        terminal.say(f"  Detached; task #{ref} goes on. Back again:  qd attach {ref}")
    else:
        ended = f"ended with {code}" if code is not None else f"ended{why}"
        terminal.say(f"  The terminal of task #{ref} {ended}. See:  qd task show {ref}")
