"""From a finding and a resource's profiles to a whole build-and-run plan; values only."""

from __future__ import annotations

from quarterdeck.deploy.planning.answer import answer_sections, health_check, runtime_plan_sections
from quarterdeck.deploy.planning.host import require_tools
from quarterdeck.deploy.planning.plan import plan
from quarterdeck.deploy.planning.profiles import HealthPolicy, HttpCheck, NetworkProfile, RuntimeProfile
from quarterdeck.deploy.planning.values import BuildPlan, HostPlan, StaticSite

__all__ = [
    "BuildPlan",
    "HealthPolicy",
    "HostPlan",
    "HttpCheck",
    "NetworkProfile",
    "RuntimeProfile",
    "StaticSite",
    "answer_sections",
    "health_check",
    "plan",
    "require_tools",
    "runtime_plan_sections",
]
