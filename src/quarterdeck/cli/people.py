"""Finding the member whom a person means."""

from __future__ import annotations

from typing import Any

from quarterdeck.cli import names
from quarterdeck.cli.client import Api

Row = dict[str, Any]


def members(api: Api, organization_id: str) -> list[Row]:
    """All members; `shown` is how people call them."""
    found = api.every("organizations.list-members", organizationId=organization_id)
    return [{**row, "shown": row.get("email") or row.get("displayName") or row["userId"]} for row in found]


def member(api: Api, organization_id: str, text: str) -> Row:
    """The one meant by e-mail address, name or id. Raises `Failure`."""
    rows = [
        {**row, "id": row["memberId"], "slug": row.get("email", ""), "name": row.get("displayName") or row["shown"]}
        for row in members(api, organization_id)
    ]
    found = names.pick(rows, text)
    if found is None:
        raise names.missing(
            "member",
            text,
            [row["shown"] for row in rows],
            "qd user ls   (who was asked in and has not come yet: qd user invitations)",
        )
    return found
