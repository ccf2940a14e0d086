"""Making a server's engine usable as a job: the worker's side.

What is done is what somebody has consented to: the plan is made anew from what is seen, and a step of it that is not
among those is refused. So a repeat after a cut leaves out what is done and goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.engines import packages
from quarterdeck.fleet.engines.planning import planned
from quarterdeck.fleet.engines.running import Running
from quarterdeck.fleet.engines.seeing import look
from quarterdeck.fleet.engines.values import Seen, Step
from quarterdeck.fleet.targets.engines import by_command
from quarterdeck.fleet.targets.login import LoginOrder
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.kernel.errors import Conflict, Problem, ProviderFailure
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.jobs.handlers import JobContext

INSTALL = "server.install-engine"
PHASE = "engine"
CUT = "ssh_connection_lost"
AWAY = frozenset({CUT, "ssh_unreachable", "ssh_handshake_failed"})
MOST_CUTS = 20
MOST_AWAY_SECONDS = 300.0
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
ANSWER_TRIES, ANSWER_PAUSE = 60, 0.5


class EngineOrder(msgspec.Struct, frozen=True):
    """`steps` are the argv lists that were consented to; `instance` is the name of this installation."""

    ssh: LoginOrder
    instance: str
    steps: list[list[str]]


class EngineReady(msgspec.Struct, frozen=True):
    """What stands there now; the host key of a server that none was known of."""

    version: str
    origin: str
    fingerprint: str | None = None
    algorithm: str | None = None


async def install(context: JobContext, order: EngineOrder, *, edges: Edges) -> EngineReady:
    """Do what is missing. May be repeated; a connection that is cut is waited for, five minutes at most."""
    cuts, tries, away, running, renewed = 0, 0, 0.0, None, False
    while True:
        try:
            async with edges.over(order.ssh.login()) as remote:
                tries, away = 0, 0.0
                await remote.enter(order.instance)
                running = running or _running(context, remote)
                running.host = remote.host
                found = await _here(context, order, remote, running)
                if found is not None:
                    return found
                if renewed:
                    raise ProviderFailure(
                        f"{remote.host.login.username} may still not use the engine.",
                        code="engine_install_failed",
                        hint="See which group the socket of the engine belongs to there, and give it to the account.",
                    )
                # The account's groups are those of the sign-in: what was just granted counts from the next one on.
                await remote.host.close()
                renewed = True
        except Problem as problem:
            cuts += problem.code == CUT
            waits = problem.code == CUT if not tries else problem.code in AWAY
            if not waits or cuts > MOST_CUTS or away >= MOST_AWAY_SECONDS:
                raise
            if not tries:
                _say(context, ["The connection was cut. What was begun goes on there; it is waited for."], "warn")
            pause = PAUSES[min(tries, len(PAUSES) - 1)]
            tries, away = tries + 1, away + pause
            await context.sleep(pause)


async def _here(context: JobContext, order: EngineOrder, remote: Remote, running: Running) -> EngineReady | None:
    """None when the rest needs a new sign-in."""
    await running.ended()  # what was begun before a cut
    seen = await look(remote.host)
    plan = planned(seen, order.instance)
    if seen.state == "ready":
        await running.clear()
        return _ready(remote, seen)
    if plan.refusal is not None:
        raise plan.refusal
    wanted = [step for step in plan.steps if list(step.argv) not in order.steps]
    if wanted:
        raise Conflict(
            f"Something else is needed there now than was agreed to: {wanted[0].title}.",
            code="engine_plan_changed",
            hint=f"Look at the new plan, and agree to that one: {by_command(remote.host)}",
        )
    for step in plan.steps:
        await _take(context, remote, running, step, seen)
    if plan.steps and plan.steps[-1].argv == (*seen.system.rooted, *packages.admit(seen.system)):
        return None
    seen = await _answering(context, remote)
    await running.clear()
    return _ready(remote, seen)


async def _take(context: JobContext, remote: Remote, running: Running, step: Step, seen: Seen) -> None:
    _say(context, [f"{step.title}: {step.line}" if "\n" not in step.line else step.title])
    point("engine.step")
    status = await running.run(step.argv)
    point("engine.stepped")
    if status == 0:
        return
    if seen.state == "absent" and (await look(remote.host)).state == "absent":
        # Whoever installs one by hand now shall not find it marked as ours.
        await remote.host.run([*seen.system.rooted, "rm", "-f", packages.MARK])
    raise ProviderFailure(
        f"{step.title}: the command ended with {status}. {' '.join(running.last[-2:])[:400]}".strip(),
        code="engine_install_failed",
        hint="See the log of this work. When the cause is mended, do it again: it goes on from there.",
    )


async def _answering(context: JobContext, remote: Remote) -> Seen:
    """What has been started needs a moment until it answers."""
    for _ in range(ANSWER_TRIES):
        seen = await look(remote.host)
        if seen.state == "ready":
            return seen
        await context.sleep(ANSWER_PAUSE)
    raise seen.trouble or ProviderFailure("The engine does not answer.", code="docker_unavailable")


def _ready(remote: Remote, seen: Seen) -> EngineReady:
    shown = remote.host.host_key
    return EngineReady(seen.version or "", seen.origin or "found", shown.fingerprint, shown.algorithm)


def _running(context: JobContext, remote: Remote) -> Running:
    def tell(lines: Sequence[str]) -> None:
        context.log(lines, phase=PHASE)

    return Running(remote.host, remote.root / "engine", tell, context.sleep)


def _say(context: JobContext, lines: list[str], level: str = "info") -> None:
    context.log(lines, source="quarterdeck", phase=PHASE, level=level)
