"""Where an agent's hook calls: a local socket with a token of its own for each attempt, and the files it needs.

What comes is what the agent's user sent: it is checked, cut and counted, and opens nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import shlex
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from quarterdeck.kernel import trees
from quarterdeck.tasks.orders import Dollars, Tokens, is_session
from quarterdeck.tasks.running import hook

MOST = 256 << 10
MOST_AT_ONCE = 8
BURST, A_SECOND = 40.0, 2.0
"""So many calls are heard at once, and then so many a second: the others wait."""
LONGEST_KIND = 100
Event = Literal["turn-ended", "prompt", "session", "notification", "usage", "question", ""]
PROGRAM = "hook.py"
SOURCE = Path(hook.__file__).read_bytes()


class Used(msgspec.Struct, frozen=True, rename="camel"):
    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cost_usd: Dollars | None = None


class Call(msgspec.Struct, frozen=True):
    """`turn-ended`: the agent has finished what it was asked; `prompt`: it took one; `question`: it asks a person."""

    event: Event
    token: str = ""
    session: str | None = None
    text: str = ""
    kind: str | None = None
    usage: Used | None = None

    def bounded(self) -> Call:
        """Without a session that could be taken for an option of the program, and cut to what anybody reads."""
        session = self.session if self.session is not None and is_session(self.session) else None
        kind = None if self.kind is None else self.kind[:LONGEST_KIND]
        return msgspec.structs.replace(self, session=session, text=self.text[-hook.TEXT :], kind=kind)

    @property
    def asks(self) -> bool:
        return self.event == "question" or (self.event == "notification" and self.kind == "permission_prompt")


class HookSocket:
    """Listens between `open` and `close`; `heard` is called for each `Call` with the `token`."""

    def __init__(self, uid: int | None, token: str, heard: Callable[[Call], None], *, prefix: str = "qd-hook-") -> None:
        self._uid = uid
        self._token = token
        self._heard = heard
        self._server: asyncio.Server | None = None
        self._open = 0
        self._now = asyncio.get_running_loop().time
        self._left, self._counted = BURST, self._now()
        # A socket's path is at most 107 bytes long: that of a data directory may be longer.
        self.directory = Path(tempfile.mkdtemp(prefix=prefix))

    async def open(self) -> None:
        self.directory.chmod(0o711)
        path = self.directory / "socket"
        self._server = await asyncio.start_unix_server(self._serve, path, limit=MOST)
        path.chmod(0o600)
        program = self.directory / PROGRAM
        program.write_bytes(SOURCE)
        program.chmod(0o444)
        if self._uid is not None:
            os.chown(path, self._uid, -1)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await asyncio.to_thread(trees.remove, self.directory)

    def environment(self, path: str) -> dict[str, str]:
        """What a program needs to call the hook; `path` is where programs are looked for."""
        known = {hook.SOCKET: str(self.directory / "socket"), hook.TOKEN: self._token}
        argv = self.argv(path)
        return known if argv is None else {**known, hook.COMMAND: shlex.join(argv)}

    def argv(self, path: str) -> list[str] | None:
        """What calls the hook; None where the agent's user can run no Python of this machine."""
        python = interpreter(self._uid, path)
        return None if python is None else [python, "-I", "-S", str(self.directory / PROGRAM)]

    def claude_settings(self, path: str) -> str:
        """The path of a settings file that makes Claude Code call the hook."""
        argv = self.argv(path)
        events: dict[str, object] = {}
        if argv is not None:
            command = {"type": "command", "command": shlex.join([*argv, "claude"]), "timeout": 20}
            events = {name: [{"hooks": [command]}] for name in hook.CLAUDE}
        file = self.directory / "settings.json"
        file.write_text(json.dumps({"hooks": events}), encoding="utf-8")
        file.chmod(0o444)
        return str(file)

    def codex_notify(self, path: str) -> str:
        """The value of Codex's setting `notify`, as TOML."""
        return json.dumps(self.argv(path) or [])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > MOST_AT_ONCE:
                return
            async with asyncio.timeout(10):
                line = await reader.readline()
                call = msgspec.json.decode(line, type=Call)
                if hmac.compare_digest(call.token.encode(), self._token.encode()):
                    await asyncio.sleep(self._pause())
                    self._heard(call.bounded())
                    writer.write(b"heard\n")
                    await writer.drain()
        except (msgspec.MsgspecError, ValueError, UnicodeError, TimeoutError, OSError):
            return
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _pause(self) -> float:
        """Seconds that a call waits, by how many there were."""
        now = self._now()
        self._left = min(BURST, self._left + (now - self._counted) * A_SECOND) - 1
        self._counted = now
        return max(0.0, -self._left / A_SECOND)


def forget(prefix: str) -> None:
    """Remove the directories of sockets that an earlier process left: those of this prefix that are this user's own.
    Everybody may write where they lie, so what somebody else put there under such a name is left alone.
    """
    for place in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            found = place.lstat()
            if found.st_uid == os.geteuid() and stat.S_ISDIR(found.st_mode):
                trees.remove(place)


def interpreter(uid: int | None, path: str) -> str | None:
    """A Python that the user can run: this one where it may, else one of the system's."""
    own = os.path.realpath(sys.executable)
    if uid is None:
        return own
    places = [*path.split(":"), "/usr/local/bin", "/usr/bin"]
    candidates = [own, *(found for place in places if place and (found := shutil.which("python3", path=place)))]
    return next((one for one in candidates if _open_to_all(Path(os.path.realpath(one)))), None)


def _open_to_all(program: Path) -> bool:
    try:
        return bool(program.stat().st_mode & 0o001) and all(one.stat().st_mode & 0o001 for one in program.parents)
    except OSError:
        return False
