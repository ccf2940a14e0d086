"""What jobs of infrastructure are called, and where the console shows things."""

from __future__ import annotations

from typing import Any

from quarterdeck.cli.names import Row
from quarterdeck.cli.phases import duration, moment
from quarterdeck.cli.session import Session
from quarterdeck.kernel.clock import SystemClock

LOOK = "The look for drift"
DEEDS = {
    "PLAN": "The plan",
    "DEPLOY": "The apply",
    "DESTROY": "The destruction",
    "DEPLOY_WORKER": "The deployment of the runner",
    "UPDATE_WORKER": "The update of the runner",
    "DESTROY_WORKER": "The destruction of the runner",
    "CONNECTION_TEST": "The test of the connection",
    "FETCH_RESOURCES": "The look at the cloud",
}


def kind(row: Row) -> str:
    """The type of a job for a person: a look for drift is a PLAN that changes nothing."""
    return f"{row['job_type']} (drift)" if row.get("read_only") else str(row["job_type"])


def deed(row: Row) -> str:
    """A job as the subject of a sentence."""
    about = row.get("spec_name") or (row.get("config_snapshot") or {}).get("project_name")
    said = LOOK if row.get("read_only") else DEEDS.get(str(row["job_type"]), "The job")
    return f"{said} of {about}" if about else f"{said} {row['id']}"


def spec(opened: Session, row: Row) -> str:
    """The page of a spec."""
    return f"{opened.console}/infra/specs/{row['id']}"


def job(opened: Session, row: Row) -> str:
    """The page of a job."""
    return f"{opened.console}/infra/jobs/{row['id']}"


def lasted(row: Row) -> str:
    """How long a job took, or has taken until now."""
    if not row.get("started_at"):
        return ""
    end = moment(row["completed_at"]) if row.get("completed_at") else SystemClock().now()
    return duration(max((end - moment(row["started_at"])).total_seconds(), 0))


def money(value: Any) -> str:
    """Of a month, in US dollars."""
    return "" if value is None else f"{float(value):.2f} USD a month"
