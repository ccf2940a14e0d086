"""Whoever calls with ids of another organization gets 404 or 403, changes nothing and is told nothing of it."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from typing import Any
from urllib.parse import quote

import surfaces.acts  # noqa: F401 - registers the prepared calls
from quarterdeck.deploy.observation.distant import Distant
from quarterdeck.kernel.http.guard import PEOPLE
from quarterdeck.surfaces.deploy import deployments as deployment_routes
from quarterdeck.surfaces.deploy import preview_cleanup
from quarterdeck.tasks.dispatching.loop import Dispatching
from support.acts import ACTS, Act, Person, Stage, endpoints, first_stage, idle, newcomer, other_stage, settled
from support.deck import HOME, running
from support.mailbox import mailbox
from support.records import plain_records
from support.run import ALL, SEED, sample
from support.whole import Whole, changes, whole
from surfaces.twisting import NONSENSE, places, twisted

COUNT = 10_000 if ALL else 300
ROUTES = 30
"""How many mutating routes an ordinary run prepares."""
REFUSED = {400, 403, 404, 422}
FILTERS = {
    "POST /api/audit-events/prune",
    "POST /api/deployments/prune",
    "POST /api/deployments/logs/prune",
    "POST /api/resources/runtime-log-archives/prune",
    "POST /api/provider-job-logs/prune",
    "POST /api/deployments/cleanup-preview",
    "POST /api/capabilities/query",
    "POST /api/entitlements/query",
    "POST /api/cli/configurations/validate",
}
"""Where an id only narrows what is meant, or is asked about: these answer that there is nothing."""
STALE = {f"POST /api/resources/{{resourceId}}/runtime/{verb}" for verb in ("start", "stop", "restart")}
"""Where a deployment that does not serve, whosever it is, is a conflict."""
ELSEWHERE = {
    "POST /api/auth/cli/generate": "approves a code that whoever asks has made up",
    "GET /api/resource-access-failures/{requestId}": "looks for a request id in the logs of the caller's own edges",
}


async def test_ids_of_another_organization_are_nobodys(tmp_path, database_address, monkeypatch):
    monkeypatch.setattr(deployment_routes, "SYNCHRONOUS_SECONDS", 0.1)
    monkeypatch.setattr(preview_cleanup, "PATIENCE", 0.1)
    monkeypatch.setattr(Distant, "run", idle)
    monkeypatch.setattr(Dispatching, "run", idle)
    print(f"seed {SEED}, {COUNT} swaps")  # noqa: T201 - told with a failure
    unbounded = {"requests_per_address": 0, "requests_per_credential": 0}
    with mailbox() as box, plain_records("error"):
        async with running(tmp_path, database_address, **box.settings, **unbounded) as deck:
            ada = await first_stage(deck, box)
            bea = await other_stage(deck, box)
            sweep = await Sweep(ada, bea).prepared()
            await sweep.run(COUNT)
            assert not sweep.wrong, json.dumps(sweep.wrong[:40], indent=1)
            assert sweep.seen[404] > COUNT / 4, sweep.seen
            print(dict(sweep.seen))  # noqa: T201


class Sweep:
    def __init__(self, ada: Stage, bea: Stage) -> None:
        self.ada, self.bea = ada, bea
        self.draw = random.Random(f"{SEED}-swaps")  # noqa: S311 - to be repeated, not to be secret
        self.mine: dict[str, Act] = {}
        self.theirs: dict[str, Act] = {}
        self.callers: list[Person] = []
        self.pool: list[Any] = []
        self.seen: Counter[int] = Counter()
        self.wrong: list[str] = []

    async def prepared(self) -> Sweep:
        for name in sample(sorted({*ACTS} - {*ELSEWHERE}), ROUTES, "swaps"):
            act = await ACTS[name](self.ada)
            if not act.nobody and places(act):
                self.mine[name] = act
                try:
                    self.theirs[name] = await ACTS[name](self.bea)
                except AssertionError:  # the first organization's alone
                    continue
        found = [value for act in self.theirs.values() for _, value in places(act)]
        # A number means another thing in each place: it is swapped with the one that stands there in the other's call.
        self.pool = [value for value in found if isinstance(value, str) and not value.isdigit()]
        self.pool += [self.bea.organization, self.bea.owner.uid, self.bea.owner.ref]
        self._read()
        self.callers = [
            await newcomer(self.ada.deck, "abe", HOME, "organization:admin", "tasks:lead", "broker:approver"),
            await newcomer(self.ada.deck, "ann", HOME, "organization:developer", "tasks:developer"),
        ]
        return self

    def _read(self) -> None:
        """Readings take the ids that the prepared calls have for parameters of the same name."""
        mine, theirs = named(self.ada, self.mine), named(self.bea, self.theirs)
        for name, endpoint in endpoints().items():
            wanted = re.findall(r"{(\w+)}", name)
            programs = endpoint.callers and PEOPLE not in endpoint.callers  # no session comes in there
            if endpoint.method != "GET" or endpoint.stream or not wanted or programs or name in ELSEWHERE:
                continue
            self.mine[name] = Act({one: mine.get(one, "nobody") for one in wanted})
            self.theirs[name] = Act({one: theirs.get(one, "nobody") for one in wanted})

    async def run(self, count: int) -> None:
        await settled(self.ada)
        before = await self._look()
        asked: list[str] = []
        names = sorted(self.mine)
        while sum(self.seen.values()) < count and len(self.wrong) < 60:
            name = self.draw.choice(names)
            act = twisted(self.draw, self.mine[name], self.theirs.get(name), self.pool)
            if act is None:
                act = self._path_alone(name)
            act.by = self.draw.choice([self.mine[name].by or self.ada.owner, self.ada.owner, *self.callers])
            asked.append(f"{name} {act.path} {act.body} by {act.by.name}")
            await self._ask(name, act, asked[-1])
            if len(asked) == 250:
                before, asked = await self._compare(before, asked), []
        await self._compare(before, asked)

    def _path_alone(self, name: str) -> Act:
        """Where ids have no form that shows them (a key, a category), nonsense stands for them."""
        act = self.mine[name]
        return Act({one: self.draw.choice([*map(str, self.pool), *map(str, NONSENSE)]) for one in act.path}, act.body)

    async def _ask(self, name: str, act: Act, told: str) -> None:
        sent = Act({key: quote(value, safe="") for key, value in act.path.items()}, act.body, act.query, act.by)
        answer = await self.ada.perform(name, sent)
        self.seen[answer.status_code] += 1
        said = json.dumps([act.path, act.query, act.body], ensure_ascii=False)
        nothing = answer.is_success and (name in FILTERS or name.startswith("GET"))
        stale = answer.status_code == 409 and name in STALE and "does not serve" in answer.text
        if answer.status_code not in REFUSED and not nothing and not stale:
            self.wrong.append(f"{answer.status_code} {told}: {answer.text[:300]}")
        sent_ids, told_ids = said.replace("-", ""), answer.text.replace("-", "")
        known = {self.bea.organization, self.bea.owner.ref, *(one for one in self.pool if len(one) > 8)}
        told_of = [one for one in known if (plain := one.replace("-", "")) in told_ids and plain not in sent_ids]
        if told_of or (f"{self.bea.owner.name}-" in answer.text and f"{self.bea.owner.name}-" not in said):
            self.wrong.append(f"tells of {told_of}: {told}: {answer.text[:300]}")

    async def _look(self) -> Whole:
        return await self.ada.read(whole, apart=("audit_events",))

    async def _compare(self, before: Whole, asked: list[str]) -> Whole:
        after = await self._look()
        found = changes(before, after)
        if found:
            self.wrong.append(f"changed {found[:6]} by one of {asked if len(asked) < 30 else len(asked)}")
        return after


def named(stage: Stage, acts: dict[str, Act]) -> dict[str, str]:
    """Ids by the name of the parameter that takes them."""
    found = {"organizationId": stage.organization, "memberId": stage.owner.ref, "user_id": stage.owner.uid}
    for act in acts.values():
        for place, value in places(act):
            if isinstance(value, str) and place[-1] not in found:
                found[place[-1]] = value
        found |= {name: value for name, value in act.path.items() if name not in found}
    found["otherEnvironmentId"] = found.get("environmentId", "nobody")
    return found
