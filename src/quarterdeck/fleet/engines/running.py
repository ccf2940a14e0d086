"""One long command at a time on a server, which goes on there whatever becomes of the connection.

It is detached and writes what it says into a file; who comes after a cut finds it by its lock, and reads on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quarterdeck.fleet.targets.host import Host
from quarterdeck.kernel import answers
from quarterdeck.kernel.errors import Conflict, ProviderFailure, Timeout

STEP_SECONDS = 1800.0
LOOK_SECONDS = 0.5
PIECE = 65_536
LAST_LINES = 8
BUSY, OTHER = 75, 1
# The lock is held by the shell around the command until it ends, and by nothing that the command leaves running.
BEGIN = """
umask 077; mkdir -p "$1" || exit 1
lock="$1/lock" log="$1/log" status="$1/status"; shift
exec 9>>"$lock" || exit 1
flock -n 9 || exit 75
rm -f "$status"; : >"$log" || exit 1
cd / && setsid sh -c 'log="$1" status="$2"; shift 2
"$@" >>"$log" 2>&1 </dev/null 9>&-
echo $? >"$status.new"; mv "$status.new" "$status"' step "$log" "$status" "$@" >/dev/null 2>&1 </dev/null &
"""
VANISHED = "What it wrote there is gone: somebody has removed the directory. How it ended is not known."
# First `running`, its status, `ended` where nobody knows it (the machine was switched off) or `none`; then its words.
FOLLOW = """
[ -e "$1/log" ] || { echo none; exit; }
said=running
if [ -e "$1/status" ]; then said=$(cat "$1/status")
elif flock -n "$1/lock" true; then said=$(cat "$1/status" 2>/dev/null || echo ended); fi
echo "$said"; tail -c "+$2" "$1/log" | head -c "$3"
"""

Tell = Callable[[Sequence[str]], None]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class Running:
    """`place` is a directory of ours on the server, `tell` takes lines as they come, `sleep` may end the wait by
    raising: the command goes on then. With another `host` after a cut it reads on where it was.
    """

    host: Host
    place: Path
    tell: Tell
    sleep: Sleep
    last: list[str] = field(default_factory=list)
    """The last lines that were said."""
    _offset: int = 1
    _rest: bytes = b""
    _begun: bool = False

    async def run(self, argv: Sequence[str]) -> int:
        """Run a command to its end and answer its status. Raises `Conflict` (`engine_busy`) while another one runs."""
        began = await self.host.run(["sh", "-c", BEGIN, "begin", str(self.place), *argv])
        if began.status == BUSY:
            raise Conflict(
                "Somebody else installs or removes an engine there at this moment.",
                code="engine_busy",
                hint="Try again when that has ended.",
            )
        if began.status != 0:
            raise ProviderFailure(
                "Nothing can be written there.", code="remote_file_refused", hint=f"See who owns {self.place} there."
            )
        self._forget()
        self._begun = True
        return await self.ended()

    async def ended(self) -> int:
        """Follow the command that runs to its end. 0 where there is none; a failure where its log is gone that was
        begun here.
        """
        waited = 0.0
        while True:
            ran = await self.host.run(["sh", "-c", FOLLOW, "follow", str(self.place), str(self._offset), str(PIECE)])
            word, _, said = ran.stdout.partition(b"\n")
            self._offset += len(said)
            *whole, self._rest = (self._rest + said).split(b"\n")
            over = word != b"running" and len(said) < PIECE
            self._say(whole + ([self._rest] if over and self._rest else []))
            if over:
                begun, self._begun = self._begun, False
                self._offset, self._rest = 1, b""
                if word == b"none" and begun:
                    self._say([VANISHED.encode()])
                    return OTHER
                status = 0 if word == b"none" else answers.whole(word)
                return OTHER if status is None else status
            if len(said) < PIECE:
                waited += LOOK_SECONDS
                if waited > STEP_SECONDS:
                    raise Timeout(
                        f"A step has not ended after {STEP_SECONDS / 60:g} minutes.",
                        code="command_timeout",
                        hint=f"It still runs there; see {self.place}/log on that machine.",
                    )
                await self.sleep(LOOK_SECONDS)

    async def clear(self) -> None:
        await self.host.run(["rm", "-rf", "--", str(self.place)])

    def _forget(self) -> None:
        self.last, self._offset, self._rest = [], 1, b""

    def _say(self, lines: Sequence[bytes]) -> None:
        words = [line.rsplit(b"\r", 1)[-1].decode(errors="replace").rstrip() for line in lines]
        words = [word for word in words if word]
        self.last = [*self.last, *words][-LAST_LINES:]
        if words:
            self.tell(words)
