"""What people may call things: text that shows as what it is, wherever it is printed."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from quarterdeck.kernel.errors import Invalid

JOINERS = "\u200c\u200d"
"""Invisible, and part of how some scripts and signs are written."""
BREAKS = {"Zl", "Zp"}
FEW = 5
"""So many names say enough where a list of them is no answer of its own."""


def several(names: Sequence[str]) -> str:
    """Names for a sentence: the first few, and how many there are besides. They may come from outside, so a long one is
    cut.
    """
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(name[:120] for name in names[:FEW]) + more


def misleads(letter: str) -> bool:
    """Whether a character is a control, changes the direction of what stands around it, or cannot be seen: with one a
    name could look like another, or write over a terminal.
    """
    kind = unicodedata.category(letter)
    return kind in BREAKS or (kind.startswith("C") and letter not in JOINERS)


def one_line(text: str, field: str, longest: int = 200, *, empty: bool = False) -> str:
    """The text without outer spaces. Raises `Invalid` for a longer one, for nothing unless that may be, and for
    characters that mislead.
    """
    if not empty and not text.strip():
        raise Invalid(f"{field} is empty.", hint="Give a name.", field=field)
    return _checked(text.strip(), field, longest, "")


def lines(text: str, field: str, longest: int = 2000) -> str:
    """As `one_line`, of any number of lines, or of none."""
    return _checked(text.strip(), field, longest, "\n\r\t")


def _checked(text: str, field: str, longest: int, spared: str) -> str:
    if len(text) > longest:
        raise Invalid(f"{field} has more than {longest} characters.", hint="Give a shorter one.", field=field)
    if any(misleads(one) and one not in spared for one in text):
        raise Invalid(
            f"{field} has characters that cannot be seen, or that change how the text around them is shown.",
            hint="Leave control characters and marks of direction out.",
            field=field,
        )
    return text
