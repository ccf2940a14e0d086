"""What the process writes, line by line into numbered segment files with a bound on their sum.

A line is `<microseconds since the epoch> <o|e> <text>`. A position (segment, offset) only ever grows, so that a
follower can go on after a rotation and after a restart of whoever reads.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from quarterdeck.kernel.answers import whole

LONGEST_LINE = 16_384


def segments(directory: Path) -> list[int]:
    """Numbers of the segment files present, ascending."""
    try:
        return numbered(entry.name for entry in os.scandir(directory))
    except FileNotFoundError:
        return []


def numbered(names: Iterable[str]) -> list[int]:
    """Numbers of the segment files among the names of a directory, ascending."""
    numbers = (whole(name[4:]) for name in names if name.startswith("log."))
    return sorted(number for number in numbers if number is not None)


def segment(directory: Path, number: int) -> Path:
    return directory / f"log.{number:06d}"


class Output:
    """Takes bytes of both streams and keeps at most about `total` bytes on disk."""

    def __init__(self, directory: Path, total: int, kept: int = 4) -> None:
        self._directory = directory
        self._size = max(4096, total // kept)
        self._kept = kept
        self._rest = {"o": b"", "e": b""}
        present = segments(directory)
        self._number = present[-1] if present else 1
        self._file = self._open()

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return os.open(segment(self._directory, self._number), flags, 0o600)

    def feed(self, stream: str, data: bytes) -> None:
        *lines, rest = (self._rest[stream] + data).split(b"\n")
        while len(rest) > LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        self._rest[stream] = rest
        self._write(stream, lines)

    def flush(self) -> None:
        """Write an unfinished last line, when the process has ended."""
        for stream, rest in self._rest.items():
            if rest:
                self._rest[stream] = b""
                self._write(stream, [rest])

    def note(self, text: str) -> None:
        """A line of the supervisor's own, marked `s`."""
        self._write("s", [text.encode()])

    def _write(self, stream: str, lines: list[bytes]) -> None:
        if not lines:
            return
        head = f"{time.time_ns() // 1000} {stream} ".encode()
        pieces = (line[at : at + LONGEST_LINE] for line in lines for at in range(0, max(1, len(line)), LONGEST_LINE))
        data = b"".join(head + piece.rstrip(b"\r") + b"\n" for piece in pieces)
        # A full disk loses lines, never the application.
        with contextlib.suppress(OSError):
            os.write(self._file, data)
            if os.fstat(self._file).st_size >= self._size:
                self._rotate()

    def _rotate(self) -> None:
        os.close(self._file)
        self._number += 1
        self._file = self._open()
        for number in segments(self._directory)[: -self._kept]:
            segment(self._directory, number).unlink(missing_ok=True)
