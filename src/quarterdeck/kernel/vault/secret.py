"""A value that must not be seen: it never prints, logs, compares or serialises what it holds."""

from __future__ import annotations

import hmac
from typing import Any, Generic, NoReturn, TypeVar, overload

T = TypeVar("T")
MASK = "****"


class Secret(Generic[T]):
    """Wraps a secret value. `reveal()` is the one way to it and is called only where the value is used."""

    __slots__ = ("__value",)

    def __init__(self, value: T) -> None:
        self.__value = value

    def reveal(self) -> T:
        return self.__value

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        raise TypeError("a Secret does not compare; reveal it and use hmac.compare_digest")

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return True

    def matches(self, other: str | bytes) -> bool:
        """Compare in constant time."""
        mine = self.__value
        return hmac.compare_digest(
            mine if isinstance(mine, bytes) else str(mine).encode(),
            other if isinstance(other, bytes) else other.encode(),
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret does not serialise")


@overload
def conceal(value: None) -> None: ...
@overload
def conceal(value: T) -> Secret[T]: ...
def conceal(value: T | None) -> Secret[T] | None:
    """Wrap a value that may be missing."""
    return None if value is None else Secret(value)


def refuse_secrets(value: Any) -> NoReturn:
    """An `enc_hook` for msgspec that says plainly why it stops: a Secret never leaves by serialisation."""
    raise TypeError(
        "a Secret does not serialise" if isinstance(value, Secret) else f"{type(value).__name__} does not serialise"
    )
