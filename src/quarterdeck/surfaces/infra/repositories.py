"""Repositories of git hosts, by the caller's own token (contract: infra §1.6)."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.repositories import hosts
from quarterdeck.infra.repositories.listing import HostRefused, HostUnreachable, Listings
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.infra.wire import repositories as wire

OFTEN = Rate(30, 60)
"""Each may cost a git host fifty calls."""
LISTINGS = Listings()


@route(
    "GET",
    "/api/cli/repositories/{provider}",
    permission="infra:repositories.view",
    rate=OFTEN,
    headers={"x-provider-token": "The caller's own token of the git host; it is passed on, and kept nowhere."},
    errors=(
        (400, "provider_token_missing"),
        (400, "provider_token_invalid"),
        (404, "git_host_unknown"),
        (500, "git_host_unreachable"),
        (502, "git_host_refused"),
    ),
)
async def listed(call: Call, instance: Any) -> Answer[wire.GitRepositories]:
    """Repositories that the caller's token shows; where the git host refuses, its status and what it says."""
    host = hosts.find(call.path["provider"])
    token = (call.headers.get("x-provider-token") or "").strip()
    try:
        found = await LISTINGS.all(host, hosts.base(instance.settings, host.provider), token)
    except HostRefused as problem:
        return _refused(problem.message, problem.status)
    except HostUnreachable as problem:
        return _refused(problem.message, 500)
    return Answer(wire.GitRepositories(repositories=found.repositories, truncated=found.truncated))


def _refused(message: str, status: int) -> Answer[Any]:
    """As the contract has it: statuses of another program are none of the kinds that a refusal of ours may have."""
    return Answer({"error": message}, status=status)
