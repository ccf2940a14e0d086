"""A value that must not be seen: it never prints, logs, compares or serialises what it holds."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

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

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret does not serialise")
