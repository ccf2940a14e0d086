"""`qd server engine`: the Docker engine of a server, looked at, installed, used or refused."""

from __future__ import annotations

import shlex
import time
from shlex import quote
from typing import Any

from quarterdeck.cli import names
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.options import Following
from quarterdeck.cli.session import Session, session
from quarterdeck.cli.terminal import clean

FOLLOWING = Following()
PAUSE = 0.7
STATES = {
    "absent": "none",
    "stopped": "installed, and does not answer",
    "closed": "there, and not for this account",
    "too-old": "too old",
    "ready": "ready",
}
ORIGINS = {"installed": "installed by Quarterdeck", "found": "found there"}
USES = {
    "undecided": "not decided; what is there is used",
    "adopted": "yes",
    "installed": "yes",
    "refused": "no, it was refused",
}


def engine(name: str, /, *, refuse: bool = False, reason: str | None = None, following: Following = FOLLOWING) -> None:
    """Look at the Docker engine of a server; install or start it after a question, use one that is there, or refuse it.

    qd server engine berlin --plan
    qd server engine berlin
    qd server engine berlin --yes
    qd server engine berlin --refuse --reason "belongs to another team"

    Parameters
    ----------
    name
        Its name or id.
    refuse
        Use no engine there: applications run as host processes.
    reason
        With --refuse: why, in one line.
    """
    if reason is not None and not refuse:
        raise usage("Only a refusal has a reason.", "--refuse")
    with session(following) as opened:
        found = names.server(opened.api, name)
        path = f"/api/servers/{found['id']}/engine"
        if refuse:
            _refuse(opened, found, path, reason)
            return
        seen = opened.api.call("GET", path)
        if opened.terminal.format == "text":
            for line in _lines(found["name"], seen):
                opened.terminal.say(line)
        if seen["workId"] is None and not _agreed(opened, found["name"], seen):
            opened.terminal.answer(seen, name=found["id"], text=f"{found['name']} uses {_engine(seen)}.")
            return
        body = {"decision": "use", "consent": True, "planId": seen["plan"]["id"]}
        made = seen if seen["workId"] else _sent(opened, path, body, seen["plan"]["steps"])
        if made.get("workId") is None:
            opened.terminal.answer(made, name=found["id"], text=f"{found['name']} uses {_engine(seen)}.")
            return
        _followed(opened, found, path, str(made["workId"]), following)


def _refuse(opened: Session, found: dict[str, Any], path: str, reason: str | None) -> None:
    opened.terminal.confirm(f"Use no Docker engine on {found['name']}? What runs in it now goes on.")
    made = _sent(opened, path, {"decision": "refuse", **({"reason": reason} if reason else {})}, [])
    text = f"{found['name']} gets host processes and static sites from now on; what wants an image is refused."
    opened.terminal.answer(made, name=found["id"], text=text)


def _agreed(opened: Session, name: str, seen: dict[str, Any]) -> bool:
    """False where nothing has to be asked. Raises where nothing can be done, and when the answer is no."""
    refusal, steps = seen["plan"].get("refusal"), seen["plan"]["steps"]
    if refusal:
        facts = {"serverId": seen["serverId"], "state": seen["state"]}
        raise Failure(refusal["message"], code=refusal["code"], hint=refusal.get("hint"), facts=facts)
    if not steps:
        if seen["decision"]["use"] in {"adopted", "installed"}:
            return False
        opened.terminal.confirm(f"Use {_engine(seen)} on {name}?")
        return True
    opened.terminal.confirm(f"Run {'this command' if len(steps) == 1 else f'these {len(steps)} commands'} on {name}?")
    return True


def _sent(opened: Session, path: str, body: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    if opened.api.planning:
        operation = {"operation": "servers.engine", "method": "POST", "path": path, "body": body}
        opened.api.plan.append({**operation, **({"steps": steps} if steps else {})})
    opened.sent()
    answer: dict[str, Any] = opened.api.call("POST", path, body=body)
    return answer


def _followed(opened: Session, found: dict[str, Any], path: str, work: str, following: Following) -> None:
    """Show the log until the work has ended. Ctrl-C leaves it running, and so does the timeout."""
    terminal, again = opened.terminal, f"qd server engine {quote(found['name'])}"
    if following.detach:
        terminal.answer({"serverId": found["id"], "workId": work}, name=work, text=f"Watch it:  {again}")
        return
    until = time.monotonic() + following.timeout if following.timeout else None
    after, ended = 0, False
    try:
        while not ended:
            told = opened.api.call("GET", f"{path}/work", query={"after": after})
            for line in told["lines"]:
                terminal.say(f"  {'|' if terminal.ascii else '│'} {clean(line['message'])}")
            ended = told["ended"] and told["next"] == after
            after = told["next"]
            if until is not None and time.monotonic() > until and not ended:
                raise Failure(f"The work {work} goes on.", exit=Exit.TIMED_OUT, code="timed_out", hint=again)
            if not told["lines"] and not ended:
                time.sleep(PAUSE)
    except KeyboardInterrupt:
        raise Failure(
            f"Detached; the work {work} goes on.", exit=Exit.INTERRUPTED, code="interrupted", hint=again
        ) from None
    if told["state"] != "succeeded":
        raise Failure(
            told.get("errorMessage") or f"The work {work} ended as {told['state']}.",
            code=told.get("errorCode") or "engine_install_failed",
            hint=again,
            facts={"serverId": found["id"], "workId": work},
        )
    seen = opened.api.call("GET", path)
    terminal.answer(seen, name=found["id"], text=f"{found['name']} uses {_engine(seen)}.")


def _engine(seen: dict[str, Any]) -> str:
    return f"Docker {seen['version'] or ''}".rstrip() + f" ({ORIGINS.get(seen['origin'] or '', 'none')})"


def _lines(name: str, seen: dict[str, Any]) -> list[str]:
    what = STATES[seen["state"]]
    if seen["state"] != "absent":
        what = f"{_engine(seen)}: {what}"
    use = USES[seen["decision"]["use"]]
    reason = seen["decision"].get("reason")
    lines = [
        f"{name}   {seen['serverId']}",
        f"  system   {seen['system'] or 'unknown'}, signed in as {seen['account']}",
        f"  engine   {what}",
        f"  used     {use}{f' ({reason})' if reason else ''}",
    ]
    if seen.get("trouble"):
        lines.append(f"           {seen['trouble']}")
    if seen["plan"]["steps"]:
        lines.append("  This would be run there:")
    for number, step in enumerate(seen["plan"]["steps"], 1):
        lines += [f"  {number}. {step['title']}", *_indented(shlex.join(step["argv"]))]
    return lines


def _indented(text: str) -> list[str]:
    return [f"     {line}" for line in text.splitlines()]
