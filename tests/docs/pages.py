"""The documents of the repository, and what can be read out of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^(?P<fence>```+)(?P<language>[\w-]*)\n(?P<text>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SHELL = {"", "sh", "bash", "console", "shell"}


def documents() -> list[Path]:
    """Every page that a person reads: at the root, and below docs/."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(text: str) -> str:
    """The text without its code blocks."""
    return FENCE.sub("", text)


def code_lines(text: str) -> Iterator[str]:
    """Command lines: those of shell blocks (continued lines joined), and inline code."""
    for block in FENCE.finditer(text):
        if block["language"] in SHELL:
            for line in re.sub(r"\\\n\s*", "", block["text"]).splitlines():
                yield line.removeprefix("$ ").strip()
    for found in INLINE.finditer(prose(text)):
        yield found[1].strip()


def anchor(heading: str) -> str:
    """The anchor that forges make of a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(text: str) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#{1,6} +(.+)$", prose(text), re.MULTILINE)}


def links(text: str) -> list[str]:
    """Targets of links and pictures, outside of code."""
    return re.findall(r"\]\(([^)\s]+)\)", INLINE.sub("", prose(text)))
