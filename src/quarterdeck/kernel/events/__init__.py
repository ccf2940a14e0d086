"""Durable domain events: appended in the transaction of the change, numbered within a stream."""

from quarterdeck.kernel.events.model import Event, Gap
from quarterdeck.kernel.events.stream import append, head, locate, missed, read, watermark

__all__ = ["Event", "Gap", "append", "head", "locate", "missed", "read", "watermark"]
