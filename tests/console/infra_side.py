"""Infrastructure, as the made-up installation of `portside` shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from quarterdeck.console.ports import Place
from quarterdeck.console.views.deployments import Fact, LineViews, LogView
from quarterdeck.console.views.infra import (
    SPECS,
    Difference,
    DriftView,
    FieldError,
    File,
    NewestPlan,
    SpecChoices,
    SpecDraft,
    SpecList,
    SpecRow,
    SpecsAsked,
    SpecView,
    VersionDiff,
    VersionList,
    VersionRow,
    Waiting,
    ZoneRow,
)
from quarterdeck.console.views.infra_clouds import ClusterList, ClusterRow, IdentityRow, IdentityView
from quarterdeck.console.views.infra_jobs import InfraJobList, InfraJobRow, InfraJobsAsked, InfraJobView
from quarterdeck.console.views.infra_plans import Agreement, PlanView, Vote, change_rows, grouped
from quarterdeck.console.views.infra_runners import NewRunner, ReleaseRow, RunnerList, RunnerRow, RunnerView
from quarterdeck.console.views.infra_states import (
    LockView,
    StateChange,
    StateDiff,
    StateVersionRow,
    StateView,
)
from quarterdeck.console.views.shell import Note
from quarterdeck.infra.specs import importing
from quarterdeck.infra.specs.document import SCHEMA, Known, examined
from quarterdeck.infra.specs.fields import Report
from quarterdeck.kernel.errors import Forbidden, NotFound


def uid(number: int) -> str:
    return f"0d0b2800-0000-7000-8000-{number:012d}"


ZONE, LEDGER, EDGE, LAB = uid(1), uid(11), uid(12), uid(13)
PLANNED, WAITS, RUNS, FAILED, DONE, PLANNING, DESTRUCTION, LOOK = (uid(number) for number in range(21, 29))
RUNNER, OLD_RUNNER, IDENTITY, BEGUN = uid(31), uid(32), uid(41), uid(42)
LEDGER_ROW = SpecRow(
    LEDGER, "ledger", "production", "aws", "eu-west-1", ("specification", "drift", None), 412.6,
    NOW - timedelta(hours=3), (ZONE, "payments"), "Changed by somebody else", pending=True, drifted=True,
)  # fmt: skip
EDGE_ROW = SpecRow(
    EDGE, "edge<b>", "staging", "local", "local", ("specification", "failed", None), None, NOW - timedelta(days=1),
    None, "Something may be left over",
)  # fmt: skip
LAB_ROW = SpecRow(LAB, "lab", "development", "local", "local", ("specification", "draft", None), None, NOW)
ROWS = {row.uid: row for row in (LEDGER_ROW, EDGE_ROW, LAB_ROW)}
ZONES = (
    ZoneRow(ZONE, "payments", "What takes money", 1, 2, 1, NOW - timedelta(days=9), (LEDGER_ROW,)),
    ZoneRow(uid(2), "sandbox", "", 0, 0, 0, NOW),
)
CHANGES: list[dict[str, Any]] = [
    {"address": "aws_ebs_volume.exports", "type": "aws_ebs_volume", "action": "delete",
     "before": {"size": 200, "tags": {"owner": "reporting"}}, "after": None,
     "reason": "delete_because_no_resource_config"},
    {"address": "aws_db_subnet_group.ledger", "type": "aws_db_subnet_group", "action": "replace",
     "before": {"name": "ledger-a", "subnet_ids": ["a", "b"]},
     "after": {"name": "ledger-prod", "subnet_ids": ["a", "b", "c"], "arn": "(known after apply)"},
     "reason": "replace_because_cannot_update", "forced_by": ["name", "tags.<b>"]},
    {"address": "aws_db_instance.ledger", "type": "aws_db_instance", "action": "update",
     "before": {"retention": 7, "password": "****"}, "after": {"retention": 14, "password": "****"}},
    {"address": 'aws_subnet.private["c"]', "type": "aws_subnet", "action": "create", "before": None,
     "after": {"cidr_block": "10.20.48.0/20", "note": "<script>alert(1)</script>"}, "truncated": True},
]  # fmt: skip
DRIFT = [{"address": "aws_security_group.edge", "type": "aws_security_group", "action": "update",
          "before": {"ingress": "10.0.0.0/8"}, "after": {"ingress": "0.0.0.0/0"}}]  # fmt: skip
DELTA = (("\N{MINUS SIGN}", "bad", 1, "destroy"), ("+", "good", 2, "create"))
COUNTS = {"delete": 1, "replace": 1, "update": 1, "create": 2, "no_op": 341, "drifted": 1}
ASKS = Agreement(2, 1, (Vote("Aiko Tanaka", "approved", "Looks <i>right</i>.", NOW),), "Jonas Weber", open=True)
PLAN = PlanView(
    uid=PLANNED, spec=("ledger", f"{SPECS}/{LEDGER}"), kind="PLAN", state=("infra-job", "success", None),
    by="Jonas Weber", at=NOW - timedelta(minutes=18), runner="fra-1", groups=grouped(COUNTS, CHANGES, DRIFT),
    unchanged=341, truncated=False, told=True, cost=("$453.80", "+$41.20"),
    facts=(Fact("Made on", "serial 118 of the state"), Fact("Saved plan", "3b9ae210aa11", code=True)), agreement=ASKS,
    refusal=Note("ask", "1 more person has to agree to the plan: 1 of 2 have.", "Ask somebody who did not ask for it."),
    may_apply=True, applied_by=None, live=False, spec_name="ledger", stage="production",
    runners=((RUNNER, "fra-1 (online)"),), pinned=RUNNER,
)  # fmt: skip
NOBODY = Agreement(0, 0, (), "", open=True)
PLANS = {
    PLANNED: PLAN,
    DONE: replace(PLAN, uid=DONE, agreement=NOBODY, refusal=None, groups=grouped({"create": 1}, CHANGES[3:])),
    PLANNING: replace(PLAN, uid=PLANNING, agreement=NOBODY, refusal=None, groups=(), told=False, live=True,
                      state=("infra-job", "processing", None), cost=("", "")),
    FAILED: replace(PLAN, uid=FAILED, agreement=NOBODY, refusal=None),
    DESTRUCTION: replace(
        PLAN, uid=DESTRUCTION, kind="DESTROY", told=False, groups=(), refusal=None, may_apply=False,
        state=("infra-job", "queued", "approval"),
        agreement=replace(ASKS, why_not="You have asked for it, so others have to agree."),
        held=("aws_db_instance.ledger", "module.disks.aws_ebs_volume.exports[0]"), holds=3,
    ),
    LOOK: replace(PLAN, uid=LOOK, kind="drift", groups=grouped({"drifted": 1}, (), DRIFT), agreement=NOBODY,
                  refusal=None, may_apply=False),
}  # fmt: skip


def job(number: str, title: str, kind: str, state: tuple[str, str, str | None], **more: Any) -> InfraJobRow:
    row = InfraJobRow(
        number, title, kind, state, ("ledger", f"{SPECS}/{LEDGER}"), "fra-1", "Mara Lindqvist",
        NOW - timedelta(minutes=4), NOW - timedelta(minutes=3), None,
    )  # fmt: skip
    return replace(row, **more)


JOBS = {
    one.uid: one
    for one in (
        job(PLANNED, "Plan", "PLAN", ("infra-job", "success", None), seconds=38.0),
        job(WAITS, "Apply", "DEPLOY", ("infra-job", "queued", None), started=None, runner=""),
        job(RUNS, "Apply", "DEPLOY", ("infra-job", "processing", None), note="apply"),
        job(FAILED, "Destroy", "DESTROY", ("infra-job", "failed", "orphan-risk"), seconds=90.0, note="fra-1 vanished."),
        job(DONE, "Apply", "DEPLOY", ("infra-job", "success", None), seconds=121.0),
        job(PLANNING, "Plan", "PLAN", ("infra-job", "processing", None), note="plan"),
        job(DESTRUCTION, "Destroy", "DESTROY", ("infra-job", "queued", "approval"), started=None, runner=""),
        job(LOOK, "Look for drift", "PLAN", ("infra-job", "cancelled", "orphan-risk"), by="the program itself"),
    )
}
RUNNERS = {
    one.uid: one
    for one in (
        RunnerRow(RUNNER, "fra-1", "self-hosted", ("runner", "online", "outdated"), "0.3.0", due="0.4.0",
                  default=True, labels=("program of its own", "only AWS (123456789012)"), seen=NOW,
                  job=f"/console/infra/jobs/{RUNS}", draining=False, drain_reason="", own=True, enrolled=False),
        RunnerRow(OLD_RUNNER, "hel-2", "self-hosted", ("runner", "offline", None), "", due="", default=False,
                  labels=("enrolled worker",), seen=None, job="", draining=True, drain_reason="Its disk is replaced",
                  own=True, enrolled=True),
    )
}  # fmt: skip
RELEASES = (
    ReleaseRow("0.4.0", NOW, True, "ab" * 20, "Faster <b>plans</b>.", "https://git.example/deck/0.4.0"),
    ReleaseRow("0.3.0", NOW - timedelta(days=30), False, "", "", ""),
)
IDENTITIES = {
    one.uid: one
    for one in (
        IdentityRow(IDENTITY, "aws", "Billing account", "AWS (123456789012)", ("cloud-identity", "verified"), NOW,
                    NOW, f"/console/infra/jobs/{DONE}", "", connected=True),
        IdentityRow(BEGUN, "gcp", "GCP", "GCP", ("cloud-identity", "pending"), None, None, "",
                    "Nothing is connected to it yet.", connected=False),
    )
}  # fmt: skip
DOCUMENT = examined({"project_name": "ledger", "provider": "local", "databases": [{"name": "main"}]}, Known(), Report())


class InfraSide:
    """What is declared, planned and applied, and what is done about it."""

    empty: bool
    permissions: frozenset[str]
    _did: Callable[..., None]
    deployment_log: Callable[..., Awaitable[LogView]]
    whole_deployment_log: Callable[..., Awaitable[AsyncIterator[LineViews]]]
    document: Mapping[str, Any] = DOCUMENT.document if DOCUMENT else {}

    async def infra_zones(self, who: Any) -> tuple[ZoneRow, ...]:
        return () if self.empty else ZONES

    async def infra_zone(self, who: Any, uid: str) -> ZoneRow:
        return _of({one.uid: one for one in ZONES}, uid, "zone")

    async def create_infra_zone(self, who: Any, *, name: str, description: str) -> str:
        self._did("create-zone", name, description)
        return ZONE

    async def change_infra_zone(self, who: Any, uid: str, values: Mapping[str, str]) -> None:
        self._did("change-zone", uid, dict(values))

    async def delete_infra_zone(self, who: Any, uid: str, confirmation: str) -> None:
        self._did("delete-zone", uid, confirmation)

    async def infra_specs(self, who: Any, asked: SpecsAsked, before: str, limit: int) -> SpecList:
        rows = tuple(one for one in ROWS.values() if asked.words in one.name)
        older = None if before or self.empty else LAB
        return SpecList(() if self.empty else rows, older, ((ZONE, "payments"), (uid(2), "sandbox")))

    async def infra_spec(self, who: Any, uid: str) -> SpecView:
        row = _of(ROWS, uid, "specification")
        stands = row is not LAB_ROW
        return SpecView(
            row=row,
            version=4,
            facts=(Fact("Provider", row.provider), Fact("Hash", "3b9ae210", code=True)),
            sections=(("Network", (Fact("CIDR block", "10.20.0.0/16"),)), ("Databases", (Fact("main", "postgres"),))),
            outputs=(("endpoint", "https://<ledger>.example"), ("password", None)) if stands else (),
            drift=DriftView(NOW, True, change_rows(DRIFT), 2, 60, NOW + timedelta(minutes=20), "")
            if row.drifted
            else DriftView(
                None,
                False,
                (),
                0,
                None,
                None,
                "lab has no resources that could have drifted.",
                ("no <network>", f"/console/infra/jobs/{LOOK}"),
            ),
            resources=12 if stands else 0,
            orphan_risk="fra-1 vanished while it applied." if row is EDGE_ROW else "",
            jobs=(Waiting(PLANNED, "Plan", f"/console/infra/plans/{PLANNED}", ("infra-job", "success", None), NOW),)
            if stands
            else (),
            busy="",
            removal=Note("warn", "Its state holds 12 resources.", "Destroy what it made first.") if stands else None,
            may_force=row is EDGE_ROW,
            why_not_destroy="" if stands else "Nothing stands that could be destroyed.",
            lock="worker@fra-1" if row.drifted else "",
            has_state=stands,
            applied="As it is now" if stands else "",
            runners=((RUNNER, "fra-1 (online)"),),
            runner=RUNNER,
            plan=NewestPlan(f"/console/infra/plans/{PLANNED}", NOW, DELTA, ready=row.drifted) if stands else None,
        )

    async def infra_spec_choices(self, who: Any) -> SpecChoices:
        return SpecChoices(((ZONE, "payments"),), ((IDENTITY, "AWS (123456789012)"),), SCHEMA)

    async def infra_spec_draft(self, who: Any, uid: str) -> SpecDraft:
        row = _of(ROWS, uid, "specification")
        return SpecDraft({**self.document, "zone_id": ZONE, "drift_minutes": 60}, 4, row, has_token=True)

    async def infra_spec_text(self, who: Any, document: Mapping[str, Any]) -> str:
        return importing.written(document)

    async def read_infra_spec(self, who: Any, text: str) -> tuple[Mapping[str, Any], Mapping[str, int]]:
        return importing.read(text)

    async def examine_infra_spec(self, who: Any, document: Mapping[str, Any]) -> tuple[FieldError, ...]:
        report = Report()
        examined(document, Known(), report)
        return tuple(FieldError(one.field, one.message) for one in report.wrong)

    async def save_infra_spec(self, who: Any, uid: str, document: Mapping[str, Any], *, again: bool = False) -> str:
        self._did("save-spec", uid, dict(document))
        return uid or LAB

    async def clone_infra_spec(self, who: Any, uid: str, *, name: str, stage: str, zone: str) -> str:
        self._did("clone-spec", uid, name, stage, zone)
        return LAB

    async def delete_infra_spec(self, who: Any, uid: str, confirmation: str, *, force: bool, reason: str) -> None:
        self._did("delete-spec", uid, confirmation, force, reason)

    async def infra_spec_versions(self, who: Any, uid: str, before: int | None, limit: int) -> VersionList:
        rows = tuple(
            VersionRow(number, NOW - timedelta(days=9 - number), "Mara Lindqvist", "More <nodes>", "3b9ae210" * 8,
                       number == 4, number == 3)
            for number in (4, 3, 2, 1)
        )  # fmt: skip
        return VersionList(_of(ROWS, uid, "specification"), rows, None if before else 1)

    async def infra_spec_diff(self, who: Any, uid: str, since: int, to: int) -> VersionDiff:
        return VersionDiff(since, to, (Difference("databases[main].port", "5432", "5433"),
                                       Difference("caches[hot]", None, "{engine: redis}")))  # fmt: skip

    async def export_infra_spec(self, who: Any, uid: str, form: str, number: int | None) -> File:
        return File("ledger-production.yaml", b"project_name: ledger\n", "application/yaml")

    async def look_for_drift(self, who: Any, uid: str) -> str:
        self._did("look-for-drift", uid)
        return LOOK

    async def infra_jobs(self, who: Any, asked: InfraJobsAsked, limit: int) -> InfraJobList:
        rows = tuple(one for one in JOBS.values() if not asked.status or one.state[1] == asked.status.lower())
        named = ("ledger", f"{SPECS}/{LEDGER}") if asked.spec else None
        return InfraJobList((), 0, named) if self.empty else InfraJobList(rows, 90, named)

    async def infra_job(self, who: Any, uid: str, lines: int) -> InfraJobView:
        row = _of(JOBS, uid, "job")
        log = await self.deployment_log(who, Place("storefront", "production", "web"), 42, lines)
        waits = {
            WAITS: Note("warn", "It is for the runner hel-2 alone, which is offline.", "Choose another runner below."),
            DESTRUCTION: Note("ask", "It waits until 1 more person agrees.", "Nothing is destroyed before that."),
        }.get(uid)
        error = Note("bad", "fra-1 vanished while it applied.", "Look before the next apply.")
        steps = ("succeeded", "succeeded", "running", "pending")
        return InfraJobView(
            row=row,
            facts=(Fact("Identifier", uid, code=True), Fact("Attempts", "2")),
            log=replace(log, stream=f"infra-job:{uid}"),
            waits=waits,
            behind=f"/console/infra/jobs/{RUNS}" if uid == WAITS else None,
            error=error if uid == FAILED else None,
            plan=uid if uid == PLANNED else PLANNED if uid in {RUNS, DONE, WAITS} else "",
            outputs=(("endpoint", "https://ledger.example"), ("password", None)) if uid == DONE else (),
            moments=(("Asked for", row.queued),),
            phases=tuple(zip(("Prepare", "Initialize", "Apply", "Read outputs"), steps, strict=True)),
            may_cancel=row.live and "infra:jobs.cancel" in self.permissions,
            may_rerun=uid in {FAILED, PLANNED},
            may_pin=uid == WAITS,
            runners=((RUNNER, "fra-1 (online)"), (OLD_RUNNER, "hel-2 (offline)")) if uid == WAITS else (),
            pinned=OLD_RUNNER if uid == WAITS else "",
            confirm="ledger" if uid == RUNS else "",
            found=Note("warn", "It has found drift: 1 resource changed by somebody else.") if uid == LOOK else None,
        )

    async def whole_infra_log(self, who: Any, uid: str) -> AsyncIterator[LineViews]:
        return await self.whole_deployment_log(who, Place("storefront", "production", "web"), 42)

    async def infra_plan(self, who: Any, uid: str) -> PlanView:
        view = _of(PLANS, uid, "plan")
        if "infra:plans.approve" not in self.permissions:
            view = replace(view, agreement=replace(view.agreement, why_not="You may not agree to plans."))
        return replace(view, may_apply=view.may_apply and "infra:jobs.apply" in self.permissions)

    async def ask_for_plan(self, who: Any, spec: str, runner: str) -> str:
        self._did("plan", spec, runner)
        return PLANNING

    async def apply_plan(self, who: Any, uid: str, runner: str, confirmation: str) -> str:
        self._did("apply", uid, runner, confirmation)
        return RUNS

    async def destroy_infra(self, who: Any, spec: str, runner: str, confirmation: str) -> str:
        self._did("destroy", spec, runner, confirmation)
        return DESTRUCTION

    async def say_of_plan(self, who: Any, uid: str, *, agree: bool, comment: str) -> None:
        self._did("say", uid, agree, comment)

    async def cancel_infra_job(self, who: Any, uid: str, reason: str, confirmation: str) -> None:
        self._did("cancel-infra-job", uid, reason, confirmation)

    async def rerun_infra_job(self, who: Any, uid: str) -> str:
        self._did("rerun", uid)
        return PLANNING

    async def pin_infra_job(self, who: Any, uid: str, runner: str) -> None:
        self._did("pin", uid, runner)

    async def infra_state(self, who: Any, spec: str, before: int | None, limit: int) -> StateView:
        row = _of(ROWS, spec, "specification")
        if row is LAB_ROW:
            return StateView(row, exists=False, version=0, serial=None, lineage="", resources=0, lock=None,
                             versions=(), older=None)  # fmt: skip
        written = StateVersionRow(3, 118, NOW, 12, 18_400, "Written by a job", "", "", f"/console/infra/jobs/{DONE}",
                                  current=True, contents=True)  # fmt: skip
        back = replace(written, number=2, serial=117, cause="Gone back to", reason="The disk was <full>", by="mara",
                       job="", current=False)  # fmt: skip
        first = replace(written, number=1, serial=116, current=False)
        versions = tuple(one for one in (written, back, first) if before is None or one.number < before)
        lock = LockView("l1", "worker@fra-1", "apply", NOW, f"/console/infra/jobs/{RUNS}", left=row is EDGE_ROW)
        return StateView(row, exists=True, version=3, serial=118, lineage="6f1c2b7e", resources=12, lock=lock,
                         versions=versions, older=None)  # fmt: skip

    async def infra_state_diff(self, who: Any, spec: str, since: int, to: int, *, values: bool) -> StateDiff:
        if values:
            self._did("values", spec)
        told = change_rows(CHANGES[1:3])
        changes = tuple(
            StateChange(one.address, "~", "run", "changed",
                        one.attributes if values else tuple(replace(a, was=None, now=None) for a in one.attributes))
            for one in told
        )  # fmt: skip
        gone = StateChange("aws_eip.nat", "\N{MINUS SIGN}", "bad", "gone", ())
        return StateDiff(_of(ROWS, spec, "specification"), since, to, (*changes, gone), 0, values)

    async def infra_state_file(self, who: Any, spec: str, number: int | None) -> File:
        self._did("read-state", spec, number)
        return File("version-3.tfstate", b"{}", "application/json")

    async def roll_infra_state_back(self, who: Any, spec: str, number: int, reason: str, confirmation: str) -> None:
        self._did("state-back", spec, number, reason, confirmation)

    async def unlock_infra_state(self, who: Any, spec: str, reason: str, lock: str) -> None:
        self._did("unlock-state", spec, reason, lock)

    async def infra_runners(self, who: Any) -> RunnerList:
        return RunnerList(() if self.empty else tuple(RUNNERS.values()), own=True, newest="0.4.0", releases=RELEASES)

    async def infra_runner(self, who: Any, uid: str) -> RunnerView:
        row = _of(RUNNERS, uid, "runner")
        stack = uid == RUNNER
        return RunnerView(row, (Fact("Identifier", uid, code=True),), stack, "0.4.0", (JOBS[DONE],),
                          "" if stack else "No release of the runner has been published.")  # fmt: skip

    async def register_runner(self, who: Any, *, name: str, identity: str) -> NewRunner:
        self._did("register-runner", name, identity)
        return NewRunner(name, "9c" * 32, RUNNER)

    async def mint_runner_token(self, who: Any, *, label: str, hours: int) -> NewRunner:
        self._did("mint-runner-token", label, hours)
        return NewRunner(label or "Token 7", "qd_enr_5f3759df")

    async def drain_runner(self, who: Any, uid: str, *, drain: bool, reason: str) -> None:
        self._did("drain-runner", uid, drain, reason)

    async def choose_runner(self, who: Any, uid: str) -> None:
        self._did("choose-runner", uid)

    async def put_up_runner(self, who: Any, *, name: str, identity: str, region: str, runner: str) -> str:
        self._did("put-up-runner", name, identity, region)
        return RUNS

    async def update_runner(self, who: Any, uid: str, runner: str) -> str:
        self._did("update-runner", uid)
        return RUNS

    async def take_down_runner(self, who: Any, uid: str, confirmation: str) -> str:
        self._did("take-down-runner", uid, confirmation)
        return RUNS

    async def remove_runner(self, who: Any, uid: str, confirmation: str) -> None:
        self._did("remove-runner", uid, confirmation)

    async def cloud_identities(self, who: Any) -> tuple[IdentityRow, ...]:
        return () if self.empty else tuple(IDENTITIES.values())

    async def cloud_identity(self, who: Any, uid: str) -> IdentityView:
        row = _of(IDENTITIES, uid, "cloud identity")
        found = (("Regions", ("eu-west-1", "eu-central-1")),) if row.verified else ()
        used = (("ledger", f"{SPECS}/{LEDGER}"),) if row.verified else ()
        return IdentityView(
            row,
            (Fact("Cloud", row.provider),),
            (Fact("External id", "5f37", code=True),),
            found,
            used,
            ((ZONE, "payments", True),),
            bound=True,
        )

    async def begin_cloud_identity(self, who: Any, provider: str, name: str) -> str:
        self._did("begin-cloud", provider, name)
        return BEGUN

    async def connect_cloud_identity(self, who: Any, uid: str, values: Mapping[str, str]) -> str:
        self._did("connect-cloud", uid, dict(values))
        return RUNS

    async def bind_cloud_identity(self, who: Any, uid: str, zones: Sequence[str]) -> None:
        self._did("bind-cloud", uid, tuple(zones))

    async def refresh_cloud_identity(self, who: Any, uid: str) -> str:
        self._did("refresh-cloud", uid)
        return RUNS

    async def disconnect_cloud_identity(self, who: Any, uid: str, confirmation: str) -> None:
        self._did("disconnect-cloud", uid, confirmation)

    async def infra_clusters(self, who: Any, before: str, limit: int) -> ClusterList:
        row = ClusterRow("ledger-eks", "1.32", "active", "2 to 6", ("ledger", f"{SPECS}/{LEDGER}"), "production",
                         "eu-west-1", 412.6, "https://argo.example")  # fmt: skip
        return ClusterList(() if self.empty else (row,), None)


def _of(known: Mapping[str, Any], uid: str, what: str) -> Any:
    if uid == "secret":
        raise Forbidden("You may not see it.", permission="infra:specs.view")
    found = known.get(uid)
    if found is None:
        raise NotFound(f"There is no such {what}.", hint="Look at the list.")
    return found
