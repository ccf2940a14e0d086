"""Wake-ups: published from any thread, delivered at most once, never relied upon for correctness. What one process
publishes is heard in others by a `Carrier` (see `kernel.db.relay`), where there are any.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

INBOX = 1_000


class Concern(NamedTuple):
    """What a wake-up is about: whose it is, which thing (`deployment:dep_…`) and what happened; None where that is
    nobody's, or not said.
    """

    organization_id: int | None
    subject: str | None
    what: str | None = None


class Message(NamedTuple):
    topic: str
    payload: Any


class Carrier(Protocol):
    """Takes wake-ups to other processes. Called from any thread; never waits, never fails."""

    def carry(self, topic: str, payload: Any) -> None: ...


class Subscription:
    """An inbox for some topics. A full inbox drops its oldest message and counts it in `missed`, as does one that is
    told that something was published elsewhere of which nothing is known.
    """

    def __init__(self, bus: Bus, topics: tuple[str, ...]) -> None:
        self._bus = bus
        self.topics = topics
        self.missed = 0
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Message] = deque()
        self._roused = False
        self._arrived = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._bus._leave(self)  # noqa: SLF001 - the two halves of one thing

    async def get(self, timeout: float | None = None) -> Message | None:  # noqa: ASYNC109 - None is an answer here
        """The oldest waiting message; None when `timeout` seconds pass without one, or when one was missed, after
        those that wait: whoever listens then looks for itself.
        """
        while not self._waiting:
            if self._roused:
                self._roused = False
                return None
            self._arrived.clear()
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait()
            except TimeoutError:
                return None
        return self._waiting.popleft()

    def drain(self) -> list[Message]:
        """Everything that waits, without waiting."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._roused = False
        return taken

    def _offer(self, message: Message) -> None:
        if len(self._waiting) >= INBOX:
            self._waiting.popleft()
            self._miss()
        self._waiting.append(message)
        self._arrived.set()

    def _rouse(self) -> None:
        self._miss()
        self._arrived.set()

    def _miss(self) -> None:
        self.missed += 1
        self._roused = True


class Bus:
    """Publish and subscribe by exact topic."""

    def __init__(self) -> None:
        self.carrier: Carrier | None = None
        self._lock = threading.Lock()
        self._subscriptions: dict[str, tuple[Subscription, ...]] = {}

    def subscribe(self, *topics: str) -> Subscription:
        """Call on a running loop, before reading the state that the wake-ups are about."""
        subscription = Subscription(self, topics)
        with self._lock:
            for topic in topics:
                self._subscriptions[topic] = (*self._subscriptions.get(topic, ()), subscription)
        return subscription

    def publish(self, topic: str, payload: Any = None) -> None:
        """Wake the subscribers of `topic`, here and in other processes; from any thread."""
        self.deliver(topic, payload)
        self.elsewhere(topic, payload)

    def elsewhere(self, topic: str, payload: Any = None) -> None:
        """Wake those alone who subscribed in other processes."""
        if self.carrier is not None:
            self.carrier.carry(topic, payload)

    def deliver(self, topic: str, payload: Any = None) -> None:
        """Wake those alone who subscribed in this process."""
        subscriptions = self._subscriptions.get(topic)
        if subscriptions:
            message = Message(topic, payload)
            self._reach(subscriptions, lambda one: one._offer(message))  # noqa: SLF001 - the two halves of one thing

    def rouse(self, topic: str | None = None) -> None:
        """Let the subscribers of `topic`, or all of them, count a miss and look for themselves."""
        with self._lock:
            found = (
                {one for some in self._subscriptions.values() for one in some}
                if topic is None
                else self._subscriptions.get(topic, ())
            )
        self._reach(found, Subscription._rouse)  # noqa: SLF001 - the two halves of one thing

    @staticmethod
    def _reach(subscriptions: Collection[Subscription], deed: Callable[[Subscription], None]) -> None:
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        for subscription in subscriptions:
            loop = subscription._loop  # noqa: SLF001 - the two halves of one thing
            if loop is here:
                deed(subscription)
            elif not loop.is_closed():
                loop.call_soon_threadsafe(deed, subscription)

    def _leave(self, subscription: Subscription) -> None:
        with self._lock:
            for topic in subscription.topics:
                left = tuple(one for one in self._subscriptions.get(topic, ()) if one is not subscription)
                if left:
                    self._subscriptions[topic] = left
                else:
                    self._subscriptions.pop(topic, None)
