"""Values that were read, for whoever asked (contract: broker §1.7)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType


class WrapsQuery(Struct, kw_only=True):
    """`user_id` can only be the caller."""

    user_id: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET


class WrapSummary(Struct, kw_only=True):
    """`sealed`: what is given out opens with the requester's own key alone."""

    id: str
    consumed: bool
    expires_at: str
    key_name: str | UnsetType = UNSET
    sealed: bool = False


class Value(Struct, kw_only=True):
    """`value` is base64. With `sealed_to_recipient` it is a JSON text `{algorithm, ciphertext, nonce,
    ephemeral_public_key}` that only the requester's key opens.
    """

    wrap_id: str
    request_id: str
    value: str
    byte_length: int
    content_hash: str
    algorithm: Literal["AES-256-GCM"] = "AES-256-GCM"
    key_name: str | UnsetType = UNSET
    sealed_to_recipient: bool = False
