"""What of enrolment is kept, and for how long. Workers stay, decommissioned ones too: tasks name them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_

from quarterdeck.fleet.workers.model import EnrolmentToken
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.retention import Category, register

DAYS = 90


def ended_tokens(tx: Tx, before: datetime) -> int:
    """Remove enrolment tokens that were used, revoked or expired before an instant."""
    over = or_(EnrolmentToken.used_at < before, EnrolmentToken.revoked_at < before, EnrolmentToken.expires_at < before)
    return int(tx.execute(delete(EnrolmentToken).where(over)).rowcount)  # type: ignore[attr-defined]


async def _tokens(instance: Any, before: datetime) -> int:
    return int(await instance.db.write(ended_tokens, before))


register(
    Category(
        "worker-tokens",
        "Enrolment tokens that were used, revoked or have expired",
        keep=timedelta(days=DAYS),
        prune=_tokens,
    )
)
