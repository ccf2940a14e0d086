"""What the job of an attempt holds: no secrets, those come into the order when it is claimed."""

from __future__ import annotations

from msgspec import Struct


class Attempt(Struct, frozen=True, kw_only=True):
    """`number` is the attempt of the task, `session` what its agent goes on with."""

    task_id: int
    number: int
    session: str | None = None
