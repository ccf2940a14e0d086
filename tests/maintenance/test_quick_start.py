"""Data classes of a quick start behave as those that Python makes by itself."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import pytest

from quarterdeck.quick_start import SHARED, shared_methods


def made():
    @dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 0
        note: str = field(default="", compare=False)

    @dataclass(frozen=True)
    class Named(Point):
        name: str = ""

    @dataclass
    class Loose:
        items: list[object] = field(default_factory=list)
        hidden: int = field(default=1, repr=False)

    @dataclass(frozen=True)
    class Nothing:
        pass

    @dataclass(order=True)
    class Ranked:
        rank: int

    return Point, Named, Loose, Nothing, Ranked


def told(classes):
    point, named, loose, nothing, ranked = classes
    itself = loose()
    itself.items.append(itself)
    refused = []
    for one, name in ((point(1), "x"), (named(1), "name"), (nothing(), "other")):
        for act in (lambda one=one, name=name: setattr(one, name, 2), lambda one=one, name=name: delattr(one, name)):
            with pytest.raises((dataclasses.FrozenInstanceError, TypeError, AttributeError)) as failed:
                act()
            refused.append((type(failed.value), str(failed.value)))
    return [
        repr(point(1, 2, "n")), repr(named(1, name="a")), repr(loose([1], 2)), repr(itself), repr(nothing()),
        point(1, 2, "n") == point(1, 2, "m"), point(1) == point(2), point(1) == named(1), point(1) != 1,
        nothing() == nothing(), loose([1]) == loose([1]), point(1).__eq__(1),
        hash(point(1, 2, "n")) == hash((1, 2)), hash(nothing()) == hash(()), loose.__hash__ is None,
        ranked(1) < ranked(2), sorted([ranked(2), ranked(1)]), refused,
        point.__repr__.__qualname__.endswith("Point.__repr__"),
    ]  # fmt: skip


def test_shared_methods_do_what_those_of_python_do():
    with shared_methods():
        quick = made()
    assert repr(told(quick)) == repr(told(made()))


def test_only_what_is_made_meanwhile_is_made_so():
    before = {name: getattr(dataclasses, name) for name in SHARED}
    with pytest.raises(LookupError), shared_methods():
        raise LookupError
    assert {name: getattr(dataclasses, name) for name in SHARED} == before


def test_without_what_it_replaces_classes_are_made_as_ever(monkeypatch):
    monkeypatch.delattr(dataclasses, "_hash_fn")
    before = dataclasses._repr_fn
    with shared_methods():
        assert dataclasses._repr_fn is before
