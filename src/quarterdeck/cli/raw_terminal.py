"""The terminal of this process, given over to another: raw meanwhile, and as it was before, however it ends."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import select
import shutil
import sys
import termios
import threading
import tty
from collections.abc import Callable
from typing import Any, Self

MOST_COLUMNS, MOST_ROWS = 500, 300
MODE = re.compile(
    rb"\x1b\[\?(?P<modes>[0-9;]+)(?P<on>[hl])"
    rb"|\x1b\[(?P<stack>[<>])(?P<count>[0-9]*)u"
    rb"|\x1b\[>4(?:;(?P<other>[0-9]*))?m"
    rb"|(?P<cursor>\x1b\[[0-9]* q)"
    rb"|(?P<margins>\x1b\[[0-9]+;[0-9]+r)"
    rb"|\x1b(?P<reset>c)"
)
SHOWN = b"25"
"""The mode that is on by itself: the cursor is seen."""
OURS = frozenset(
    {b"1", b"9", b"47", b"1000", b"1001", b"1002", b"1003", b"1004", b"1005", b"1006", b"1015", b"1047", b"1049"}
    | {b"2004", b"2026", b"2031", SHOWN}
)
"""Modes that a shell does not expect to be left changed: other screens, mice, bracketed paste."""
BACK = {"other": b"\x1b[>4m", "cursor": b"\x1b[0 q", "margins": b"\x1b7\x1b[r\x1b8"}
LONGEST = 32  # bytes of a sequence that may be cut between two reads


class Modes:
    """What the output has changed of the terminal and not put back."""

    def __init__(self) -> None:
        self._begin()
        self._tail = b""

    def _begin(self) -> None:
        self._changed: dict[bytes, bool] = {}
        self._keyboards = 0
        self._others: set[str] = set()

    def see(self, data: bytes) -> None:
        text, kept = self._tail + data, len(self._tail)
        for found in MODE.finditer(text):
            if found.end() > kept:
                self._found(found)
        self._tail = text[-LONGEST:]

    def _found(self, found: re.Match[bytes]) -> None:
        if found["reset"]:
            self._begin()
        elif found["modes"]:
            for mode in found["modes"].split(b";"):
                if mode not in OURS:
                    continue
                self._changed.pop(mode, None)
                if (found["on"] == b"h") != (mode == SHOWN):
                    self._changed[mode] = found["on"] == b"h"
        elif found["stack"]:
            more = 1 if found["stack"] == b">" else -int(found["count"] or 1)
            self._keyboards = max(self._keyboards + more, 0)
        elif found["cursor"] or found["margins"]:
            self._others.add("cursor" if found["cursor"] else "margins")
        elif int(found["other"] or 0):
            self._others.add("other")
        else:
            self._others.discard("other")

    def back(self) -> bytes:
        """What undoes it; colours and the keypad always."""
        parts = [b"\x1b[0m\x1b>", *(BACK[name] for name in sorted(self._others))]
        if self._keyboards:
            parts.append(b"\x1b[<%du" % self._keyboards)
        parts += [b"\x1b[?" + mode + (b"l" if on else b"h") for mode, on in reversed(self._changed.items())]
        return b"".join(parts)


class RawTerminal:
    """stdin and stdout of this process, both a terminal. Keys come as bytes, and so goes the output."""

    def __init__(self) -> None:
        self.keys = sys.stdin.fileno()
        self.screen = sys.stdout.fileno()
        self.modes = Modes()
        self._before: list[Any] = []
        self._writer = threading.Thread(target=self._writes, daemon=True, name="screen")
        self._work: queue.SimpleQueue[tuple[bytes, Callable[[], None] | None] | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        sys.stdout.flush()
        sys.stderr.flush()
        self._before = termios.tcgetattr(self.keys)
        self.raw()
        self.show(b"\x1b[22;2t")  # keep the title of the window; it comes back at the end
        self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._work.put(None)
        self._writer.join(timeout=1)  # what is shown already stands before what comes now
        with contextlib.suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(self.keys, termios.TCSANOW, self._before)
        with contextlib.suppress(OSError):
            if select.select([], [self.screen], [], 0.5)[1]:
                os.write(self.screen, self.modes.back() + b"\x1b[23;2t\r\n")

    def raw(self) -> None:
        """Every key is a byte; nothing is echoed, and Ctrl-C is a key, too."""
        tty.setraw(self.keys, termios.TCSANOW)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, as far as a terminal of a task may have them."""
        columns, rows = shutil.get_terminal_size()
        with contextlib.suppress(OSError):
            columns, rows = os.get_terminal_size(self.screen)
        return max(2, min(columns, MOST_COLUMNS)), max(1, min(rows, MOST_ROWS))

    def read(self) -> bytes:
        """The keys pressed; nothing when the terminal is gone."""
        try:
            return os.read(self.keys, 4096)
        except OSError:
            return b""

    def show(self, data: bytes, done: Callable[[], None] | None = None) -> None:
        """Write to the screen on a thread, so that a terminal that does not read holds nobody up. `done()` is called
        there when it is written.
        """
        self._work.put((data, done))

    def title(self, text: str) -> None:
        """Say something where it disturbs no program: in the title of the window."""
        self.show(b"\x1b]2;" + text.encode(errors="replace") + b"\x07")

    def bar(self, text: str) -> None:
        """Say something in the last line, over what stands there."""
        self.show(b"\x1b7\x1b[999;1H\x1b[7m" + text.encode(errors="replace") + b"\x1b[0m\x1b[K\x1b8")

    def _writes(self) -> None:
        while (job := self._work.get()) is not None:
            data, done = job
            self.modes.see(data)
            view = memoryview(data)
            with contextlib.suppress(OSError):
                while view:
                    view = view[os.write(self.screen, view) :]
            if done is not None:
                done()
