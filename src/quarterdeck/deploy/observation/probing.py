"""Asking a runtime now how it is: at its own address as its policy says, and through the edge as the public does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import msgspec

from quarterdeck.deploy.observation.facts import Facts
from quarterdeck.fleet.docker import containers
from quarterdeck.fleet.docker.address import own_engine
from quarterdeck.fleet.docker.engine import Engine
from quarterdeck.fleet.docker.transport import dialed_transport
from quarterdeck.fleet.edge.edges import Edges
from quarterdeck.fleet.targets.engines import open_engine
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.unreadable import UNREADABLE

LONGEST = 10.0  # seconds that a reader waits for a probe, whatever the policy allows
MOST_BYTES = 64 * 1024
AGENT = "quarterdeck-health"
GATEWAY = {502, 503, 504}
MARK = "X-Request-Id"  # what the edge puts on every answer, its own and those of applications


@dataclass(frozen=True, slots=True)
class Probe:
    """One answer, or its absence. `reason` is None when it was as wanted; `through` says that the edge answered."""

    milliseconds: int
    status: int | None = None
    reason: str | None = None
    message: str | None = None
    through: bool = True


@dataclass(frozen=True, slots=True)
class Probes:
    """None where nothing could or should be asked."""

    runtime: Probe | None = None
    public: Probe | None = None


Way = Callable[[str, int], httpx.AsyncBaseTransport | None]
"""The way of a request to an address as the machine sees it; None is the plain one."""


def plainly(_address: str, _port: int) -> None:
    """We are on the machine."""


@dataclass(frozen=True, slots=True)
class _Place:
    way: Way
    engine: Callable[[], Awaitable[Engine]]


async def probe(facts: Facts, edges: Edges, *, runtime: bool, public: bool) -> Probes:
    """Ask what runs, where it runs. Never raises for what it finds; where nobody is let in nothing was asked."""
    serving, resource = facts.view.serving, facts.view.resource
    if serving is None or resource.wanted == "stopped":
        return Probes()
    async with contextlib.AsyncExitStack() as stack:
        if facts.here:
            place = _Place(plainly, lambda: Engine.connect(own_engine()))
        elif facts.login is None:
            return Probes()
        else:
            try:
                async with asyncio.timeout(LONGEST):
                    remote = await stack.enter_async_context(edges.over(facts.login))
            except (Problem, TimeoutError):
                return Probes()
            dialer = remote.host.dialer
            place = _Place(
                lambda address, port: dialed_transport(dialer, f"tcp://{address}:{port}"),
                lambda: open_engine(remote.host),
            )
        return await _asked(facts, serving.runtime or {}, place, runtime=runtime, public=public)


async def _asked(facts: Facts, serving: Mapping[str, Any], place: _Place, *, runtime: bool, public: bool) -> Probes:
    policy, realized = facts.view.resource.health, facts.view.realized
    inside = outside = None
    if runtime and policy is not None and policy.get("enabled", True):
        inside = await ask_runtime(serving, policy, place)
    if public and realized is not None and facts.server is not None:
        outside = await ask_edge(
            facts.server.edge_http_port or 80, realized.hostname, realized.path_prefix, place.way
        )  # fmt: skip
    return Probes(inside, outside)


async def ask_runtime(runtime: Mapping[str, Any], policy: Mapping[str, Any], place: _Place) -> Probe | None:
    """One request as the policy says, at the runtime's own address; None for files, which have none."""
    if not runtime.get("host_port"):
        return None
    check = policy["http"]
    host, port = await _address(runtime, place)
    port = check.get("port") or port
    url = f"{check['scheme']}://{host}:{port}{check['path']}"
    seconds = min(float(policy["timeoutSeconds"]), LONGEST)
    answer = await _ask(check["method"], url, check["host"], seconds, place.way(host, port))
    if answer.reason is not None:
        return answer.probe
    if answer.status != check["expectedStatusCode"]:
        return answer.failed(
            "health_status_unexpected", f"status {answer.status} instead of {check['expectedStatusCode']}"
        )
    text = check.get("expectedResponseText")
    if text is not None and text not in answer.body.decode(errors="replace"):
        return answer.failed("health_text_missing", "the expected text is not in the answer")
    return answer.probe


async def ask_edge(port: int, hostname: str, prefix: str, way: Way = plainly) -> Probe:
    """One request through the edge of the machine, as a visitor of the hostname makes it."""
    through = way("127.0.0.1", port)
    answer = await _ask("GET", f"http://127.0.0.1:{port}{prefix}", hostname, LONGEST, through)
    if answer.reason is not None:
        unreached = answer.reason == "connect_failed"
        code = "resource_access_proxy_unavailable" if unreached else "resource_access_upstream_timeout"
        return Probe(answer.milliseconds, None, code, answer.message, through=not unreached)
    if not answer.marked:
        taken = answer.failed(
            "resource_access_proxy_unavailable", f"another program than the edge answers on port {port} of this machine"
        )
        return replace(taken, through=False)
    said = _edge_code(answer.body)
    if said == "edge_unknown_host":
        missing = answer.failed("resource_access_route_not_found", f"the edge has no route for {hostname}")
        return replace(missing, through=False)
    if answer.status in GATEWAY and said is not None:
        return answer.failed("resource_access_upstream_unavailable", "the application does not answer the edge")
    if answer.status is not None and answer.status >= 500:
        return answer.failed("resource_access_unknown", f"the application answers with status {answer.status}")
    return answer.probe


@dataclass(frozen=True, slots=True)
class _Answer:
    """`marked` says that it carries a request id, as every answer through the edge does."""

    milliseconds: int
    status: int | None = None
    reason: str | None = None
    message: str | None = None
    body: bytes = b""
    marked: bool = False

    @property
    def probe(self) -> Probe:
        return Probe(self.milliseconds, self.status, self.reason, self.message)

    def failed(self, reason: str, message: str) -> Probe:
        return Probe(self.milliseconds, self.status, reason, message)


async def _ask(method: str, url: str, host: str, seconds: float, through: httpx.AsyncBaseTransport | None) -> _Answer:
    began = time.monotonic()

    def spent() -> int:
        return int((time.monotonic() - began) * 1000)

    body = b""
    try:
        async with (
            httpx.AsyncClient(
                transport=through,
                timeout=seconds,
                verify=False,  # noqa: S501 - the application's own certificate, on its own host
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream(method, url, headers={"Host": host, "User-Agent": AGENT}) as answer,
        ):
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) >= MOST_BYTES:
                    break
            marked = MARK in answer.headers
            return _Answer(spent(), answer.status_code, body=body[:MOST_BYTES], marked=marked)
    except httpx.ConnectError:
        return _Answer(spent(), reason="connect_failed", message="nothing listens")
    except httpx.TimeoutException:
        return _Answer(spent(), reason="timed_out", message=f"no answer within {seconds:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _Answer(spent(), reason="connection_broken", message=f"the connection broke ({type(error).__name__})")


def _edge_code(body: bytes) -> str | None:
    """The code of an answer that the edge made itself."""
    try:
        document = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    error = document.get("error") if isinstance(document, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and code.startswith("edge_") else None


async def _address(runtime: Mapping[str, Any], place: _Place) -> tuple[str, int]:
    """The container's own address where it can be had, since a policy may name a port that is not published."""
    if runtime.get("kind") == "container":
        try:
            async with await place.engine() as engine:
                beside = engine.address.startswith("unix://")
                found = await containers.find(engine, str(runtime["container"])) if beside else None
                own = found.address() if found is not None else None
                if own is not None:
                    return own, int(runtime["port"])
        except Problem:
            pass
    return "127.0.0.1", int(runtime["host_port"])
