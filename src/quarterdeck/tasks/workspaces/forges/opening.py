"""The merge request of a branch that was pushed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx

from quarterdeck.fleet.git.locators import Address
from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.orders import TaskOrder
from quarterdeck.tasks.workspaces.forges import gitea, github, gitlab
from quarterdeck.tasks.workspaces.forges.client import Client
from quarterdeck.tasks.workspaces.forges.detection import Forge, Kind, detect
from quarterdeck.tasks.workspaces.forges.requests import Wanted, wanted

Connect = Callable[[Forge, str, httpx.AsyncBaseTransport | None], Client]
Ensure = Callable[[Client, Forge, Wanted], Awaitable[str]]
FORGES: dict[Kind, tuple[Connect, Ensure]] = {
    "github": (github.client, github.ensure),
    "gitlab": (gitlab.client, gitlab.ensure),
    "gitea": (gitea.client, gitea.ensure),
}


async def merge_request(
    order: TaskOrder, address: Address, message: str, transport: httpx.AsyncBaseTransport | None = None
) -> str:
    """Open the merge request of the order's branch, or update the open one; answers its address.

    Raises `forge_unknown`, `forge_token_missing` and `forge_failed`.
    """
    repository = order.repository
    forge = detect(address, repository.forge, repository.forge_url)
    if forge is None:
        raise Invalid(
            f"it is not known what kind of forge {address.host or 'the repository'} is.",
            code="forge_unknown",
            hint="Say in the project whether it is github, gitlab or gitea.",
        )
    token = repository.token or address.password
    if not token:
        raise Invalid(
            f"the project has no git token for {forge.api}.",
            code="forge_token_missing",
            hint="Give the project a git token that may open merge requests.",
        )
    connect, ensure = FORGES[forge.kind]
    asked = wanted(order.task_id, order.branch, order.base_branch, message, order.description)
    async with connect(forge, token, transport) as api:
        return await ensure(api, forge, asked)
