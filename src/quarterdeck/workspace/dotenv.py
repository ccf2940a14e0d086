"""Variables as people keep them in a file: `KEY=value` line by line."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from quarterdeck.kernel.errors import Invalid

PHASE = "resource-env-import-parse"
MOST_TOLD = 20
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
_QUOTED = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)')\s*(?:#.*)?""")
_COMMENT = re.compile(r"\s#.*$")
SECRET_WORDS = (
    "SECRET",
    "PASSWORD",
    "TOKEN",
    "API_KEY",
    "DATABASE_URL",
    "CONNECTION_STRING",
    "PRIVATE_KEY",
    "SSH_KEY",
    "CREDENTIAL",
    "CERT",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """`line` is where it stands; `first` where the same key stood first, if that was elsewhere."""

    key: str
    value: str
    line: int
    first: int

    def __repr__(self) -> str:
        return f"Entry({self.key}=****)"


def parse(content: str) -> list[Entry]:
    """The variables of a file, in the order of their last lines; of a repeated key the last line wins.

    Blank lines and comments are passed over, one pair of quotes around a value goes, and so does a comment behind it.
    Any other line refuses the whole file; the refusal names lines, never their text.
    """
    found: dict[str, Entry] = {}
    wrong: list[int] = []
    for number, text in enumerate(content.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").splitlines(), start=1):
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        value = _value(match[2]) if match else None
        if match is None or value is None:
            wrong.append(number)
            continue
        before = found.pop(match[1], None)
        found[match[1]] = Entry(match[1], value, number, before.first if before else number)
    if wrong:
        told = ", ".join(map(str, wrong[:MOST_TOLD])) + (" and more" if len(wrong) > MOST_TOLD else "")
        raise Invalid(
            f"Nothing was imported: line {told} is not KEY=value.",
            hint="Write KEY=value, with quotes closed on the same line. Create values of several lines as secrets.",
            field="content",
            phase=PHASE,
            lines=wrong[:MOST_TOLD],
        )
    return list(found.values())


def _value(text: str) -> str | None:
    """The value without its quotes and the comment behind it; None for a quote that does not close."""
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return quoted[1] if quoted[1] is not None else quoted[2]
    bare = text.strip()
    if bare[:1] in {'"', "'"}:
        return None
    return _COMMENT.sub("", text).strip()


def looks_secret(key: str) -> bool:
    """Whether a name says that its value is not for every reader."""
    upper = key.upper()
    return any(word in upper for word in SECRET_WORDS)


def secret_keys(entries: Collection[Entry], secret: Collection[str], plain: Collection[str]) -> set[str]:
    """Which of the keys are sealed: those named so, and those that look so and are not named plain."""
    both = sorted(set(secret) & set(plain))
    if both:
        raise Invalid(
            f"{', '.join(both[:MOST_TOLD])} cannot be both secret and plain.",
            hint="Name each key in one of secretKeys and plainKeys.",
            field="secretKeys",
            phase=PHASE,
        )
    return {
        entry.key for entry in entries if entry.key in secret or (entry.key not in plain and looks_secret(entry.key))
    }
