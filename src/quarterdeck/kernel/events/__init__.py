"""Durable domain events: appended in the transaction of the change, numbered within a stream."""

from quarterdeck.kernel.events.follow import follow
from quarterdeck.kernel.events.matching import Wanted, matching
from quarterdeck.kernel.events.model import Event, Gap
from quarterdeck.kernel.events.prune import Old, Pruning, drop, empty, erase, holding, prune
from quarterdeck.kernel.events.stream import append, head, locate, newest, read, watermark
from quarterdeck.kernel.events.subscriptions import (
    Stuck,
    Subscriber,
    advance,
    deliver,
    deliver_all,
    forget,
    reposition,
    stuck,
    subscribe,
    subscribers,
)

__all__ = [
    "Event",
    "Gap",
    "Old",
    "Pruning",
    "Stuck",
    "Subscriber",
    "Wanted",
    "advance",
    "append",
    "deliver",
    "deliver_all",
    "drop",
    "empty",
    "erase",
    "follow",
    "forget",
    "head",
    "holding",
    "locate",
    "matching",
    "newest",
    "prune",
    "read",
    "reposition",
    "stuck",
    "subscribe",
    "subscribers",
    "watermark",
]
