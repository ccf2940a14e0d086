"""Whose turn it is to have its output worked on: one measure for all terminals of a process, so that many which write
without end leave its other work as much time as one does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")
WORK_SECONDS = 0.015
"""Of work on terminals in a row; after it the event loop rests from them for as long."""
PART = 1 << 10
"""Bytes of output that are taken in one turn: some milliseconds' worth of the costliest."""


class Turns:
    """Of one event loop. Who comes first is served first, and comes last again for its next part. What has been worked
    is owed to the others: time without such work pays it back, so that on the whole it is half of all time at most.
    """

    def __init__(self) -> None:
        self._owed, self._reckoned = 0.0, 0.0
        """Seconds, as of this time of the loop."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._resting = False
        self._given = False
        """Somebody who waited has the turn and has not begun."""

    async def take(self, data: bytes, take: Callable[[bytes], None]) -> None:
        """Output in parts, each in a turn of its own. Whoever awaits this before it reads on keeps what writes back."""
        for start in range(0, len(data), PART):
            await self.do(partial(take, data[start : start + PART]))

    async def do(self, work: Callable[[], T]) -> T:
        """When its turn has come; at once where nobody waits and nothing is owed. `work` takes milliseconds at most."""
        if self._given or self._resting or self._owing() >= WORK_SECONDS:
            await self._turn()
        try:
            return self.at_once(work)
        finally:
            self._next()

    def at_once(self, work: Callable[[], T]) -> T:
        """What cannot wait; it is owed all the same."""
        self._owing()
        try:
            return work()
        finally:
            now = asyncio.get_running_loop().time()
            self._owed += now - self._reckoned
            self._reckoned = now

    def _owing(self) -> float:
        now = asyncio.get_running_loop().time()
        self._owed = max(0.0, self._owed - (now - self._reckoned))
        self._reckoned = now
        return self._owed

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if not self._given:
            self._next()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._given = False
                self._next()
            raise
        self._given = False

    def _next(self) -> None:
        """Give the turn to who waits longest, after a rest where one is due."""
        if self._resting or self._given:
            return
        if self._owed >= WORK_SECONDS:
            self._resting = True
            asyncio.get_running_loop().call_later(self._owed, self._rested)
            return
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # it was canceled
                self._given = True
                turn.set_result(None)
                return

    def _rested(self) -> None:
        self._resting = False
        self._owing()
        self._next()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns() -> Turns:
    """Those of the event loop that runs."""
    loop = asyncio.get_running_loop()
    found = _turns.get(loop)
    if found is None:
        found = _turns[loop] = Turns()
    return found
