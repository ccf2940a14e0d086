"""A name that is typed before something is lost."""

from __future__ import annotations

from quarterdeck.kernel.errors import Invalid


def require_typed(typed: str, name: str) -> None:
    """Raise `Invalid` unless it is the name, as it is spelt."""
    if typed != name:
        raise Invalid(f"What was typed is not {name}.", hint=f"Type {name} as it is spelt.", field="confirmation")
