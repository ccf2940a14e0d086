"""How a stage says that it is done: a line that only somebody who read our instruction can write.

The instruction describes the marker and never holds it, so that no echo of it can be taken for the marker, and the
nonce is new for each try of a stage. What is found is read from the rendered screen, frames and wrapping taken off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

DONE, FAIL = "STAGE_DONE", "STAGE_FAIL"
GAP = r"[\s│┃|║]*"
LONGEST_REASON = 300
BULLETS = re.compile(r"^[\s│┃|║╭╰─⏺●•◦*·>\u276f⎿✗✘⚠!▲■-]+")


@dataclass(frozen=True, slots=True)
class Verdict:
    done: bool
    reason: str = ""


@dataclass(frozen=True)
class Marker:
    """`nonce`: 12 hexadecimal digits, new for each try."""

    nonce: str

    @property
    def instruction(self) -> str:
        """What the agent is asked for, in words that are no marker."""
        return (
            "When all of this is finished and nothing is left to do, write one last line that consists of two opening "
            f"square brackets, {DONE}, a space, {self.nonce}, and two closing square brackets. "
            f"If it cannot be done, write such a line with {FAIL} instead, and the reason after the code. "
            "Write it only then."
        )

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        done, fail = (GAP.join(re.escape(one) for one in f"[[{word}{self.nonce}") for word in (DONE, FAIL))
        end = rf"\]{GAP}\]"
        return re.compile(rf"{done}{GAP}{end}|{fail}(?P<reason>(?:(?!\[\[|\]\]).){{0,2000}}?){end}", re.DOTALL)

    def find(self, text: str) -> Verdict | None:
        """What rendered text says; a failure is believed before a success."""
        if self.nonce[:2] not in text:
            return None
        found = list(self._pattern.finditer(text))
        failed = next((one for one in found if one["reason"] is not None), None)
        if failed is not None:
            return Verdict(False, cleaned(failed["reason"]))
        return Verdict(True) if found else None


def cleaned(text: str) -> str:
    """An agent's words on one line, for a message."""
    words = re.sub(r"[│┃║]|\s+", " ", text)
    words = " ".join("".join(one for one in words if one.isprintable()).split())
    return words if len(words) <= LONGEST_REASON else words[: LONGEST_REASON - 1] + "…"


def bare(line: str) -> str:
    """A line without the frame and the bullet before it, and the frame after it."""
    return BULLETS.sub("", line).rstrip(" │┃|║")
