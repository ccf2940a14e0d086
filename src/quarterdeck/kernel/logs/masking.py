"""Taking secret values out of lines before anybody stores or sees them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote, quote_plus

from quarterdeck.kernel.logs.line import Line
from quarterdeck.kernel.vault.secret import MASK

SHORTEST = 4
SHORTEST_PART = 8  # of a value that is one of several lines, or of a base64 text cut at unknown places
OPEN = 4  # a line that ends with this much of a secret is held for what follows it


def forms(value: str) -> set[str]:
    """The texts under which a secret value may appear, without line breaks: lines are searched joined."""
    if len(value.strip()) < SHORTEST:
        return set()
    plain = value.strip("\r\n")
    raw = [plain, plain.replace("\r\n", "\n")]
    found = set(raw)
    for text in raw:
        found |= {
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            quote(text, safe=""),
            quote_plus(text),
        }
    for text in {value, *raw}:
        found |= _base64(text.encode("utf-8", "replace"))
    lines = plain.splitlines()
    if len(lines) > 1:
        found |= {line.strip() for line in lines if len(line.strip()) >= SHORTEST_PART}
    joined = {text.replace("\r", "").replace("\n", "") for text in found}
    return {text for text in joined if len(text) >= SHORTEST}


def _base64(raw: bytes) -> set[str]:
    """The value encoded by itself, and what of it stands unchanged inside the encoding of a longer text."""
    found = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode().rstrip("=")
        found.add(whole)
        for offset in range(3):
            text = encode(b"\0" * offset + raw).decode()
            begin = (0, 2, 3)[offset]
            end = len(text) if (offset + len(raw)) % 3 == 0 else (offset + len(raw)) // 3 * 4
            if end - begin >= SHORTEST_PART:
                found.add(text[begin:end])
    return found


def hidden(text: str, values: Iterable[str]) -> str:
    """A whole text with every form of the values replaced by `****`; of a value of several lines each line by itself,
    because a text may have signs of its own between them.
    """
    for form in sorted({form for value in values for form in forms(value)}, key=len, reverse=True):
        text = text.replace(form, MASK)
    return text


@dataclass(frozen=True, slots=True)
class Forms:
    """What is looked for: the longest first."""

    texts: tuple[str, ...] = ()

    @property
    def longest(self) -> int:
        return len(self.texts[0]) if self.texts else 0

    def dangling(self, text: str) -> int:
        """How many characters at the end of `text` begin a secret; beginnings shorter than `OPEN` do not count."""
        end = text[-(self.longest - 1) :] if self.longest > 1 else ""
        best = 0
        for form in self.texts:
            at = end.find(form[:OPEN], max(0, len(end) - len(form) + 1))
            while 0 <= at < len(end) - best:
                if form.startswith(end[at:]):
                    best = len(end) - at
                    break
                at = end.find(form[:OPEN], at + 1)
        return best

    def spans(self, joined: str) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        for form in self.texts:
            at = joined.find(form)
            while at >= 0:
                found.append((at, at + len(form)))
                at = joined.find(form, at + 1)
        dangling = self.dangling(joined)
        if dangling >= 2 * OPEN and any(
            joined.endswith(form[:dangling]) and 2 * dangling >= len(form) for form in self.texts
        ):
            found.append((len(joined) - dangling, len(joined)))  # most of a secret: its rest may never come
        merged: list[tuple[int, int]] = []
        for begin, end in sorted(found):
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((begin, end))
        return merged


class Mask:
    """The secrets of one stream. Lines of one origin are searched as one text, so that neither a line break within a
    secret nor a chunk that ended in the middle of it lets it through.

    `add` may be called from any thread, one after the other, while one other thread calls `open` and `apply`: these
    look for what was known when they began.
    """

    def __init__(self) -> None:
        self._forms = Forms()
        self._tails: dict[tuple[str, str], str] = {}

    def add(self, values: Iterable[str]) -> None:
        known = set(self._forms.texts).union(*(forms(value) for value in values))
        self._forms = Forms(tuple(sorted(known, key=len, reverse=True)))

    @property
    def texts(self) -> tuple[str, ...]:
        return self._forms.texts

    def open(self, lines: Sequence[Line]) -> bool:
        """True when the lines end with the beginning of a secret, whose rest may be in the next chunk."""
        looked_for = self._forms
        ends: dict[tuple[str, str], str] = {}
        for line in reversed(lines):
            origin = (line.source, line.stream)
            if len(ends.get(origin, "")) < looked_for.longest:
                ends[origin] = _bare(line.message) + ends.get(origin, "")
        return any(looked_for.dangling(self._tails.get(origin, "") + text) >= OPEN for origin, text in ends.items())

    def apply(self, lines: Sequence[Line]) -> list[Line]:
        """The lines with every secret replaced by `****`. Remembers, in memory, the end of what it has seen."""
        looked_for = self._forms
        if not looked_for.texts:
            return list(lines)
        masked: list[Line] = list(lines)
        indexed = sorted(range(len(lines)), key=lambda at: (lines[at].source, lines[at].stream))
        for origin, group in groupby(indexed, key=lambda at: (lines[at].source, lines[at].stream)):
            places = list(group)
            tail = self._tails.get(origin, "")
            texts = [_bare(lines[at].message) for at in places]
            joined = tail + "".join(texts)
            spans = looked_for.spans(joined)
            if looked_for.longest > 1:
                self._tails[origin] = joined[-(looked_for.longest - 1) :]
            if not spans:
                continue
            begin = len(tail)
            for at, text in zip(places, texts, strict=True):
                end = begin + len(text)
                hit = [(max(a, begin) - begin, min(b, end) - begin) for a, b in spans if a < end and b > begin]
                if hit:
                    masked[at] = _replace(lines[at], text, hit)
                begin = end
        return masked


def _bare(message: str) -> str:
    return message.replace("\r", "").replace("\n", "") if "\n" in message or "\r" in message else message


def _replace(line: Line, text: str, hit: Sequence[tuple[int, int]]) -> Line:
    pieces, before = [], 0
    for begin, end in hit:
        pieces += [text[before:begin], MASK]
        before = end
    pieces.append(text[before:])
    return Line(line.time, line.source, line.stream, line.phase, line.level, "".join(pieces), line.number)
