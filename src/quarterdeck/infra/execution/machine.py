"""What a worker brings to infrastructure jobs, and the directories that attempts work in."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from quarterdeck.fleet.processes.supervisor import kin
from quarterdeck.fleet.processes.supervisor.identity import Identity, identify
from quarterdeck.infra.execution import failures
from quarterdeck.infra.execution.commands import Layout
from quarterdeck.kernel import trees
from quarterdeck.kernel.durable import write_durably

LOCK = "lock"
WHERE = "where"
"""Names the directory that terraform runs in, for whoever finds an attempt that was killed."""
RESCUED = "infra-states"
LONGEST_STATE = 50 << 20
"""Bytes of a state that is kept."""
_TURN = threading.Lock()
_CLEARING = threading.Lock()
"""A directory is made and locked, or looked at, by one thread at a time: it would seem left behind in between."""
log = structlog.get_logger("quarterdeck.infra")


@dataclass(frozen=True)
class Machine:
    """`server` answers the origin that this worker reaches its server at. `own` is the server's own worker: it takes
    bundled templates alone, and no identity of a cloud.
    """

    directory: Path
    server: Callable[[], str]
    own: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def work(self) -> Path:
        return self.directory / "infra-work"

    @property
    def rescued(self) -> Path:
        """States that could not be written where they belong, for a person to push."""
        return self.directory / RESCUED


@dataclass(frozen=True)
class Attempt:
    """A directory of one attempt; `lock` is an open descriptor that everything which works in it holds."""

    root: Path
    lock: int

    def layout(self, module: Path) -> Layout:
        return Layout(self.root, module)


@contextlib.asynccontextmanager
async def attempt(machine: Machine, job: str) -> AsyncIterator[Attempt]:
    """A fresh directory (0700), removed in every ending. What a worker that was killed has left is removed before."""
    try:
        machine.work.mkdir(parents=True, exist_ok=True, mode=0o700)
        machine.work.chmod(0o700)
        await clear(machine)
    except OSError as error:
        raise failures.of_file(error, "the directory of the job") from None
    root, descriptor = _made(machine, job)
    try:
        yield Attempt(root, descriptor)
    finally:
        try:
            await asyncio.to_thread(_end, machine, root, job)
        finally:
            os.close(descriptor)


def _made(machine: Machine, job: str) -> tuple[Path, int]:
    """A directory, and the descriptor by which it is locked. Raises `Unavailable` of `failures.of_file`."""
    try:
        with _TURN:
            root = Path(tempfile.mkdtemp(prefix=f"{job}-", dir=machine.work))
            try:
                descriptor = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.write(descriptor, msgspec.json.encode(identify(os.getpid())))
                    for name in ("data", "home", "tmp"):
                        (root / name).mkdir(mode=0o700)
                except BaseException:
                    os.close(descriptor)
                    raise
            except BaseException:
                trees.remove(root)
                raise
    except OSError as error:
        raise failures.of_file(error, "the directory of the job") from None
    return root, descriptor


async def clear(machine: Machine) -> None:
    """Remove what nobody works in any more, and end what still runs of it; a state that lies there is kept. Raises
    `OSError`.
    """
    await asyncio.to_thread(_clear, machine)


def _clear(machine: Machine) -> None:
    with _CLEARING:
        with _TURN:
            left_behind = list(_left(machine.work))
        for left in left_behind:
            _end(machine, left, left.name.rpartition("-")[0])


def owner(place: Path) -> Identity | None:
    """The worker that has made the directory of an attempt; None where it says none."""
    try:
        return msgspec.json.decode(trees.beginning(place / LOCK, 1000) or b"", type=Identity)
    except msgspec.MsgspecError:
        return None


def _end(machine: Machine, root: Path, job: str) -> None:
    """What an attempt left running, and in its directory."""
    kin.end_marked(root.name)
    salvage(machine, root, job)
    trees.remove(root)


def _left(work: Path) -> Iterator[Path]:
    """Directories of attempts that nobody works in any more: neither a worker nor a terraform that it started. Each is
    locked until the next is asked for.
    """
    for place in list(work.iterdir()):
        try:
            descriptor = os.open(place / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # it is just being made, or not ours
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue
        else:
            yield place
        finally:
            os.close(descriptor)


def salvage(machine: Machine, root: Path, job: str) -> Path | None:
    """Keep the state that terraform left in a directory, before that is removed. Answers where it is then."""
    where = (trees.beginning(root / WHERE, 4096) or b"").decode(errors="replace")
    content = trees.beginning(Layout(root, root / where).left_state, LONGEST_STATE) if where else None
    if not content:
        return None
    kept = machine.rescued / f"{job}.tfstate"
    try:
        machine.rescued.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(kept, content)
    except OSError as error:
        log.error("state_not_kept", job=job, reason=error.strerror)  # noqa: TRY400 - a full disk, told in one line
        return None
    log.warning("state_kept", job=job, place=str(kept))
    return kept


def note_module(root: Path, module: Path) -> None:
    """Say where terraform runs. Raises `Unavailable` of `failures.of_file`."""
    try:
        (root / WHERE).write_text(str(module.relative_to(root)), encoding="utf-8")
    except OSError as error:
        raise failures.of_file(error, "the directory of the job") from None
