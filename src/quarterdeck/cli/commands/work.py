"""`qd work`: what waits, runs and failed, why, and what to do about it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from quarterdeck.cli import names, states
from quarterdeck.cli.failure import usage
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.phases import moment
from quarterdeck.cli.session import session
from quarterdeck.cli.terminal import since
from quarterdeck.kernel.clock import SystemClock, wire_time

Kind = Literal[
    "deployment", "proxy-bootstrap", "certificate", "remote-state", "route-realization", "runtime-maintenance", "system"
]
Status = Literal["pending", "running", "retry-scheduled", "succeeded", "failed", "canceled", "dead-lettered"]
Ended = Literal["succeeded", "failed", "canceled", "dead-lettered"]
COMMON, CHANGING = Common(), Changing()
AGE = re.compile(r"(\d{1,6})([smhdw])")
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
LINKS = ("deploymentId", "resourceId", "serverId", "projectId", "domainBindingId", "certificateId")

work = App(
    name="work", help="See what waits, runs and failed, and act on it: Jobs in the console, operator work in the API."
)


def why(item: Row) -> str:
    """Why it waits, or why it failed, in one sentence."""
    told = item.get("safeDetails") or {}
    return str(told.get("waitingMessage") or told.get("message") or told.get("reason") or "").partition("\n")[0]


def ls(
    *,
    status: Status | None = None,
    kind: Kind | None = None,
    resource: str | None = None,
    server: str | None = None,
    deployment: str | None = None,
    limit: int = 20,
    common: Common = COMMON,
) -> None:
    """List work, newest first, with the reason of what waits and of what failed.

    qd work ls
    qd work ls --status pending
    qd work ls --resource shop --status failed

    Parameters
    ----------
    status
        Only work in this state.
    kind
        Only work of this kind.
    resource
        Only about this resource: project/environment/resource, a slug that is unique, or an id.
    server
        Only on this server, by name or id.
    deployment
        Only about this deployment (dep_…).
    limit
        How many, at most 200.
    """
    with session(common) as opened:
        api = opened.api
        query = {
            "status": status,
            "kind": kind,
            "resourceId": names.resource(api, resource).id if resource else None,
            "serverId": names.server(api, server)["id"] if server else None,
            "deploymentId": deployment,
            "limit": limit,
        }
        answer = api.read("operator-work.list", query)
        items: list[Row] = answer["items"]
        now = SystemClock().now()
        rows = [
            [
                item["id"],
                opened.terminal.state(states.work(item["status"])),
                str((item.get("safeDetails") or {}).get("title") or item["operationKey"]),
                next((str(item[link]) for link in LINKS if item.get(link)), ""),
                since((now - moment(item["updatedAt"])).total_seconds()),
                why(item),
            ]
            for item in items
        ]
        columns = ["WORK", "STATE", "WHAT", "ABOUT", "CHANGED", "WHY"]
        opened.terminal.table(items, columns, rows, names=[item["id"] for item in items], document=answer)


def show(work_id: str, /, *, common: Common = COMMON) -> None:
    """Show one piece of work: what it is about, why it waits or failed, and what can be done.

    qd work show wrk_4k2m9x0q7c1z

    Parameters
    ----------
    work_id
        Its id (wrk_…), as `qd work ls` gives it.
    """
    with session(common) as opened:
        answer = opened.api.read("operator-work.show", workId=work_id)
        item = answer["item"]
        if opened.terminal.structured or opened.terminal.format == "name":
            opened.terminal.answer(answer, name=item["id"], text="")
            return
        told: dict[str, Any] = item.get("safeDetails") or {}
        lines = [
            f"{item['id']}  {opened.terminal.state(states.work(item['status']))}  {told.get('title', '')}".rstrip()
        ]
        facts = [
            ("operation", item["operationKey"]),
            ("category", told.get("category")),
            ("phase", " ".join(str(item[key]) for key in ("phase", "step") if item.get(key))),
            *((link.removesuffix("Id"), item.get(link)) for link in LINKS),
            ("tries", f"{told.get('attempts')} of {told.get('maxAttempts')}"),
            ("created", told.get("createdAt")),
            ("started", item.get("startedAt")),
            ("ended", item.get("finishedAt")),
            *((label, _number(told.get(key))) for label, key in (("removed", "removed"), ("counted", "wouldRemove"))),
            ("error", item.get("errorCode")),
            ("waits", told.get("waitingReason")),
            ("retry of", told.get("retryOfWorkId")),
        ]
        lines += [f"  {label:<11} {value}" for label, value in facts if value]
        lines += [f"  {line}" for line in (str(told.get("waitingMessage") or told.get("message") or "")).splitlines()]
        if told.get("waitingHint"):
            lines.append(f"  Try: {told['waitingHint']}")
        for action, command in (("retry", "retry"), ("manual-review", "recover"), ("manual-review", "dead-letter")):
            if action in item["nextActions"] and (command != "dead-letter" or item["status"] != "dead-lettered"):
                lines.append(f"  qd work {command} {item['id']}")
        for line in lines:
            opened.terminal.line(line)


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.0f}"


def retry(work_id: str, /, *, reason: str | None = None, changing: Changing = CHANGING) -> None:
    """Do failed work once more. A failed deployment becomes a new attempt with its snapshot.

    qd work retry wrk_4k2m9x0q7c1z

    Parameters
    ----------
    work_id
        Its id (wrk_…).
    reason
        Why; kept in the audit trail.
    """
    with session(changing) as opened:
        answer = opened.api.change("operator-work.retry", {"reason": reason} if reason else {}, workId=work_id)
        opened.sent()
        ref = str(answer["workId"])
        text = f"{work_id} is done once more, as {ref}. See how it goes: qd work show {ref}"
        opened.terminal.answer(answer, name=ref, text=text)


def recover(work_id: str, /, *, reason: str | None = None, changing: Changing = CHANGING) -> None:
    """Say that you have repaired by hand what failed. It counts as done; nothing is run.

    qd work recover wrk_4k2m9x0q7c1z --reason "removed the container by hand"

    Parameters
    ----------
    work_id
        Its id (wrk_…).
    reason
        Why; kept in the audit trail.
    """
    _act("mark-recovered", work_id, reason, changing, "Marked as recovered:")


def dead_letter(work_id: str, /, *, reason: str, changing: Changing = CHANGING) -> None:
    """Give failed work up: it is not tried again.

    qd work dead-letter wrk_4k2m9x0q7c1z --reason "the server is gone"

    Parameters
    ----------
    work_id
        Its id (wrk_…).
    reason
        Why; kept in the audit trail.
    """
    _act("dead-letter", work_id, reason, changing, "Given up:")


def cancel(work_id: str, /, *, reason: str, changing: Changing = CHANGING) -> None:
    """Cancel work that waits. What runs is stopped where it belongs: a deployment by `qd cancel`.

    qd work cancel wrk_4k2m9x0q7c1z --reason "not needed any more"

    Parameters
    ----------
    work_id
        Its id (wrk_…).
    reason
        Why; kept in the audit trail.
    """
    _act("cancel", work_id, reason, changing, "Canceled:")


def _act(act: str, work_id: str, reason: str | None, changing: Changing, told: str) -> None:
    with session(changing) as opened:
        body = {"reason": reason} if reason else {}
        answer = opened.api.change(f"operator-work.{act}", body, workId=work_id)
        opened.sent()
        ref = str(answer["workId"])
        opened.terminal.answer(answer, name=ref, text=f"{told} {ref}.")


def prune(
    *,
    before: str,
    status: Annotated[list[Ended] | None, Parameter(negative="")] = None,
    changing: Changing = CHANGING,
) -> None:
    """Delete work that ended long ago. Without --yes it only says how much that is.

    qd work prune --before 30d
    qd work prune --before 2026-01-01T00:00:00Z --status succeeded --yes

    Parameters
    ----------
    before
        An age (90d, 12h) or an instant; what ended before it goes.
    status
        Only work that ended so; may be given several times.
    """
    with session(changing) as opened:
        body: dict[str, Any] = {"before": instant(before), "dryRun": not changing.yes}
        if status:
            body["statuses"] = list(status)
        answer = opened.api.change("operator-work.prune", body)
        opened.sent()
        counts = ", ".join(f"{number:.0f} {word}" for word, number in answer["countsByStatus"].items() if number)
        if answer["dryRun"]:
            text = f"Would delete {answer['matchedCount']:.0f} ({counts or 'nothing'}). Add --yes to delete."
        else:
            text = f"Deleted {answer['prunedCount']:.0f} ({counts or 'nothing'})."
        opened.terminal.answer(answer, name=f"{answer['prunedCount']:.0f}", text=text)


def instant(text: str) -> str:
    """An age before now, or an instant, as the API takes it."""
    age = AGE.fullmatch(text)
    if age:
        return wire_time(SystemClock().now() - timedelta(seconds=int(age[1]) * SECONDS[age[2]]))
    try:
        told = datetime.fromisoformat(text)
        return wire_time(told if told.tzinfo else told.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise usage(
            f"{text} is neither an age nor an instant.",
            "An age such as 90d, 12h or 30m, or an instant such as 2026-01-31T12:00:00Z",
        ) from None


for _command in (ls, show, retry, recover, dead_letter, cancel, prune):
    work.command(_command)
