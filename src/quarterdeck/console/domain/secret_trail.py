"""What happened to a request, by its audit trail, and what is still to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.requests.transitions import APPROVED, EXECUTED, PENDING, READ
from quarterdeck.console.views.secrets import Moment, RequestRow, ValueRow
from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import AuditEvent, Filter
from quarterdeck.kernel.db import Tx

MOST = 200
WORDS: Mapping[str, tuple[str, str]] = {
    # action: tone, and what was done
    "request.submit": ("good", "asked"),
    "request.edit": ("warn", "changed it; it has to be approved anew"),
    "request.approve": ("good", "approved"),
    "request.reject": ("bad", "refused"),
    "request.cancel": ("off", "took it back"),
    "request.expire": ("bad", "ended it, as its time was over"),
    "request.grant": ("good", "went ahead by an earlier approval"),
    "request.break-glass": ("warn", "went ahead without approval"),
    "request.review": ("good", "looked at it"),
    "job.enqueue": ("good", "made a job of it"),
    "job.claim": ("run", "took the job"),
    "job.requeue": ("warn", "gave the job back"),
    "wrap.create": ("good", "delivered the value of"),
    "wrap.retrieve": ("good", "fetched the value of"),
    "wrap.blank": ("off", "removed the value of"),
    "request.gitops-observation-started": ("run", "began to watch"),
    "request.gitops-observation-ended": ("good", "saw the end of"),
}


def timeline(tx: Tx, request: Request, row: RequestRow, values: Sequence[ValueRow]) -> tuple[Moment, ...]:
    """The oldest first; what is to come stands at the end, without a time."""
    wanted = Filter(organization_id=request.organization_id, correlation_ids=(request.uid,))
    told = [_moment(one) for one in reversed(audit.look(tx, wanted, MOST).events)]
    return (*(one for one in told if one is not None), *_to_come(request, row, values))


def _moment(event: AuditEvent) -> Moment | None:
    who = event.actor_label or ("Quarterdeck" if event.actor_kind == "system" else event.actor_kind)
    detail = event.detail
    if event.action == "request.transition":
        done = detail.get("target") == EXECUTED
        return Moment("good" if done else "bad", who, "carried it out" if done else "could not carry it out", event.at)
    if event.action == "wrap.retrieve" and event.outcome != "success":
        return Moment("bad", who, f"was refused the value of {detail.get('key_name') or 'a key'}", event.at)
    given_by_requester = event.action == "wrap.create" and detail.get("direction") == "in"
    if event.action not in WORDS or given_by_requester:
        return None
    tone, words = WORDS[event.action]
    if event.action.startswith("wrap."):
        words = f"{words} {detail.get('key_name') or 'a key'}"
    if event.action.startswith("request.gitops"):
        words = f"{words} {detail.get('application') or detail.get('application_name') or 'an application'}"
    if event.action == "request.approve" and detail.get("required", 1) != 1:
        words = f"{words}, {detail.get('approves')} of {detail.get('required')}"
    said = next((str(detail[word]) for word in ("reason", "comment", "justification") if detail.get(word)), "")
    return Moment(tone, who, words, event.at, said)


def _to_come(request: Request, row: RequestRow, values: Sequence[ValueRow]) -> list[Moment]:
    status = row.state[1]
    to_come = []
    if status == PENDING:
        to_come.append(Moment("ask", "Somebody", "has to approve it"))
    if status in {PENDING, APPROVED}:
        done = "reads it and seals it" if request.kind == READ else "carries it out"
        to_come.append(Moment("idle", "An agent", done))
    if request.kind == READ and (status in {PENDING, APPROVED} or any(one.ready for one in values)):
        ready = any(one.ready for one in values)
        to_come.append(Moment("ask" if ready and row.mine else "idle", row.by, "can reveal each value once"))
    if row.unreviewed:
        to_come.append(Moment("ask", "Somebody else", "has to look at it"))
    return to_come
