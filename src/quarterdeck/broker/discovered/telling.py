"""What an enrolled worker, or the server's own, tells of a job that looks for secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from quarterdeck.broker.connections.model import Connection
from quarterdeck.broker.discovered import upserting
from quarterdeck.broker.work.model import BrokerJob
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.errors import Invalid


class Told(msgspec.Struct, kw_only=True):
    """One secret of a report `found` `{items: […]}`."""

    secret_ref: str
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    version: str | None = None
    checksum: str | None = None


def heard(tx: Tx, job: BrokerJob, said: Mapping[str, Any]) -> None:
    """Keep them under the connection that was looked into. Raises `Invalid` for what no worker of ours says."""
    connection = tx.get(Connection, job.connection_id) if job.connection_id is not None else None
    if connection is None:
        return
    items = said.get("items")
    if not isinstance(items, list):
        raise Invalid("A report of found secrets has no items.", code="broker_report_unknown")
    for position, one in enumerate(items):
        upserting.check_words(position, list(one) if isinstance(one, dict) else [])
    try:
        told = msgspec.convert(items, list[Told])
    except msgspec.ValidationError:
        raise Invalid("A report of found secrets is malformed.", code="broker_report_unknown") from None
    upserting.upsert(
        tx,
        job.organization_id,
        job.agent_scope.get("cluster") or connection.name,
        connection.provider_type,
        {"connection": connection.name},
        [upserting.Found(one.secret_ref, one.labels, one.version, one.checksum) for one in told],
    )
    connection.discovered_at = tx.now
