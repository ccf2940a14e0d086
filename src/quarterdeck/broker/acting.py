"""Under which correlation id, and as whom, a unit of the broker writes what it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from quarterdeck.fleet.workers.model import Worker
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal


def agent(worker: Worker) -> Principal:
    """A worker as an agent."""
    return Principal(
        kind="agent", id=worker.id, uid=worker.uid, label=worker.name, organization_id=worker.organization_id
    )


@contextmanager
def about(tx: Tx, correlation_uid: str | None, holder: Worker | None = None) -> Iterator[None]:
    """What is written bears this correlation id: of a request always its uid, so that the trail of a secret is one.
    With a `holder` it is this worker who acts, where so far it was the server on its behalf.
    """
    before = tx.context
    if correlation_uid is not None:
        tx.context = replace(tx.context, correlation_id=correlation_uid)
    if holder is not None and before.principal.kind == "system":
        tx.context = replace(tx.context, principal=agent(holder))
    try:
        yield
    finally:
        tx.context = before
