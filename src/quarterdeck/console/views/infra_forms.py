"""A specification as a form: sections of fields, and lists of things that may be added and taken away."""

from __future__ import annotations

from dataclasses import dataclass

from quarterdeck.console.views.shell import Field


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of a list. `deed` takes it away."""

    name: str
    fields: tuple[Field, ...]
    deed: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form. One with `add` is a list, and that is the deed which makes one more of it."""

    key: str
    title: str
    hint: str
    fields: tuple[Field, ...] = ()
    entries: tuple[Entry, ...] = ()
    add: str = ""
    one: str = ""
    open: bool = False
    error: str = ""
