"""`qd plan`, `qd apply` and `qd destroy`: what a spec would change, doing exactly that, and taking it all away."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from quarterdeck.cli import infra_naming, infra_pages, infra_plans, infra_watching
from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.infra_losing import sure
from quarterdeck.cli.infra_options import RunnerId, SpecId, Timeout, Watch, ZoneId, one_of
from quarterdeck.cli.infra_session import about, session
from quarterdeck.cli.names import Row
from quarterdeck.cli.options import Changing, Losing
from quarterdeck.cli.session import Session

CHANGING, LOSING = Changing(), Losing()
Wait = Annotated[bool, Parameter(name=["--wait", "-w"])]
Follow = Annotated[bool, Parameter(name=["--follow", "-f"])]


def planned(
    spec: str | None = None,
    /,
    *,
    spec_id: SpecId = None,
    zone_id: ZoneId = None,
    runner_id: RunnerId = None,
    wait: Wait = False,
    follow: Follow = False,
    timeout: Timeout = None,
    changing: Changing = CHANGING,
) -> None:
    """Ask what a spec would change. Nothing is changed by it.

    qd plan ledger --wait
    qd plan --spec-id ledger --runner-id any --follow
    qd plan show 4e0d1c2b-1111-4222-8333-444455556666

    Ends with 0 when the plan succeeded (without --wait or --follow: when it was accepted), with 1 when it failed or was
    canceled, with 8 when --timeout was over first.

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: the only one there is (not with --no-input), else a person at a
        terminal chooses.
    spec_id
        The same, by name.
    zone_id
        Only specs of this zone are meant.
    runner_id
        The runner, by name or id, that alone may do it; any for whichever is free, which is the default.
    wait
        Watch until it has ended, and print what it would change. A server that is restarted meanwhile is waited for.
    follow
        Watch with its log.
    timeout
        Seconds to watch; after that status 8, and the job goes on.
    """
    watch, given = Watch(wait, follow, timeout), one_of(spec, spec_id, "--spec-id")
    if changing.format == "csv":
        raise usage("A plan that is asked for is no table.", "qd plan show JOB -o csv   (then: -o json here)")
    with session(changing) as opened:
        row = infra_naming.spec(opened, given, zone_text=zone_id)
        with about(conflict=f"qd jobs list --spec-id {row['project_name']}"):
            made = _asked(opened, row, "PLAN", infra_naming.pinned(opened, runner_id, ask=given is None))
        ended = infra_watching.accepted(
            opened, made, watch, text=f"Planning {row['project_name']}, as job {made['id']}."
        )
        if ended is not None:
            _plan_told(opened, row, ended)


def _plan_told(opened: Session, row: Row, ended: Row) -> None:
    job, terminal = str(ended["id"]), opened.terminal
    view = infra_plans.view(opened, job, patient=True)
    if terminal.structured or terminal.format == "name":
        terminal.answer({**ended, "plan": view}, name=job, text="")
        return
    terminal.line(f"{row['project_name']}   {infra_plans.delta(opened, view)}   {job}")
    for line in [*infra_plans.lines(opened, view), *infra_plans.votes(opened, view)]:
        terminal.line(line)
    if cost := _cost(ended):
        terminal.line(f"  Cost {cost}")
    if then := infra_plans.next_step({"spec_name": row["project_name"], **ended}, view):
        terminal.say(f"Try:   {then}")


def _cost(job: Row) -> str:
    summary = (job.get("execution_metadata") or {}).get("cost_summary") or {}
    return infra_pages.money(summary.get("total_monthly"))


def apply(
    spec: str | None = None,
    /,
    *,
    spec_id: SpecId = None,
    zone_id: ZoneId = None,
    runner_id: RunnerId = None,
    plan_job_id: Annotated[str | None, Parameter(name=["--plan-job-id", "--plan-id"])] = None,
    without_plan: bool = False,
    wait: Wait = False,
    follow: Follow = False,
    timeout: Timeout = None,
    losing: Losing = LOSING,
) -> None:
    """Apply a plan: exactly what it says, or nothing. Without --plan-job-id the newest plan of the spec that succeeded.

    qd apply ledger --wait
    qd apply --plan-job-id 4e0d1c2b-1111-4222-8333-444455556666 --follow
    qd apply ledger --confirm ledger --no-input --wait

    A plan that destroys or replaces resources asks for the name of the spec first. A plan that is older than the spec
    or its state is refused, with what to do.

    Ends with 0 when the apply succeeded (without --wait or --follow: when it was accepted), with 1 when it failed or
    was canceled, with 6 when the plan may not be applied, with 7 when it waits for approvals and nobody waits for them
    (no --wait, or --timeout was over), with 8 when --timeout was over first.

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one: that of the plan, or the only one there is (not with
        --no-input), else a person at a terminal chooses.
    spec_id
        The same, by name.
    zone_id
        Only specs of this zone are meant.
    runner_id
        The runner, by name or id, that alone may do it; any for whichever is free, which is the default.
    plan_job_id
        The plan to apply, by the id of its job.
    without_plan
        Plan anew and apply that, which nobody has read. Asks for the name of the spec.
    wait
        Watch until it has ended; where approvals are missing, wait for them first.
    follow
        Watch with its log.
    timeout
        Seconds to watch; after that status 8 (7 while approvals are missing), and the job goes on.
    """
    watch, given = Watch(wait, follow, timeout), one_of(spec, spec_id, "--spec-id")
    if without_plan and plan_job_id is not None:
        raise Failure("--without-plan goes with no plan.", exit=Exit.USAGE, code="usage", hint="qd apply --help")
    with session(losing) as opened, about(not_found="qd jobs list"):
        planned_by = infra_naming.job(opened, plan_job_id, option="--plan-job-id") if plan_job_id else None
        if given is None and planned_by is not None:
            given = opened.api.read("infra-jobs.show", jobId=planned_by).get("spec_id")
        row = infra_naming.spec(opened, given, zone_text=zone_id)
        name = str(row["project_name"])
        if without_plan:
            sure(opened, f"{name} is applied as it is now, without a plan that somebody has read.", name, losing)
        else:
            planned_by = planned_by or _newest_plan(opened, row)
            _allowed(opened, row, planned_by, watch, losing)
        runner = infra_naming.pinned(opened, runner_id, ask=given is None)
        with about(conflict=f"qd plan show {planned_by}   or anew: qd plan {name} --wait"):
            made = _asked(opened, row, "DEPLOY", runner, planned_by)
        ended = infra_watching.accepted(opened, made, watch, text=f"Applying {name}, as job {made['id']}.")
        if ended is not None:
            cost = _cost(ended)
            text = f"Applied {name}." + (f" It costs {cost}." if cost else "")
            opened.terminal.answer(ended, name=str(ended["id"]), text=text)


def _newest_plan(opened: Session, row: Row) -> str:
    """The newest plan of a spec that succeeded; looks for drift are none."""
    query = {"status": "SUCCESS", "job_type": "PLAN", "configuration_id": row["id"]}
    for job in infra_naming.jobs(opened.api, infra_naming.MOST, **query):
        if not job.get("read_only"):
            return str(job["id"])
    name = row["project_name"]
    raise Failure(
        f"{name} has no plan that succeeded.",
        exit=Exit.CONFLICT,
        code="plan_missing",
        hint=f"qd plan {name} --wait   then: qd apply {name}",
    )


def _allowed(opened: Session, row: Row, job: str, watch: Watch, losing: Losing) -> None:
    """Say what the plan does, wait for approvals where somebody waits, and ask where something is lost."""
    view, name = infra_plans.view(opened, job), str(row["project_name"])
    if view["summary"] is not None and (view["applicable"]["ok"] or infra_plans.missing(view)):
        opened.terminal.say_styled(f"  {infra_plans.delta(opened, view, on_stderr=True)}   plan {job}")
    again = f"qd apply {name} --plan-job-id {job}"
    if infra_plans.missing(view) and not opened.api.planning:
        if not watch.any:
            raise infra_plans.waits(job, view, what=f"The apply of {name}", then=again)
        view = infra_plans.agreed(opened, job, view, watch.timeout, then=f"{again} --wait")
    if not view["applicable"]["ok"] and not opened.api.planning:
        raise infra_plans.refused(job, view, name)
    if lost := infra_plans.loses(view):
        if opened.terminal.asks:
            for line in infra_plans.lines(opened, view):
                opened.terminal.say(line)
        what = "1 resource is" if lost == 1 else f"{lost} resources are"
        sure(opened, f"{what} destroyed or replaced by this plan of {name}.", name, losing)


def _asked(opened: Session, row: Row, kind: str, runner: str | None, plan: str | None = None) -> Row:
    body: Row = {"job_type": kind, "configuration_id": row["id"]}
    body |= {"zone_id": row["zone_id"]} if row.get("zone_id") else {}
    body |= {"assigned_worker_id": runner} if runner else {}
    body |= {"plan_job_id": plan} if plan else {}
    answer = opened.api.change("infra-jobs.create", body, what="job")
    opened.sent()
    job: Row = answer["job"]
    return job


def destroy(
    spec: str | None = None,
    /,
    *,
    spec_id: SpecId = None,
    zone_id: ZoneId = None,
    runner_id: RunnerId = None,
    wait: Wait = False,
    follow: Follow = False,
    timeout: Timeout = None,
    losing: Losing = LOSING,
) -> None:
    """Destroy everything that a spec has made. The spec and the versions of its state stay.

    qd destroy ledger --wait
    qd destroy ledger --confirm ledger --no-input --wait

    Lists what the state holds, and asks for the name of the spec. Ends with 0 when everything is destroyed (without
    --wait or --follow: when it was accepted), with 1 when that failed or was canceled, with 7 when it waits for
    approvals and nobody waits for them, with 8 when --timeout was over first.

    Parameters
    ----------
    spec
        Its project name, ZONE/NAME, or id. Without one a person at a terminal chooses.
    spec_id
        The same, by name.
    zone_id
        Only specs of this zone are meant.
    runner_id
        The runner, by name or id, that alone may do it; any for whichever is free, which is the default.
    wait
        Watch until it has ended; where approvals are missing, wait for them first.
    follow
        Watch with its log.
    timeout
        Seconds to watch; after that status 8 (7 while approvals are missing), and the job goes on.
    """
    watch, given = Watch(wait, follow, timeout), one_of(spec, spec_id, "--spec-id")
    with session(losing) as opened:
        row = infra_naming.spec(opened, given, only=False, zone_text=zone_id)
        runner = infra_naming.pinned(opened, runner_id, ask=given is None)
        name = str(row["project_name"])
        if opened.terminal.asks:
            found = opened.api.read("states.show", specId=row["id"])
            for line in infra_plans.held(opened, found["state"]):
                opened.terminal.say_styled(line)
        sure(opened, f"Everything that {name} ({row['environment_stage']}) has made is destroyed.", name, losing)
        held = opened.api.read("specs.show", specId=str(row["id"]))["configuration"]
        with about(conflict=f"qd jobs list --spec-id {name}"):
            made = _asked(opened, row, "DESTROY", runner)
        job = str(made["id"])
        if made.get("waits_for") == "approval" and not watch.any:
            view = infra_plans.view(opened, job)
            raise infra_plans.waits(job, view, what=f"The destruction of {name}", then=f"qd jobs wait {job}")
        ended = infra_watching.accepted(opened, made, watch, text=f"Destroying {name}, as job {job}.")
        if ended is not None:
            made_some = held.get("resources") or held.get("orphan_risk")
            text = (
                f"Destroyed what {name} had made." if made_some else f"{name} had made nothing that could be destroyed."
            )
            opened.terminal.answer(ended, name=job, text=text)


plan = App(name="plan", help="Ask what a spec would change; see, approve and reject that.", default_command=planned)
