"""A screen as the bytes that make a fresh terminal of its size show it, and go on as it would."""

from __future__ import annotations

import unicodedata

from quarterdeck.fleet.terminals.cells import PLAIN, Look, Row, width
from quarterdeck.fleet.terminals.modes import USUAL_MODES, Cursor
from quarterdeck.fleet.terminals.screen import Screen

RESET = b"\x1bc"
PICTURE = 4 << 20
"""Bytes of a picture at most. A screen of which a true one were longer is drawn without colours, one mark a cell."""


def drawn(screen: Screen) -> bytes:
    """Everything that later output may depend on, from the reset on: what is shown on both screens, the saved cursors,
    tab stops, the scroll region, modes, character sets, and the beginning of a sequence that has not ended.
    """
    whole = _drawn(screen, bare=False)
    return whole if len(whole) <= PICTURE else _drawn(screen, bare=True)


def _drawn(screen: Screen, *, bare: bool) -> bytes:
    parts: list[str] = []
    modes = screen.modes
    if screen.main is not None:
        parts += _rows(screen.main, screen, bare)
        parts += _saved(screen.saved_main)
        entering = f"\x1b[?{modes.alternate}h"
        if modes.alternate == 1049:  # which saves the cursor by itself
            entering = _standing(screen.saved_main, entering)
        parts += [entering, PLAIN.sequence, *_usual_sets(screen.saved_main)]
    parts += _rows(screen.lines, screen, bare)
    parts += _stops(screen)
    parts += _saved(screen.saved)
    if (screen.top, screen.bottom) != (0, screen.rows - 1):
        parts.append(f"\x1b[{screen.top + 1};{screen.bottom + 1}r")
    if modes.title:
        parts.append(f"\x1b]2;{modes.title}\x07")
    if modes.shape:
        parts.append(f"\x1b[{modes.shape} q")
    if modes.keypad:
        parts.append("\x1b=")
    parts += [f"\x1b[?{number}h" for number in sorted(modes.private - USUAL_MODES - {6})]
    parts += [f"\x1b[?{number}l" for number in sorted(USUAL_MODES - {7} - modes.private)]
    parts += _last(screen)
    parts += _cursor(screen)  # what is written next, or repeated, comes right behind it
    parts += [f"\x1b[{number}h" for number in sorted(modes.ansi)]
    parts += ["\x1b[?7l"] if 7 not in modes.private else []
    parts += _sets(screen.cursor)
    return RESET + "".join(parts).encode() + screen.parser.pending


def _rows(lines: list[Row], screen: Screen, bare: bool) -> list[str]:
    parts: list[str] = []
    look = PLAIN
    for y, row in enumerate(lines):
        end = screen.columns
        if row.shared and row.looks[0] == PLAIN and row.texts[0] == " " == row.texts[-1]:
            continue  # the line that erasing leaves
        while end and row.texts[end - 1] == " " and row.looks[end - 1] == PLAIN:
            end -= 1
        if not end:
            continue
        parts.append(f"\x1b[{y + 1};1H")
        if bare:
            parts.append("".join(text[:1] for text in row.texts[:end]))
            continue
        begin = 0
        while begin < end:
            this = row.looks[begin]
            until = begin + 1
            while until < end and row.looks[until] == this:
                until += 1
            if this != look:
                parts.append(this.sequence)
                look = this
            parts.append("".join(row.texts[begin:until]))
            begin = until
    if look != PLAIN:
        parts.append(PLAIN.sequence)
    return parts


def _stops(screen: Screen) -> list[str]:
    if screen.stops == list(range(8, screen.columns, 8)):
        return []
    return ["\x1b[3g", *(f"\x1b[1;{stop + 1}H\x1bH" for stop in screen.stops if stop < screen.columns)]


def _at(cursor: Cursor) -> str:
    return f"\x1b[{cursor.y + 1};{cursor.x + 1}H{cursor.look.sequence}{''.join(_sets(cursor))}"


def _standing(cursor: Cursor, saving: str) -> str:
    """What saves a cursor, where it stands; of one in origin mode while the scroll region is still the whole. In the
    modes that it was saved in: kitty and iTerm2 restore whether lines wrap with it, xterm does not.
    """
    there = _at(cursor) + (saving if cursor.wraps else f"\x1b[?7l{saving}\x1b[?7h")
    return f"\x1b[?6h{there}\x1b[?6l" if cursor.origin else there


def _saved(cursor: Cursor) -> list[str]:
    if cursor == Cursor():
        return []
    return [_standing(cursor, "\x1b7"), PLAIN.sequence, *_usual_sets(cursor)]


def _usual_sets(cursor: Cursor) -> list[str]:
    """Back to letters after a cursor that writes in other sets, so that what is drawn next is drawn as it is."""
    return ["\x1b(B\x1b)B\x0f"] if _sets(cursor) else []


def _sets(cursor: Cursor) -> list[str]:
    first, second = cursor.sets
    return [
        *([f"\x1b({first}"] if first != "B" else []),
        *([f"\x1b){second}"] if second != "B" else []),
        *(["\x0e"] if cursor.shifted else []),
    ]


def _cursor(screen: Screen) -> list[str]:
    """The place and the look of what is written next. Behind the last column is where a line waits to wrap: one comes
    there by writing the character before it again; so that it can be repeated (`CSI b`), also anywhere else.
    """
    cursor, origin = screen.cursor, 6 in screen.modes.private
    parts = ["\x1b[?6h"] if origin else []
    y = cursor.y - (screen.top if origin else 0)
    row, x = screen.lines[cursor.y], cursor.x - 1
    if x > 0 and row.texts[x] == "":
        x -= 1
    text = row.texts[x] if x >= 0 else ""
    waits = cursor.x >= screen.columns
    if not waits and (x + width(text[:1] or " ") != cursor.x or _again(text, screen.last) is None):
        return [*parts, f"\x1b[{y + 1};{cursor.x + 1}H", *_look(cursor.look)]
    text = _again(text, screen.last) or (text if width(text[:1] or " ") else " ")
    before = row.looks[x]
    after = [cursor.look.sequence] if cursor.look != before else []
    return [*parts, f"\x1b[{y + 1};{x + 1}H", *_look(before), text, *after]


def _again(text: str, last: str) -> str | None:
    """What writes a cell again so that its character can be repeated after it, not what was combined with it."""
    apart = unicodedata.normalize("NFD", text)
    return next((one for one in (text, apart) if last and one[:1] == last), None)


def _last(screen: Screen) -> list[str]:
    """Write the character that can be repeated once more, where it stands already, or in blank cells that are erased
    again. A screen that has neither is left as it is.
    """
    last, cells = screen.last, width(screen.last or " ")
    if not last or not cells:
        return []
    for y, row in enumerate(screen.lines):
        if last in row.texts:
            x = row.texts.index(last)
            return [f"\x1b[{y + 1};{x + 1}H", row.looks[x].sequence, last, PLAIN.sequence]
    for y, row in enumerate(screen.lines):
        for x in range(screen.columns + 1 - cells):
            look = row.looks[x]
            if row.texts[x : x + cells] == [" "] * cells and row.looks[x : x + cells] == [Look(back=look.back)] * cells:
                there = f"\x1b[{y + 1};{x + 1}H"
                return [there, look.sequence, last, there, f"\x1b[{cells}X", PLAIN.sequence]
    return []


def _look(look: Look) -> list[str]:
    return [look.sequence] if look != PLAIN else []
