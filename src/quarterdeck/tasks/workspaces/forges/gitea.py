"""Pull requests of Gitea and Forgejo (REST, version 1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from quarterdeck.tasks.workspaces.forges.client import Client
from quarterdeck.tasks.workspaces.forges.detection import Forge
from quarterdeck.tasks.workspaces.forges.requests import Wanted

LIMIT, PAGES = 50, 10


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
    """Looked for in the list: asked by base and head, Gitea answers one that is closed, too."""
    for page in range(1, PAGES + 1):
        query = {"state": "open", "sort": "recentupdate", "limit": str(LIMIT), "page": str(page)}
        listed = await api.call("GET", pulls, query=query)
        rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        for one in rows:
            head, base = one.get("head") or {}, one.get("base") or {}
            same = head.get("repo_id") == base.get("repo_id")  # a fork may have a branch of the same name
            if same and (head.get("ref"), base.get("ref")) == (wanted.branch, wanted.base):
                return one
        if not rows:
            return None
    return None
