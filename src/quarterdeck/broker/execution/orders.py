"""What a worker is told of one of the broker's jobs. No order carries a value: those travel as reports of the running
attempt, sealed to a key that the worker makes for it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

RUN = "broker.run"
"""The kind of job in the ledger."""


class Provider(Struct, frozen=True, kw_only=True):
    """Where secrets are kept, and what it is opened with (`credential`, JSON text), if the server knows."""

    type: str
    config: dict[str, Any] = field(default_factory=dict)
    credential: str | None = None


class WrapRef(Struct, frozen=True, kw_only=True):
    """A value that waits to be taken by the report `take`."""

    wrap_id: str
    key_name: str


class BrokerOrder(Struct, frozen=True, kw_only=True):
    """One attempt. `keys` empty: all that the secret has. `seconds`: how long it may take, a little less than its
    lease. `recipient_key` (base64): values are sealed to it before they are delivered.
    """

    job: str
    job_type: str
    provider_type: str
    seconds: int
    connection: Provider | None = None
    secret_ref: str = ""
    keys: list[str] = field(default_factory=list)
    wraps: list[WrapRef] = field(default_factory=list)
    rotation: dict[str, Any] | None = None
    recipient_key: str | None = None
    label_selector: dict[str, str] = field(default_factory=dict)
    cluster_name: str = ""
