"""Pull requests of GitHub and GitHub Enterprise (REST, version 2022-11-28)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from quarterdeck.tasks.workspaces.forges.client import Client
from quarterdeck.tasks.workspaces.forges.detection import Forge
from quarterdeck.tasks.workspaces.forges.requests import Wanted


def client(forge: Forge, token: str, transport: httpx.AsyncBaseTransport | None) -> Client:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    return Client("GitHub", forge.api, headers, transport)


async def ensure(api: Client, forge: Forge, wanted: Wanted) -> str:
    """The address of the open pull request of the branch, made where there is none."""
    pulls = f"/repos/{quote(forge.repository)}/pulls"
    found = await _open(api, pulls, forge, wanted)
    if found is None:
        body = {"title": wanted.title, "head": wanted.branch, "base": wanted.base, "body": wanted.body}
        # 422 also where somebody opened one since we looked.
        made = await api.call("POST", pulls, body, absent=(422,))
        if made is None and (found := await _open(api, pulls, forge, wanted)) is None:
            made = await api.call("POST", pulls, body)
        if made is not None:
            return api.text(made, "html_url")
    if isinstance(found, dict) and wanted.replaces(found.get("body")):
        await api.call("PATCH", f"{pulls}/{int(found['number'])}", {"body": wanted.body})
    return api.text(found, "html_url")


async def _open(api: Client, pulls: str, forge: Forge, wanted: Wanted) -> Any:
    owner = forge.repository.partition("/")[0]
    query = {"state": "open", "head": f"{owner}:{wanted.branch}", "base": wanted.base}
    listed = await api.call("GET", pulls, query=query)
    return next(iter(listed), None) if isinstance(listed, list) else None
