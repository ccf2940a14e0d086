"""Is the new version well? From inside first, then through the edge's private door, without needless waiting."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import httpx

from quarterdeck.deploy.execution import fitting
from quarterdeck.deploy.execution.listening import answers_itself, wrong_port
from quarterdeck.deploy.execution.order import DeploymentOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.deploy.execution.target import Target
from quarterdeck.deploy.execution.turns import to_its_end
from quarterdeck.deploy.execution.ways import route_value, said_in
from quarterdeck.deploy.planning.profiles import HealthPolicy
from quarterdeck.deploy.planning.values import BuildPlan
from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.edge.candidates import UNANSWERED, Candidate, ProbeAnswer
from quarterdeck.fleet.targets.kernel_log import ran_out_of_memory
from quarterdeck.kernel.errors import ProviderFailure, Unavailable
from quarterdeck.kernel.faults import point

FIRST_PAUSE = 0.05
KILLING = {128 + 9, 128 + 15}
KILLED = "killed from outside"
KILLED_HINT = "An engine that is stopped ends its containers, and so may a person: see that it runs, then try again."
LISTEN_SECONDS = 30.0
ALIVE_SECONDS = 1.5  # how long something without a port must live to count as started


async def verify(
    target: Target, order: DeploymentOrder, made: BuildPlan, runtime: dict[str, Any], report: Reporter
) -> None:
    """Raise `ProviderFailure` (`health_check_failed`, `runtime_exited`, `image_architecture_differs`) unless it answers
    as its policy says.
    """
    async with report.phase("verify") as recorded:
        began = time.monotonic()
        if runtime["kind"] == "static":
            if not await target.releases.has_index(str(runtime["directory"])):
                report.say("The published directory has no index.html.", level="warn")
            recorded.detail = "files are in place"
        elif runtime.get("port") is None:
            await _stays_alive(target, order, runtime)
            recorded.detail = "runs"
        else:
            tries = await _answers(target, made, order, runtime, report)
            recorded.detail = f"answered at try {tries}, after {time.monotonic() - began:.1f} s"
        if order.route is not None and target.edge is not None and runtime.get("upstream"):
            await _through_edge(target, order, made, runtime)
        report.say(f"Verified: {recorded.detail}")


async def alive(target: Target, runtime: dict[str, Any]) -> str | None:
    """None while the runtime lives, else how it ended."""
    if runtime["kind"] == "container":
        found = await containers.find(target.need_engine(), runtime["container"])
        if found is None:
            return "was removed by somebody else"
        if found.state.running and not found.state.restarting:
            return None
        killed = found.state.exit_code in KILLING
        if found.state.oom_killed or (killed and await ran_out_of_memory(target.host, found.id)):
            return "ran out of memory"
        if killed:
            return f"ended with exit code {found.state.exit_code}, {KILLED}"
        return f"ended with exit code {found.state.exit_code}" + (
            f" ({found.state.error})" if found.state.error else ""
        )
    status = await target.processes.find(runtime["instance"])
    if status is None:
        return "is gone"
    if status.live and not status.exits:
        return None
    ended = status.exits[-1] if status.exits else None
    if ended is not None and ended.out_of_memory:
        return "ran out of memory"
    return f"ended with exit code {ended.code}" if ended is not None else f"is {status.phase}"


async def _check_alive(target: Target, order: DeploymentOrder, runtime: dict[str, Any]) -> None:
    ended = await alive(target, runtime)
    if ended is not None:
        serves = " The version before keeps serving." if order.serving else ""
        kinds = await _foreign(target, runtime)
        if kinds is not None:
            raise fitting.does_not_fit(ended, kinds, serves)
        raise ProviderFailure(
            f"The application {ended} before it answered.{serves}",
            code="runtime_exited",
            hint=KILLED_HINT
            if ended.endswith(KILLED)
            else "Read the last lines of its log; run the same start command locally to compare.",
            phase="verify",
        )


async def _foreign(target: Target, runtime: dict[str, Any]) -> tuple[str, str] | None:
    if runtime["kind"] != "container":
        return None
    found = await containers.find(target.need_engine(), runtime["container"])
    return await fitting.foreign(target.need_engine(), found.image) if found is not None else None


async def _stays_alive(target: Target, order: DeploymentOrder, runtime: dict[str, Any]) -> None:
    deadline = time.monotonic() + ALIVE_SECONDS
    while time.monotonic() < deadline:
        await _check_alive(target, order, runtime)
        await asyncio.sleep(FIRST_PAUSE)


async def address(target: Target, runtime: dict[str, Any]) -> tuple[str, int]:
    """Where the application itself listens: the container's own address, since a published port takes connections
    while nothing listens behind it.
    """
    if runtime["kind"] == "container" and target.engine_is_there:
        found = await containers.find(target.need_engine(), runtime["container"])
        own = found.address() if found is not None else None
        if own is not None:
            return own, int(runtime["port"])
    return "127.0.0.1", int(runtime["host_port"])


async def listens(target: Target, runtime: dict[str, Any]) -> None:
    """Wait until what was started again takes connections, at most `LISTEN_SECONDS`: it was well before, so who is
    slower is led to all the same. Raises `ProviderFailure` (`runtime_exited`) when it ends instead.
    """
    deadline = time.monotonic() + LISTEN_SECONDS
    while time.monotonic() < deadline:
        ended = await alive(target, runtime)
        if ended is not None:
            raise ProviderFailure(
                f"The application {ended} before it listened.",
                code="runtime_exited",
                hint=KILLED_HINT if ended.endswith(KILLED) else "Read the last lines of its log.",
            )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(target.patience):
                if await target.accepts(*await address(target, runtime)):
                    return
        await asyncio.sleep(FIRST_PAUSE)


async def _answers(
    target: Target, made: BuildPlan, order: DeploymentOrder, runtime: dict[str, Any], report: Reporter
) -> int:
    policy = made.health or HealthPolicy()
    budget = policy.start_period_seconds + policy.retries * policy.interval_seconds
    deadline = time.monotonic() + budget
    pause, tries, last = FIRST_PAUSE, 0, ""
    where: tuple[str, int] | None = None
    if made.health is None and order.health is not None and order.health.get("enabled") is False:
        await _stays_alive(target, order, runtime)
        return 1
    async with contextlib.AsyncExitStack() as stack:
        client: httpx.AsyncClient | None = None
        while True:
            tries += 1
            if where is None or client is None:
                where = await address(target, runtime)
                client = await stack.enter_async_context(
                    httpx.AsyncClient(
                        transport=target.reach(where[0], _checked_port(policy, where[1])),
                        timeout=policy.timeout_seconds,
                        verify=False,  # noqa: S501 - the application's own certificate, on this host
                        follow_redirects=False,
                    )
                )
            now = await _try(target, where, client, made, policy)
            if now is None and runtime["kind"] == "process":
                own = await answers_itself(target, runtime)
                now = None if own else "another program answers on its port"
            if now is None:
                # Who answered and died is not well.
                await _check_alive(target, order, runtime)
                return tries
            if now != last:
                report.say(f"Try {tries}: {now}", level="debug")
            last = now
            await _check_alive(target, order, runtime)
            if time.monotonic() + pause > deadline:
                break
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, policy.interval_seconds)
    serves = " The version before keeps serving." if order.serving else ""
    hint = await wrong_port(target, runtime, order.resource_slug)
    hint = hint or "Read its log; check the health path, the expected status and the port."
    raise ProviderFailure(
        f"No healthy answer on port {runtime['port']} after {tries} tries in {budget} s: {last}.{serves}",
        code="health_check_failed",
        hint=hint,
        phase="verify",
    )


def _checked_port(policy: HealthPolicy, port: int) -> int:
    return policy.http.port or port


async def _try(
    target: Target, where: tuple[str, int], client: httpx.AsyncClient, made: BuildPlan, policy: HealthPolicy
) -> str | None:
    """One probe: None when it is as wanted, else what was wrong in a few words."""
    host, port = where
    if made.upstream_protocol == "tcp":
        try:
            async with asyncio.timeout(policy.timeout_seconds):
                return None if await target.accepts(host, port) else "nothing listens"
        except TimeoutError:
            return "nothing listens"
    check = policy.http
    url = f"{check.scheme}://{host}:{_checked_port(policy, port)}{check.path}"
    try:
        answer = await client.request(
            check.method, url, headers={"Host": check.host, "User-Agent": "quarterdeck-health"}
        )
    except httpx.ConnectError:
        return "nothing listens"
    except httpx.TimeoutException:
        return f"no answer within {policy.timeout_seconds} s"
    except httpx.HTTPError as error:
        return f"the connection broke ({type(error).__name__})"
    if not made.health_configured:
        # Nobody chose this policy, so an application that answers at all, and not with a fault of its own, is well.
        return None if answer.status_code < 500 else f"status {answer.status_code}"
    if answer.status_code != check.expected_status_code:
        return f"status {answer.status_code} instead of {check.expected_status_code}"
    if check.expected_response_text is not None and check.expected_response_text not in answer.text:
        return "the expected text is not in the answer"
    return None


async def _knocked(
    target: Target, order: DeploymentOrder, runtime: dict[str, Any], candidate: Candidate, path: str
) -> ProbeAnswer:
    """What the candidate answers. Silence may be that of the way to the server: the application is looked at on the
    server itself before it is asked again, and a way that is lost is told as such there.
    """
    assert target.edge is not None  # noqa: S101 - checked by the caller
    for last in (False, False, True):
        try:
            return await target.edge.probe(candidate, path, timeout_seconds=10)
        except Unavailable as unanswered:
            if last or unanswered.code != UNANSWERED:
                raise
            await _check_alive(target, order, runtime)
    raise AssertionError  # the last one answers or raises


async def _through_edge(target: Target, order: DeploymentOrder, made: BuildPlan, runtime: dict[str, Any]) -> None:
    """Knock through the edge before anybody else is led there. The route itself stays what it is until the cut-over."""
    assert target.edge is not None and order.route is not None  # noqa: S101, PT018 - checked by the caller
    kept = (await target.edge.routes()).get(order.route.id)
    wanted = route_value(order.route, str(runtime["kind"]))
    if kept is None:
        point("candidate.put")
        await target.edge.put_route(wanted)
    elif type(kept) is not type(wanted):
        return  # the resource changes between files and a process: its route changes at the cut-over
    candidate = await target.edge.candidate(order.route.id, str(runtime["upstream"]))
    point("candidate.answers")
    try:
        path = made.health.http.path if made.health else "/"
        answer = await _knocked(target, order, runtime, candidate, path)
        said = said_in(answer.body) if answer.status in {502, 503, 504} else None
        if said is not None:
            raise ProviderFailure(
                f"The edge cannot reach the new version (status {answer.status}).",
                code="resource_access_upstream_unavailable",
                hint="Check that the application listens on all addresses, not on localhost alone.",
                phase="verify",
            )
    finally:
        point("candidate.clear")
        await to_its_end(target.edge.clear_candidate(order.route.id))
        point("candidate.cleared")
