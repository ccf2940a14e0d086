"""What a bot says, before any platform has given it a form: a text, or a card with a question."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["confirm", "choice", "input", "note"]
APPROVE, REJECT, SEND = "approve", "reject", "send"
"""What a button stands for; that of a choice is its number."""


class Card(Struct, frozen=True, kw_only=True):
    """`confirm` has two buttons, `choice` one for each of `choices`, `input` a field for text; a `note` has none, and
    neither has what has an `outcome`. `subject` names what is asked about.
    """

    kind: Kind
    title: str
    text: str = ""
    subject: str = ""
    choices: tuple[str, ...] = ()
    outcome: str | None = None


class Press(Struct, frozen=True, kw_only=True):
    """What a button carries: the card that it stands on (its row), and what it means."""

    card: int
    does: str


def buttons(card: Card, row: int) -> list[tuple[str, Press, str]]:
    """Label, meaning and look (`primary`, `danger` or `default`) of each button, in order."""
    if card.outcome is not None or card.kind == "note":
        return []
    reject = ("Reject", Press(card=row, does=REJECT), "danger")
    if card.kind == "confirm":
        return [("Approve", Press(card=row, does=APPROVE), "primary"), reject]
    if card.kind == "input":
        return [("Send", Press(card=row, does=SEND), "primary"), reject]
    choices = [(one, Press(card=row, does=str(at)), "default") for at, one in enumerate(card.choices)]
    return [*choices, reject]


def meant(card: Card, does: str, text: str | None) -> tuple[bool, str] | None:
    """What a press answers: whether it approves, and the result. None for a button that the card does not have."""
    if does == REJECT:
        return False, ""
    if card.kind == "confirm" and does == APPROVE:
        return True, "confirm"
    if card.kind == "input" and does == SEND:
        return (True, text) if text and text.strip() else None
    if card.kind == "choice" and does.isascii() and does.isdigit() and len(does) < 4 and int(does) < len(card.choices):
        return True, card.choices[int(does)]
    return None
