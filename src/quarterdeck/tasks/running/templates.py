"""The variables of a stage's command (contract: tasks §3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIABLE = re.compile(r"\{(description|branch|project|choice|input)\}")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def expanded(command: str, values: Mapping[str, str]) -> str:
    """`command` with its variables, in a single pass: braces in a value stay what they are, and so do those that name
    no variable. A variable that has no value becomes nothing.
    """
    return VARIABLE.sub(lambda found: values.get(found.group(1), ""), command)


def typed(text: str) -> str:
    """Text as it may be typed: lines end as in Unix, and no character can end a paste or press a key."""
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def pasted(text: str, *, bracketed: bool) -> bytes:
    """What is sent for `text`: in brackets, so that its line ends do not submit it; or as one line."""
    clean = typed(text)
    if bracketed:
        return b"\x1b[200~" + clean.replace("\n", "\r").encode() + b"\x1b[201~"
    return " ".join(clean.split("\n")).replace("\t", " ").encode()
