"""Listing the parts of what a cloud has, each for itself: an identity seldom may read all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from quarterdeck.infra.execution.clouds.bounds import bounded
from quarterdeck.infra.execution.orders import InfraOrder
from quarterdeck.kernel.errors import Problem

Part = Callable[[], Awaitable[list[dict[str, Any]]]]


async def gathered(order: InfraOrder, parts: Mapping[str, Part]) -> dict[str, Any]:
    """Every list by its name. A test of the connection notes under `errors` which could not be had; a job that fetches
    fails with the first of them.
    """
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, part in parts.items():
        try:
            found[name] = await part()
        except Problem as problem:
            if order.job_type == "FETCH_RESOURCES":
                raise
            errors[name] = problem.message
    return bounded({**found, "errors": errors} if errors else found)
