"""Waiting for a person (contract: tasks §3.2). The server keeps the gate, its time, and whose answer came first."""

from __future__ import annotations

import asyncio

import msgspec

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.jobs import JobContext
from quarterdeck.tasks.orders import GateAnswer, GateReport, Stage
from quarterdeck.tasks.running.ears import ASK_AGAIN, Ears
from quarterdeck.tasks.running.failures import failed

LONGEST_PROMPT = 500


def before_stage(index: int, stage: Stage, command: str, seconds: int) -> GateReport | None:
    """What a stage waits for before its command is typed. `command` is what is known of that by now."""
    kind = stage.gate
    if kind is None:
        return None
    prompt = {
        "confirm": f"Shall the stage {stage.name} begin?",
        "choice": f"Choose how the stage {stage.name} goes on.",
        "input": f"The stage {stage.name} needs your words.",
    }[kind]
    return GateReport(
        index=index,
        kind=kind,
        prompt=f"{prompt} It types: {command}"[:LONGEST_PROMPT],
        choices=stage.choices,
        seconds=stage.confirm_timeout or seconds,
        on_timeout=stage.on_timeout,
        fallback=stage.fallback_result,
    )


class Gate:
    """One gate that is open: `open` it, then `look` whenever something happened, until it answers."""

    def __init__(self, context: JobContext, ears: Ears, report: GateReport) -> None:
        self._context, self._ears, self._report = context, ears, report
        self._asked_at = 0.0
        self._again = ASK_AGAIN

    async def open(self) -> GateAnswer | None:
        return await self._ask("gate")

    async def look(self) -> GateAnswer | None:
        """The answer, if there is one by now; asks where the server said so, or the last asking is a while ago."""
        if self._ears.gate_told or self.patience <= 0:
            return await self._ask("gate-check")
        return None

    @property
    def patience(self) -> float:
        """Seconds until it is to be asked again."""
        return self._asked_at + self._again - asyncio.get_running_loop().time()

    async def _ask(self, kind: str) -> GateAnswer | None:
        self._ears.gate_told = False
        reply = await self._context.record(kind, self._report)
        point(f"task.{kind}.told")
        self._asked_at = asyncio.get_running_loop().time()
        answer = msgspec.convert(reply, GateAnswer)
        if answer.state in ("rejected", "timeout"):
            raise self._refused(answer)
        return None if answer.state == "open" else answer

    def _refused(self, answer: GateAnswer) -> Problem:
        if answer.state == "rejected":
            who = f" by {answer.by}" if answer.by else ""
            return failed("rejected", f"The task was rejected{who}.", "Change the task and begin it again.")
        return failed(
            "gate_timeout",
            f"Nobody answered in {self._report.seconds} seconds: {self._report.prompt.splitlines()[0]}",
            "Retry the task from this stage when somebody can answer.",
        )


async def answered(context: JobContext, ears: Ears, report: GateReport) -> GateAnswer:
    """Wait for the answer. Raises `rejected` or `gate_timeout`."""
    gate = Gate(context, ears, report)
    answer = await gate.open()
    while answer is None:
        await ears.wait(gate.patience)
        answer = await gate.look()
    return answer
