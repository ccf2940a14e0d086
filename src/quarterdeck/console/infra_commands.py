"""The same deeds on the command line and over HTTP, for infrastructure: see `commands`."""

from __future__ import annotations

import shlex

from quarterdeck.console.views.infra import SpecRow, ZoneRow
from quarterdeck.console.views.infra_clouds import IdentityRow
from quarterdeck.console.views.infra_jobs import InfraJobRow
from quarterdeck.console.views.infra_plans import PlanView
from quarterdeck.console.views.infra_runners import RunnerRow
from quarterdeck.console.views.shell import Command

SPECS, JOBS, RUNNERS = "/api/cli/configurations", "/api/cli/jobs", "/api/cli/workers"


def _line(*words: str) -> str:
    return shlex.join(("qd", *words))


def list_specs() -> Command:
    return Command(_line("spec", "list"), f"GET {SPECS}")


def create_spec() -> Command:
    return Command(_line("spec", "create", "-f", "ledger.yaml"), f"POST {SPECS}")


def change_spec(row: SpecRow) -> Command:
    return Command(_line("spec", "edit", row.uid), f"PUT {SPECS}/{row.uid}")


def clone_spec(row: SpecRow) -> Command:
    return Command(_line("spec", "clone", row.uid, "NAME"), f"POST {SPECS}/{row.uid}/clone")


def delete_spec(row: SpecRow) -> Command:
    return Command(_line("spec", "delete", row.uid, f"--confirm={row.name}"), f"DELETE {SPECS}/{row.uid}")


def versions(row: SpecRow) -> Command:
    return Command(_line("spec", "versions", row.uid), f"GET {SPECS}/{row.uid}/versions")


def version_diff(row: SpecRow, since: int, to: int) -> Command:
    words = ("spec", "diff", row.uid, "--from", str(since), "--to", str(to))
    return Command(_line(*words), f"GET {SPECS}/{row.uid}/diff?from={since}&to={to}")


def plan(row: SpecRow) -> Command:
    return Command(_line("plan", row.uid, "--wait"), "POST /api/jobs")


def destroy(row: SpecRow) -> Command:
    return Command(_line("destroy", row.uid, f"--confirm={row.name}"), "POST /api/jobs")


def show_plan(view: PlanView) -> Command:
    return Command(_line("plan", "show", view.uid), f"GET {JOBS}/{view.uid}/plan")


def approve(view: PlanView) -> Command:
    return Command(_line("plan", "approve", view.uid), f"POST {JOBS}/{view.uid}/approve")


def apply(view: PlanView) -> Command:
    words = ["apply", view.spec_name, "--plan-job-id", view.uid]
    if view.confirm:
        words.append(f"--confirm={view.confirm}")
    return Command(_line(*words), "POST /api/jobs")


def list_jobs(status: str) -> Command:
    words = ["jobs", "list", *(["--status", status] if status else [])]
    return Command(_line(*words), "GET /api/jobs" + (f"?status={status}" if status else ""))


def job(row: InfraJobRow, verb: str) -> Command:
    """`verb` is logs, cancel, rerun or pin."""
    more = ("any",) if verb == "pin" else ()
    method = "GET" if verb == "logs" else "POST"
    return Command(_line("jobs", verb, row.uid, *more), f"{method} {JOBS}/{row.uid}/{verb}")


def state(row: SpecRow) -> Command:
    return Command(_line("state", "show", row.uid), f"GET {SPECS}/{row.uid}/state")


def state_diff(row: SpecRow, since: int, to: int) -> Command:
    words = ("state", "diff", row.uid, "--from", str(since), "--to", str(to))
    return Command(_line(*words), f"GET {SPECS}/{row.uid}/state/diff?from={since}&to={to}")


def roll_back(row: SpecRow, number: int) -> Command:
    words = ("state", "rollback", row.uid, "--version", str(number), "--reason", "…", f"--confirm={row.name}")
    return Command(_line(*words), f"POST {SPECS}/{row.uid}/state/rollback")


def unlock(row: SpecRow) -> Command:
    words = ("state", "unlock", row.uid, "--reason", "…", f"--confirm={row.name}")
    return Command(_line(*words), f"POST {SPECS}/{row.uid}/state/unlock")


def list_zones() -> Command:
    return Command(_line("zone", "list"), "GET /api/cli/zones")


def create_zone() -> Command:
    return Command(_line("zone", "create", "payments"), "POST /api/cli/zones")


def delete_zone(row: ZoneRow) -> Command:
    return Command(_line("zone", "delete", row.uid), f"DELETE /api/cli/zones/{row.uid}")


def change_zone(row: ZoneRow) -> Command:
    words = ("zone", "change", row.uid, "--approvals", str(row.approvals))
    return Command(_line(*words), f"PUT /api/cli/zones/{row.uid}")


def list_runners() -> Command:
    return Command(_line("runner", "list"), f"GET {RUNNERS}")


def register_runner() -> Command:
    return Command(_line("runner", "register", "rack-7"), f"POST {RUNNERS}")


def enrol_runner() -> Command:
    return Command(_line("runner", "enrol"), f"POST {RUNNERS}/enrolment-tokens")


def put_up_runner() -> Command:
    words = ("runner", "deploy", "pool-1", "--cloud-identity-id", "ID", "--region", "eu-west-1")
    return Command(_line(*words), f"POST {RUNNERS}/deploy")


def runner(row: RunnerRow, verb: str) -> Command:
    """`verb` is show, drain, update, destroy or remove."""
    calls = {
        "show": f"GET {RUNNERS}/{row.uid}",
        "drain": f"POST {RUNNERS}/{row.uid}/drain",
        "update": f"POST {RUNNERS}/{row.uid}/update",
        "destroy": "POST /api/jobs",
        "remove": f"DELETE {RUNNERS}/{row.uid}",
    }
    more = (f"--confirm={row.name}",) if verb == "destroy" else ()
    return Command(_line("runner", verb, row.uid, *more), calls[verb])


def list_clouds() -> Command:
    return Command(_line("connector", "list"), "GET /api/cli/cloud-identities")


def connect(provider: str) -> Command:
    return Command(_line("connector", provider), f"POST /api/cli/providers/{provider}/connect")


def refresh(row: IdentityRow) -> Command:
    return Command("", f"POST /api/cli/cloud-identities/{row.uid}/refresh")


def bind(row: IdentityRow) -> Command:
    return Command(_line("connector", "zones", row.uid, "ZONE"), f"PUT /api/cli/cloud-identities/{row.uid}/zones")


def disconnect(row: IdentityRow) -> Command:
    return Command(_line("connector", "remove", row.uid), f"POST /api/cli/providers/{row.provider}/disconnect")


def list_clusters() -> Command:
    return Command(_line("cluster", "list"), "GET /api/cli/clusters")
