"""Imports data classes without compiling for each the methods that all of them could share (ADR 0034).

Python writes the source of `__repr__`, `__eq__`, `__hash__` and, of frozen ones, `__setattr__` and `__delattr__` for
every class and compiles it at each start: with six hundred classes half a second, and several megabytes that stay.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any

SHARED = ("_repr_fn", "_cmp_fn", "_hash_fn", "_frozen_get_del_attr")
"""What of Python's own is replaced; where a release has it no more, its classes are made as ever."""


@contextlib.contextmanager
def shared_methods() -> Iterator[None]:
    """While it lasts, data classes are made with methods that do the same as theirs and are compiled once for all."""
    own = {name: getattr(dataclasses, name, None) for name in SHARED}
    if None in own.values():
        yield
        return
    compare = own["_cmp_fn"]

    def compared(name: str, operator: str, mine: str, others: str, **named: Any) -> Any:
        if name != "__eq__":
            return compare(name, operator, mine, others, **named)  # type: ignore[misc]  # it is there
        return _equality([part.removeprefix("self.") for part in mine.strip("()").split(",") if part])

    ours = (_representation, compared, _hashing, _freezing)
    try:
        for name, function in zip(SHARED, ours, strict=True):
            setattr(dataclasses, name, function)
        yield
    finally:
        for name, theirs in own.items():
            setattr(dataclasses, name, theirs)


def _representation(fields: Sequence[Any], _globals: Any) -> Callable[[Any], str]:
    names = tuple(field.name for field in fields)

    def __repr__(self: Any) -> str:  # noqa: N807 - becomes the method of that name
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({told})"

    return recursive_repr()(__repr__)


def _values(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Those fields of an object, as Python's own methods see them: always in a tuple."""
    if not names:
        return lambda _: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda one: (get(one),)


def _equality(names: Sequence[str]) -> Callable[[Any, Any], Any]:
    values = _values(names)

    def __eq__(self: Any, other: Any) -> Any:  # noqa: N807
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hashing(fields: Sequence[Any], _globals: Any) -> Callable[[Any], int]:
    values = _values([field.name for field in fields])

    def __hash__(self: Any) -> int:  # noqa: N807
        return hash(values(self))

    return __hash__


def _freezing(cls: Any, fields: Sequence[Any], _globals: Any) -> tuple[Any, Any]:
    names = frozenset(field.name for field in fields)

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return __setattr__, __delattr__
