"""What a terminal showed, as an asciicast v2 file that plays in any player. What was typed is not in it."""

from __future__ import annotations

import codecs
import json
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import structlog

from quarterdeck.fleet.terminals.drawing import RESET
from quarterdeck.fleet.terminals.history import Size
from quarterdeck.kernel.clock import Clock

RECORDED = 16 << 20
"""Bytes of a file at most; after them a marker says that it was cut."""
HELD = 64 << 10
"""Bytes that wait to be written at most; the rest waits a second."""
MEDIA_TYPE = "application/x-asciicast"
log = structlog.get_logger("quarterdeck.terminals")


class Recording:
    """Written by one terminal. A full or broken disk ends the recording, never the terminal. A file that is there goes
    on: the screen begins anew in it, since what was shown meanwhile is unknown.
    """

    def __init__(self, file: Path, size: Size, begun: datetime, clock: Clock, most: int = RECORDED) -> None:
        self.file = file
        self.truncated = False
        self._begun, self._clock, self._most = begun, clock, most
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held: list[bytes] = []
        self._holding = self._written = 0
        self._out: BinaryIO | None = None
        try:
            self._open(size)
        except OSError as error:
            self._broken(error)

    def _open(self, size: Size) -> None:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file.touch(mode=0o600)
        self._out = self.file.open("r+b")
        kept = self._out.read()
        self._written = kept.rfind(b"\n") + 1  # a line that was cut off with its process is not kept
        self._out.seek(self._written)
        self._out.truncate()
        if self._written:
            self.resized(size)
            self.output(RESET)
        else:
            header = {"version": 2, "width": size.columns, "height": size.rows,
                      "timestamp": int(self._begun.timestamp())}  # fmt: skip
            self._line(header)

    @property
    def size(self) -> int:
        """Bytes, also those that wait to be written."""
        return self._written + self._holding

    def output(self, data: bytes) -> None:
        text = self._decoder.decode(data)
        if text:
            self._event("o", text)

    def resized(self, size: Size) -> None:
        self._event("r", f"{size.columns}x{size.rows}")

    def _event(self, kind: str, text: str) -> None:
        if self._out is None or self.truncated:
            return
        if self.size + len(text) > self._most:
            self.truncated = True
            kind, text = "m", "The recording ends here; the terminal went on."
        after = (self._clock.now() - self._begun).total_seconds()
        self._line([round(max(after, 0.0), 6), kind, text])

    def _line(self, value: object) -> None:
        line = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"
        self._held.append(line)
        self._holding += len(line)
        if self._holding >= HELD:
            self.flush()

    def flush(self) -> None:
        if self._out is None or not self._held:
            return
        try:
            self._out.write(b"".join(self._held))
            self._out.flush()
        except OSError as error:
            self._broken(error)
        self._written += self._holding
        self._held.clear()
        self._holding = 0

    def close(self) -> None:
        if rest := self._decoder.decode(b"", final=True):
            self._event("o", rest)
        self.flush()
        if self._out is not None:
            self._out.close()
            self._out = None

    def _broken(self, error: OSError) -> None:
        log.warning("recording_ended", file=self.file.name, reason=error.strerror)
        self.truncated, self._out = True, None
        self._held.clear()
        self._holding = 0
