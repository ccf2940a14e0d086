"""The keys that leave a terminal of elsewhere without ending what runs there: ctrl-] and then q.

Programs may switch the terminal to other ways of sending keys (the keyboard protocol of kitty, xterm's
modifyOtherKeys), and agents do: then ctrl-] is a sequence, which has to be found as well.
"""

from __future__ import annotations

import re

TAUGHT = "ctrl-] then q"
PREFIX = re.compile(rb"\x1d|\x1b\[93;5(?::[12])?u|\x1b\[27;5;93~")
LET_GO = re.compile(rb"\x1b\[93;[0-9]+:3u|\x1b\[57442(?:;[0-9]+)?:3u")
"""The keys of the prefix come up again, where that is told, too."""
LEAVE = re.compile(rb"q|\x1b\[113(?:;1?(?::1)?)?u")
CUT = re.compile(rb"\x1b\[(?:9|93|93;|93;5|93;5:|93;5:[12]|2|27|27;|27;5|27;5;|27;5;9|27;5;93)\Z")
"""The beginning of a prefix at the end of what was read."""


class Keys:
    """Takes what is typed and answers what goes on. ctrl-] twice is one ctrl-]; before other keys it goes on, too."""

    def __init__(self) -> None:
        self._held = b""
        self._cut = b""

    def typed(self, data: bytes) -> tuple[bytes, bool]:
        """What goes on, and whether the person wants to leave; what is typed after that is nobody's."""
        data, self._cut = self._cut + data, b""
        if cut := CUT.search(data):
            data, self._cut = data[: cut.start()], cut[0]
        on, at = bytearray(), 0
        while at < len(data):
            if not self._held:
                found = PREFIX.search(data, at)
                on += data[at : found.start() if found else len(data)]
                self._held, at = (found[0], found.end()) if found else (b"", len(data))
            elif LEAVE.match(data, at):
                return bytes(on), True
            elif up := LET_GO.match(data, at):
                at = up.end()
            else:
                again = PREFIX.match(data, at)
                on += self._held
                self._held, at = b"", again.end() if again else at
        return bytes(on), False
