"""What the ledger's job of an infrastructure job holds; everything else is read when it is claimed."""

from __future__ import annotations

from msgspec import Struct


class Carried(Struct, frozen=True, kw_only=True):
    """`job_id` is the row of the infrastructure job."""

    job_id: int
