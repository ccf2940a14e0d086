"""Terraform keeps its state with us: the real program, against the real server, on each database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from quarterdeck.infra.execution.planning import Basis
from quarterdeck.infra.execution.planning import basis as planning_basis
from quarterdeck.infra.states import contents, credentials, locks, states
from quarterdeck.infra.states.model import State, StateVersion
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.doorkeeper import Patience
from support import infra_rows as rows
from support.crew import Crew
from support.doors import behind_the_door
from support.terraform import MAIN, SLOW, Terraform, ended


@dataclass
class Yard:
    crew: Crew
    base: str
    place: Path

    async def job(self, job_type: str = "DEPLOY", *, spec: str | None = None, name: str = "work") -> Terraform:
        """A job that runs, and a directory for its Terraform."""

        def verb(tx: Tx) -> tuple[str, str]:
            one = tx.first(select(rows.Spec).where(rows.Spec.project_name == (spec or "ledger"))) or rows.spec(
                tx, spec or "ledger"
            )
            attempt, password = rows.started(tx, one, job_type)
            return attempt.job.uid, password

        uid, password = await self.crew.db.write(verb)
        return Terraform(self.place / name, self.base, uid, password)

    async def state(self) -> State | None:
        return await self.crew.db.read(lambda tx: tx.first(select(State)))

    async def versions(self) -> list[StateVersion]:
        return await self.crew.db.read(lambda tx: list(tx.scalars(select(StateVersion).order_by(StateVersion.number))))

    async def change(self, verb: Any) -> Any:
        return await self.crew.db.write(verb)


@pytest.fixture
async def yard(crew: Crew, tmp_path: Path) -> AsyncIterator[Yard]:
    application = crew.deck.client._transport.app
    async with behind_the_door(application, Patience()) as port:
        yield Yard(crew, f"http://127.0.0.1:{port}", tmp_path / "yard")


@pytest.mark.parametrize("methods", [None, ("POST", "DELETE")], ids=["own-methods", "configured"])
async def test_an_apply_writes_versions_which_the_next_one_reads(yard: Yard, methods) -> None:
    terraform = await yard.job()
    terraform.methods = methods
    terraform.write(MAIN % "first")
    assert (await terraform.run("init")).status == 0
    ran = await terraform.apply()
    assert ran.status == 0, ran.text
    terraform.write(MAIN % "second")
    ran = await terraform.apply()
    assert ran.status == 0, ran.text
    assert "1 changed" in ran.text

    state, versions = await yard.state(), await yard.versions()
    assert (state.version, state.serial, state.resources, state.lock_id) == (
        len(versions),
        versions[-1].serial,
        1,
        None,
    )
    assert len(versions) >= 2
    vault = yard.crew.deck.instance.vault
    last = json.loads(contents.opened(vault, versions[-1].uid, versions[-1].sealed))
    assert last["resources"][0]["instances"][0]["attributes"]["output"]["value"] == "second"
    assert "second" not in versions[-1].sealed

    destroying = await yard.job("DESTROY", name="work")
    destroying.write(MAIN % "second")
    ran = await destroying.run("destroy", "-auto-approve")
    assert ran.status == 0, ran.text
    assert (await yard.state()).resources == 0


async def test_of_two_that_write_at_once_one_gets_the_lock(yard: Yard) -> None:
    first, second = await yard.job(), await yard.job()
    first.place, second.place = yard.place / "first", yard.place / "second"
    for one in (first, second):
        one.write(SLOW % "x")
        assert (await one.run("init")).status == 0
    running = await first.begin("apply", "-auto-approve")
    while not (first.place / "begun").exists():
        assert running.returncode is None, await ended(running)
        await asyncio.sleep(0.05)
    refused = await second.apply()
    assert refused.status == 1
    assert "Error acquiring the state lock" in refused.text
    assert "OperationTypeApply" in refused.text, "it says who holds it"
    (first.place / "go").touch()
    assert (await ended(running)).status == 0
    (second.place / "go").touch()
    again = await second.apply()
    assert again.status == 0, again.text
    assert (await yard.state()).resources == 2


async def test_whose_lock_was_taken_away_writes_no_more(yard: Yard) -> None:
    terraform = await yard.job()
    terraform.write(SLOW % "x")
    assert (await terraform.run("init")).status == 0
    running = await terraform.begin("apply", "-auto-approve")
    while not (terraform.place / "begun").exists():
        assert running.returncode is None, await ended(running)
        await asyncio.sleep(0.05)

    def steal(tx: Tx) -> None:
        locks.steal(tx, tx.one(select(State), what="state"), "It hung.")

    await yard.change(steal)
    before = await yard.versions()
    (terraform.place / "go").touch()
    ran = await ended(running)
    assert ran.status == 1
    assert "409" in ran.text
    assert (terraform.place / "errored.tfstate").exists(), "Terraform keeps what it could not write"
    assert len(await yard.versions()) == len(before)
    pushed = await terraform.run("state", "push", "errored.tfstate")
    assert pushed.status != 0, "the same attempt gets no lock any more"
    assert locks.LOST in pushed.text
    assert len(await yard.versions()) == len(before)


async def test_a_plan_reads_the_state_and_writes_none(yard: Yard) -> None:
    terraform = await yard.job()
    terraform.write(MAIN % "first")
    await terraform.run("init")
    assert (await terraform.apply()).status == 0
    before = await yard.versions()
    planning = await yard.job("PLAN")
    planning.write(MAIN % "second")
    ran = await planning.run("plan", "-out=plan.out")
    assert ran.status == 0, ran.text
    assert "1 to change" in ran.text
    assert len(await yard.versions()) == len(before)
    ran = await planning.apply()
    assert ran.status == 1
    assert len(await yard.versions()) == len(before)


async def test_an_attempt_that_is_over_can_neither_read_nor_write(yard: Yard) -> None:
    terraform = await yard.job()
    terraform.write(MAIN % "first")
    await terraform.run("init")
    assert (await terraform.apply()).status == 0

    def again(tx: Tx) -> str:
        job = tx.one(select(InfraJob), what="job")
        rows.give_back(tx, credentials.Attempt(job, credentials.running(tx, job) or 0))
        rows.begin(tx, job)
        return credentials.issue(tx, job).reveal()

    password = await yard.change(again)
    ran = await terraform.run("plan")
    assert ran.status == 1
    assert "HTTP remote state endpoint requires auth" in ran.text or "401" in ran.text
    terraform.password = password
    assert (await terraform.run("plan")).status == 0
    subject = (await yard.state()).subject
    assert subject.startswith("spec:")
    assert states.exists(await yard.state())


async def test_a_saved_plan_names_the_state_that_it_was_made_on_and_is_stale_for_another(yard: Yard) -> None:
    """Terraform itself refuses what the law of plans refuses: both compare the same serial and lineage."""
    planning = await yard.job("PLAN")
    planning.write(MAIN % "first")
    await planning.run("init")
    assert (await planning.run("plan", "-out=empty.out")).status == 0
    assert planning_basis(planning.place / "empty.out") == Basis(0, "")
    applying = await yard.job()
    ran = await applying.run("apply", "empty.out")
    assert ran.status == 0, ran.text
    planning.write(MAIN % "second")
    assert (await planning.run("plan", "-out=second.out")).status == 0
    state = await yard.state()
    assert planning_basis(planning.place / "second.out") == Basis(state.serial, state.lineage)
    assert (await applying.run("apply", "second.out")).status == 0
    ran = await applying.run("apply", "second.out")
    assert ran.status == 1
    assert "stale" in ran.text
