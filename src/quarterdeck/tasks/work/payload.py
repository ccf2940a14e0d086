"""What the job of an attempt holds: no secrets, those come into the order when it is claimed."""

from __future__ import annotations

from msgspec import Struct


class Attempt(Struct, frozen=True, kw_only=True):
    """`number` is the attempt of the task; what follows is what earlier attempts have used, since an attempt tells only
    of itself. `cost_usd` is None while no agent has told of any. `session` is what the agent goes on with.
    """

    task_id: int
    number: int
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    session: str | None = None
