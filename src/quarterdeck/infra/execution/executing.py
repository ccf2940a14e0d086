"""One infrastructure job from door to door. Whatever is applied is exactly one saved plan."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from quarterdeck.infra.execution import (
    commands,
    costing,
    failures,
    installing,
    modules,
    planning,
    rendering,
    reviewing,
    versions,
)
from quarterdeck.infra.execution.artefacts import LARGEST, Store, digest, is_job, too_large
from quarterdeck.infra.execution.cloud_registry import providers
from quarterdeck.infra.execution.commands import Command, Layout
from quarterdeck.infra.execution.lasting import Keeping
from quarterdeck.infra.execution.machine import RESCUED, Attempt, Machine, attempt, note_module
from quarterdeck.infra.execution.orders import CLOUD_JOBS, RUNNER_JOBS, SPEC_JOBS, InfraOrder, SavedPlan
from quarterdeck.infra.execution.outputs import cluster_of, redacted
from quarterdeck.infra.execution.planning import Planned
from quarterdeck.infra.execution.reporting import Reporter
from quarterdeck.infra.execution.running import Ran, Running
from quarterdeck.kernel import trees
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.jobs import JobContext
from quarterdeck.kernel.redaction import sensitive

LARGEST_SHOWN = 128 << 20
"""Bytes of a plan as JSON."""
LARGEST_OUTPUT = 4 << 20
PUSHES = (0.0, 2.0, 5.0, 10.0)
"""Seconds before each time that a state which its place did not take is written again."""
ENDING_SECONDS = 20.0
"""A state that its place did not take may have to be written again once terraform has ended; the rest is told."""
LOCK_LOST = "state_lock_lost"
"""How the server says for good that an attempt whose lock was taken away has none."""
DESTROYING = frozenset({"DESTROY", "DESTROY_WORKER"})


async def execute(context: JobContext, order: InfraOrder, machine: Machine) -> dict[str, Any]:
    """Carry the order out and answer in short what came of it. Raises a `Problem` for all that went wrong."""
    check(order, machine)
    context.stop_seconds = order.grace_seconds + ENDING_SECONDS
    federated = order.cloud.subject_token if order.cloud is not None else ""
    reporter = Reporter(context, filter(None, (order.place.password, order.module.token, federated)))
    if order.job_type in CLOUD_JOBS:
        return await _looked(order, reporter)
    async with attempt(machine, order.job) as place, _credentials(order, reporter, place) as cloud:
        running = Running(reporter, order.seconds, order.grace_seconds, place.lock)
        job = await _prepared(order, machine, place, running, cloud)
        if order.job_type == "PLAN" or order.read_only:
            return await job.plan_alone()
        return await job.carry_out()


def check(order: InfraOrder, machine: Machine) -> None:
    """Raises `Invalid` (`infra_order_invalid`, `infra_needs_runner`)."""
    if order.job_type not in SPEC_JOBS | RUNNER_JOBS | CLOUD_JOBS or not is_job(order.job):
        raise Invalid(
            f"This runner knows no infrastructure job of the type {order.job_type[:40]}.",
            code="infra_order_invalid",
            hint="Update the runner to the release of the server.",
        )
    if machine.own and order.module.kind == "git" and order.job_type not in CLOUD_JOBS:
        raise failures.not_for_own("modules of repositories")
    if machine.own and order.cloud is not None and not order.cloud.own:
        raise failures.not_for_own("identities of clouds")


@contextlib.asynccontextmanager
async def _credentials(
    order: InfraOrder, reporter: Reporter, place: Attempt | None = None
) -> AsyncIterator[Mapping[str, str]]:
    """Variables for the provider while the block runs; none where the order names no cloud. What has to last as long as
    the job is kept in its `place`.
    """
    if order.cloud is None:
        yield {}
        return
    provider = providers.get(order.cloud.provider)
    point("infra.credentials.take")
    keeping = Keeping(place.root / "identity", reporter.keep_secret) if place is not None else None
    async with provider.credentials(order.cloud, keeping=keeping) as variables:
        point("infra.credentials.taken")
        reporter.keep_secret(value for name, value in variables.items() if sensitive(name))
        yield variables


async def _looked(order: InfraOrder, reporter: Reporter) -> dict[str, Any]:
    """Whether an identity is good, and what its cloud has."""
    name = order.cloud.provider if order.cloud else ""
    provider = providers.get(name)
    await reporter.begin("discover", f"Taking up the identity at {name}.")
    resources: dict[str, Any] = {}
    async with _credentials(order, reporter):
        try:
            async with asyncio.timeout(order.seconds):
                resources = await provider.discover(order)
        except Problem as problem:
            # The identity was good, and that is all that a test of the connection asks.
            if order.job_type == "FETCH_RESOURCES":
                raise
            reporter.say(f"What {name} has could not be listed: {problem.message}", level="warn")
        except TimeoutError:
            raise failures.timed_out("discover", order.seconds, orphans=False) from None
    await reporter.record("resources", {"provider": name, "resources": resources})
    return {"connected": True, "resources": sorted(resources)}


async def _prepared(
    order: InfraOrder, machine: Machine, place: Attempt, running: Running, cloud: Mapping[str, str]
) -> Job:
    reporter = running.reporter
    await reporter.begin("prepare", "Preparing the module and its variables.")
    module = await modules.lay_out(order.module, place.root, running, machine.environment)
    layout = place.layout(module)
    note_module(place.root, module)
    snapshot = order.snapshot
    if order.module.kind == "git":
        values = rendering.for_module(module, snapshot, order.cloud)
    elif order.job_type in RUNNER_JOBS:
        values = rendering.runner_variables(snapshot)
        reporter.keep_secret([str(values.get("worker_token", ""))])
    else:
        values = rendering.variables(snapshot, order.cloud)
    try:
        rendering.write_new(layout.variables, json.dumps(values).encode())
    except OSError as error:
        raise failures.of_file(error, "the variables") from None
    server = machine.server()
    settings, only = host_settings(machine.environment), None
    if machine.own:
        only = installing.allowed(modules.template_files(order.module.name))
        settings = installing.configure(layout, only, settings)
    env = commands.environment(layout, server, order.place, settings, cloud)
    program = await find_program(str(snapshot.get("terraform_version") or ""), layout, env, running)
    reporter.say(f"Using {program.name} {program.version} ({program.path}).")
    return Job(order, machine, layout, running, Store(server, order.place, reporter), env, program, only)


def host_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What the host's administrator configured for terraform, as variables: the file in the home directory counts
    where no other one is named, since terraform has another home here.
    """
    from pathlib import Path

    given = dict(environment)
    named = given.pop("TF_CLI_CONFIG_FILE", "")
    home = Path(given.get("HOME") or "/nonexistent")
    for place in (Path(named),) if named else (home / ".tofurc", home / ".terraformrc"):
        if place.is_file():
            given["TF_CLI_CONFIG_FILE"] = str(place)
            break
    return given


async def find_program(text: str, layout: Layout, env: commands.Environment, running: Running) -> versions.Program:
    """The program that is run, of those that the PATH finds. Raises what `versions.wanted` and `choose` raise."""
    rule = versions.wanted(text)
    present = []
    names: tuple[versions.Name, ...] = ("tofu", "terraform")
    for name in names:
        path = shutil.which(name, path=str(env.get("PATH", "")))
        if path is None:
            continue
        ran = await running.run(
            Command(commands.version(path), env, layout.home), "version", capture=100_000, quiet=True
        )  # fmt: skip
        with contextlib.suppress(ValueError, KeyError, TypeError):
            present.append(versions.Program(name, path, str(json.loads(ran.output)["terraform_version"])))
    return versions.choose(rule, present)


@dataclass
class Job:
    """A prepared job: its module lies there, its variables are written, its program is known. `providers` are the only
    ones that may be installed, None where that is the host's own affair.
    """

    order: InfraOrder
    machine: Machine
    layout: Layout
    running: Running
    store: Store
    env: commands.Environment
    program: versions.Program
    providers: frozenset[str] | None = None

    @property
    def reporter(self) -> Reporter:
        return self.running.reporter

    async def plan_alone(self) -> dict[str, Any]:
        await self._init(locked=False)
        planned, report = await self._planned()
        if not self.order.read_only:
            await self.reporter.begin("upload", "Keeping the saved plan at the server.")
            await self.store.upload(self.layout.plan, report["size"])
            report["uploaded"] = True
        await self.reporter.record("plan", report)
        return {"plan": planned.summary, "drifted": report["drifted"], "sha256": report["sha256"]}

    async def carry_out(self) -> dict[str, Any]:
        saved = self.order.plan
        if saved is not None:
            await self.reporter.begin("download", "Fetching the plan that was read.")
            await self.store.download(saved, self.layout.plan)
            await self._take_lock_file()
        await self._init(locked=saved is not None)
        if saved is not None:
            planned = await self._reviewed(saved)
        else:
            planned, report = await self._planned()
            await self.reporter.record("plan", report)
        await self._apply(planned)
        applied = await self._outputs(planned)
        await self.reporter.record_if_heard("applied", applied)
        return {"applied": planned.summary, "state": _short(applied["state"]), "outputs": sorted(applied["outputs"])}

    # Steps.

    async def _reviewed(self, saved: SavedPlan) -> Planned:
        """What the plan that was fetched says, which is what people read. Raises `Conflict` (`plan_differs`)."""
        layout = self.layout
        await asyncio.to_thread(reviewing.require_ours, layout.plan, layout.module, layout.data)
        planned = await self._shown()
        content = await asyncio.to_thread(layout.shown.read_bytes)
        await asyncio.to_thread(reviewing.require_read, content, saved.reviewed)
        return planned

    async def _take_lock_file(self) -> None:
        """The providers of the plan, and no newer ones."""
        content = await asyncio.to_thread(planning.lock_file, self.layout.plan)
        if content is not None:
            try:
                rendering.write_new(self.layout.module / ".terraform.lock.hcl", content)
            except OSError as error:
                raise failures.of_file(error, "the lock file of the plan") from None

    async def _init(self, *, locked: bool) -> None:
        await self.reporter.begin("init", "Initializing the module.")
        if self.providers is not None:
            installing.require(await self.store.whole_state(), self.providers)
        self._require(await self._run(commands.init(self.program.path, locked=locked), "init"), "init")
        if self.providers is not None:
            installing.require_installed(self.layout, self.providers)
        if not self._is_ours():
            raise failures.backend_overridden("after init")

    def _is_ours(self) -> bool:
        content = trees.beginning(self.layout.data / "terraform.tfstate", 1 << 20) or b"{}"
        try:
            backend = json.loads(content)["backend"]
            given = {key for key, value in backend["config"].items() if value is not None}
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        return backend["type"] == "http" and not given

    async def _planned(self) -> tuple[Planned, dict[str, Any]]:
        order, destroy = self.order, self.order.job_type in DESTROYING and not self.order.read_only
        what = "Planning what is destroyed." if destroy else "Looking for drift." if order.read_only else "Planning."
        await self.reporter.begin("plan", what)
        argv = commands.plan(self.program.path, self.layout, destroy=destroy)
        self._require(await self._run(argv, "plan"), "plan", well=(0, commands.PLAN_CHANGES))
        planned = await self._shown()
        sha256, size = await digest(self.layout.plan)
        if size > LARGEST and not order.read_only:
            raise too_large(size)
        basis = await asyncio.to_thread(planning.basis, self.layout.plan)
        report = {
            "summary": planned.summary,
            "changes": planned.changes,
            "drift": planned.drift,
            "truncated": planned.truncated,
            "drifted": planned.summary["drifted"],
            "sha256": sha256,
            "size": size,
            "serial": basis.serial,
            "lineage": basis.lineage,
            "uploaded": False,
            "destroy": destroy,
            "program": self.program.name,
            "version": self.program.version,
        }
        if not order.read_only and not destroy:
            cost = await costing.estimate(self.running, self.layout, self.machine.environment)
            if cost is not None:
                report["cost"] = cost
        return planned, report

    async def _shown(self) -> Planned:
        """What the saved plan says, without a secret; from here on none of those is logged."""
        ran = await self._run(commands.show(self.program.path, self.layout), "show", capture=LARGEST_SHOWN)
        self._require(ran, "plan")
        if ran.cut:
            raise Invalid(
                f"The plan has more than {LARGEST_SHOWN >> 20} MB as text.",
                code="infra_plan_too_large",
                hint="Split the specification.",
            )
        planned = await asyncio.to_thread(planning.read, ran.output)
        self.reporter.keep_secret(planned.secrets)
        try:
            await asyncio.to_thread(rendering.write_new, self.layout.shown, ran.output)
        except OSError as error:
            raise failures.of_file(error, "the plan as JSON") from None
        return planned

    async def _apply(self, planned: Planned) -> None:
        counts = planned.summary
        told = ", ".join(f"{counts[word]} to {word}" for word in ("create", "update", "replace", "delete"))
        await self.reporter.begin("apply", f"Applying the saved plan: {told}.")
        ran = await self._run(commands.apply(self.program.path, self.layout), "apply")
        lost = await self._rescue()
        if ran.code == 0 and not lost:
            return
        stopped = ran.why is not None or ran.code < 0 or lost
        point("infra.apply.stopped")
        state = await self.store.state() if not self.reporter.is_lost() else None
        facts = {
            "phase": "apply",
            "reason": ran.why or ("state-lost" if lost else "killed" if ran.code < 0 else "failed"),
            "orphan_risk": stopped,
            "state": state,
        }
        if stopped:
            self.reporter.say(f"Something may have been made that no state knows. {_told(state)}", level="error")
        await self.reporter.record_if_heard("stopped", facts)
        if lost:
            raise failures.state_lost(self._kept)
        self._require(ran, "apply", orphans=stopped)

    async def _rescue(self) -> bool:
        """Write the state that terraform could not write where it belongs. Answers whether it is lost to its place:
        it is kept on this machine then.
        """
        if self.reporter.is_lost() or not self.layout.left_state.exists():
            return False
        for pause in PUSHES:
            self.reporter.say(f"The state could not be written: writing it again in {pause:g} s.", level="warn")
            await asyncio.sleep(pause)
            argv = commands.push(self.program.path, self.layout)
            command = Command(argv, self.env, self.layout.module)
            ran = await self.running.run(command, "push", firm=True)
            if ran.code == 0:
                await asyncio.to_thread(self.layout.left_state.unlink, missing_ok=True)
                return False
            if LOCK_LOST in ran.said:  # somebody has decided that this attempt writes no more
                self.reporter.say("The lock of the state was taken away: it is not written again.", level="error")
                break
            if self.reporter.is_lost():
                return True
        facts = await asyncio.to_thread(_facts, trees.beginning(self.layout.left_state, LARGEST) or b"")
        self.reporter.say(f"The state stays on the runner, in {self._kept} of its data directory.", level="error")
        await self.reporter.record_if_heard("state-lost", {**facts, "kept": self._kept})
        return True

    @property
    def _kept(self) -> str:
        return f"{RESCUED}/{self.order.job}.tfstate"

    async def _outputs(self, planned: Planned) -> dict[str, Any]:
        """What the apply made. Everything is done by now: what cannot be read is left out."""
        outputs: dict[str, Any] = {}
        self.reporter.phase = "output"
        if not self.reporter.context.canceled.is_set():
            ran = await self._run(commands.output(self.program.path), "output", capture=LARGEST_OUTPUT)
            if ran.code == 0 and not ran.cut:
                outputs = redacted(ran.output, planned.secrets)
            else:
                self.reporter.say("The outputs could not be read.", level="warn")
        return {
            "outputs": outputs,
            "cluster": cluster_of(outputs),
            "state": await self.store.state(),
            "summary": planned.summary,
        }

    # Running.

    async def _run(self, argv: tuple[str, ...], what: str, capture: int | None = None) -> Ran:
        return await self.running.run(Command(argv, self.env, self.layout.module), what, capture=capture)

    def _require(self, ran: Ran, phase: str, *, well: tuple[int, ...] = (0,), orphans: bool = False) -> None:
        """Raises the problem of a run that did not end well."""
        if self.reporter.is_lost():
            raise failures.interrupted(phase, orphans=orphans)
        if ran.why == "time":
            raise failures.timed_out(phase, self.order.seconds, orphans=orphans)
        if ran.why is not None:
            raise failures.interrupted(phase, orphans=orphans)
        if ran.code < 0:
            raise failures.killed(phase, self.program.name, -ran.code, orphans=orphans)
        if ran.code not in well or orphans:
            raise failures.explain(phase, self.program.name, ran.said, self.reporter.hide)


def _facts(content: bytes) -> dict[str, Any]:
    from quarterdeck.infra.execution.artefacts import facts_of_state

    facts = facts_of_state(content) or {"serial": 0, "lineage": "", "addresses": []}
    return {"serial": facts["serial"], "lineage": facts["lineage"], "resources": facts["addresses"]}


def _short(state: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if state is None else {key: state[key] for key in ("serial", "lineage", "resources")}


def _told(state: dict[str, Any] | None) -> str:
    if state is None:
        return "The state cannot be read now."
    if not state["exists"]:
        return "There is no state yet."
    return f"The state (serial {state['serial']}) knows {state['resources']} resources."
