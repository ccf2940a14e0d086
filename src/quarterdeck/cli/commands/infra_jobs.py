"""`qd jobs`: the jobs of infrastructure, their logs, and what to do about them."""

from __future__ import annotations

import difflib
import json
import time
from typing import Annotated, Any

from cyclopts import App, Parameter, validators

from quarterdeck.cli import infra_naming, infra_pages, infra_plans, infra_states, infra_watching
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.infra_options import JobId, Limit, RunnerId, SpecId, Timeout, Watch, ZoneId, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.infra_states import ENDED, STATUSES
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Common
from quarterdeck.cli.session import Session
from quarterdeck.cli.tasks import ago, local

COMMON, CHANGING = Common(), Changing()
INTERRUPTED = {"DEPLOY", "DESTROY", "DEPLOY_WORKER", "UPDATE_WORKER", "DESTROY_WORKER"}
ENDED_ALREADY = "infra_job_not_cancellable"
jobs = App(
    name="jobs",
    help="See, follow, cancel and repeat jobs of infrastructure: plans, applies and destructions. Other work: qd work",
)


def ls(
    *,
    status: str | None = None,
    zone_id: ZoneId = None,
    spec_id: SpecId = None,
    limit: Limit = 20,
    common: Common = COMMON,
) -> None:
    """List jobs, newest first.

    qd jobs list
    qd jobs list --status failed -n 50
    qd jobs list --spec-id ledger -o csv

    Parameters
    ----------
    status
        queued, claimed, processing, success, failed or cancelled, in any case.
    zone_id
        Only of this zone, by name or id.
    spec_id
        Only of this spec, by project name or id.
    limit
        How many, at most 1000.
    """
    wanted = _status(status)
    with session(common) as opened:
        zone = infra_naming.zone(opened, zone_id)["id"] if zone_id else None
        spec = infra_naming.spec(opened, spec_id)["id"] if spec_id else None
        found = infra_naming.jobs(opened.api, limit, status=wanted, zone_id=zone, configuration_id=spec)
        terminal = opened.terminal
        if not found and terminal.format == "text":
            narrowed = any((wanted, zone, spec))
            terminal.say("No job is like that." if narrowed else "There is no job yet.\nTry:   qd plan SPEC")
            return
        rows = [
            [
                str(row["id"]),
                infra_pages.kind(row),
                terminal.state(infra_states.job(row)),
                str(row.get("spec_name") or ""),
                str(row.get("runner_name") or row.get("worker_name") or ""),
                ago(row["created_at"]),
                infra_pages.lasted(row),
            ]
            for row in found
        ]
        columns = ["JOB", "TYPE", "STATE", "SPEC", "RUNNER", "CREATED", "TOOK"]
        names = [str(row["id"]) for row in found]
        terminal.table(found, columns, rows, names=names, document={"jobs": found})


def _status(text: str | None) -> str | None:
    if text is None:
        return None
    word = text.strip().upper()
    word = "CANCELLED" if word == "CANCELED" else word
    if word not in STATUSES:
        near = difflib.get_close_matches(word, STATUSES, n=1)
        known = ", ".join(one.lower() for one in STATUSES)
        hint = f"qd jobs list --status {(near[0] if near else STATUSES[0]).lower()}"
        raise usage(f"{text} is no state of a job: {known}.", hint, code="job_status")
    return word


def show(job: str | None = None, /, *, job_id: JobId = None, common: Common = COMMON) -> None:
    """Show a job: what it is about, where it runs, what it waits for, how it ended.

    qd jobs show 4e0d1c2b-1111-4222-8333-444455556666
    qd jobs show --id 4e0d1c2b-1111-4222-8333-444455556666 -o json

    Parameters
    ----------
    job
        Its id. Without one a person at a terminal chooses of the newest.
    job_id
        The same, by name.
    """
    with session(common) as opened, about(not_found="qd jobs list"):
        ref = infra_naming.job(opened, one_of(job, job_id))
        row: Row = opened.api.read("infra-jobs.show", jobId=ref)
        terminal = opened.terminal
        if terminal.structured or terminal.format == "name":
            terminal.answer(row, name=ref, text="")
            return
        for line in _lines(opened, row):
            terminal.line(line)


def _lines(opened: Session, row: Row) -> list[str]:
    terminal, metadata = opened.terminal, row.get("execution_metadata") or {}
    facts: list[tuple[str, Any]] = [
        ("spec", row.get("spec_name") or (row.get("config_snapshot") or {}).get("project_name")),
        ("waits" if row["status"] == "QUEUED" else "phase", infra_watching.phase(row)),
        ("runner", row.get("runner_name") or row.get("worker_name") or row.get("worker_id")),
        ("pinned to", row.get("assigned_worker_id")),
        ("plan", row.get("plan_job_id")),
        ("hash", row.get("configuration_hash")),
        ("created", local(row["created_at"])),
        ("started", local(row.get("started_at"))),
        ("ended", local(row.get("completed_at"))),
        ("took", infra_pages.lasted(row)),
        ("error", row.get("error_message")),
        ("orphans", "resources may be left that its state does not know" if row.get("orphan_risk") else None),
    ]
    lines = [f"{row['id']}   {infra_pages.kind(row)}   {terminal.state(infra_states.job(row))}"]
    lines += [f"  {label:<10} {terminal.plain(value)}" for label, value in facts if value]
    for name, value in (metadata.get("outputs") or {}).items():
        lines.append(f"  output     {terminal.plain(name)} = {terminal.plain(_output(value))}")
    lines.append(f"  {infra_pages.job(opened, row)}")
    return lines


def _output(value: Any) -> str:
    if isinstance(value, dict) and value.get("sensitive"):
        return "(sensitive)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def logs(
    job: str | None = None,
    /,
    *,
    job_id: JobId = None,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"])] = False,
    after: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 0,
    common: Common = COMMON,
) -> None:
    """Print what a job has said.

    qd jobs logs 4e0d1c2b-1111-4222-8333-444455556666 --follow

    Ends with 0 however the job ended; qd jobs wait ends with 1 where it did not end well.

    Parameters
    ----------
    job
        Its id. Without one a person at a terminal chooses of the newest.
    job_id
        The same, by name.
    follow
        Go on until the job has ended, or Ctrl-C, which leaves it running. A server that is restarted meanwhile is
        waited for.
    after
        Only what came after the chunk of this number (ids of -o jsonl).
    """
    with session(common) as opened, about(not_found="qd jobs list"):
        ref, terminal = infra_naming.job(opened, one_of(job, job_id)), opened.terminal
        if terminal.format == "json" and not follow:
            terminal.document({"logs": infra_watching.all_logs(opened, ref, after)})
            return
        if terminal.format == "json":
            terminal.format = "jsonl"  # a document without an end is none
        log = infra_watching.Log(opened, ref, after=after, to_stdout=True)
        if not follow:
            log.tell()
            log.end()
            return
        with infra_watching.detachable(ref, log):
            status = log.follow(lambda: None) or _asked(opened, ref, log)
        log.end()
        terminal.say(f"--- Job {status} ---")


def _asked(opened: Session, job: str, log: infra_watching.Log) -> str:
    """The status that a job ended with, whose log is asked for again and again."""
    while True:
        row = infra_watching.job_of(opened, job)
        log.tell()
        if row["status"] in ENDED:
            return str(row["status"])
        time.sleep(infra_watching.PAUSE)


def wait(job: str | None = None, /, *, job_id: JobId = None, timeout: Timeout = None, common: Common = COMMON) -> None:
    """Watch a job until it has ended. A server that is restarted meanwhile is waited for.

    qd jobs wait 4e0d1c2b-1111-4222-8333-444455556666 --timeout 600

    Ends with 0 when it succeeded, with 1 when it failed or was canceled, with 8 when --timeout was over first (7 where
    it still waits for approvals then).

    Parameters
    ----------
    job
        Its id. Without one a person at a terminal chooses of the newest.
    job_id
        The same, by name.
    timeout
        Seconds to watch; after that it ends with 8, and the job goes on.
    """
    with session(common) as opened, about(not_found="qd jobs list"):
        ref = infra_naming.job(opened, one_of(job, job_id))
        row = infra_watching.watched(opened, ref, Watch(wait=True, timeout=timeout))
        infra_watching.succeeded(opened, row)
        _told(opened, row)


def _told(opened: Session, row: Row) -> None:
    """The good end of a job; of a plan and a look for drift with what came of it, and what to do next."""
    said, hint = _came(opened, row) if row["job_type"] == "PLAN" else ("", "")
    text = f"{infra_pages.deed(row)} succeeded{': ' + said if said else ''}."
    opened.terminal.answer(row, name=str(row["id"]), text=text)
    if hint:
        opened.terminal.say(f"Try:   {hint}")


def _came(opened: Session, row: Row) -> tuple[str, str]:
    """Both empty where nothing of it is kept any more."""
    try:
        if row.get("read_only"):
            return infra_watching.patient(opened, lambda: infra_plans.drifted(opened, row)), infra_plans.next_step(
                row, {}
            )
        view = infra_plans.view(opened, str(row["id"]), patient=True)
    except Failure as failure:
        if failure.exit is Exit.NOT_FOUND:
            return "", ""
        raise
    if view["summary"] is None:
        return "", ""
    return infra_plans.delta(opened, view), infra_plans.next_step(row, view)


def cancel(job: str | None = None, /, *, job_id: JobId = None, changing: Changing = CHANGING) -> None:
    """Cancel a job. Terraform that runs is stopped: what it was changing may be left half done.

    qd jobs cancel 4e0d1c2b-1111-4222-8333-444455556666

    On a terminal it asks before an apply or a destruction that runs is interrupted.

    Parameters
    ----------
    job
        Its id. Without one a person at a terminal chooses of the newest.
    job_id
        The same, by name.
    """
    with session(changing) as opened, about(not_found="qd jobs list"):
        ref = infra_naming.job(opened, one_of(job, job_id))
        if opened.terminal.asks:
            row = opened.api.read("infra-jobs.show", jobId=ref)
            if row["status"] == "PROCESSING" and row["job_type"] in INTERRUPTED:
                opened.terminal.confirm(f"{infra_pages.deed(row)} runs, and may be left half done. Cancel it?")
        try:
            answer = opened.api.change("infra-jobs.cancel", jobId=ref)
        except Failure as failure:
            if failure.code == ENDED_ALREADY:  # the contract has a 400 for it
                failure.exit, failure.hint = Exit.CONFLICT, f"qd jobs show {ref}"
            raise
        opened.done(answer, name=ref, text=f"Canceled {ref}.")


def rerun(
    job: str | None = None,
    /,
    *,
    job_id: JobId = None,
    wait: Annotated[bool, Parameter(name=["--wait", "-w"])] = False,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"])] = False,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Ask for the same once more, as a new job with the same snapshot. One whose spec has changed since is refused, as
    is an apply of a plan: ask for a new plan then.

    qd jobs rerun 4e0d1c2b-1111-4222-8333-444455556666 --wait

    Parameters
    ----------
    job
        Its id. Without one a person at a terminal chooses of the newest.
    job_id
        The same, by name.
    wait
        Watch the new job until it has ended: 0 when it succeeded, 1 when it failed or was canceled.
    follow
        Watch it with its log.
    timeout
        Seconds to watch; after that status 8, and the job goes on.
    """
    watch = Watch(wait, follow, timeout)
    with session(changing) as opened, about(not_found="qd jobs list"):
        ref = infra_naming.job(opened, one_of(job, job_id))
        with about(conflict=f"qd jobs show {ref}"):
            answer = opened.api.change("infra-jobs.rerun", jobId=ref, what="job")
        opened.sent()
        made: Row = answer["job"]
        text = f"{ref} is done once more, as {made['id']}."
        ended = infra_watching.accepted(opened, made, watch, text=text)
        if ended is not None:
            _told(opened, ended)


def pin(
    job: str | None = None, /, *, job_id: JobId = None, runner_id: RunnerId = None, changing: Changing = CHANGING
) -> None:
    """Say which runner alone may do a job that waits, or that any may.

    qd jobs pin 4e0d1c2b-1111-4222-8333-444455556666 --runner-id fra-1
    qd jobs pin 4e0d1c2b-1111-4222-8333-444455556666 --runner-id any

    Parameters
    ----------
    job
        Its id. Without one a person at a terminal chooses of the newest.
    job_id
        The same, by name.
    runner_id
        The runner, by name or id; any for whichever is free. Without one a person at a terminal chooses.
    """
    with session(changing) as opened, about(not_found="qd jobs list"):
        ref = infra_naming.job(opened, one_of(job, job_id))
        if runner_id is None and not opened.terminal.asks:
            raise usage("Say which runner.", "--runner-id NAME, or --runner-id any", code="input_required")
        runner = infra_naming.pinned(opened, runner_id, ask=True)
        with about(conflict=f"qd jobs show {ref}"):
            answer = opened.api.change("infra-jobs.pin", {"assigned_worker_id": runner}, jobId=ref)
        opened.done(answer, name=ref, text=f"{ref} is for {'any runner' if runner is None else runner_id or runner}.")


for _command in (show, logs, wait, cancel, rerun, pin):
    jobs.command(_command)
jobs.command(ls, name="list")
