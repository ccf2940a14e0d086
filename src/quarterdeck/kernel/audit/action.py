"""The vocabulary of the audit trail."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import ClassVar

GRAMMAR = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+")


class Action(StrEnum):
    """What was done: `subject.action`, lower case, words joined by `-`. Each package declares its own subclass.

    A word that breaks the grammar, or that another package has already taken, stops the import.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for member in cls:
            if not GRAMMAR.fullmatch(member.value):
                raise ValueError(f"{cls.__name__}.{member.name} = {member.value!r} is not of the form subject.action")
            owner = Actions.taken.setdefault(member.value, f"{cls.__module__}.{cls.__qualname__}")
            if owner != f"{cls.__module__}.{cls.__qualname__}":
                raise ValueError(f"{member.value!r} is declared by {owner} already")


class Actions:
    """Every declared action and where it was declared."""

    taken: ClassVar[dict[str, str]] = {}

    @classmethod
    def all(cls) -> list[str]:
        return sorted(cls.taken)
