"""What is said where: the answer on stdout, everything else on stderr."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from quarterdeck.cli.failure import Failure, usage
from quarterdeck.cli.options import Changing, Common, Format
from quarterdeck.cli.states import COLOURS, MARKS, PLAIN, Shown, Tone

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, and those that have a terminal show a line in another order than it was written in."""


def clean(text: str) -> str:
    """Text from elsewhere without what could steer the terminal."""
    return _CONTROL.sub("", _SEQUENCE.sub("", text.replace("\r\n", "\n")))


def coloured(stream: TextIO, *, off: bool = False) -> bool:
    """Whether this stream takes colours: a terminal, and nobody said no."""
    if off or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


class Terminal:
    """Both streams of this process, with the choices of the person."""

    def __init__(self, common: Common, *, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self.format: Format = common.format
        self.verbose = common.verbose
        self.ascii = common.ascii or not _speaks_unicode(self.err)
        self.no_color = common.no_color
        self.no_input = common.no_input
        self.planning = isinstance(common, Changing) and common.plan
        self.yes = isinstance(common, Changing) and common.yes
        self.rewrites = self.err.isatty() and os.environ.get("TERM") != "dumb"

    def mark(self, tone: Tone) -> str:
        return PLAIN[tone] if self.ascii else MARKS[tone]

    def paint(self, text: str, tone: Tone, stream: TextIO | None = None) -> str:
        if not coloured(stream or self.out, off=self.no_color):
            return text
        return f"\x1b[{COLOURS[tone]}m{text}\x1b[0m"

    def state(self, shown: Shown, stream: TextIO | None = None) -> str:
        if self.format == "csv" and stream is None:
            return shown.word  # a cell that a program reads
        return self.paint(f"{self.mark(shown.tone)} {shown.word}", shown.tone, stream)

    def say(self, text: str) -> None:
        """A notice, on stderr."""
        print(clean(text), file=self.err, flush=True)

    def say_styled(self, text: str) -> None:
        """A notice of our own making that may carry colours."""
        print(text, file=self.err, flush=True)

    @property
    def columns(self) -> int:
        return shutil.get_terminal_size().columns

    def detail(self, text: str) -> None:
        """A notice for those who asked for more."""
        if self.verbose:
            self.say(text)

    def line(self, text: str) -> None:
        """A line of the answer, on stdout."""
        print(text, file=self.out, flush=True)

    def document(self, value: Any) -> None:
        """The answer as one JSON document; on one line when lines were asked for."""
        indent = None if self.format == "jsonl" else 2
        self.line(json.dumps(value, indent=indent, ensure_ascii=False))

    @property
    def structured(self) -> bool:
        return self.format in {"json", "jsonl"}

    def answer(self, value: Any, *, name: str, text: str) -> None:
        """One thing, in the form that was asked for."""
        if self.structured:
            self.document(value)
        else:
            self.line(name if self.format == "name" else clean(text))

    def table(
        self,
        items: Sequence[dict[str, Any]],
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        names: Iterable[str],
        document: Any = None,
    ) -> None:
        """Many things, in the form that was asked for: no borders, two spaces, cut to the width on a terminal only."""
        if self.format == "json":
            self.document(document if document is not None else {"items": list(items)})
        elif self.format == "jsonl":
            for item in items:
                self.document(item)
        elif self.format == "name":
            for name in names:
                self.line(name)
        elif self.format == "csv":
            for row in [columns, *rows]:
                self.line(separated(row))
        else:
            for text in laid_out(columns, [list(row) for row in rows], self._width()):
                self.line(text)

    def _width(self) -> int | None:
        return self.columns if self.out.isatty() else None

    @property
    def asks(self) -> bool:
        """Whether there is a person at a terminal who may be asked."""
        return not self.no_input and sys.stdin.isatty() and self.err.isatty()

    def ask(self, question: str, *, secret: bool = False, otherwise: str) -> str:
        """Ask on a terminal; where there is none, fail with what to give instead."""
        if not self.asks:
            raise usage(f"{question} is needed, and there is nobody to ask.", otherwise, code="input_required")
        if secret:
            import getpass

            return getpass.getpass(f"{question}: ", stream=self.err)
        print(f"{question}: ", end="", file=self.err, flush=True)
        return sys.stdin.readline().rstrip("\n")

    def plain(self, text: Any) -> str:
        """A text from elsewhere, on one line."""
        return _one_line(str(text))

    def confirm_typed(self, lost: str, name: str, given: str | None) -> None:
        """Ask for the name of what is lost. `--confirm NAME` answers it, `--yes` does not."""
        if self.planning:
            return
        way = f"Add --confirm {name} to go on without being asked."
        if given is None and not self.asks:
            raise usage(f"{lost} There is nobody to ask.", way, code="input_required")
        if given is None:
            self.say(lost)
            given = self.ask(f"Type {name} to go on", otherwise=way).strip()
            if not given:
                raise Failure("Nothing was changed.", code="declined")
        if given != name:
            raise usage(f"{given} is not {name}. Nothing was changed.", way, code="confirmation_mismatch")

    def confirm(self, question: str) -> None:
        """A plain question that --yes answers. Raises when the answer is no. What only plans is asked nothing."""
        if self.yes or self.planning:
            return
        way = "Add --yes to go on without being asked."
        if not self.asks:
            raise usage(f"{question} There is nobody to ask.", way, code="input_required")
        answer = self.ask(f"{question} [y/N]", otherwise=way)
        if answer.strip().lower() not in {"y", "yes"}:
            raise Failure("Nothing was changed.", code="declined")


def separated(cells: Iterable[str]) -> str:
    """Cells as one line of CSV, without colours and line breaks."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([clean(_one_line(cell)) for cell in cells])
    return line.getvalue()


def _speaks_unicode(stream: TextIO) -> bool:
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "")
    return encoding.startswith("utf")


_PAINT = re.compile(r"\x1b\[[0-9;]*m")


def visible(text: str) -> int:
    return len(_PAINT.sub("", text))


def laid_out(columns: Sequence[str], rows: list[list[str]], width: int | None) -> list[str]:
    """Rows below a header. The last column is cut where the terminal ends; a pipe gets everything."""
    table = [list(columns), *[[_one_line(cell) for cell in row] for row in rows]]
    widths = [max(visible(row[index]) for row in table) for index in range(len(columns))]
    lines = []
    for row in table:
        cells = [cell + " " * (widths[index] - visible(cell)) for index, cell in enumerate(row)]
        text = "  ".join(cells).rstrip()
        if width is not None and visible(text) > width:
            room = width - sum(part + 2 for part in widths[:-1])
            last = row[-1]
            text = "  ".join(cells[:-1]) + "  " + (last[: max(room - 1, 0)] + "…" if room > 1 else "")
        lines.append(text.rstrip())
    return lines


def _one_line(text: str) -> str:
    return "".join(part if _PAINT.fullmatch(part) else clean(part).replace("\n", " ") for part in _split(text))


def _split(text: str) -> list[str]:
    return re.split(r"(\x1b\[[0-9;]*m)", text)


def since(seconds: float) -> str:
    """How long ago, in the words of the console."""
    if seconds < 60:
        return "just now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"
