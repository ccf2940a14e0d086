"""What is done for a job of the broker: values are taken, read and delivered by reports of the attempt, sealed to a key
that lives as long as it does. Nothing of them is logged, written to a disk, or put on a command line.
"""

from __future__ import annotations

import asyncio
import string
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from quarterdeck.broker.execution.machine import Machine
from quarterdeck.broker.execution.opening import opened
from quarterdeck.broker.execution.orders import BrokerOrder
from quarterdeck.broker.execution.providers.protocol import Bundle, Found, Provider, missing, no_object
from quarterdeck.broker.sealing import agreement, envelopes
from quarterdeck.broker.sealing.agreement import Sealed, Unsealable
from quarterdeck.broker.sealing.encoding import decoded, encoded
from quarterdeck.broker.sealing.keys import content_hash
from quarterdeck.kernel.errors import Conflict, Invalid, Timeout
from quarterdeck.kernel.ids import Ids
from quarterdeck.kernel.jobs import JobContext

TRIES = 3
"""Times that a change is tried on what somebody else has written meanwhile."""
AT_ONCE = 200
"""Found secrets that are told in one report."""
ALPHABETS: Mapping[str, str] = {
    "letters-digits": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "digits": string.digits,
    "printable": string.ascii_letters + string.digits + "!#%+,-./:=@_~",
}


async def execute(context: JobContext, order: BrokerOrder, machine: Machine) -> dict[str, Any]:
    """Answers what was done in numbers. Raises `Timeout` (`secret_provider_slow`), and as the providers do."""
    steps: dict[str, Callable[[JobContext, BrokerOrder, Provider], Awaitable[dict[str, Any]]]] = {
        "read": _read,
        "patch": _change,
        "update": _change,
        "rotate": _rotate,
        "discover": _discover,
        "verify": _verify,
    }
    step = steps.get(order.job_type)
    if step is None:
        raise Invalid(f"No worker of ours does a job {order.job_type[:40]!r}.", code="broker_job_unsupported")
    provider = opened(context, order, machine)
    try:
        async with asyncio.timeout(order.seconds):
            return await step(context, order, provider)
    except TimeoutError:
        raise Timeout(
            f"{order.provider_type} took longer than {order.seconds} seconds.",
            code="secret_provider_slow",
            hint="Look at the provider, then ask again.",
        ) from None
    finally:
        await provider.close()


async def _read(context: JobContext, order: BrokerOrder, provider: Provider) -> dict[str, Any]:
    bundle = await provider.read(order.secret_ref)
    kept = bundle.values if bundle is not None else {}
    wanted = {key: kept[key] for key in order.keys or kept if kept.get(key)}  # nothing is no value that can be given
    if not wanted:
        raise missing(order.secret_ref)
    for key, value in wanted.items():
        await _deliver(context, order, key, value.encode())
    return {"keys": len(wanted)}


async def _deliver(context: JobContext, order: BrokerOrder, key_name: str, value: bytes) -> None:
    if order.recipient_key is not None:
        value = msgspec.json.encode(agreement.seal(decoded(order.recipient_key, "recipient_key"), value))
    made = await context.record("data-key", {})
    if made is None:
        raise Conflict("A data key was given out, and its answer got lost.", code="wrap_answer_lost", hint="Ask again.")
    nonce, ciphertext = envelopes.close(decoded(made["plaintext"], "plaintext"), value)
    envelope = {
        "algorithm": envelopes.ALGORITHM,
        "ciphertext": encoded(ciphertext),
        "nonce": encoded(nonce),
        "dek_ciphertext": made["ciphertext"],
        "dek_kms_key_id": made["kms_key_id"],
    }
    await context.record("deliver", {"key_name": key_name, "envelope": envelope})


async def _change(context: JobContext, order: BrokerOrder, provider: Provider) -> dict[str, Any]:
    """The provider is asked first: a value is taken, which happens once, only when it can be written."""
    before = await _seen(order, provider)
    values = await _taken(context, order)
    await _write(order, provider, before, values, whole=order.job_type == "update")
    return {"keys": len(values)}


async def _taken(context: JobContext, order: BrokerOrder) -> dict[str, str]:
    private = Ids().randbytes(agreement.KEY)
    public = encoded(agreement.public_of(private))
    values: dict[str, str] = {}
    for one in order.wraps:
        given = await context.record("take", {"wrap_id": one.wrap_id, "public_key": public})
        if given is None:
            raise Conflict(
                "A value was given out, and its answer got lost.", code="wrap_answer_lost", hint="Ask again."
            )
        try:
            plain = agreement.open_sealed(private, msgspec.convert(given["sealed"], Sealed))
        except Unsealable:
            raise Conflict("A value does not open.", code="wrap_unreadable", hint="Ask again.") from None
        if content_hash(plain) != given["content_hash"]:
            raise Conflict("A value is not what was kept.", code="wrap_unreadable", hint="Ask again.")
        values[given["key_name"]] = plain.decode()
    return values


async def _rotate(_context: JobContext, order: BrokerOrder, provider: Provider) -> dict[str, Any]:
    said = order.rotation or {}
    letters, length = ALPHABETS[said.get("alphabet", "letters-digits")], int(said.get("length", 32))
    made = {key: drawn(Ids(), letters, length) for key in order.keys}
    await _write(order, provider, await _seen(order, provider), made, whole=False)
    return {"keys": len(made)}


def drawn(ids: Ids, letters: str, length: int) -> str:
    """A text in which each letter is as likely as any other."""
    fair, text = 256 - 256 % len(letters), ""
    while len(text) < length:
        text += "".join(letters[one % len(letters)] for one in ids.randbytes(length) if one < fair)
    return text[:length]


async def _seen(order: BrokerOrder, provider: Provider) -> Bundle | None:
    """The secret as it stands, for a change of it. Raises `Invalid` (`secret_no_object`)."""
    found = await provider.read(order.secret_ref)
    if found is not None and not found.writable:
        raise no_object(order.secret_ref)
    return found


async def _write(
    order: BrokerOrder, provider: Provider, before: Bundle | None, values: Mapping[str, str], *, whole: bool
) -> None:
    for left in reversed(range(TRIES)):
        kept = {} if whole or before is None else dict(before.values)
        try:
            await provider.write(order.secret_ref, {**kept, **values}, before)
        except Conflict:
            if not left:
                raise
            before = await _seen(order, provider)
        else:
            return


async def _discover(context: JobContext, order: BrokerOrder, provider: Provider) -> dict[str, Any]:
    count, some = 0, list[Found]()
    async for one in provider.find(order.label_selector):
        some.append(one)
        if len(some) == AT_ONCE:
            count += await _tell(context, some)
    count += await _tell(context, some)
    return {"secrets": count}


async def _tell(context: JobContext, some: list[Found]) -> int:
    if not some:
        return 0
    told = [
        {"secret_ref": one.secret_ref, "labels": dict(one.labels), "version": one.version, "checksum": one.checksum}
        for one in some
    ]
    await context.record("found", {"items": told})
    count = len(some)
    some.clear()
    return count


async def _verify(_context: JobContext, order: BrokerOrder, provider: Provider) -> dict[str, Any]:
    found = await provider.read(order.secret_ref)
    if found is None or not {*order.keys} <= {*found.values}:
        raise missing(order.secret_ref)
    return {"keys": len(found.values)}
