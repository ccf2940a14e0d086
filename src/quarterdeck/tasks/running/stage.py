"""One try of a stage: its command is typed, and what ends it is waited for (contract: tasks §3.3).

What ends it is the agent's own hook, a marker with this try's nonce, or a clean exit of a program that runs once; never
a screen that is still.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.jobs import JobContext
from quarterdeck.tasks.orders import (
    MOST_DOLLARS,
    MOST_TOKENS,
    FollowUp,
    GateReport,
    MessagesAnswer,
    Stage,
    StageReport,
    UsageAnswer,
    UsageReport,
)
from quarterdeck.tasks.running.agent import Agent
from quarterdeck.tasks.running.calls import Call, Used
from quarterdeck.tasks.running.ears import ASK_AGAIN, Ears
from quarterdeck.tasks.running.failures import STAGE_FAILED, failed
from quarterdeck.tasks.running.gates import Gate
from quarterdeck.tasks.running.markers import Marker, Verdict, bare, cleaned
from quarterdeck.tasks.running.stopwatch import Stopwatch
from quarterdeck.tasks.running.terminal import Terminal

LONGEST_QUESTION = 500
MOST_SESSIONS = 200
"""Of one attempt, whose figures are kept apart."""
HELD, ASKED, TYPING = "held", "asked", "typing"


@dataclass
class Tally:
    """What the sessions of an attempt have used; each tells all of its own."""

    of: dict[str, Used]

    def take(self, session: str, used: Used) -> bool:
        """Whether that is news. What was used is never given back, and there are only so many sessions."""
        before = self.of.get(session)
        if before is None and len(self.of) >= MOST_SESSIONS:
            return False
        before = before or Used()
        costs = [one for one in (before.cost_usd, used.cost_usd) if one is not None]
        most = Used(
            input_tokens=max(before.input_tokens, used.input_tokens),
            output_tokens=max(before.output_tokens, used.output_tokens),
            cost_usd=max(costs) if costs else None,
        )
        news = self.of.get(session) != most
        self.of[session] = most
        return news

    def report(self, session: str) -> UsageReport:
        used = self.of[session]
        return UsageReport(
            session=session or None,
            input_tokens=min(used.input_tokens, MOST_TOKENS),
            output_tokens=min(used.output_tokens, MOST_TOKENS),
            cost_usd=None if used.cost_usd is None else min(used.cost_usd, MOST_DOLLARS),
        )


def _count(line: str, text: str) -> int:
    return sum(bare(one) == line.strip() for one in text.splitlines())


class Mail:
    """Follow-ups of people: each is typed once in an attempt."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._after = 0
        self._asked_at = 0.0

    @property
    def patience(self) -> float:
        """Seconds until it is to be asked again, whether a word of a message came or not."""
        return self._asked_at + ASK_AGAIN - asyncio.get_running_loop().time()

    async def new(self, *, last: bool = False) -> tuple[FollowUp, ...]:
        """`last`: where there are none, nothing is asked any more, and the server takes none."""
        reply = await self._context.record("messages", {"after": self._after, "last": last})
        self._asked_at = asyncio.get_running_loop().time()
        found = msgspec.convert(reply or {}, MessagesAnswer).messages
        self._after = max((one.id for one in found), default=self._after)
        return found

    async def all(self) -> tuple[FollowUp, ...]:
        """Whatever there is, for a program that hears nothing while it runs; the server takes no more."""
        found: tuple[FollowUp, ...] = ()
        while more := await self.new(last=True):
            found += more
        return found


def written(messages: tuple[FollowUp, ...]) -> str:
    return "\n\n".join(f"Message from {one.by}: {one.text}" for one in messages)


class Try:
    """`run` returns when the stage is done. Raises the `Problem` that ended it. `last`: no stage comes after it."""

    def __init__(
        self,
        index: int,
        stage: Stage,
        seconds: int,
        gate_seconds: int,
        number: int,
        *,
        context: JobContext,
        ears: Ears,
        terminal: Terminal,
        agent: Agent,
        tally: Tally,
        mail: Mail,
        last: bool,
        nonce: Callable[[], str],
    ) -> None:
        self._index, self._stage, self._seconds, self._gate_seconds = index, stage, seconds, gate_seconds
        self._number = number
        self._context, self._ears, self._terminal, self._agent = context, ears, terminal, agent
        self._tally, self._mail, self._last, self._nonce = tally, mail, last, nonce
        self._marker = Marker("")
        self._verdict: Verdict | None = None
        self._turn_ended = False
        self._literal: str | None = None
        self._literal_before = 0
        self._gate: Gate | None = None
        self._question: str | None = None
        self._answered: str | None = None
        self._taken = False
        self._watch = Stopwatch(asyncio.get_running_loop().time)

    async def run(self, command: str) -> None:
        self._terminal.watch = self._see
        try:
            once = self._agent.adapter.one_shot
            waiting = await (self._mail.all() if once and self._last else self._mail.new())
            await self._ask("\n\n".join([command, written(waiting)] if waiting else [command]))
            while True:
                await self._until_done()
                messages = () if once else await self._mail.new(last=self._last)
                if not messages:
                    return
                await self._ask(written(messages))
        finally:
            self._terminal.watch = None

    async def _ask(self, text: str) -> None:
        """Type what is to be done, with a marker that nobody has seen before."""
        agent = self._agent
        self._marker = Marker(self._nonce())
        prompt = f"{text}\n\n{self._marker.instruction}"
        self._watch.hold(TYPING)
        if not agent.adapter.one_shot:
            await agent.ensure()
        await self._let_go()
        self._verdict, self._turn_ended = None, False
        self._ears.calls.clear()
        self._terminal.mark()
        wanted = self._stage.marker
        # One that stands in what is typed would be taken from its echo.
        self._literal = None if wanted is None or _count(wanted, prompt) else wanted.strip()
        self._literal_before = 0 if self._literal is None else _count(self._literal, "\n".join(self._terminal.lines()))
        if agent.adapter.one_shot:
            await agent.once(prompt)
        else:
            await agent.type(prompt)
        self._watch.release(TYPING)

    async def _let_go(self) -> None:
        """While a person holds the terminal nothing is typed."""
        while self._terminal.held:
            self._watch.hold(HELD)
            await self._ears.wait(None)
        self._watch.release(HELD)

    # What is seen and heard.

    def _see(self, text: str) -> None:
        found = self._marker.find(text)
        if found is None and self._literal is not None and _count(self._literal, text) > self._literal_before:
            found = Verdict(True)
        if found is not None and (self._verdict is None or self._verdict.done):
            self._verdict = found

    async def _hear(self, call: Call) -> None:
        await self._agent.knows(call.session)
        if call.usage is not None:
            await self._count(call.session or self._agent.session or "", call.usage)
        if call.event == "turn-ended":
            self._see(call.text)
            self._turn_ended = True
        elif call.event == "prompt":
            self._turn_ended = False
        elif call.asks and self._gate is None:
            await self._open_gate(cleaned(call.text) or "The agent asks for permission.")

    async def _count(self, session: str, used: Used) -> None:
        if not self._tally.take(session, used):
            return
        reply = await self._context.record("usage", self._tally.report(session))
        if reply is not None and msgspec.convert(reply, UsageAnswer).spent:
            raise failed(
                "budget_spent",
                "The task has spent its budget.",
                "Give it a larger budget and retry it, or make another task for the rest.",
            )

    async def _until_done(self) -> None:
        while True:
            while self._ears.calls:
                await self._hear(self._ears.calls.popleft())
            await self._hold_for_people()
            if self._done():
                return
            exited = not self._terminal.running
            if exited and await self._exited():
                return
            if not self._terminal.held:
                await self._agent.look()
                await self._questions()
                await self._messages()
            left = self._seconds - self._watch.seconds
            if left <= 0 and not self._watch.held:
                raise failed(
                    "stage_timeout",
                    f"The stage {self._stage.name} was not done in {self._seconds} seconds.",
                    "Give it a longer `timeout`, or retry the task from this stage.",
                )
            await self._ears.wait(self._patience(left))

    def _patience(self, left: float) -> float:
        waits = [ASK_AGAIN]
        if self._hears and not self._terminal.held:
            waits.append(max(self._mail.patience, 0.01))
        if not self._watch.held:
            waits.append(max(left, 0.01))
        if self._gate is not None and not self._terminal.held:
            waits.append(max(self._gate.patience, 0.01))
        if self._agent.uneasy and not self._terminal.held:
            waits.append(0.1)
        return min(waits)

    async def _hold_for_people(self) -> None:
        if self._terminal.held:
            self._watch.hold(HELD)
            self._taken = True
            return
        self._watch.release(HELD)
        if self._taken and self._gate is not None:
            # Who had the terminal has seen the question, and dealt with it there.
            self._gate, self._answered = None, self._question
            self._watch.release(ASKED)
            told = "The question was dealt with at the terminal."
            await self._context.record(
                "stage", StageReport(index=self._index, status="running", number=self._number, message=told)
            )
        self._taken = False

    def _done(self) -> bool:
        if self._verdict is not None and not self._verdict.done:
            raise self._failed(self._verdict.reason)
        if self._verdict is not None:
            return True
        # The turns of a person who holds the terminal are their own; the last one counts once they let go.
        return self._turn_ended and not self._terminal.held

    def _failed(self, reason: str) -> Problem:
        told = f": {reason}" if reason else "."
        return failed(
            STAGE_FAILED,
            f"The agent says that the stage {self._stage.name} failed{told}",
            "Look at its terminal; send a message or change the description, then retry the task from this stage.",
        )

    async def _exited(self) -> bool:
        """The program has ended: whether that is the end of the stage. Raises what it is otherwise."""
        status = self._terminal.status if self._terminal.program is not None else self._terminal.last
        await self._terminal.finish()  # its last output is looked at before it is judged
        while self._ears.calls:
            await self._hear(self._ears.calls.popleft())
        if self._done() or (self._agent.adapter.one_shot and status == 0):
            return True
        raise await self._agent.explain(f"in the stage {self._stage.name}")

    # Questions and messages.

    async def _questions(self) -> None:
        if self._gate is None:
            line = bare(self._terminal.line)
            if line == self._answered or not line or not await self._agent.asks(line):
                return
            self._answered = None
            await self._open_gate(line)
            return
        answer = await self._gate.look()
        if answer is not None:
            await self._answer(answer.result)

    async def _open_gate(self, prompt: str) -> None:
        self._watch.hold(ASKED)
        self._question = bare(self._terminal.line)
        report = GateReport(
            index=self._index, kind="input", prompt=prompt[:LONGEST_QUESTION], seconds=self._gate_seconds
        )
        self._gate = Gate(self._context, self._ears, report)
        answer = await self._gate.open()
        if answer is not None:
            await self._answer(answer.result)

    async def _answer(self, result: str | None) -> None:
        self._gate, self._answered = None, self._question
        await self._let_go()
        await self._agent.type(result or "")
        self._watch.release(ASKED)

    @property
    def _hears(self) -> bool:
        """Whether something can be said to the agent now."""
        return self._gate is None and not self._agent.adapter.one_shot

    async def _messages(self) -> None:
        if not self._hears or (not self._ears.message_told and self._mail.patience > 0):
            return
        self._ears.message_told = False
        messages = await self._mail.new()
        if messages:
            self._turn_ended = False
            await self._agent.type(written(messages))
