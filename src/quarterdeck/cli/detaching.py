"""The keys that leave a terminal of elsewhere without ending what runs there: ctrl-] and then q."""

from __future__ import annotations

PREFIX = 0x1D  # ctrl-]
LEAVE = ord("q")
TAUGHT = "ctrl-] then q"


class Keys:
    """Takes what is typed and answers what goes on. ctrl-] twice is one ctrl-]; before other keys it goes on, too."""

    def __init__(self) -> None:
        self._held = False

    def typed(self, data: bytes) -> tuple[bytes, bool]:
        """What goes on, and whether the person wants to leave; what is typed after that is nobody's."""
        on = bytearray()
        for key in data:
            if not self._held:
                self._held = key == PREFIX
                if not self._held:
                    on.append(key)
                continue
            self._held = False
            if key == LEAVE:
                return bytes(on), True
            on.append(PREFIX)
            if key != PREFIX:
                on.append(key)
        return bytes(on), False
