"""`qd secret request`: seeing what was asked for, and deciding it."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from quarterdeck.cli import secret_naming, secret_states, secret_values, secret_waiting
from quarterdeck.cli.failure import usage
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.secret_options import Flag, Keys, Why
from quarterdeck.cli.secret_session import about, session
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import ago, local

COMMON, CHANGING = Common(), Changing()
Status = Literal["pending", "approved", "executed", "failed", "rejected", "cancelled", "expired"]
NOUNS = {"read": "read", "patch": "set", "update": "replace", "rotate": "rotate"}
request = App(name="request", help="See what was asked for, and decide it.")


def ls(*, status: Status | None = None, unreviewed: Flag = False, common: Common = COMMON) -> None:
    """List your requests and those that you may decide, newest first, a hundred at most.

    qd secret request list
    qd secret request list --status pending
    qd secret request list --unreviewed

    Parameters
    ----------
    status
        Only those that stand so.
    unreviewed
        Only emergencies that nobody else has looked at yet.
    """
    with session(common) as opened:
        query = {"status": status, "unreviewed": unreviewed or None}
        found: list[Row] = opened.api.read("secret-requests.list", query)
        terminal = opened.terminal
        if not found and terminal.format == "text":
            terminal.say("There is no such request." if status or unreviewed else "Nobody has asked for a secret yet.")
            return
        known = secret_naming.projects(opened, [row.get("target_scope") or {} for row in found])
        rows = [
            [
                str(row["id"]),
                terminal.state(secret_states.request(row)),
                NOUNS.get(str(row["type"]), str(row["type"])),
                str(row.get("target_secret_ref") or ""),
                str(row.get("target_provider_type") or ""),
                _place(row, known),
                str(row.get("requester_display") or row["requester_id"]),
                ago(row["created_at"]),
                str(row["justification"]),
            ]
            for row in found
        ]
        columns = ["REQUEST", "STATE", "TO", "SECRET", "PROVIDER", "FOR", "BY", "WHEN", "WHY"]
        terminal.table(found, columns, rows, names=[str(row["id"]) for row in found])


def _place(row: Row, known: dict[str, str]) -> str:
    scope = row.get("target_scope") or {}
    project = str(scope.get("project_id") or "")
    return "/".join(part for part in (known.get(project, project), str(scope.get("environment") or "")) if part)


def show(request: str, /, *, common: Common = COMMON) -> None:
    """Show a request: who has agreed, who has to, and which rule sent it there. Values are never shown.

    qd secret request show 01a22dd4-094f-748f-9f4c-9f5f0fb80a92

    Parameters
    ----------
    request
        Its id, or as much of it as is unique.
    """
    with session(common) as opened, about(not_found="qd secret request list"):
        row = secret_waiting.show(opened, secret_naming.request(opened, request))
        terminal = opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(row, name=str(row["id"]), text="")
            return
        for line in _lines(opened, row):
            terminal.line(line)


def _lines(opened: Session, row: Row) -> list[str]:
    terminal = opened.terminal
    known = secret_naming.projects(opened, [row.get("target_scope") or {}])
    told = [f"{row['id']}   {terminal.state(secret_states.request(row))}   {terminal.plain(_wish(row, known))}"]
    by = terminal.plain(row.get("requester_display") or row["requester_id"])
    why = f": {terminal.plain(row['justification'])}" if row["justification"] else ""
    told.append(f"  {by} ({ago(row['created_at'])}){why}")
    told += [f"  On behalf of {terminal.plain(row['on_behalf'])}"] if row.get("on_behalf") else []
    connection = (row.get("target_provider_config") or {}).get("connection")
    told += [f"  By the connection {terminal.plain(connection)}"] if connection else []
    told += ["  Sealed to a key of whoever asked"] if row.get("recipient_key") else []
    for step in row.get("steps") or []:
        mark = terminal.mark("good" if step["done"] else "ask")
        told.append(f"  {mark} {terminal.plain(step['name'])}: {step['given']} of {step['required']}")
    for one in row.get("approvals") or []:
        said = {"approve": "agreed", "reject": "rejected it"}[one["decision"]]
        void = "" if one["counts"] else ", to an earlier version"
        words = f": {terminal.plain(one['comment'])}" if one.get("comment") else ""
        who = terminal.plain(one.get("approver_display") or one["approver_id"])
        told.append(f"    {who} {said}{void} ({ago(one['created_at'])}){words}")
    sentence = (row.get("explanation") or {}).get("sentence")
    told += [f"  {terminal.plain(sentence)}"] if sentence else []
    told += [f"  Until {local(row['expires_at'])}"] if row["status"] == "pending" and row.get("expires_at") else []
    told += [f"  May be read again until {local(row['granted_until'])}"] if row.get("granted_until") else []
    told += [f"  {terminal.plain(row['error_message'])}"] if row.get("error_message") else []
    told += [f"  Rejected: {terminal.plain(row['reject_reason'])}"] if row.get("reject_reason") else []
    if row.get("emergency"):
        seen = f"looked at {ago(row['reviewed_at'])}" if row.get("reviewed_at") else "to be looked at by somebody else"
        words = f": {terminal.plain(row['review_comment'])}" if row.get("review_comment") else ""
        told.append(f"  An emergency, {seen}{words}")
    return told


def _wish(row: Row, known: dict[str, str]) -> str:
    keys = ", ".join(row.get("target_keys") or ())
    what = f"{keys} of {row.get('target_secret_ref')}" if keys else str(row.get("target_secret_ref"))
    place = _place(row, known) or "no environment, so as production"
    return f"{NOUNS.get(str(row['type']), row['type'])} {what} ({row.get('target_provider_type')}, {place})"


def approve(request: str, /, *, comment: str | None = None, changing: Changing = CHANGING) -> None:
    """Agree to a request of somebody else, after asking. The last one who has to agree sets it off.

    qd secret request approve 01a22dd4-094f-748f-9f4c-9f5f0fb80a92
    qd secret request approve 01a22dd4-094f --comment "until noon" --yes

    Parameters
    ----------
    request
        Its id, or as much of it as is unique.
    comment
        What the others should know; kept with the vote and in the audit trail.
    """
    with session(changing) as opened, about(not_found="qd secret request list"):
        identity = secret_naming.request(opened, request)
        if opened.terminal.asks and not opened.terminal.yes:
            for line in _lines(opened, secret_waiting.show(opened, identity)):
                opened.terminal.say_styled(line)
        opened.terminal.confirm(f"Agree to the request {identity}?")
        with about(conflict=f"qd secret request show {identity}"):
            body = {"comment": comment} if comment else {}
            answer: Row = opened.api.change("secret-requests.approve", body, requestId=identity)
        opened.sent()
        left = sum(max(int(step["required"]) - int(step["given"]), 0) for step in answer.get("steps") or [])
        more = answer["status"] == "pending" and left
        text = f"Agreed to {identity}; {left} more {'has' if left == 1 else 'have'} to." if more else (
            f"Agreed to {identity}; it is carried out."
        )  # fmt: skip
        opened.terminal.answer(answer, name=identity, text=text)


def reject(request: str, /, *, reason: str, changing: Changing = CHANGING) -> None:
    """Refuse a request, which ends it.

    qd secret request reject 01a22dd4-094f-748f-9f4c-9f5f0fb80a92 --reason "use the replica"

    Parameters
    ----------
    request
        Its id, or as much of it as is unique.
    reason
        Why; whoever asked is told.
    """
    _does("reject", request, {"reason": reason}, "Rejected {}.", changing)


def cancel(request: str, /, *, changing: Changing = CHANGING) -> None:
    """Take your own request back.

    qd secret request cancel 01a22dd4-094f-748f-9f4c-9f5f0fb80a92

    Parameters
    ----------
    request
        Its id, or as much of it as is unique.
    """
    _does("cancel", request, {}, "Canceled {}.", changing)


def review(request: str, /, *, comment: str, changing: Changing = CHANGING) -> None:
    """Say what you think of what somebody did in an emergency, without approval.

    qd secret request review 01a22dd4-094f-748f-9f4c-9f5f0fb80a92 --comment "as agreed on the telephone"

    Parameters
    ----------
    request
        Its id, or as much of it as is unique.
    comment
        What you think of it; kept with the request and in the audit trail.
    """
    _does("review", request, {"comment": comment}, "Reviewed {}.", changing)


def _does(verb: str, request: str, body: Row, text: str, changing: Changing) -> None:
    with session(changing) as opened, about(not_found="qd secret request list"):
        identity = secret_naming.request(opened, request)
        with about(conflict=f"qd secret request show {identity}"):
            answer: Row = opened.api.change(f"secret-requests.{verb}", body, requestId=identity)
        opened.done(answer, name=identity, text=text.format(identity))


def edit(
    request: str, /, *values: Annotated[str, Parameter()], why: Why = None, key: Keys = None,
    changing: Changing = CHANGING,
) -> None:  # fmt: skip
    """Change your own request while it waits. Whoever has agreed to it has to agree again.

    qd secret request edit 01a22dd4-094f --why "a restore, until noon"
    qd secret request edit 01a22dd4-094f --key password
    qd secret request edit 01a22dd4-094f password=@new-password

    Parameters
    ----------
    request
        Its id, or as much of it as is unique.
    values
        Of one that sets: KEY=@FILE, or KEY=- for stdin; all of them.
    why
        Another reason.
    key
        Of one that reads or rotates: a key of the secret, may be given several times; all of them.
    """
    body: Row = {"justification": why} if why is not None else {}
    body |= {"target_keys": list(dict.fromkeys(key))} if key else {}
    body |= {"key_values": secret_values.given(values)} if values else {}
    if not body:
        raise usage("Say what to change.", 'qd secret request edit ID --why "…"')
    _does("edit", request, body, "Changed {}; it has to be agreed to anew.", changing)


for _command in (show, approve, reject, cancel, review, edit):
    request.command(_command)
request.command(ls, name="list")
