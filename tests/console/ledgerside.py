"""The views across the rooms, as the made-up installation of `portside` shows them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from quarterdeck.console.ports import Place
from quarterdeck.console.views.deployments import Fact, LogView
from quarterdeck.console.views.ledger import AuditAsked, AuditList, AuditRow, Chain, JobList, JobRow, JobView
from quarterdeck.console.views.shell import Note
from quarterdeck.kernel.errors import Invalid, NotFound

NOW = datetime(2026, 11, 22, 9, 54, 17, tzinfo=UTC)
BASE = "/console/projects/storefront/production/web"
CHAIN = Chain(1204, "aud_4k2m9x0q7c1z", 1190, "aud_4k2m9x0q7c0a", NOW - timedelta(hours=3), "mara")


class LedgerSide:
    """Jobs and the audit trail, and what is done to a job."""

    _did: Callable[..., None]
    deployment_log: Callable[..., Awaitable[LogView]]

    def _jobs(self) -> tuple[JobRow, ...]:
        kinds = (
            ("deployment.execute", "running"),
            ("deployment.execute", "failed"),
            ("audit.seal", "succeeded"),
            ("deployment.execute", "pending"),
        )
        return tuple(
            JobRow(
                f"9f2c1ab{n}",
                kind,
                "storefront / web v42",
                BASE,
                state,
                "1 of 1",
                "in-process",
                NOW - timedelta(minutes=n),
                NOW - timedelta(minutes=n),
                None if state == "running" else 12.0,
                {
                    "failed": "No answer on port 4321 after 10 tries.",
                    "pending": "It waits for its turn behind “Deploy” (wrk_hcsgi8d7te2b), which runs now.",
                }.get(state, ""),
                f"wrk_00000000000{n}",
            )
            for n, (kind, state) in enumerate(kinds)
        )

    async def jobs(self, who: Any, *, state: str, before: str, limit: int) -> JobList:
        rows = tuple(one for one in self._jobs() if not state or one.state == state)
        return JobList(rows, None if before or state else "120")

    async def job(self, who: Any, ref: str) -> JobView:
        found = next((one for one in self._jobs() if one.ref == ref), None)
        if found is None:
            raise NotFound(f"There is no job {ref}.", hint="Look in Jobs.")
        log = await self.deployment_log(who, Place("storefront", "production", "web"), 42, 500)
        facts = (Fact("Kind", found.kind, True), Fact("Tries", "1 of 1"))
        waits = Note("idle", found.cause, "qd work show wrk_hcsgi8d7te2b") if found.state == "pending" else None
        failed = found.state == "failed"
        behind = "/console/jobs/9f2c1ab0" if waits else None
        return JobView(found, facts, log, not failed, failed, failed, failed, waits, behind)

    async def audit(self, who: Any, asked: AuditAsked, *, before: str, limit: int) -> AuditList:
        rows = tuple(
            AuditRow(
                f"aud_{n}",
                NOW - timedelta(minutes=n),
                "Mara Lindqvist",
                name,
                "storefront / web",
                BASE,
                result,
                "198.51.100.7",
                (Fact("Version", "v42"),),
                f"resource:res_{n}",
            )
            for n, (name, result) in enumerate(
                (("deployment.created", "success"), ("project.deleted", "denied"), ("deployment.finished", "failure"))
            )
        )
        kept = tuple(one for one in rows if one.action.startswith(asked.action) and asked.outcome in {"", one.outcome})
        actions = ("deployment.created", "project.deleted")
        return AuditList(kept, None, actions, ("Mara Lindqvist",), CHAIN)

    async def verify_audit(self, who: Any) -> str:
        self._did("verify-audit")
        return "9f2c1ab0"

    async def audit_export(self, who: Any, asked: AuditAsked, form: str, said: Mapping[str, str]) -> Any:
        self._did("audit-export", form, dict(said))

        async def parts() -> AsyncIterator[list[Any]]:
            return
            yield []

        return parts()

    async def cancel_job(self, who: Any, ref: str) -> None:
        self._did("cancel-job", ref)

    async def retry_job(self, who: Any, ref: str) -> str:
        self._did("retry-job", ref)
        return ref

    async def recover_job(self, who: Any, ref: str, reason: str) -> None:
        self._did("recover-job", ref, reason)

    async def give_up_job(self, who: Any, ref: str, reason: str) -> None:
        if not reason:
            raise Invalid("A reason is needed.", hint="Say why it is given up.", field="reason")
        self._did("give-up-job", ref, reason)
