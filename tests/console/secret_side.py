"""Brokered secrets, as the made-up installation of `portside` shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from console.ledgerside import NOW
from quarterdeck.console.views.deployments import Fact
from quarterdeck.console.views.secret_places import (
    AgentRow,
    ConnectionDraft,
    ConnectionRow,
    FoundAsked,
    FoundList,
    FoundRow,
    NewAgent,
)
from quarterdeck.console.views.secret_rules import RuleDraft, RuleRow, WorkflowDraft, WorkflowRow
from quarterdeck.console.views.secrets import (
    Choices,
    LookedView,
    Moment,
    RequestList,
    RequestRow,
    RequestsAsked,
    RequestView,
    Revealed,
    Rollout,
    StepView,
    TrialView,
    ValueRow,
    VoteView,
    Wanted,
)
from quarterdeck.console.views.shell import Note
from quarterdeck.kernel.errors import NotFound


def uid(number: int) -> str:
    return f"0d0b2800-0000-7000-8000-{number:012d}"


WAITS, MINE, READY, DONE, REFUSED, EMERGENCY, CHANGE = (uid(number) for number in range(51, 58))
RULE, BUILT_IN, STANDARD, CAREFUL = uid(61), uid(62), uid(63), uid(64)
AGENT, REVOKED, VAULT, FILE, VALUE = uid(71), uid(72), uid(73), uid(74), uid(81)
PUBLIC = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="


def row(number: str, state: tuple[str, str, str | None], **more: Any) -> RequestRow:
    made = RequestRow(
        number, "read", "db/prod/ledger", "Vault", 2, state, "Priya <Raman>", NOW - timedelta(minutes=20),
        "ledger / production", production=True,
    )  # fmt: skip
    return replace(made, **more)


ROWS = {
    one.uid: one
    for one in (
        row(WAITS, ("secret-request", "pending", "voter"), until=NOW + timedelta(minutes=40)),
        row(MINE, ("secret-request", "pending", None), mine=True, by="Mara Lindqvist", kind="patch",
            until=NOW + timedelta(days=3)),
        row(READY, ("secret-request", "executed", None), mine=True, by="Mara Lindqvist"),
        row(DONE, ("secret-request", "executed", None), kind="rotate", place="", production=False),
        row(REFUSED, ("secret-request", "rejected", None)),
        row(EMERGENCY, ("secret-request", "failed", None), emergency=True, unreviewed=True),
        row(CHANGE, ("secret-request", "approved", None), kind="update", until=NOW + timedelta(minutes=9)),
    )
}  # fmt: skip
STEPS = (StepView("approval", 2, 1, "approver", ("Mara Lindqvist", "Aiko Tanaka")),)
VIEW = RequestView(
    row=ROWS[WAITS],
    reason="Reconcile the stuck payouts <b>now</b>.",
    keys=("username", "password"),
    why="The rule prod of the organization, priority 500, sends it to the workflow careful.",
    steps=STEPS,
    votes=(VoteView("Tomás Silva", agrees=True, comment="Looks <i>right</i>.", at=NOW, step="", counts=True),
           VoteView("Aiko Tanaka", agrees=True, comment="", at=NOW, step="", counts=False)),
    timeline=(Moment("good", "Priya <Raman>", "asked", NOW - timedelta(minutes=20)),
              Moment("good", "Tomás Silva", "approved, 1 of 2", NOW - timedelta(minutes=4), "Looks <i>right</i>."),
              Moment("ask", "Somebody", "has to approve it"), Moment("idle", "An agent", "reads it and seals it")),
    values=(),
    rollouts=(),
    facts=(Fact("Kept in", "main, Vault"), Fact("Request", WAITS, code=True)),
    open=True,
)  # fmt: skip
VALUES = (
    ValueRow(VALUE, "password", ("sealed-value", "sealed", "requester"), NOW + timedelta(minutes=9), ready=True,
             sealed=False, size=18),
    ValueRow(uid(82), "token", ("sealed-value", "sealed", "requester"), NOW + timedelta(minutes=9), ready=True,
             sealed=True, size=180),
    ValueRow(uid(83), "username", ("sealed-value", "consumed", None), NOW, ready=False, sealed=False, size=9),
)  # fmt: skip
VIEWS = {
    WAITS: VIEW,
    MINE: replace(VIEW, row=ROWS[MINE], why_not="You have asked for it, so others decide.", may_cancel=True,
                  may_edit=True),
    READY: replace(VIEW, row=ROWS[READY], open=False, values=VALUES, recipient=PUBLIC, agent="fra-agent"),
    DONE: replace(VIEW, row=ROWS[DONE], open=False, rollouts=(
        Rollout("ledger-web", ("broker-job", "applied", None), ""),
        Rollout("ledger-jobs", ("broker-job", "applied_unverified", None), "Nobody saw it restart."))),
    REFUSED: replace(VIEW, row=ROWS[REFUSED], open=False, error=Note("bad", "It was refused.", "Not today.")),
    EMERGENCY: replace(VIEW, row=ROWS[EMERGENCY], open=False, may_review=True,
                       error=Note("bad", "Vault did not answer.", "Nothing more happens to it.")),
    CHANGE: replace(VIEW, row=ROWS[CHANGE], open=False),
}  # fmt: skip
TRIAL = TrialView(
    "The rule prod of the organization, priority 500, sends it to the workflow careful.", "careful", STEPS,
    (Note("idle", "It counts as production."), Note("warn", "A rule would let it be read without approval.", "Never.")),
    (LookedView("staging", f"/console/secrets/policies/{RULE}", 900, "the organization", "standard", "not-matched",
                "It asks for environment staging; here it is production."),
     LookedView("off", f"/console/secrets/policies/{RULE}", 700, "ledger", "old", "workflow-disabled",
                "Its workflow old is disabled."),
     LookedView("prod", f"/console/secrets/policies/{RULE}", 500, "the organization", "careful", "taken",
                "Every key of its selector fits.")),
)  # fmt: skip
RULES = {
    RULE: RuleRow(RULE, "prod <databases>", "requests in production, whose reference begins with db/",
                  {"environment_kind": "prod", "secret_ref_prefix": "db/"}, 500, enabled=True, direct=True,
                  workflow=(CAREFUL, "careful"), workflow_enabled=False, project=(uid(1), "ledger"), built_in=False,
                  changed=NOW),
    BUILT_IN: RuleRow(BUILT_IN, "match-all (system default)", "every request", {}, 0, enabled=False, direct=False,
                      workflow=(STANDARD, "standard"), workflow_enabled=True, project=None, built_in=True, changed=NOW),
}  # fmt: skip
TIMES = {"request_ttl_seconds": 1_209_600, "wrap_ttl_created_seconds": 604_800, "wrap_ttl_approved_seconds": 3600,
         "wrap_ttl_claimed_seconds": 300, "grant_seconds": 0}  # fmt: skip
WORKFLOWS = {
    STANDARD: WorkflowRow(STANDARD, "standard", "", (StepView("approval", 1, 0, "approver"),), (uid(91),),
                          own_steps=False, times=TIMES, justification=True, self_approval=False, emergencies=False,
                          enabled=True, default=True, built_in=True, changed=NOW),
    CAREFUL: WorkflowRow(CAREFUL, "careful", "For <databases>",
                         (StepView("owners", 2, 0), StepView("security", 1, 0, "security")), ("", uid(91)),
                         own_steps=True, times={**TIMES, "grant_seconds": 1800}, justification=False,
                         self_approval=True, emergencies=True, enabled=False, default=False, built_in=False,
                         changed=NOW),
}  # fmt: skip
AGENTS = {
    AGENT: AgentRow(AGENT, "fra-agent", ("agent", "active", None), {"cluster": "fra"}, NOW - timedelta(seconds=50),
                    NOW - timedelta(days=9), key=True, own=False),
    REVOKED: AgentRow(REVOKED, "old", ("agent", "revoked", None), {}, None, NOW, key=False, own=False),
}  # fmt: skip
CONNECTIONS = {
    VAULT: ConnectionRow(VAULT, "main", "vault", {"address": "https://vault.example", "mount": "kv"},
                         has_credential=True, where="ledger / production", scope={"cluster": "fra"}, enabled=True,
                         rhythm=21_600, looked=NOW - timedelta(hours=1), health="Vault is <sealed>.", changed=NOW),
    FILE: ConnectionRow(FILE, "file", "file", {"name": "main"}, has_credential=True, where="every project", scope={},
                        enabled=False, rhythm=0, looked=None, health="", changed=NOW),
}  # fmt: skip
FOUND = (
    FoundRow(uid(95), "apps/shop/db", "fra", "vault", ("agent", "present", None), (("team", "shop"),), NOW, NOW),
    FoundRow(uid(96), "apps/<old>", "fra", "kubernetes", ("agent", "missing", None), (), NOW - timedelta(days=9), NOW),
)


class SecretSide:
    """`deeds` has what was done; `problem` is raised by the next."""

    empty: bool
    _did: Callable[..., None]

    async def secret_requests(self, who: Any, asked: RequestsAsked, limit: int) -> RequestList:
        if self.empty:
            return RequestList((), None, {})
        rows = {"": [WAITS], "mine": [MINE, READY], "emergencies": [EMERGENCY]}.get(asked.box, list(ROWS))
        found = tuple(ROWS[one] for one in rows if not asked.status or ROWS[one].state[1] == asked.status)
        return RequestList(found, MINE if asked.box == "all" else None, {"": 1, "mine": 2, "emergencies": 1})

    async def secret_request(self, who: Any, uid: str) -> RequestView:
        return _of(VIEWS, uid, "request")

    async def secret_choices(self, who: Any) -> Choices:
        if self.empty:
            return Choices((("vault:", "Vault, as an agent knows it"),), (), no_connections=True)
        kept = (("vault:main", "main (Vault)"), ("vault:", "Vault, as an agent knows it"))
        return Choices(kept, ((f"{uid(1)}/production", "ledger / production, production"),))

    async def try_secret(self, who: Any, wanted: Wanted) -> TrialView:
        return TRIAL

    async def ask_for_secret(self, who: Any, wanted: Wanted) -> str:
        self._did("ask-secret", wanted)
        return MINE

    async def edit_secret_request(self, who: Any, uid: str, wanted: Wanted) -> None:
        self._did("edit-secret", uid, wanted.justification, wanted.keys, dict(wanted.values))

    async def say_of_secret_request(self, who: Any, uid: str, *, agree: bool, comment: str) -> None:
        self._did("say-of-secret", uid, agree, comment)

    async def cancel_secret_request(self, who: Any, uid: str) -> None:
        self._did("cancel-secret", uid)

    async def review_secret_request(self, who: Any, uid: str, comment: str) -> None:
        self._did("review-secret", uid, comment)

    async def reveal_secret(self, who: Any, uid: str, wrap: str) -> Revealed:
        self._did("reveal", uid, wrap)
        return Revealed("password", "v9!Hq-<tide>-27-Lamp", "text", sealed=False)

    async def secret_rules(self, who: Any) -> tuple[RuleRow, ...]:
        return () if self.empty else tuple(RULES.values())

    async def secret_rule(self, who: Any, uid: str) -> RuleRow:
        return _of(RULES, uid, "rule")

    async def save_secret_rule(self, who: Any, uid: str, draft: RuleDraft) -> str:
        self._did("save-rule", uid, draft)
        return uid or RULE

    async def delete_secret_rule(self, who: Any, uid: str, confirmation: str) -> None:
        self._did("delete-rule", uid, confirmation)

    async def secret_workflows(self, who: Any) -> tuple[WorkflowRow, ...]:
        return () if self.empty else tuple(WORKFLOWS.values())

    async def secret_workflow(self, who: Any, uid: str) -> WorkflowRow:
        return _of(WORKFLOWS, uid, "workflow")

    async def save_secret_workflow(self, who: Any, uid: str, draft: WorkflowDraft) -> str:
        self._did("save-workflow", uid, draft)
        return uid or CAREFUL

    async def delete_secret_workflow(self, who: Any, uid: str, confirmation: str) -> None:
        self._did("delete-workflow", uid, confirmation)

    async def secret_roles(self, who: Any) -> tuple[tuple[str, str], ...]:
        return ((uid(91), "approver"),)

    async def secret_projects(self, who: Any) -> tuple[tuple[str, str], ...]:
        return ((uid(1), "ledger"),)

    async def secret_agents(self, who: Any) -> tuple[AgentRow, ...]:
        return () if self.empty else tuple(AGENTS.values())

    async def secret_agent(self, who: Any, uid: str) -> AgentRow:
        return _of(AGENTS, uid, "agent")

    async def mint_secret_agent(self, who: Any, *, name: str, scope: Mapping[str, str]) -> NewAgent:
        self._did("mint-agent", name, dict(scope))
        return NewAgent(AGENT, name, "9c" * 20)

    async def rotate_secret_agent(self, who: Any, uid: str, *, grace: int) -> NewAgent:
        self._did("rotate-agent", uid, grace)
        return NewAgent(uid, "fra-agent", "7d" * 20)

    async def revoke_secret_agent(self, who: Any, uid: str, reason: str, confirmation: str) -> None:
        self._did("revoke-agent", uid, reason, confirmation)

    async def secret_connections(self, who: Any) -> tuple[ConnectionRow, ...]:
        return () if self.empty else tuple(CONNECTIONS.values())

    async def secret_connection(self, who: Any, uid: str) -> ConnectionRow:
        return _of(CONNECTIONS, uid, "connection")

    async def save_secret_connection(self, who: Any, uid: str, draft: ConnectionDraft) -> str:
        self._did("save-connection", uid, draft)
        return uid or VAULT

    async def switch_secret_connection(self, who: Any, uid: str, *, on: bool) -> None:
        self._did("switch-connection", uid, on)

    async def discover_secrets(self, who: Any, uid: str) -> None:
        self._did("discover", uid)

    async def delete_secret_connection(self, who: Any, uid: str, confirmation: str) -> None:
        self._did("delete-connection", uid, confirmation)

    async def found_secrets(self, who: Any, asked: FoundAsked, limit: int) -> FoundList:
        if self.empty or asked.prefix == "none":
            return FoundList((), 0)
        return FoundList(FOUND, 120)


def _of(known: Mapping[str, Any], number: str, what: str) -> Any:
    if number not in known:
        raise NotFound(f"There is no such {what}.", hint="Look at the list.")
    return known[number]
