"""Agents of an instance, made over its API, and requests as their room would leave them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from fakes.secrets_agent import SecretsAgent
from quarterdeck.broker.requests.model import Request
from quarterdeck.broker.work import creating
from quarterdeck.broker.work.creating import Asked
from quarterdeck.broker.workflows.model import Workflow
from quarterdeck.broker.wraps import keeping, refreshing
from quarterdeck.broker.wraps.model import Wrap
from quarterdeck.identity.model import User
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.vault import Secret

NOBODY = "00000000-0000-7000-8000-000000000000"


async def minted(crew: Any, name: str = "vault-eu", **more: Any) -> SecretsAgent:
    made = await crew.ok("POST", "/api/v1/agents", {"name": name, **more}, status=201)
    assert made.keys() == {"id", "name", "agent_secret"}
    return SecretsAgent(crew.deck.client, made["id"], made["agent_secret"])


async def booted(crew: Any, name: str = "vault-eu", **more: Any) -> SecretsAgent:
    agent = await minted(crew, name, **more)
    await agent.boot()
    return agent


async def approved(crew: Any, kind: str = "patch", values: dict[str, str] | None = None, **facts: Any) -> str:
    """The uid of an approved request with its job."""
    given = values if values is not None else {"DB_PASSWORD": "s3cr3t-DB-pass!"} if kind == "patch" else {}

    def verb(tx: Tx) -> str:
        ada = tx.first(select(User).order_by(User.id))
        assert ada is not None
        organization = int(tx.execute("SELECT min(id) FROM identity_organizations").scalar_one())
        flow = tx.first(select(Workflow)) or tx.add(
            Workflow(
                uid=tx.ids.uid(), organization_id=organization, name="standard", steps=[],
                wrap_ttl_created_seconds=604_800, wrap_ttl_approved_seconds=3600, wrap_ttl_claimed_seconds=300,
                request_ttl_seconds=1_209_600, notification_channels=[], is_default=True, enabled=True,
                created_at=tx.now, updated_at=tx.now,
            )
        )  # fmt: skip
        row = tx.add(
            Request(
                **{
                    "uid": tx.ids.uid(), "organization_id": organization, "requester_id": ada.id, "kind": kind,
                    "status": "approved", "justification": "tonight", "workflow_id": flow.id, "explanation": {},
                    "provider_type": "vault", "provider_config": {}, "secret_ref": "apps/shop",
                    "keys": sorted(given) or ["DB_PASSWORD"], "expires_at": tx.now + timedelta(hours=1),
                    "created_at": tx.now, "updated_at": tx.now, "approved_at": tx.now, **facts,
                }
            )
        )  # fmt: skip
        for name, value in given.items():
            keeping.put(tx, row, "in", name, Secret(value.encode()), refreshing.created(tx, row))
        creating.create(tx, Asked(kind, organization, row))
        return row.uid

    uid: str = await crew.db.write(verb)
    return uid


async def wraps(crew: Any, request: str) -> list[Wrap]:
    query = select(Wrap).join(Request, Request.id == Wrap.request_id).where(Request.uid == request).order_by(Wrap.id)
    found: list[Wrap] = await crew.db.read(lambda tx: list(tx.scalars(query)))
    return found


async def stands(crew: Any, request: str, **values: Any) -> None:
    await crew.db.write(lambda tx: tx.execute(update(Request).where(Request.uid == request).values(**values)))
