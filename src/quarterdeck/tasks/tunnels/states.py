"""The states of a tunnel and the only ways between them (contract: tasks §6), for both sides."""

from __future__ import annotations

from typing import Literal

State = Literal["IDLE", "STARTING", "CONNECTED", "EXPIRED", "CLOSING", "CLOSED", "FAILED"]
LIVE: frozenset[State] = frozenset({"STARTING", "CONNECTED", "CLOSING"})
"""Somebody on a worker carries it, or is about to."""
MOVES: dict[State, frozenset[State]] = {
    "IDLE": frozenset({"STARTING"}),
    "STARTING": frozenset({"CONNECTED", "EXPIRED", "CLOSING", "CLOSED", "FAILED"}),
    # A program that crashed is started again.
    "CONNECTED": frozenset({"STARTING", "EXPIRED", "CLOSING", "CLOSED", "FAILED"}),
    # It may end by itself while it is being closed.
    "CLOSING": frozenset({"EXPIRED", "CLOSED", "FAILED"}),
    "EXPIRED": frozenset({"STARTING"}),
    "CLOSED": frozenset({"STARTING"}),
    "FAILED": frozenset({"STARTING"}),
}


def may_move(old: State, new: State) -> bool:
    return new in MOVES[old]
