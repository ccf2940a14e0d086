"""What the ledger's job of a job of the broker holds; everything else is read when it is claimed."""

from __future__ import annotations

from msgspec import Struct


class Carried(Struct, frozen=True, kw_only=True):
    """`job_id` is the row of the broker's job."""

    job_id: int
