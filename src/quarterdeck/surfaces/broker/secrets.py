"""Which secrets there are, as agents tell it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from quarterdeck.broker.agents.authenticating import caller
from quarterdeck.broker.discovered import listing, upserting
from quarterdeck.broker.discovered.model import DiscoveredSecret
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid
from quarterdeck.kernel.http.endpoint import Call, route
from quarterdeck.surfaces.broker import shapes
from quarterdeck.surfaces.broker.agent_calls import AGENT, CLAIMS, UNKNOWN
from quarterdeck.surfaces.broker.wire import secrets as wire
from quarterdeck.surfaces.shared.values import given

LIST = "broker:secret.list"
BULK_LIMIT = 4 << 20
"""Bytes of what an agent tells at once."""


@route(
    "POST",
    "/api/v1/agents/{id}/secrets/bulk",
    permission="authenticated",
    callers=AGENT,
    each=CLAIMS,
    body_limit=BULK_LIMIT,
    errors=(*UNKNOWN, (400, "validation_error"), (400, "secret_ref_missing"), (400, "value_refused"),
            (400, "items_too_many"), (403, "cluster_foreign")),
)  # fmt: skip
async def bulk(call: Call, body: wire.Bulk) -> wire.Upserted:
    """Keep which secrets an agent has found."""
    cluster, provider = given(body.cluster_name) or "", given(body.provider_type) or ""
    for word, value in (("cluster_name", cluster), ("provider_type", provider)):
        if not value.strip():
            raise Invalid(f"{word} is missing.", code="validation_error", hint="Send it.", field=word)
    items = [_item(position, one) for position, one in enumerate(given(body.items) or [])]

    def verb(tx: Tx) -> wire.Upserted:
        worker, agent = caller(tx)
        uids = upserting.upsert(
            tx,
            worker.organization_id,
            cluster,
            provider,
            given(body.provider_config) or {},
            items,
            cluster_of_agent=agent.scope.get("cluster"),
        )
        return wire.Upserted(upserted_ids=uids, count=len(uids))

    return await call.write(verb)


@route("GET", "/api/v1/secrets", permission=LIST, errors=((400, "validation_error"),))
async def index(call: Call, query: wire.SecretsQuery) -> wire.SecretPage:
    """The secrets that agents have found, by cluster and reference."""
    wanted = listing.Wanted(
        cluster=given(query.cluster_name) or None,
        provider=given(query.provider) or None,
        ref_prefix=given(query.ref_prefix) or None,
        status=given(query.status) or None,
        labels=_labels(given(query.label) or []),
        limit=query.limit,
        offset=query.offset,
    )

    def verb(tx: Tx) -> wire.SecretPage:
        found, total = listing.page(tx, wanted)
        return wire.SecretPage(items=[shown(one) for one in found], total=total)

    return await call.read(verb)


@route("GET", "/api/v1/secrets/{id}", permission=LIST, errors=((400, "id_malformed"), (404, "secret_not_found")))
async def show(call: Call, id: str) -> wire.Secret:  # noqa: A002
    """One of them."""
    uid = shapes.uid(id)
    return await call.read(lambda tx: shown(listing.find(tx, uid)))


def shown(one: DiscoveredSecret) -> wire.Secret:
    return wire.Secret(
        id=one.uid,
        cluster_name=one.cluster_name,
        provider_type=one.provider_type,
        secret_ref=one.secret_ref,
        provider_config=one.provider_config or UNSET,
        labels=dict(one.labels),
        version=one.version or UNSET,
        checksum=one.checksum or UNSET,
        created_at_source=shapes.at(one.created_at_source) if one.created_at_source is not None else UNSET,
        updated_at_source=shapes.at(one.updated_at_source) if one.updated_at_source is not None else UNSET,
        status=one.status,  # type: ignore[arg-type]  # one of both
        first_seen_at=shapes.at(one.first_seen_at),
        last_seen_at=shapes.at(one.last_seen_at),
    )


def _item(position: int, said: dict[str, Any]) -> upserting.Found:
    upserting.check_words(position, list(said))
    try:
        one = msgspec.convert(said, wire.Item)
    except msgspec.ValidationError:
        raise Invalid(
            f"items[{position}] is not of the documented form.",
            code="validation_error",
            hint="Texts alone, and labels as an object of texts.",
            field=f"items[{position}]",
        ) from None
    return upserting.Found(
        secret_ref=one.secret_ref,
        labels=given(one.labels) or {},
        version=given(one.version) or None,
        checksum=given(one.checksum) or None,
        created_at=_moment(position, "created_at_source", one.created_at_source),
        updated_at=_moment(position, "updated_at_source", one.updated_at_source),
    )


def _moment(position: int, word: str, text: str | UnsetType | None) -> datetime | None:
    said = given(text)
    if not said:
        return None
    try:
        told = datetime.fromisoformat(said)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"items[{position}].{word} is no time.",
            code="validation_error",
            hint="Write it as 2026-01-31T12:00:00Z.",
            field=f"items[{position}].{word}",
        ) from None


def _labels(said: Sequence[str]) -> dict[str, str]:
    """Without a colon or a key one means nothing; the last one of a key counts (contract: broker §8)."""
    pairs = (one.partition(":") for one in said)
    return {key: value for key, mark, value in pairs if mark and key}
