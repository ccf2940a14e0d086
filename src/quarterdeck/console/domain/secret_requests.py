"""Requests for secrets: listed, tried, asked for, decided, and the values that are given out by them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from quarterdeck.access.places import Place
from quarterdeck.broker.connections import connections
from quarterdeck.broker.own import variables
from quarterdeck.broker.policies import trying
from quarterdeck.broker.policies.happenings import PolicyAction
from quarterdeck.broker.requests import (
    asking,
    cancelling,
    deciders,
    editing,
    finding,
    inbox,
    reading,
    reviewing,
    voting,
)
from quarterdeck.broker.requests.asking import Wish
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.tenancy import environments, projects
from quarterdeck.broker.workflows import seeding, workflows
from quarterdeck.broker.workflows.steps import steps
from quarterdeck.broker.wraps import taking
from quarterdeck.console.domain import secret_views
from quarterdeck.console.views.secret_places import WITHIN
from quarterdeck.console.views.secrets import (
    PROVIDERS,
    RULES,
    Choices,
    LookedView,
    RequestList,
    RequestsAsked,
    RequestView,
    Revealed,
    StepView,
    TrialView,
    Wanted,
)
from quarterdeck.console.views.shell import Note
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Forbidden, Invalid, Problem
from quarterdeck.kernel.principal import Principal
from quarterdeck.kernel.vault import Secret
from quarterdeck.workspace.model import Project

MOST_PLACES = 1000


class SecretRequests:
    """`who` is the caller that the unit of work knows from its context; the rooms decide what that caller may."""

    instance: Any

    async def secret_requests(self, who: Principal, asked: RequestsAsked, limit: int) -> RequestList:
        found: RequestList = await self.instance.db.read(_listed, self.instance.access, asked, limit)
        return found

    async def secret_request(self, who: Principal, uid: str) -> RequestView:
        access = self.instance.access
        found: RequestView = await self.instance.db.read(
            lambda tx: secret_views.view(tx, access, finding.find(tx, access, uid))
        )
        return found

    async def secret_choices(self, who: Principal) -> Choices:
        found: Choices = await self.instance.db.read(_choices)
        return found

    async def try_secret(self, who: Principal, wanted: Wanted) -> TrialView:
        found: TrialView = await seeding.reading(
            self.instance.db, who.acts_in, _tried, self.instance.access, wanted
        )  # fmt: skip
        return found

    async def ask_for_secret(self, who: Principal, wanted: Wanted) -> str:
        access = self.instance.access
        try:
            made: str = await self.instance.db.write(lambda tx: asking.ask(tx, access, _wish(tx, wanted)).uid)
        except Forbidden as problem:
            if problem.code == "production_needs_approval":
                await audit.record_refusal(
                    self.instance.db,
                    PolicyAction.INVARIANT_VIOLATED,
                    resource_type="secret",
                    resource_id=wanted.ref[:200],
                )
            raise
        return made

    async def edit_secret_request(self, who: Principal, uid: str, wanted: Wanted) -> None:
        access = self.instance.access

        def edit(tx: Tx) -> None:
            request = finding.find(tx, access, uid)
            changes = request.kind in {"patch", "update"}
            editing.edit(
                tx,
                access,
                uid,
                justification=wanted.justification,
                keys=None if changes else wanted.keys,
                values=_sealed(wanted.values) if changes and any(wanted.values.values()) else None,
            )

        await self.instance.db.write(edit)

    async def say_of_secret_request(self, who: Principal, uid: str, *, agree: bool, comment: str) -> None:
        access = self.instance.access

        def say(tx: Tx) -> None:
            if agree:
                voting.approve(tx, access, uid, comment or None)
            else:
                voting.reject(tx, access, uid, comment)

        await self.instance.db.write(say)

    async def cancel_secret_request(self, who: Principal, uid: str) -> None:
        await self.instance.db.write(cancelling.cancel, self.instance.access, uid)

    async def review_secret_request(self, who: Principal, uid: str, comment: str) -> None:
        await self.instance.db.write(reviewing.review, self.instance.access, uid, comment)

    async def reveal_secret(self, who: Principal, uid: str, wrap: str) -> Revealed:
        try:
            given: taking.Given = await self.instance.db.write(taking.for_requester, uid, wrap)
        except Problem as problem:
            await self.instance.db.write(taking.note_refusal, wrap, problem)
            raise
        value = given.value.reveal() if given.value is not None else b""
        try:
            text, encoding = value.decode(), "text"
        except UnicodeDecodeError:
            text, encoding = base64.b64encode(value).decode(), "base64"
        return Revealed(given.wrap.key_name, text, encoding, given.wrap.recipient)


def _listed(tx: Tx, access: Any, asked: RequestsAsked, limit: int) -> RequestList:
    deciding, reviewing_ = inbox.to_decide(tx, access), inbox.to_review(tx, access)
    counts = {"": len(deciding), "emergencies": len(reviewing_), "mine": len(inbox.to_fetch(tx))}
    found: list[Request]
    older = None
    if asked.box in {"mine", "all"}:
        before = finding.find(tx, access, asked.before).id if asked.before else None
        some = reading.listed(
            tx,
            access,
            requester_uid=tx.principal.uid if asked.box == "mine" else None,
            status=asked.status or None,
            before=before,
            limit=limit + 1,
        )
        found = list(some[:limit])
        older = found[-1].uid if len(some) > limit else None
    else:
        found = list(reviewing_ if asked.box == "emergencies" else deciding)
    return RequestList(secret_views.rows(tx, access, found), older, counts)


def _choices(tx: Tx) -> Choices:
    known = [one for one in connections.listed(tx) if one.enabled]
    kept = [(f"{one.provider_type}:{one.name}", f"{one.name} ({PROVIDERS[one.provider_type]})") for one in known]
    kept += [
        (f"{provider}:", f"{name}, as an agent knows it") for provider, name in PROVIDERS.items()
        if provider not in WITHIN
    ]  # fmt: skip
    places = []
    last = ""
    for environment, project in environments.page(tx, MOST_PLACES):
        if project.lifecycle != "active":
            continue
        if project.uid != last:
            last = project.uid
            places.append((f"{project.uid}/", f"{project.name}, no environment"))
        production = ", production" if environments.production(environment) else ""
        places.append((f"{project.uid}/{environment.name}", f"{project.name} / {environment.name}{production}"))
    return Choices(tuple(kept), tuple(places), not known)


def _wish(tx: Tx, wanted: Wanted) -> Wish:
    provider, _, connection = wanted.kept.partition(":")
    project_uid, _, environment = wanted.place.partition("/")
    rotation = {"length": _number(wanted.length), "alphabet": wanted.alphabet} if wanted.kind == "rotate" else None
    return Wish(
        kind=wanted.kind,
        provider_type=provider,
        secret_ref=wanted.ref or _own_ref(tx, provider, project_uid, environment),
        justification=wanted.justification,
        project_uid=project_uid or None,
        environment=environment or None,
        provider_config={connections.NAMED: connection} if connection else {},
        values=_sealed(wanted.values) if wanted.kind in {"patch", "update"} else {},
        keys=wanted.keys if wanted.kind in {"read", "rotate"} else (),
        recipient_key=wanted.recipient or None if wanted.kind == "read" else None,
        rotation=rotation,
        direct=wanted.direct and wanted.kind == "read",
        emergency=wanted.emergency,
    )


def _own_ref(tx: Tx, provider: str, project_uid: str, environment: str) -> str:
    """Variables of an environment have one reference, which its place says already."""
    if provider != variables.PROVIDER or not project_uid or not environment:
        return ""
    project = projects.find(tx, project_uid)
    return variables.reference(project, environments.named(tx, project, environment))


def _sealed(values: Mapping[str, str]) -> dict[str, Secret[str]]:
    return {key: Secret(value) for key, value in values.items()}


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise Invalid("A length is a number.", hint="Write it in digits.", field="rotation.length")
    return int(text)


def _tried(tx: Tx, access: Any, wanted: Wanted) -> TrialView:
    provider, _, _ = wanted.kept.partition(":")
    project_uid, _, environment = wanted.place.partition("/")
    ref = wanted.ref or _own_ref(tx, provider, project_uid, environment)
    operation = wanted.kind if wanted.kind == "read" else "patch"
    trial = trying.answer(
        tx, trying.Question(project_uid or None, environment or None, provider, ref, operation)
    )  # fmt: skip
    workflow = workflows.find(tx, trial.workflow_uid)
    where = finding.where(tx.principal.acts_in, project_uid or None, environment or None, provider, ref)
    without = 0 if workflow.allow_self_approval else tx.principal.id
    asked = tuple(
        StepView(
            step.name,
            max(1, step.approvers),
            0,
            deciders.role(tx, step),
            tuple(deciders.named(tx, access, where, step, without=without)),
        )
        for step in steps(workflow)
    )
    return TrialView(
        sentence=str(trial.explanation["sentence"]),
        workflow=workflow.name,
        steps=asked,
        notes=tuple(_notes(tx, access, trial, where, asked, wanted, emergencies=workflow.break_glass)),
        looked=tuple(
            LookedView(
                one.rule.name,
                f"{RULES}/{one.rule.uid}",
                one.rule.priority,
                _whose(tx, one.rule.project_id),
                one.rule.workflow_name,
                one.outcome,
                one.reason,
            )
            for one in trial.looked
        ),
    )


def _whose(tx: Tx, project_id: int | None) -> str:
    project = tx.get(Project, project_id) if project_id is not None else None
    return project.name if project is not None else "the organization"


def _notes(
    tx: Tx,
    access: Any,
    trial: trying.Trial,
    where: Place,
    asked: tuple[StepView, ...],
    wanted: Wanted,
    *,
    emergencies: bool,
) -> list[Note]:
    notes = []
    if not access.decide(tx.principal, finding.REQUEST, where).allowed:
        notes.append(Note("bad", "You may not ask for it.", "Ask an administrator for a role that may."))
    if trial.direct_reveal and wanted.kind == "read":
        notes.append(Note("good", "A rule lets it be read without approval.", "To those who may read directly."))
    if trial.direct_reveal_refused:
        notes.append(
            Note("warn", "A rule would let it be read without approval.", "That never holds in production.")
        )  # fmt: skip
    if not all(step.people for step in asked):
        notes.append(
            Note("warn", "Nobody can approve it now.", "No person beside you has the role that a step asks for.")
        )  # fmt: skip
    if trial.production:
        notes.append(Note("idle", "It counts as production.", ""))
    if emergencies:
        notes.append(Note("idle", "In an emergency it goes ahead at once.", "Somebody has to look at it afterwards."))
    return notes
