"""Merge requests of GitLab (REST, version 4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from quarterdeck.tasks.workspaces.forges.client import Client
from quarterdeck.tasks.workspaces.forges.detection import Forge
from quarterdeck.tasks.workspaces.forges.requests import Wanted


def client(forge: Forge, token: str, transport: httpx.AsyncBaseTransport | None) -> Client:
    return Client("GitLab", forge.api, {"PRIVATE-TOKEN": token}, transport)


async def ensure(api: Client, forge: Forge, wanted: Wanted) -> str:
    """The address of the open merge request of the branch, made where there is none."""
    requests = f"/projects/{quote(forge.repository, safe='')}/merge_requests"
    found = await _open(api, requests, wanted)
    if found is None:
        body = {
            "source_branch": wanted.branch,
            "target_branch": wanted.base,
            "title": wanted.title,
            "description": wanted.body,
        }
        # 409 where somebody opened one since we looked.
        made = await api.call("POST", requests, body, absent=(409,))
        if made is None and (found := await _open(api, requests, wanted)) is None:
            made = await api.call("POST", requests, body)
        if made is not None:
            return api.text(made, "web_url")
    if isinstance(found, dict) and wanted.replaces(found.get("description")):
        await api.call("PUT", f"{requests}/{int(found['iid'])}", {"description": wanted.body})
    return api.text(found, "web_url")


async def _open(api: Client, requests: str, wanted: Wanted) -> Any:
    query = {
        "state": "opened",
        "source_branch": wanted.branch,
        "target_branch": wanted.base,
    }
    listed = await api.call("GET", requests, query=query)
    rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    # A fork may have a branch of the same name.
    return next((one for one in rows if one.get("source_project_id") == one.get("target_project_id")), None)
