"""How a resource is, from what is known and what was just asked: a pure function of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from quarterdeck.deploy.deployments.transitions import ACTIVE
from quarterdeck.deploy.observation.facts import Facts
from quarterdeck.deploy.observation.probing import Probe, Probes

FRESH = timedelta(seconds=15)
"""For so long after its verification a runtime counts as running although nobody has looked at it yet."""
FAILED_LIFECYCLES = {"exited", "restarting", "degraded"}


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    target: str
    status: str
    observed_at: datetime
    reason: str | None = None
    message: str | None = None
    duration: int | None = None
    status_code: int | None = None


@dataclass(frozen=True, slots=True)
class Runtime:
    lifecycle: str
    health: str
    observed_at: datetime | None = None
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Public access or proxy: a status with what it rests on."""

    status: str
    reason: str | None = None
    url: str | None = None
    kind: str | None = None
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """`policy` is None when none is in force."""

    overall: str
    runtime: Runtime
    policy: dict[str, Any] | None
    public: Part
    proxy: Part
    checks: list[Check] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)


def assess(facts: Facts, probes: Probes, now: datetime) -> Health:
    """Health in the words of the contract. Without probes it is what was observed last."""
    policy = facts.view.resource.health
    policy = policy if policy is not None and policy.get("enabled", True) else None
    runtime = _runtime(facts, policy, probes.runtime, now)
    proxy = _proxy(facts, probes.public)
    public = _public(facts, runtime, proxy, probes.public)
    return Health(
        _overall(facts, runtime, public),
        runtime,
        policy,
        public,
        proxy,
        [
            _lifecycle_check(facts, runtime, now),
            _policy_check(facts, runtime, policy, probes.runtime, now),
            _access_check(public, probes.public, now),
            Check("proxy-route", "proxy-route", PASSING.get(proxy.status, "unknown"), now, proxy.reason),
        ],
        _errors(facts),
    )


PASSING = {"ready": "passed", "failed": "failed", "not-ready": "failed", "not-configured": "skipped"}


def _runtime(facts: Facts, policy: dict[str, Any] | None, asked: Probe | None, now: datetime) -> Runtime:
    serving, seen = facts.view.serving, facts.observation
    if serving is None and facts.view.resource.lifecycle == "archived" and facts.view.latest is not None:
        return Runtime("stopped", "unknown", reason="runtime_stopped", message="It is archived; nothing of it runs.")
    if serving is None:
        starting = facts.view.latest is not None and facts.view.latest.status in ACTIVE
        return Runtime("starting" if starting else "not-deployed", "unknown", reason="resource_not_deployed")
    finished = serving.finished_at or serving.created_at
    if seen is None:
        if facts.view.resource.wanted == "running" and now - finished < FRESH:
            lifecycle, observed, message = "running", finished, None
        else:
            return Runtime("unknown", "unknown", reason="runtime_not_observed", message="Nobody has looked at it yet.")
    else:
        lifecycle, observed, message = seen.lifecycle, seen.observed_at, seen.message
    if lifecycle != "running":
        return Runtime(lifecycle, "unknown", observed, f"runtime_{lifecycle}", message)
    if asked is not None:
        return Runtime("running", "healthy" if asked.reason is None else "unhealthy", now, asked.reason, asked.message)
    if policy is None:
        return Runtime("running", "not-configured", observed, None, message)
    if serving.snapshot.get("health") != facts.view.resource.health:
        return Runtime(
            "running", "unknown", observed, "health_policy_changed", "The policy is newer than the deployment."
        )
    if seen is not None and seen.restarts:
        often = "once" if seen.restarts == 1 else f"{seen.restarts} times"
        words = f"It was restarted {often} since it was verified."
        return Runtime("running", "unknown", observed, "runtime_restarted", words)
    return Runtime("running", "healthy", observed, None, message)


def _proxy(facts: Facts, asked: Probe | None) -> Part:
    view = facts.view
    if view.realized is None:
        if view.serving is None and view.planned is not None:
            return Part("unknown", "resource_not_deployed")
        return Part("unknown" if view.serving is None else "not-configured", "resource_access_route_not_found")
    if asked is not None:
        return Part("ready") if asked.through else Part("failed", asked.reason)
    if facts.server is None or facts.server.proxy_status != "ready":
        failed = facts.server is not None and facts.server.proxy_status == "failed"
        return Part("failed" if failed else "unknown", "resource_access_proxy_unavailable")
    return Part("ready")


def _public(facts: Facts, runtime: Runtime, proxy: Part, asked: Probe | None) -> Part:
    view = facts.view
    if view.serving is None:
        planned = view.planned
        return Part(
            "not-ready",
            "resource_not_deployed",
            planned.url if planned else None,
            "generated-planned" if planned else None,
            "proxy-route-realization",
        )
    if view.realized is None:
        return Part("not-configured", "resource_access_route_not_found")
    url, kind = view.realized.url, "generated-latest"
    if asked is not None:
        return (
            Part("ready", None, url, kind)
            if asked.reason is None
            else Part("failed", asked.reason, url, kind, "public-route-verification")
        )
    if runtime.lifecycle in {"stopped", "exited"}:
        return Part("not-ready", "resource_access_upstream_unavailable", url, kind, "upstream-connection")
    return Part(proxy.status, proxy.reason, url, kind)


def _overall(facts: Facts, runtime: Runtime, public: Part) -> str:
    control = facts.view.control
    if control is not None and control.status in {"accepted", "running"} and control.operation != "stop":
        return "starting"
    if runtime.lifecycle in {"not-deployed", "starting", "stopped", "unknown"}:
        return runtime.lifecycle
    if runtime.lifecycle in FAILED_LIFECYCLES or runtime.health == "unhealthy":
        return "unhealthy"
    if public.status in {"failed", "not-ready"} or runtime.reason == "runtime_restarted":
        return "degraded"
    return "healthy" if runtime.health in {"healthy", "not-configured"} else "unknown"


def _target(facts: Facts) -> str:
    serving = facts.view.serving
    return "container" if serving is not None and (serving.runtime or {}).get("kind") == "container" else "runtime"


def _lifecycle_check(facts: Facts, runtime: Runtime, now: datetime) -> Check:
    words = {"running": "passed", "not-deployed": "skipped", "starting": "skipped", "stopped": "skipped"}
    status = words.get(runtime.lifecycle, "failed" if runtime.lifecycle in FAILED_LIFECYCLES else "unknown")
    when = runtime.observed_at or now
    reason = None if status == "passed" else runtime.reason
    return Check("runtime-lifecycle", _target(facts), status, when, reason, runtime.message)


def _policy_check(
    facts: Facts, runtime: Runtime, policy: dict[str, Any] | None, asked: Probe | None, now: datetime
) -> Check:
    name, target = "health-policy", _target(facts)
    if runtime.lifecycle != "running":
        return Check(name, target, "skipped", now, runtime.reason)
    if policy is None:
        return Check(name, target, "skipped", now, "health_policy_not_configured")
    words = {"healthy": "passed", "unhealthy": "failed"}
    status = words.get(runtime.health, "unknown")
    if asked is None:
        return Check(name, target, status, runtime.observed_at or now, runtime.reason, runtime.message)
    return Check(name, target, status, now, asked.reason, asked.message, asked.milliseconds, asked.status)


def _access_check(public: Part, asked: Probe | None, now: datetime) -> Check:
    status = PASSING.get(public.status, "unknown")
    if asked is None:
        return Check("public-access", "public-access", status, now, public.reason)
    return Check(
        "public-access",
        "public-access",
        status,
        now,
        asked.reason,
        asked.message,
        asked.milliseconds,
        asked.status,
    )


def _errors(facts: Facts) -> list[dict[str, Any]]:
    """Parts that could not be brought up, with what was said about them."""
    server = facts.server or facts.view.server
    if server is None or server.proxy_status != "failed" or facts.view.serving is None:
        return []
    return [
        {
            "source": "proxy",
            "code": server.proxy_error_code or "edge_proxy_start_failed",
            "category": "infra",
            "phase": "proxy-bootstrap",
            "retriable": True,
            "relatedEntityId": server.ref,
            "message": server.proxy_error_message or "The edge could not be started.",
        }
    ]
