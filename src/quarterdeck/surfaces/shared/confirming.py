"""Confirming another address by the link of a mail: a route of ours beside the contracts."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from quarterdeck.access import Access
from quarterdeck.identity import addresses
from quarterdeck.kernel.db import Database
from quarterdeck.kernel.http.endpoint import route
from quarterdeck.kernel.limits import Rate


class Confirmation(Struct, kw_only=True):
    """`token` stands behind the `#` of the link."""

    token: Annotated[str, Meta(max_length=1000)]


class Confirmed(Struct, kw_only=True):
    email: str


@route(
    "POST",
    "/api/auth/confirm-address",
    permission="public",
    rate=Rate(5, 60),
    tags=("identity",),
    errors=((400, "email_taken"), (400, "link_invalid")),
)
async def confirm(body: Confirmation, db: Database, access: Access) -> Confirmed:
    """Let the address count whose link was opened."""
    user = await db.write(addresses.confirm, access, body.token)
    return Confirmed(email=user.email or "")
