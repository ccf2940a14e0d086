"""Our own code on a server behind SSH: what looks after host processes and releases there, brought along as one file.

It needs Python and nothing else, and is run once for each call; what it starts outlives it.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, TypeVar

import msgspec

import quarterdeck
from quarterdeck.fleet.processes.serving import PROBLEM
from quarterdeck.fleet.targets.facts import Machine
from quarterdeck.fleet.targets.files import SshFiles
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.kernel import errors
from quarterdeck.kernel.answers import whole
from quarterdeck.kernel.errors import Problem, ProviderFailure
from quarterdeck.kernel.text import shown
from quarterdeck.kernel.unreadable import UNREADABLE

T = TypeVar("T")
OLDEST_PYTHON = (3, 11)
SECONDS = 60.0
WORDS, LONGEST = 100, 2000
MODULE = "quarterdeck.fleet.processes.serving"
PARTS = (
    "__init__.py", "fleet/__init__.py", "fleet/processes/*.py", "fleet/processes/supervisor/*.py", "kernel/__init__.py",
    "kernel/answers.py", "kernel/errors.py", "kernel/clock.py", "kernel/disk.py", "kernel/trees.py",
    "kernel/vault/__init__.py", "kernel/vault/secret.py",
)  # fmt: skip
KINDS: dict[str, type[Problem]] = {
    kind.kind: kind
    for kind in (
        errors.Invalid, errors.Unauthenticated, errors.Forbidden, errors.NotFound, errors.Conflict, ProviderFailure,
        errors.Unavailable, errors.Timeout,
    )
}  # fmt: skip


class Steward:
    """`root` is the target directory there. Calls are those of `fleet.processes.serving`."""

    def __init__(self, host: SshHost, files: SshFiles, machine: Machine, root: Path) -> None:
        self._host = host
        self._files = files
        self._machine = machine
        self._root = root
        self._bringing = asyncio.Lock()
        self._brought: Path | None = None

    async def call(self, wanted: str, /, *, seconds: float = SECONDS, **arguments: Any) -> Any:
        """The answer of one call. Raises the problem that it was refused with over there."""
        words = [*await self._words(), str(self._root), wanted]
        ran = await self._host.run(words, stdin=json.dumps(arguments).encode() + b"\n", seconds=seconds)
        if ran.status == PROBLEM:
            raise problem_of(self._read(wanted, ran.stdout))
        if ran.status != 0:
            raise ProviderFailure(
                f"{wanted} of a process failed on {self._host.login.host} with status {ran.status}.",
                code="process_supervisor_failed",
                hint="See that its disk is not full and that its Python is whole: python3 -c 'import asyncio, socket'",
            )
        return self._read(wanted, ran.stdout)

    async def told(self, kind: type[T], wanted: str, /, *, seconds: float = SECONDS, **arguments: Any) -> T:
        """As `call`, with an answer that has to be of a kind."""
        try:
            return msgspec.convert(await self.call(wanted, seconds=seconds, **arguments), kind)
        except UNREADABLE:
            raise self._unreadable(wanted) from None

    def _read(self, wanted: str, said: bytes) -> Any:
        try:
            return msgspec.json.decode(said)
        except UNREADABLE:
            raise self._unreadable(wanted) from None

    def _unreadable(self, wanted: str) -> ProviderFailure:
        return ProviderFailure(
            f"What {self._host.login.host} answers to {wanted} of a process cannot be read.",
            code="process_supervisor_failed",
            hint="Look at what that machine runs in the place of its Python.",
        )

    def forget(self) -> None:
        """The archive is not there any more."""
        self._brought = None

    async def check(self) -> None:
        """Raise `ProviderFailure` (`remote_python_missing`) where it cannot run."""
        await self._words()

    async def _words(self) -> list[str]:
        async with self._bringing:
            if self._brought is None:
                self._brought = await self._bring()
        python = self._machine.tools["python3"]
        environment = [f"PYTHONPATH={self._brought}", "PYTHONDONTWRITEBYTECODE=1"]
        return ["env", *environment, python, "-S", "-P", "-m", MODULE]

    async def _bring(self) -> Path:
        python = self._machine.tools.get("python3")
        said = ""
        if python is not None:
            said = (await self._host.run([python, "-c", "import sys; print(*sys.version_info[:2])"])).text
        version = tuple(number for part in said[:WORDS].split() if (number := whole(part)) is not None)
        if version < OLDEST_PYTHON:
            have = f"Python {'.'.join(map(str, version))}" if version else "no Python"
            raise ProviderFailure(
                f"{self._host.login.host} has {have}; host processes and static sites need 3.11 or newer there.",
                code="remote_python_missing",
                hint="Install it (on Debian and Ubuntu: sudo apt-get install python3), or a Docker engine.",
            )
        content = await asyncio.to_thread(archive)
        path = self._root / "program" / f"processes-{hashlib.sha256(content).hexdigest()[:12]}.zip"
        if (await self._host.run(["test", "-f", str(path)])).status != 0:
            await self._files.make_directory(path.parent, mode=0o755)
            await self._files.write_atomic(path, content)
        return path


@functools.cache
def archive() -> bytes:
    """The same bytes for the same sources, whenever and wherever they are packed."""
    here = Path(quarterdeck.__file__).parent
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for part in PARTS for path in here.glob(part)):
            packed.writestr(zipfile.ZipInfo(str(path.relative_to(here.parent))), path.read_bytes())
    return made.getvalue()


def problem_of(said: Any) -> Problem:
    """Of whatever stands in the place of one, too."""
    said = said if isinstance(said, dict) else {}
    kind = KINDS.get(str(said.get("kind")), ProviderFailure)
    code, hint, details = (said.get(name) for name in ("code", "hint", "details"))
    own = {"message", "code", "hint"}
    return kind(
        shown(str(said.get("message") or "It was refused there without a reason."), LONGEST),
        code=shown(code, 100) if isinstance(code, str) else "process_supervisor_failed",
        hint=shown(hint, LONGEST) if isinstance(hint, str) else None,
        **{key: value for key, value in details.items() if key not in own} if isinstance(details, dict) else {},
    )
