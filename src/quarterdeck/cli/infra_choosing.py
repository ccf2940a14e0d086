"""Choosing one of several on a terminal, where nothing was named."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import NamedTuple

from quarterdeck.cli.failure import Exit, Failure, usage
from quarterdeck.cli.terminal import Terminal
from quarterdeck.kernel.text import several


class Choice(NamedTuple):
    label: str
    """What a person reads."""
    value: str
    """What a command line takes for it."""


def choose(
    terminal: Terminal, noun: str, choices: Sequence[Choice], *, option: str, empty: str, preselected: int | None = None
) -> int:
    """The index of the one that a person picks; Enter takes the one preselected. With nobody to ask, or with
    --no-input, it fails and says what to give instead; with nothing to choose from it says how to make one (`empty`).
    """
    if not choices:
        raise Failure(f"There is no {noun} yet.", exit=Exit.NOT_FOUND, code=f"no_{noun.replace(' ', '_')}", hint=empty)
    way = f"{option} {shlex.quote(choices[0].value)}"
    if not terminal.asks:
        known = several([choice.value for choice in choices])
        raise usage(f"Say which {noun}: {known}.", way, code="input_required")
    for number, choice in enumerate(choices, 1):
        chosen = terminal.mark("run") if number - 1 == preselected else " "
        terminal.say(f" {chosen} {number:>3}  {terminal.plain(choice.label)}")
    default = "" if preselected is None else f" [{preselected + 1}]"
    typed = terminal.ask(f"Which {noun}{default}", otherwise=way).strip()
    if not typed and preselected is not None:
        return preselected
    if not typed:
        raise Failure("Nothing was chosen, and nothing was changed.", code="declined")
    if typed.isascii() and typed.isdigit() and 1 <= int(typed[:9]) <= len(choices):
        return int(typed) - 1
    named = [index for index, choice in enumerate(choices) if typed in {choice.value, choice.label}]
    if len(named) == 1:
        return named[0]
    raise usage(f"{typed} is none of these.", f"Type a number from 1 to {len(choices)}, or give {way}")
