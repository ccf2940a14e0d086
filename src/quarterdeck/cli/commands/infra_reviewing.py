"""`qd plan show`, `approve` and `reject`: reading a plan, and saying what one thinks of it."""

from __future__ import annotations

from cyclopts import App

from quarterdeck.cli import infra_naming, infra_pages, infra_plans, infra_states
from quarterdeck.cli.commands import infra_running
from quarterdeck.cli.failure import usage
from quarterdeck.cli.infra_options import JobId, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import Session

COMMON, CHANGING = Common(), Changing()
plan: App = infra_running.plan
"""With all its verbs."""


def show(job: str | None = None, /, *, job_id: JobId = None, common: Common = COMMON) -> None:
    """Show what a plan would change, the riskiest first, who has agreed, and whether it may be applied now.

    qd plan show 4e0d1c2b-1111-4222-8333-444455556666
    qd plan show --id 4e0d1c2b-1111-4222-8333-444455556666 -o json

    With --verbose the attributes of what is created, too. What is sensitive is never shown. Of a job that destroys, it
    shows what the state holds, and who has agreed.

    Parameters
    ----------
    job
        The id of its job. Without one a person at a terminal chooses of the newest.
    job_id
        The same, by name.
    """
    with session(common) as opened, about(not_found="qd jobs list"):
        ref = infra_naming.job(opened, one_of(job, job_id), kind="PLAN")
        view = infra_plans.view(opened, ref)
        terminal = opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(view, name=ref, text="")
        elif terminal.format == "csv":
            changes = view.get("changes") or []
            rows = [[str(one["action"]), str(one["address"])] for one in changes]
            terminal.table(changes, ["ACTION", "ADDRESS"], rows, names=[str(one["address"]) for one in changes])
        else:
            for line in _lines(opened, ref, view):
                terminal.line(line)


def _lines(opened: Session, ref: str, view: Row) -> list[str]:
    terminal = opened.terminal
    row = opened.api.read("infra-jobs.show", jobId=ref)
    head = [row.get("spec_name") or (row.get("config_snapshot") or {}).get("project_name") or ""]
    told = [f"{ref}   {terminal.state(infra_states.job(row))}   {terminal.plain(head[0])}".rstrip()]
    told += [f"  {infra_plans.delta(opened, view)}"] if view.get("summary") is not None else []
    told += [f"  For {terminal.plain(view['cloud_identity'])}"] if view.get("cloud_identity") else []
    told += infra_plans.held(opened, view.get("holds"))
    told += infra_plans.lines(opened, view) + infra_plans.votes(opened, view)
    cost = (view.get("cost") or {}).get("total_monthly")
    told += [f"  Cost {infra_pages.money(cost)}"] if cost is not None else []
    applicable = view["applicable"]
    if applicable["ok"]:
        told.append(f"  It may be applied: qd apply --plan-job-id {ref} --wait")
    elif infra_plans.missing(view):
        told.append(f"  It waits for {infra_plans.missing(view)} more: qd plan approve {ref}")
    elif applicable["reason"]:
        told.append(f"  It may not be applied. {terminal.plain(applicable['reason'])}")
        told += [f"  Try: {terminal.plain(applicable['hint'])}"] if applicable["hint"] else []
    told.append(f"  {infra_pages.job(opened, row)}")
    return told


def approve(
    job: str | None = None, /, *, job_id: JobId = None, comment: str | None = None, changing: Changing = CHANGING
) -> None:
    """Agree to a plan, or to a destruction that waits for it. Where resources are lost it asks first.

    qd plan approve 4e0d1c2b-1111-4222-8333-444455556666 --comment "the old volume is empty"

    Parameters
    ----------
    job
        The id of its job. Without one a person at a terminal chooses of the newest plans.
    job_id
        The same, by name.
    comment
        What the others should know; kept with the vote and in the audit trail.
    """
    with session(changing) as opened, about(not_found="qd jobs list"):
        ref = infra_naming.job(opened, one_of(job, job_id), kind="PLAN")
        view = infra_plans.view(opened, ref)
        holds: Row = view.get("holds") or {}
        if lost := infra_plans.loses(view) or int(holds.get("resources") or 0):
            if opened.terminal.asks:
                for line in infra_plans.held(opened, holds) + infra_plans.lines(opened, view):
                    opened.terminal.say(line)
            what = "1 resource" if lost == 1 else f"{lost} resources"
            opened.terminal.confirm(f"It destroys or replaces {what}. Agree to that?")
        with about(conflict=f"qd plan show {ref}", not_allowed=f"Let somebody else read it: qd plan approve {ref}"):
            answer = opened.api.change("infra-jobs.approve", {"comment": comment} if comment else {}, jobId=ref)
        opened.sent()
        after = infra_plans.view(opened, ref, patient=True)
        number = infra_plans.missing(after)
        text = (
            f"Approved {ref}; {number} more {'is' if number == 1 else 'are'} needed." if number else f"Approved {ref}."
        )
        opened.terminal.answer({**(answer or {}), "approvals": after.get("approvals")}, name=ref, text=text)
        if after["applicable"]["ok"]:
            opened.terminal.say(f"Try:   qd apply --plan-job-id {ref} --wait")


def reject(
    job: str | None = None, /, *, job_id: JobId = None, comment: str | None = None, changing: Changing = CHANGING
) -> None:
    """Say no to a plan, or to a destruction that waits. It is not applied then.

    qd plan reject 4e0d1c2b-1111-4222-8333-444455556666 --comment "the volume is still in use"

    Parameters
    ----------
    job
        The id of its job. Without one a person at a terminal chooses of the newest plans.
    job_id
        The same, by name.
    comment
        Why; kept with the vote and in the audit trail.
    """
    if comment is not None and not comment.strip():
        raise usage("--comment says nothing.", 'qd plan reject ID --comment "why"')
    with session(changing) as opened, about(not_found="qd jobs list"):
        ref = infra_naming.job(opened, one_of(job, job_id), kind="PLAN")
        with about(conflict=f"qd plan show {ref}"):
            answer = opened.api.change("infra-jobs.reject", {"comment": comment} if comment else {}, jobId=ref)
        opened.done(answer, name=ref, text=f"Rejected {ref}.")


for _command in (show, approve, reject):
    plan.command(_command)
