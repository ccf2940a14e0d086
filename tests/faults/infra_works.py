"""What is done to infrastructure while a kill interrupts it, and what has to be true afterwards."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from e2e.client import Refused
from e2e.infra.estate import ENDED, MADE, Estate
from e2e.truth import audit_problems, rows, running_with, until

SECONDS = 150


@dataclass
class Yard:
    """An installation whose processes are killed again and again. `runner` is who carries its jobs out: the `server`
    itself, or the `fabric` runner.
    """

    estate: Estate
    runner: str
    spec: str = ""
    runs: int = 0

    def begin(self) -> None:
        self.spec = self.estate.spec()
        self.estate.applied(self.spec)

    def pinned(self) -> dict[str, str]:
        return {"assigned_worker_id": self.estate.fabric_id} if self.runner == "fabric" else {}

    @property
    def processes(self) -> tuple[str, ...]:
        return ("server",) if self.runner == "server" else ("server", "fabric")

    def cord(self, process: str) -> Path:
        return self.estate.cords[process]

    def revive(self) -> None:
        """Start again what has died."""
        deck, estate = self.estate.deck, self.estate
        if deck.server is not None and deck.server.poll() is not None:
            deck.server = None
        if deck.server is None:
            deck.start(server_faults=estate.cords["server"])
            estate.client.sign_in()
        if estate.fabric is not None and estate.fabric.poll() is not None:
            estate.fabric = None
        if self.runner == "fabric" and estate.fabric is None:
            estate.start_fabric()

    @property
    def work(self) -> Path:
        """Where attempts work."""
        return (self.estate.deck.data if self.runner == "server" else self.estate.home / "fabric") / "infra-work"

    def left(self) -> dict[str, object]:
        """What only work in progress may have there."""
        return {
            "jobs": self.jobs(),
            "processes": running_with(str(self.work)),
            "directories": [one.name for one in self.work.glob("*")],
        }

    def busy(self) -> bool:
        found = self.left()
        return bool(found["jobs"] or found["processes"])

    def jobs(self) -> list[tuple[Any, ...]]:
        ended = "'succeeded', 'failed', 'canceled', 'dead-lettered'"
        return rows(self.estate.deck, f"SELECT id, state FROM jobs WHERE kind = 'infra.run' AND state NOT IN ({ended})")


class Life:
    """A change of a specification: planned, and exactly that applied, whatever dies meanwhile."""

    name = "change"

    def __init__(self, yard: Yard) -> None:
        yard.runs += 1
        self.yard, self.estate, self.key = yard, yard.estate, uuid.uuid4().hex
        self.spec = yard.spec
        self.asked: dict[str, str] = {}
        """Jobs by the word that they were asked for with."""
        self.wanted: list[str] = MADE
        self.prepare()
        self.before = self.estate.versions(self.spec)[0]
        self.others = self.jobs()

    def prepare(self) -> None:
        """Each run has two queues of its own and takes those of the run before away."""
        names = [f"run-{self.yard.runs}", f"run-{self.yard.runs}-b"]
        self.estate.change(self.spec, queues=[{"name": one} for one in names])
        self.wanted = sorted([*MADE, *(f"terraform_data.queue['{one}']" for one in names)])

    def ask(self, word: str, job_type: str, **more: Any) -> str:
        """The same request again makes no second job."""
        if word not in self.asked:
            body = {"job_type": job_type, "configuration_id": self.spec, **more}
            body |= self.yard.pinned()
            headers = {"Idempotency-Key": f"{self.key}-{word}"}
            self.asked[word] = self.estate.ok("POST", "/api/jobs", body, headers=headers)["job"]["id"]
        return self.asked[word]

    def ended(self, word: str) -> dict[str, Any] | None:
        """The job, once it has ended."""
        job = self.estate.job(self.asked[word])
        return job if job["status"] in ENDED else None

    def step(self) -> bool:
        """Go on where it stands; True at the end."""
        self.ask("plan", "PLAN")
        plan = self.ended("plan")
        if plan is None:
            return False
        assert plan["status"] == "SUCCESS", self.told()
        self.ask("deploy", "DEPLOY", plan_job_id=plan["id"])
        return self.ended("deploy") is not None

    def carry(self, step: Callable[[], bool] | None = None) -> None:
        """To the end; raises when there is none."""
        deadline = time.monotonic() + SECONDS
        while True:
            assert time.monotonic() < deadline, f"stuck: {self.told()}"
            try:
                self.yard.revive()
                if (step or self.step)():
                    return
            except httpx.TransportError:
                pass
            except Refused as refused:
                if refused.status < 500:
                    raise
            time.sleep(0.05)

    def settle(self, died: Callable[[], bool]) -> None:
        """Until somebody died, or nothing is left that could."""
        nothing: dict[str, object] = {name: [] for name in self.yard.left()}
        deadline = time.monotonic() + SECONDS
        while not died() and self.yard.left() != nothing:
            assert time.monotonic() < deadline, self.yard.left()
            time.sleep(0.05)

    def told(self) -> str:
        with contextlib.suppress(AssertionError, httpx.HTTPError):
            return "\n".join(f"{word}: {self.estate.told(uid)}" for word, uid in self.asked.items())
        return "nothing can be said of it"

    # Afterwards.

    def finish(self, killed: str | None) -> None:
        """Assert that all is true, whoever was killed."""
        self.carry()
        self.judge(killed)
        self.mend()
        assert sorted(self.estate.resources(self.spec)) == self.wanted, self.told()
        self.check_state()
        self.check_jobs()
        until(lambda: not self.yard.busy(), lambda: (self.yard.left(), self.told()), SECONDS)
        if self.yard.left()["directories"]:  # of an attempt whose Terraform outlived its runner: the next one clears it
            self.estate.done("PLAN", self.yard.spec, **self.yard.pinned())
            until(lambda: not self.yard.busy(), self.yard.left, SECONDS)
        assert self.yard.left()["directories"] == []
        assert audit_problems(self.estate.deck) == []

    @property
    def changer(self) -> str:
        return "deploy"

    def judge(self, killed: str | None) -> None:
        """An apply whose runner was killed may have failed: then it says what may be left. Nothing else fails one."""
        job = self.ended(self.changer)
        assert job is not None
        if job["status"] == "SUCCESS":
            return
        assert job["status"] == "FAILED", self.told()
        assert killed == self.yard.runner, f"a killed {killed} fails no apply: {self.told()}"
        assert job["orphan_risk"] is True, self.told()
        assert job["error_message"]
        assert self.estate.status(self.spec) == "FAILED"

    def mend(self) -> None:
        """What failed is planned again: that says what is still to be done, no more and no less, and can be applied."""
        if self.estate.status(self.spec) == "ACTIVE":
            return
        there = set(self.estate.resources(self.spec))

        def again() -> bool:
            self.ask("again", "PLAN")
            return self.ended("again") is not None

        self.carry(again)
        counted = self.estate.counted(self.asked["again"])
        assert counted["create"] == len(set(self.wanted) - there), (counted, there, self.told())
        assert counted["delete"] == len(there - set(self.wanted)), (counted, there, self.told())

        def applied() -> bool:
            self.ask("mended", "DEPLOY", plan_job_id=self.asked["again"])
            return self.ended("mended") is not None

        self.carry(applied)
        mended = self.ended("mended")
        assert mended is not None
        assert mended["status"] == "SUCCESS", self.told()
        assert self.estate.status(self.spec) == "ACTIVE"

    def check_state(self) -> None:
        """No version was lost, written over, or written by somebody who had nothing that was read."""
        new = [one for one in self.estate.versions(self.spec) if one["number"] > self.before["number"]]
        new.reverse()
        assert [one["number"] for one in new] == list(
            range(self.before["number"] + 1, self.before["number"] + 1 + len(new))
        )
        serials = [self.before["serial"], *(one["serial"] for one in new)]
        assert serials == sorted(set(serials)), new
        assert {one["lineage"] for one in new} <= {self.before["lineage"]}
        assert {one["job_id"] for one in new} <= set(self.writers()), (new, self.told())
        kept = self.estate.kept(self.spec)
        assert kept is not None
        assert kept["lock"] is None, kept

    def writers(self) -> list[str]:
        """Jobs that may have written the state: each a job that applies the one plan which was used up by it."""
        found = [self.asked[word] for word in ("deploy", "mended") if word in self.asked]
        for uid in found:
            plan = self.estate.job(uid)["plan_job_id"]
            by = self.estate.plan(plan)["applied_by"]
            assert by in {uid, None}, (uid, by)
        return found

    def check_jobs(self) -> None:
        """Each request made one job."""
        assert self.jobs() - self.others == set(self.asked.values()), self.told()

    def jobs(self) -> set[str]:
        """The newest jobs of the specification."""
        query = {"surface": "infra", "configuration_id": self.spec, "limit": "100"}
        return {one["id"] for one in self.estate.ok("GET", "/api/jobs", params=query)["jobs"]}


class Destruction(Life):
    """Of everything that a specification has made."""

    name = "destruction"

    def prepare(self) -> None:
        self.spec = self.estate.spec(queues=[{"name": "one"}])
        self.estate.applied(self.spec, **self.yard.pinned())
        self.wanted = []

    @property
    def changer(self) -> str:
        return "destroy"

    def step(self) -> bool:
        self.ask("destroy", "DESTROY")
        return self.ended("destroy") is not None

    def mend(self) -> None:
        if self.estate.status(self.spec) == "DESTROYED":
            return

        def again() -> bool:
            self.ask("again", "DESTROY")
            return self.ended("again") is not None

        self.carry(again)
        assert self.estate.status(self.spec) == "DESTROYED", self.told()

    def writers(self) -> list[str]:
        return list(self.asked.values())


class Cancellation(Life):
    """Somebody cancels the apply as soon as it runs."""

    name = "cancellation"

    def step(self) -> bool:
        self.ask("plan", "PLAN")
        plan = self.ended("plan")
        if plan is None:
            return False
        self.ask("deploy", "DEPLOY", plan_job_id=plan["id"])
        job = self.estate.job(self.asked["deploy"])
        if job["status"] == "PROCESSING":
            with contextlib.suppress(Refused):  # it has ended meanwhile
                self.estate.ok("POST", f"/api/cli/jobs/{job['id']}/cancel", None)
        return self.ended("deploy") is not None

    def judge(self, killed: str | None) -> None:
        job = self.ended("deploy")
        assert job is not None
        if job["status"] != "CANCELLED":
            super().judge(killed)

    def mend(self) -> None:
        """The turn is kept until the runner has told its end, so whatever is asked now comes after it."""
        self.carry(lambda: not self.yard.jobs())
        if sorted(self.estate.resources(self.spec)) != self.wanted and self.estate.status(self.spec) == "ACTIVE":
            self.estate.applied(self.spec, **self.yard.pinned())  # it was cancelled before anything was changed
            self.asked["mended"] = self.estate.newest(self.spec)
            self.asked["again"] = str(self.estate.job(self.asked["mended"])["plan_job_id"])
        super().mend()


WORKS: dict[str, type[Life]] = {one.name: one for one in (Life, Destruction, Cancellation)}


def passed(yard: Yard, process: str) -> list[str]:
    """Points of infrastructure that a process has passed since its trace was emptied."""
    file = yard.cord(process) / "trace"
    found = file.read_text().split() if file.exists() else []
    return [point for point in found if point.startswith(("infra.", "worker."))]
