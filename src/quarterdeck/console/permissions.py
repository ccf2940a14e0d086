"""What each console route asks for, in the words of the catalogue. The domain asks again, for the thing itself."""

from __future__ import annotations

from typing import Any, Final

PUBLIC: Final = "public"
SIGNED_IN: Final = "authenticated"


def needs(permission: str, **more: Any) -> dict[str, Any]:
    """The `opt` of a route. Forms are no JSON, so the frame leaves bodies to the handler."""
    return {"permission": permission, "raw_body": True, **more}
