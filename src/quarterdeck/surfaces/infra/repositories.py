"""Repositories of git hosts, by the caller's own token (contract: infra §1.6)."""

from __future__ import annotations

from typing import Any

from quarterdeck.infra.repositories import hosts
from quarterdeck.infra.repositories.listing import HostRefused, HostUnreachable, Listings
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.http.endpoint import Answer, Call, route
from quarterdeck.kernel.limits import Rate
from quarterdeck.surfaces.infra.wire import repositories as wire

OFTEN = Rate(30, 60)
"""Each may cost a git host fifty calls."""
LISTINGS = Listings()


HEADERS = {"x-provider-token": "The caller's own token of the git host; it is passed on, and kept nowhere."}
ERRORS = (
    (400, "provider_token_missing"),
    (400, "provider_token_invalid"),
    (500, "git_host_unreachable"),
    (502, "git_host_refused"),
)
MAY = "infra:repositories.view"


@route("GET", "/api/cli/repositories/github", permission=MAY, rate=OFTEN, headers=HEADERS, errors=ERRORS)
async def of_github(call: Call, instance: Any) -> Answer[wire.GitRepositories]:
    """Repositories that the caller's token shows; where the git host refuses, its status and what it says."""
    return await _listed(call, instance, "github")


@route("GET", "/api/cli/repositories/gitlab", permission=MAY, rate=OFTEN, headers=HEADERS, errors=ERRORS)
async def of_gitlab(call: Call, instance: Any) -> Answer[wire.GitRepositories]:
    """The same of GitLab."""
    return await _listed(call, instance, "gitlab")


@route("GET", "/api/cli/repositories/bitbucket", permission=MAY, rate=OFTEN, headers=HEADERS, errors=ERRORS)
async def of_bitbucket(call: Call, instance: Any) -> Answer[wire.GitRepositories]:
    """The same of Bitbucket."""
    return await _listed(call, instance, "bitbucket")


async def _listed(call: Call, instance: Any, provider: str) -> Answer[wire.GitRepositories]:
    host = hosts.HOSTS[provider]
    token = (call.headers.get("x-provider-token") or "").strip()
    try:
        found = await LISTINGS.all(host, hosts.base(instance.settings, host.provider), token)
    except HostRefused as problem:
        return _refused(problem, problem.status)
    except HostUnreachable as problem:
        return _refused(problem, 500)
    return Answer(wire.GitRepositories(repositories=found.repositories, truncated=found.truncated))


def _refused(problem: Problem, status: int) -> Answer[Any]:
    """As the contract has it: statuses of another program are none of the kinds that a refusal of ours may have."""
    told = {"error": problem.message, "code": problem.code}
    return Answer(told | ({"hint": problem.hint} if problem.hint else {}), status=status)
