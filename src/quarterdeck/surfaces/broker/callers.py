"""Who a body says that it comes from: nobody but who it comes from."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from quarterdeck.kernel.errors import Forbidden
from quarterdeck.kernel.http.endpoint import Call


def require_self(call: Call, said: str | UnsetType | None, field: str) -> None:
    """Raises `Forbidden` (`identity_mismatch`) where `said` names somebody else than the caller (contract: broker
    §13.2). What is left out is the caller.
    """
    if said is None or said is UNSET or not said.strip():
        return
    if said.strip().lower() != call.principal.uid:
        raise Forbidden(
            f"{field} is somebody else than you.",
            code="identity_mismatch",
            hint="Leave it out, or send your own id.",
            field=field,
        )
