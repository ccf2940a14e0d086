"""Values of secrets as people give them, and as they are printed: neither ever stands in a command line or a log."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from quarterdeck.cli.failure import usage
from quarterdeck.cli.names import Row
from quarterdeck.cli.session import Session
from quarterdeck.cli.terminal import clean

LARGEST = 65_536
"""Characters of a value that is given."""
CREDENTIAL = 16_384


def given(words: Sequence[str]) -> dict[str, str]:
    """`KEY=@FILE` and `KEY=-` as the values that are meant. Raises `Failure`, which repeats no value."""
    values: dict[str, str] = {}
    stdin = ""
    for word in words:
        key, equals, place = word.partition("=")
        if not equals:
            raise usage("Each value is given as KEY=@FILE, or KEY=- for stdin.", "KEY=@FILE", code="value_form")
        if not key:
            raise usage("A value has no key.", "KEY=@FILE", code="value_form")
        if key in values:
            raise usage(f"{key} is given twice.", f"{key}=@FILE", code="value_form")
        if place == "-" and stdin:
            raise usage(f"stdin is read once, and is the value of {stdin}.", f"{key}=@FILE", code="value_form")
        values[key] = content(place, key, f"{key}=")
        stdin = key if place == "-" else stdin
    return values


def content(place: str, what: str, option: str, *, largest: int = LARGEST) -> str:
    """The content of @FILE, or stdin for -, `option` written before both. The end of the line is no part of a value of
    one line; a text of several lines stays as it is. Raises `Failure`, which does not repeat what was given.
    """
    if place != "-" and not (place.startswith("@") and len(place) > 1):
        raise usage(
            f"{what} takes a file or stdin, because every user of this machine can read command lines.",
            f"Write it into a file and give {option}@FILE, or {option}- for stdin.",
            code="secret_in_words",
        )
    text = _stdin(largest) if place == "-" else _file(place[1:], option, largest)
    if len(text) > largest:
        raise usage(f"{what} has more than {largest} characters.", f"{option}@FILE", code="value_too_large")
    text = text.removesuffix("\n").removesuffix("\r") if text.find("\n") in {-1, len(text) - 1} else text
    if not text:
        where = "stdin" if place == "-" else place[1:]
        raise usage(f"There is nothing in {where}.", f"{option}@FILE", code="file")
    return text


def _stdin(largest: int) -> str:
    return sys.stdin.read(largest + 3)


def _file(place: str, option: str, largest: int) -> str:
    path = Path(place).expanduser()
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            return handle.read(largest + 3)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise usage(f"{path} cannot be read: {reason.lower()}.", f"{option}@FILE", code="file") from None


def require_form(opened: Session, only: bool) -> None:
    """Before anything is asked for or fetched: several values are one document, since nothing divides raw ones.
    Raises `Failure`.
    """
    form = opened.terminal.format
    if not (opened.terminal.structured or (only and form == "text")):
        raise usage(
            "One value alone is printed as it is." if form == "text" else f"Values are not printed as {form}.",
            "-o json   (or --key KEY for one value, as it is)",
            code="output_form",
        )


def tell(opened: Session, request: str, values: Mapping[str, bytes], *, raw: bool) -> None:
    """What was read, on stdout and nowhere else. One value is written byte by byte, with nothing behind it, but for a
    terminal, which gets no control characters and the end of the line.
    """
    terminal = opened.terminal
    if not raw or terminal.structured:
        terminal.document(document(request, values))
        return
    (value,) = values.values()
    if terminal.out.isatty():
        text = value.decode(errors="replace")
        terminal.line(clean(text))
        if clean(text).encode() != value:
            terminal.say("  It has control characters, which are left out here. Into a file it is written whole.")
        return
    out: BinaryIO = terminal.out.buffer
    out.write(value)
    out.flush()


def document(request: str, values: Mapping[str, bytes]) -> Row:
    """Texts as they are; what is no text in base64 under `base64`."""
    texts: dict[str, str] = {}
    others: dict[str, str] = {}
    for key, value in sorted(values.items()):
        try:
            texts[key] = value.decode()
        except UnicodeDecodeError:
            others[key] = base64.b64encode(value).decode()
    return {"request_id": request, "values": texts} | ({"base64": others} if others else {})
