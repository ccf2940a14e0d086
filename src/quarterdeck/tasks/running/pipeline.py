"""An attempt from its worktree to its delivery: the stages in order, each behind its gate."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from msgspec import structs

from quarterdeck.fleet.terminals.uplink import Uplink
from quarterdeck.kernel.errors import Invalid, Problem
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.jobs import Canceled, Fenced, JobContext
from quarterdeck.tasks.orders import (
    AgentChoice,
    DeliverReport,
    NoteReport,
    Stage,
    StageReport,
    TaskOrder,
    TaskResult,
    WorkspaceReport,
)
from quarterdeck.tasks.running import gates, templates
from quarterdeck.tasks.running.account import account_of
from quarterdeck.tasks.running.agent import Agent, Place
from quarterdeck.tasks.running.calls import HookSocket
from quarterdeck.tasks.running.ears import Ears
from quarterdeck.tasks.running.failures import failed, of_workspace
from quarterdeck.tasks.running.machine import Machine
from quarterdeck.tasks.running.matching import Matching
from quarterdeck.tasks.running.setup import set_up
from quarterdeck.tasks.running.stage import Mail, Tally, Try
from quarterdeck.tasks.running.stopwatch import Stopwatch
from quarterdeck.tasks.running.terminal import Terminal
from quarterdeck.tasks.running.worktrees import Workspaces, Worktree

SUMMARY = 72
"""Characters of the first line of a commit's message."""


class Pipeline:
    """One attempt. `run` answers what was delivered, or raises the `Problem` that ended it; nothing of the attempt runs
    afterwards.
    """

    def __init__(self, machine: Machine, context: JobContext, order: TaskOrder, uplink: Uplink) -> None:
        run = machine.configuration.run
        self._machine, self._context, self._order = machine, context, order
        self._account = account_of(run, machine.directory, order.organization, order.project_key)
        self._workspaces: Workspaces = machine.workspaces(self._account)
        self._ears = Ears(context)
        self._terminal = Terminal(
            context, uplink, self._ears.ring, columns=order.columns, rows=order.rows,
            log_bytes=run.log_bytes,
        )  # fmt: skip
        self._hook = HookSocket(self._account.uid, machine.ids.hex(32), self._ears.hear, prefix=machine.hooks)
        self._tally, self._mail, self._matching = Tally({}), Mail(context), Matching()
        self._agent: Agent | None = None
        self._worktree: Worktree | None = None
        self._sessions: dict[str, str | None] = {order.agent.type: order.agent.resume}
        self._place = self._placed(None)

    async def run(self) -> TaskResult:
        self._machine.records.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            await self._hook.open()
            return await self._run()
        finally:
            await _to_the_end(self._end())

    async def _run(self) -> TaskResult:
        self._agent_for(self._order.agent.type)  # what is missing is said before anything is prepared
        worktree = self._worktree = await self._prepared()
        try:
            self._place = self._placed(worktree)
            self._ears.listen(
                {
                    kind: partial(heard, self._context, self._order, worktree)
                    for kind, heard in self._machine.listeners.items()
                }
            )
            watch = Stopwatch(asyncio.get_running_loop().time)
            await set_up(self._machine, self._order, self._place, self._terminal, self._ears, watch)
            point("task.set-up")
            for index, stage in enumerate(self._order.pipeline):
                if index >= self._order.from_stage:
                    await self._stage(index, stage)
            if self._agent is not None:
                await self._agent.leave()
            point("task.agent.left")
            return await self._delivered(worktree)
        except (Canceled, Fenced):
            raise
        except Problem:
            await self._compared()
            raise
        finally:
            if not self._context.lost:
                await _to_the_end(self._left(worktree))

    async def _prepared(self) -> Worktree:
        point("task.workspace.make")
        try:
            worktree: Worktree = await self._workspaces.prepare(self._order, self._terminal.say)
        except (Canceled, Fenced):
            raise
        except Problem as problem:
            raise of_workspace(problem) from problem
        point("task.workspace.made")
        report = WorkspaceReport(
            path=str(worktree.path),
            branch=worktree.branch,
            base_branch=worktree.base_branch,
            head_commit=worktree.head,
            size=worktree.size,
        )
        await self._context.record("workspace", report)
        point("task.workspace.told")
        return worktree

    def _placed(self, worktree: Worktree | None) -> Place:
        job = self._context.job
        name = f"task-{self._order.task_id}-{job.uid}-{job.fence}"
        return Place(
            worktree=worktree.path if worktree is not None else self._account.home,
            account=self._account,
            run=self._machine.configuration.run,
            record=self._machine.records / f"{name}.json",
            marker=name,
        )

    # Stages.

    async def _stage(self, index: int, stage: Stage) -> None:
        values = {
            "description": self._order.description,
            "branch": self._order.branch,
            "project": self._order.project_key,
        }
        known = templates.expanded(stage.command, values | {"choice": "{choice}", "input": "{input}"})
        gate = gates.before_stage(index, stage, known, self._order.gate_seconds)
        if gate is not None:
            await self._compared(index=index)
            self._terminal.say(f"The stage {stage.name} waits for a person.")
            answer = await gates.answered(self._context, self._ears, gate)
            point("task.gate.answered")
            values |= {"choice": answer.result or "", "input": answer.result or ""}
        command = templates.expanded(stage.command, values)
        for number in range(1, stage.retries + 2):
            try:
                await self._try(index, stage, command, number)
            except (Canceled, Fenced):
                raise
            except Problem as problem:
                await self._failed(index, number, problem)
                if number <= stage.retries and problem.code in AGAIN:
                    self._terminal.say(f"Trying the stage {stage.name} again.", "warn")
                    continue
                if stage.continue_on_error and problem.code in AGAIN:
                    self._terminal.say(f"Going on after the stage {stage.name}, which failed.", "warn")
                    return
                raise
            return

    async def _try(self, index: int, stage: Stage, command: str, number: int) -> None:
        agent = await self._agent_of(stage.agent_type or self._order.agent.type)
        await self._context.record("stage", StageReport(index=index, status="running", number=number))
        point("task.stage.begun")
        self._terminal.say(f"Stage {stage.name} begins.")
        trying = Try(
            index, stage, stage.timeout or self._order.stage_seconds, self._order.gate_seconds, number,
            context=self._context, ears=self._ears, terminal=self._terminal, agent=agent, tally=self._tally,
            mail=self._mail, last=index == len(self._order.pipeline) - 1, nonce=lambda: self._machine.ids.hex(12),
        )  # fmt: skip
        await trying.run(command)
        point("task.stage.done")
        self._terminal.mark()
        self._terminal.say(f"Stage {stage.name} is done.")
        await self._context.record("stage", StageReport(index=index, status="completed", number=number))
        point("task.stage.told")

    async def _failed(self, index: int, number: int, problem: Problem) -> None:
        self._terminal.mark()
        self._terminal.say(problem.message, "error")
        resume = problem.details.get("retryAfterSeconds")
        if resume is not None:
            await self._context.record(
                "note",
                NoteReport(
                    type="error",
                    message=problem.message,
                    level="error",
                    stage=index,
                    data={"code": problem.code, "retryAfterSeconds": resume},
                ),
            )
        await self._context.record(
            "stage",
            StageReport(index=index, status="failed", number=number, message=problem.message, error=problem.code),
        )
        # Whatever it still does belongs to the try that failed.
        await self._terminal.stop(self._machine.configuration.run.stop_seconds)

    async def _agent_of(self, kind: str) -> Agent:
        """The agent for a stage; another one than before takes its place."""
        if self._agent is not None:
            if self._agent.kind == kind:
                return self._agent
            await self._agent.leave()
            self._sessions[self._agent.kind] = self._agent.session
        self._agent = self._agent_for(kind)
        return self._agent

    def _agent_for(self, kind: str) -> Agent:
        own = self._order.agent if kind == self._order.agent.type else AgentChoice(type=kind)
        try:
            adapter = self._machine.configuration.adapter(own)
        except Invalid as wrong:
            hint = wrong.hint or "Mend its description, then retry the task."
            raise failed("agent_missing", wrong.message, hint) from wrong
        return Agent(
            self._machine, self._context, self._order, adapter, self._place, self._terminal, self._ears, self._hook,
            self._matching, self._sessions.get(kind), kind,
        )  # fmt: skip

    # The end.

    async def _delivered(self, worktree: Worktree) -> TaskResult:
        async def may_push(report: DeliverReport) -> None:
            point("task.deliver.ask")
            await self._context.record("deliver", report)
            point("task.deliver.allowed")

        self._ears.check()
        try:
            report = await self._workspaces.deliver(worktree, self._order, self._message(), may_push)
        except (Canceled, Fenced):
            raise
        except Problem as problem:
            raise of_workspace(problem) from problem
        point("task.delivered")
        await self._compared(commit=report.commit)
        await self._context.record("delivered", report)
        point("task.delivered.told")
        return TaskResult(
            branch=report.branch,
            commit=report.commit,
            pushed=report.pushed,
            merge_request_url=report.merge_request_url,
        )

    async def _compared(self, *, commit: str | None = None, index: int | None = None) -> None:
        """Tell what is changed by now. It is for people to look at: where it cannot be had, that is said, no more."""
        if self._worktree is None:
            return
        try:
            report = await self._workspaces.compare(self._worktree, self._order, commit)
            await self._context.record("diff", structs.replace(report, index=index))
        except (Canceled, Fenced):
            raise
        except Problem as problem:
            self._terminal.say(f"What is changed by now cannot be shown: {problem.message}", "warn")

    def _message(self) -> str:
        """The commit's: the description's first line, and all of it below where there is more."""
        text = self._order.description.strip()
        first = text.splitlines()[0] if text else f"Task {self._order.task_id}"
        short = first if len(first) <= SUMMARY else first[: SUMMARY - 1] + "…"
        return short if short == text else f"{short}\n\n{text}"

    async def _left(self, worktree: Worktree) -> None:
        await self._stop()
        await self._workspaces.leave(worktree, self._order)
        point("task.workspace.left")

    async def _stop(self) -> None:
        lost = self._context.lost
        await self._terminal.stop(0.0 if lost else self._machine.configuration.run.stop_seconds)

    async def _end(self) -> None:
        await self._stop()
        await self._terminal.close()
        await self._hook.close()
        await self._matching.close()
        await self._ears.close()


async def run_task(machine: Machine, context: JobContext, order: TaskOrder) -> TaskResult:
    """Run one attempt."""
    return await Pipeline(machine, context, order, await machine.uplink(context, order)).run()


AGAIN = frozenset({"stage_timeout", "agent_exited"})
"""What another try of a stage may mend."""


async def _to_the_end(work: Any) -> None:
    """Carry `work` out whoever interrupts: nothing of an attempt may outlive it."""
    task = asyncio.ensure_future(work)
    interrupted = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done():
                break
            interrupted = True
    task.result()
    if interrupted:
        raise asyncio.CancelledError
