"""The job that sends one delivery."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from quarterdeck.kernel import jobs
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid, Problem, Unavailable
from quarterdeck.kernel.vault import Secret
from quarterdeck.notify import addresses
from quarterdeck.notify.hooks import deliveries, hooks, signing
from quarterdeck.notify.hooks.model import Delivery, Hook

SECONDS = 10.0
"""For the whole of a try, however the answer drips; of the answer only the status is read."""


@dataclass(frozen=True, slots=True)
class Order:
    """`secret` opens nothing but this call."""

    uid: str
    url: str
    event: str
    body: bytes
    secret: Secret[str]
    attempt: int
    near: bool


def ordered(tx: Tx, delivery_id: int) -> Order | None:
    """What is to be sent; None for what is gone or done, and for a webhook that is disabled."""
    made = tx.get(Delivery, delivery_id)
    row = None if made is None else tx.get(Hook, made.hook_id)
    if made is None or row is None or made.status != "pending" or not row.enabled:
        return None
    return Order(
        made.uid,
        row.url,
        made.event,
        made.body.encode(),
        hooks.secret_of(tx, row),
        made.attempts + 1,
        hooks.near(tx, row.organization_id),
    )


async def send(instance: Any, order: Order) -> int:
    """The status that the other side answers. Raises `Problem` where there was no answer, or may be no call."""
    called = await addresses.resolve(order.url, near=order.near)
    headers = {
        "Host": called.authority,
        "Content-Type": "application/json",
        "User-Agent": "Quarterdeck",
        signing.EVENT: order.event,
        signing.DELIVERY: order.uid,
        signing.ATTEMPT: str(order.attempt),
        signing.SIGNATURE: signing.signed(order.secret, order.body, instance.db.clock.now()),
    }
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx.AsyncClient(
                timeout=SECONDS, follow_redirects=False, trust_env=False, verify=httpx.create_ssl_context()
            ) as client,
            client.stream(
                "POST", called.url, content=order.body, headers=headers, extensions={"sni_hostname": called.host}
            ) as answer,
        ):
            return answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
        raise Unavailable(
            f"The webhook's address did not answer ({type(error).__name__}).",
            code="webhook_unreachable",
            hint="It is tried again.",
        ) from None


@jobs.server_handlers.register(deliveries.KIND)
async def run(context: jobs.JobContext, instance: Any) -> dict[str, Any]:
    """One try. Raises `Unavailable` for what is tried again."""
    number = context.read(deliveries.Task).delivery_id
    order = await instance.db.read(ordered, number)
    if order is None:
        await instance.db.write(deliveries.dropped, number)
        return {"sent": False}
    try:
        status = await send(instance, order)
    except Problem as problem:
        await instance.db.write(deliveries.noted, number, None, problem.message)
        if isinstance(problem, Invalid):  # its name stands for another address now, which may change again
            raise Unavailable(problem.message, code=problem.code, hint=problem.hint) from None
        raise
    await instance.db.write(deliveries.noted, number, status, None)
    if not 200 <= status < 300:
        raise Unavailable(
            f"The webhook's address answered {status}.", code="webhook_refused", hint="It is tried again."
        )
    return {"sent": True, "status": status}
