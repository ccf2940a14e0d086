"""Agents: minted, listed, rotated and revoked by administrators (contract: broker §1.5)."""

from __future__ import annotations

from datetime import timedelta

from msgspec import UNSET

from quarterdeck.broker.agents import leaving, listing, minting
from quarterdeck.broker.agents.minting import Minted
from quarterdeck.broker.agents.standing import status
from quarterdeck.fleet.workers.control import WorkerControl
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.wire import agents as wire
from quarterdeck.surfaces.shared.values import given

UNKNOWN = ((400, "id_malformed"), (404, "agent_not_found"))


@route(
    "POST",
    "/api/v1/agents",
    permission="broker:agent.mint",
    status=201,
    errors=(
        (400, "agent_scope_invalid"),
        (400, "base64_invalid"),
        (400, "public_key_invalid"),
        (409, "agent_name_taken"),
        (409, "too_many_agents"),
    ),
)
async def mint(call: Call, body: wire.NewAgent) -> wire.MintedAgent:
    """Make an agent. Its secret is answered this once."""
    key, algorithm = given(body.public_key), given(body.public_key_algorithm)
    return _minted(await call.write(minting.mint, body.name, given(body.scope), key, algorithm))


@route("GET", "/api/v1/agents", permission="broker:agent.list")
async def index(call: Call) -> list[wire.Agent]:
    """The agents of the organization, oldest first, the newest of those that are revoked among them."""

    def verb(tx: Tx) -> list[wire.Agent]:
        return [
            wire.Agent(
                id=worker.uid,
                name=worker.name,
                status=status(agent, worker, tx.now),
                scope=agent.scope or UNSET,
                created_at=shapes.nanoseconds(worker.created_at),
                last_seen_at=UNSET if worker.last_seen_at is None else shapes.nanoseconds(worker.last_seen_at),
            )
            for worker, agent in listing.visible(tx)
        ]

    return await call.read(verb)


@route(
    "POST",
    "/api/v1/agents/{id}/rotate",
    permission="broker:agent.mint",
    errors=(*UNKNOWN, (409, "agent_revoked"), (409, "agent_without_secret")),
)
async def rotate(call: Call, body: wire.Rotation) -> wire.MintedAgent:
    """Give an agent another secret; the one of before counts for five minutes, or as long as is said."""
    uid = shapes.uid(call.path["id"], "agent id")
    grace = minting.GRACE if body.grace_seconds is UNSET else timedelta(seconds=body.grace_seconds)
    return _minted(await call.write(minting.rotate, uid, grace))


@route("POST", "/api/v1/agents/{id}/revoke", permission="broker:agent.revoke", status=204, errors=UNKNOWN)
async def revoke(call: Call, body: wire.Revocation, workers: WorkerControl) -> None:
    """End an agent at once. What it holds is given back; again is a success."""
    worker = await call.write(leaving.revoke, shapes.uid(call.path["id"], "agent id"), given(body.reason))
    if worker.revoked_at is None:
        await workers.dial_again(worker.id)
    else:
        await workers.send_away(worker.id)


def _minted(made: Minted) -> wire.MintedAgent:
    return wire.MintedAgent(id=made.worker.uid, name=made.worker.name, agent_secret=made.secret.reveal())
