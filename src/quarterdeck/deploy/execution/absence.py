"""A server that is out of reach in the middle of a deployment: how long it is waited for, and what is said of it."""

from __future__ import annotations

import asyncio

from quarterdeck.deploy.execution.order import TargetOrder
from quarterdeck.deploy.execution.reporting import Reporter
from quarterdeck.kernel.clock import Clock, SystemClock
from quarterdeck.kernel.errors import Problem, Unavailable

PATIENCE_SECONDS = 300.0  # a reboot takes one or two minutes
MOST_CUTS = 20
ENGINE_SECONDS = 60.0
"""How long the engine of a server that has come back may need: one can sign in before it is started."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
STALE = "ssh_connection_lost"
UNREACHED = frozenset({"ssh_unreachable", "ssh_handshake_failed", STALE, "ssh_command_refused"})
"""What one is told by a server that is switched off, or on its way up."""
AWAY, BACK = "away", "back"
"""What is recorded of a server that is waited for: that it does not answer, and that it does again."""
HINT = (
    "What ran before is untouched. When the server is reachable again, retry: what was packaged is found there. What "
    "this attempt left is cleared away by itself then."
)


class Absence:
    """Of one attempt. A server that was never reached is not waited for, unless the attempt is `patient`: one before
    it, or an execution of it before this, was at work there a moment ago.
    """

    def __init__(self, order: TargetOrder, clock: Clock | None = None, *, patient: bool = False) -> None:
        self._clock = clock or SystemClock()
        self._host = order.ssh.login().called if order.ssh is not None else ""
        self._patient = patient
        self._problem: Problem | None = None
        self._since: float | None = None
        self._cuts = 0
        self._stale = False
        self._pause = FIRST_PAUSE
        self._engine_until: float | None = None

    @property
    def comes_up(self) -> bool:
        """Whether what does not answer on this server may be on its way up, since it was away: counted from the first
        time that one asks.
        """
        if self._since is None and not self._patient:
            return False
        if self._engine_until is None:
            self._engine_until = self._clock.monotonic() + ENGINE_SECONDS
        return self._clock.monotonic() < self._engine_until

    def goes_on(self, error: Exception, *, cut: bool) -> bool:
        """Whether to try again after this failure; `cut` says that it came of a connection that is gone. Raises
        `Unavailable` (`ssh_connection_lost`) when the server stays away.
        """
        if not cut and not self._stale and isinstance(error, Problem) and error.code == STALE:
            self._stale = True
            return True  # a connection of somebody else that was gone already: a new one tells how the server is
        waited_for = self._patient or self._since is not None
        away = waited_for and isinstance(error, Problem) and error.code in UNREACHED
        if not (cut or away):
            return False
        self._engine_until = None
        self._stale = True
        self._problem = error if isinstance(error, Problem) and error.code in UNREACHED else None
        if self._since is None:
            self._since = self._clock.monotonic()
        if cut:
            self._cuts += 1
            self._pause = FIRST_PAUSE
        if self._cuts > MOST_CUTS:
            raise self._given_up(f"was cut {self._cuts} times") from error
        if self._clock.monotonic() - self._since > PATIENCE_SECONDS:
            cut_off = "was cut and " if self._cuts else ""
            raise self._given_up(f"{cut_off}did not come back within {PATIENCE_SECONDS / 60:g} minutes") from error
        return True

    async def wait(self, report: Reporter) -> None:
        """A pause that grows; how long it is and why is recorded, so that whoever looks is told."""
        if self._since is None:
            return
        if self._pause == FIRST_PAUSE:
            what = f"The connection to {self._host} was cut" if self._cuts else f"{self._host} does not answer"
            report.say(f"{what}: going on when it is back.", level="warn")
        known = self._problem
        code, why = (known.code, known.message) if known is not None else (STALE, "The connection was cut.")
        await report.context.record(AWAY, {"seconds": self._pause, "code": code, "message": why})
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def ends(self, report: Reporter) -> None:
        """The server is there (again)."""
        if self._since is not None:
            report.say(f"{self._host} is back after {self._clock.monotonic() - self._since:.0f} s.")
        if self._since is not None or self._patient:
            await report.context.record(BACK, {})
        self._since, self._patient, self._problem = None, False, None

    def _given_up(self, what: str) -> Unavailable:
        return Unavailable(f"The connection to {self._host} {what}.", code="ssh_connection_lost", hint=HINT)
