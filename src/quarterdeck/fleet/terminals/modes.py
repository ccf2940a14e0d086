"""How a terminal goes on: where its cursor is and what it writes, and the modes that programs set."""

from __future__ import annotations

from dataclasses import dataclass, field

from quarterdeck.fleet.terminals.cells import PLAIN, Look

KEPT_MODES = frozenset({1, 5, 6, 7, 9, 12, 25, 45, 66, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1034,
                        1035, 1036, 1039, 2004})  # fmt: skip
"""Private modes that last; those of the alternate screen are told apart."""
USUAL_MODES = frozenset({7, 25})
ALTERNATE = frozenset({47, 1047, 1049})


@dataclass(slots=True)
class Cursor:
    x: int = 0
    y: int = 0
    look: Look = PLAIN
    sets: tuple[str, str] = ("B", "B")
    shifted: int = 0
    origin: bool = False
    """Of a saved one: whether places were counted from the scroll region (mode 6)."""
    wraps: bool = True
    """Of a saved one: whether lines went on in the next one (mode 7)."""


@dataclass(slots=True)
class Modes:
    private: set[int] = field(default_factory=lambda: set(USUAL_MODES))
    ansi: set[int] = field(default_factory=set)
    keypad: bool = False
    alternate: int = 0
    """The private mode by which the alternate screen was entered; 0: the main one is shown."""
    shape: str = ""
    title: str = ""
