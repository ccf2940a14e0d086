"""Terminal colours of a log line, mapped to the five classes that the style sheet has."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_ESCAPE = re.compile(r"\x1b(?:\[([0-9;:?]*)([A-Za-z])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CLASSES = {31: "er", 91: "er", 32: "ok", 92: "ok", 33: "wa", 93: "wa"} | dict.fromkeys(
    (34, 35, 36, 94, 95, 96), "in-f"
)
_MUTED = {2, 90}
_RESET = {0, 22, 39}


def coloured(text: str) -> Markup:
    """`text` escaped, its colour sequences as spans, every other control sequence dropped.

    Of several carriage-returned versions of a line only the last is kept, as a terminal would show it.
    """
    text = text.rstrip("\r\n").rsplit("\r", 1)[-1]
    parts: list[Markup] = []
    current, at = "", 0
    for found in _ESCAPE.finditer(text):
        parts.append(_span(text[at : found.start()], current))
        at = found.end()
        if found[2] == "m":
            current = _after(found[1] or "0", current)
    parts.append(_span(text[at:], current))
    return Markup().join(parts)


def _after(codes: str, current: str) -> str:
    for piece in codes.replace(":", ";").split(";"):
        code = int(piece) if piece.isdigit() else 0
        if code in _RESET:
            current = ""
        elif code in _MUTED:
            current = "mu"
        elif code in _CLASSES:
            current = _CLASSES[code]
        elif code == 38:  # a palette colour follows: its numbers are no codes of their own
            break
    return current


def _span(text: str, name: str) -> Markup:
    plain = escape(_CONTROL.sub("", text))
    if not plain or not name:
        return plain
    return Markup('<span class="{}">{}</span>').format(name, plain)
