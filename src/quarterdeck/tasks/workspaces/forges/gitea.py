"""Pull requests of Gitea and Forgejo (REST, version 1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from quarterdeck.tasks.workspaces.forges.client import Client
from quarterdeck.tasks.workspaces.forges.detection import Forge
from quarterdeck.tasks.workspaces.forges.requests import Wanted


def client(forge: Forge, token: str, transport: httpx.AsyncBaseTransport | None) -> Client:
    return Client("Gitea", forge.api, {"Authorization": f"token {token}"}, transport)


async def ensure(api: Client, forge: Forge, wanted: Wanted) -> str:
    """The address of the open pull request of the branch, made where there is none."""
    pulls = f"/repos/{quote(forge.repository)}/pulls"
    found = await _open(api, pulls, wanted)
    if found is None:
        body = {"title": wanted.title, "head": wanted.branch, "base": wanted.base, "body": wanted.body}
        # 409 where somebody opened one since we looked.
        made = await api.call("POST", pulls, body, absent=(409,))
        if made is None and (found := await _open(api, pulls, wanted)) is None:
            made = await api.call("POST", pulls, body)
        if made is not None:
            return api.text(made, "html_url")
    if isinstance(found, dict) and wanted.replaces(found.get("body")):
        await api.call("PATCH", f"{pulls}/{int(found['number'])}", {"body": wanted.body})
    return api.text(found, "html_url")


async def _open(api: Client, pulls: str, wanted: Wanted) -> Any:
    """By base and head, which answers one that is closed, too."""
    where = f"{pulls}/{quote(wanted.base, safe='')}/{quote(wanted.branch, safe='')}"
    found = await api.call("GET", where, absent=(404,))
    return found if isinstance(found, dict) and found.get("state") == "open" else None
