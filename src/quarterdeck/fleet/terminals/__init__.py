"""Terminals of subjects (`task:42`): one writes, many watch; replay, recording, channel tokens (docs: terminals)."""

from __future__ import annotations

from quarterdeck.fleet.terminals.broker import Broker, Opening, Subjects, Terms
from quarterdeck.fleet.terminals.dialling import Place, SocketUplink
from quarterdeck.fleet.terminals.history import Size
from quarterdeck.fleet.terminals.uplink import (
    Ended,
    Held,
    Input,
    LocalUplink,
    Released,
    Resize,
    Signal,
    Uplink,
    UplinkEvent,
)
from quarterdeck.fleet.terminals.viewing import Visitor

__all__ = [
    "Broker",
    "Ended",
    "Held",
    "Input",
    "LocalUplink",
    "Opening",
    "Place",
    "Released",
    "Resize",
    "Signal",
    "Size",
    "SocketUplink",
    "Subjects",
    "Terms",
    "Uplink",
    "UplinkEvent",
    "Visitor",
]
