"""What a plan would cost, where the runner has infracost. It never fails a job."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from typing import Any

from quarterdeck.infra.execution import commands
from quarterdeck.infra.execution.commands import Command, Layout
from quarterdeck.infra.execution.running import Running
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.faults import point
from quarterdeck.kernel.vault import Secret

LARGEST = 16 << 20
PASSED_ON = ("PATH", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE")


def environment(layout: Layout, inherited: Mapping[str, str]) -> dict[str, str | Secret[str]]:
    """The host's own account at infracost, and nothing of the job."""
    values: dict[str, str | Secret[str]] = {name: inherited[name] for name in PASSED_ON if name in inherited}
    values |= {name: Secret(value) for name, value in inherited.items() if name.startswith("INFRACOST_")}
    return values | {"HOME": str(layout.home), "TMPDIR": str(layout.temporary), "INFRACOST_SKIP_UPDATE_CHECK": "true"}


async def estimate(running: Running, layout: Layout, inherited: Mapping[str, str]) -> dict[str, Any] | None:
    """`{total_monthly, total_hourly, diff_monthly, resources_with_cost, resources_free, total_resources, currency}`;
    None where there is no infracost, or it says nothing.
    """
    env = environment(layout, inherited)
    if shutil.which("infracost", path=str(env.get("PATH", ""))) is None:
        return None
    point("infra.cost")
    try:
        ran = await running.run(Command(commands.cost(layout), env, layout.home), "cost", capture=LARGEST)
    except Problem as problem:
        running.reporter.say(f"The cost could not be estimated: {problem.message}", level="warn")
        return None
    summary = None if ran.code or ran.cut else summarize(ran.output)
    if summary is None:
        running.reporter.say("The cost could not be estimated; the plan is not affected.", level="warn")
    return summary


def summarize(content: bytes) -> dict[str, Any] | None:
    """None for anything but infracost's JSON."""
    try:
        said = json.loads(content)
        counts = said.get("summary") or {}
        return {
            "total_monthly": _amount(said.get("totalMonthlyCost")),
            "total_hourly": _amount(said.get("totalHourlyCost")),
            "diff_monthly": _amount(said.get("diffTotalMonthlyCost")),
            "resources_with_cost": int(counts.get("totalSupportedResources") or 0),
            "resources_free": int(counts.get("totalNoPriceResources") or 0),
            "total_resources": int(counts.get("totalDetectedResources") or 0),
            "currency": str(said.get("currency") or "USD")[:8],
        }
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        return None


def _amount(text: Any) -> float:
    amount = float(text or 0)
    if not math.isfinite(amount):
        raise ValueError(text)
    return amount
