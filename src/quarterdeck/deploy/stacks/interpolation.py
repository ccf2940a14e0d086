"""`$A`, `${A}`, `${A:-b}`, `${A-b}`, `${A:?words}`, `${A?words}`, `${A:+b}`, `${A+b}` and `$$` in texts of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quarterdeck.deploy.stacks.refusals import Place

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LONGEST = 1 << 20
DEEPEST = 5


@dataclass(slots=True)
class Room:
    """How many characters all texts of a file together may still have once they are filled in: thousands of short
    texts that each take in a long variable would fill the memory where no single one is too long.
    """

    left: int = 8 << 20

    def take(self, size: int, place: Place) -> None:
        """Raises `Refused` when it is used up."""
        self.left -= size
        if self.left < 0:
            raise place.refuse(
                "is one text too many: filled in, the file becomes longer than 8 MB",
                "Shorten the variables that it takes in, or take them in less often.",
            )


def interpolated(value: Any, variables: Mapping[str, str], place: Place, room: Room) -> Any:
    """The value with every text of it filled in; keys stay as they are. Raises `Refused` for a variable that is not
    set and has no default: an empty text in its place would run something that nobody meant.
    """
    if isinstance(value, str):
        filled = _text(value, variables, place)
        room.take(len(filled), place)
        return filled
    if isinstance(value, list):
        return [interpolated(item, variables, place, room) for item in value]
    if isinstance(value, dict):
        return {key: interpolated(item, variables, place.at(key), room) for key, item in value.items()}
    return value


def _text(text: str, variables: Mapping[str, str], place: Place) -> str:
    made: list[str] = []
    at = size = 0
    while (dollar := text.find("$", at)) >= 0:
        made.append(text[at:dollar])
        piece, at = _reference(text, dollar, variables, place)
        made.append(piece)
        size += len(piece)
        if size > LONGEST:
            raise place.refuse("becomes too long", "Shorten the variables that it takes in.")
    return "".join((*made, text[at:]))


def _reference(text: str, dollar: int, variables: Mapping[str, str], place: Place) -> tuple[str, int]:
    """What the reference at `dollar` stands for, and where the text goes on."""
    after = text[dollar + 1 : dollar + 2]
    if after == "$":
        return "$", dollar + 2
    if after != "{":
        plain = NAME.match(text, dollar + 1)
        if plain is None:
            raise _unreadable(place)
        return _looked_up(plain[0], variables, place), plain.end()
    end = _closing(text, dollar + 2)
    named = NAME.match(text, dollar + 2)
    if end is None or named is None:
        raise _unreadable(place)
    name, rest = named[0], text[named.end() : end]
    if not rest:
        return _looked_up(name, variables, place), end + 1
    form = re.match(r":?[-?+]", rest)
    if form is None:
        raise _unreadable(place)
    value, words = variables.get(name), rest[form.end() :]
    there = value is not None and not (form[0].startswith(":") and value == "")
    kind = form[0][-1]
    if kind == "+":
        return (_text(words, variables, place) if there else ""), end + 1
    if there:
        return value or "", end + 1
    if kind == "-":
        return _text(words, variables, place), end + 1
    told = f": {words[:120]}" if words else ""
    raise place.refuse(f"needs the variable {name}{told}", f"Set the variable {name} of the resource.")


def _closing(text: str, start: int) -> int | None:
    depth = 1
    for at in range(start, len(text)):
        if text[at] == "{" and text[at - 1] == "$":
            depth += 1
            if depth > DEEPEST:
                return None
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
    return None


def _looked_up(name: str, variables: Mapping[str, str], place: Place) -> str:
    if name in variables:
        return variables[name]
    raise place.refuse(
        f"needs the variable {name}, which is not set",
        f"Set the variable {name} of the resource, or write ${{{name}:-}} where it may be empty.",
    )


def _unreadable(place: Place) -> Exception:
    return place.refuse("has a $ that begins no variable", "Write $$ for a dollar sign.")
