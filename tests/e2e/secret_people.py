"""Who agrees to requests for secrets of a real installation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx

from e2e.client import Refused
from e2e.server import Deck

PASSWORD = "another correct horse"


def ok(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise Refused(answer)
    return answer.json() if answer.content else None


@contextlib.contextmanager
def approver(deck: Deck, ada: httpx.Client, name: str = "paul") -> Iterator[httpx.Client]:
    """Somebody who was invited, and may agree to every request."""
    where = "/api/organizations/org_self_hosted/invitations"
    made = ok(ada.post(where, json={"email": f"{name}@example.test", "role": "viewer"}))["invitationId"]
    link = ok(ada.post(f"{where}/{made}/resend", json={}))["link"].partition("#")[2]
    found = ok(ada.post(f"/api/auth/invite/{link}", json={"password": PASSWORD}))
    ada.cookies.clear()  # those of who has come
    role = next(one["id"] for one in ok(ada.get("/api/v1/roles")) if one["name"].lower() == "approver")
    ok(ada.post("/api/v1/user-roles", json={"user_id": found["user"]["uid"], "role_id": role}))
    bearer = {"Authorization": f"Bearer {found['access_token']}"}
    with httpx.Client(base_url=deck.url, headers=bearer, timeout=60, trust_env=False) as client:
        yield client
