"""The supervisor's loop: start, listen, restart, stop, and leave nothing behind."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from pathlib import Path
from typing import Any

from . import cgroups, kin
from .child import StartFailed, become_subreaper, resource_limits, spawn
from .identity import identify
from .launch import Launch, delay_before, verdict
from .output import Output
from .record import CONTROL, Record, read_json

EXITS_KEPT = 10


class Supervisor:
    def __init__(self, directory: Path, launch: Launch) -> None:
        self._directory = directory
        self._launch = launch
        self._output = Output(directory, launch.log_bytes)
        self._group, self._enforced = cgroups.make(launch.marker, launch.memory, launch.cpus, launch.pids)
        self._group.kill()
        self._pid = 0
        self._pipes: dict[int, str] = {}
        self._started = 0.0
        self._crashes = 0
        self._oom_before = 0
        self._again_at: float | None = None
        self._kill_at: float | None = None
        self._asked = False
        self._exits: list[dict[str, Any]] = []
        self._wake = self._listen()
        me = identify(os.getpid())
        self._record = Record(
            directory,
            {
                "instance": launch.instance,
                "digest": launch.digest,
                "marker": launch.marker,
                "supervisor": list(me) if me else None,
                "group": self._group.dump(),
                "enforced": self._enforcement(),
                "child": None,
                "restarts": 0,
                "exits": self._exits,
                **launch.facts,
            },
        )

    def _enforcement(self) -> dict[str, str]:
        asked = {"memory": self._launch.memory, "pids": self._launch.pids, "cpu": self._launch.cpus}
        fallback = {"memory": "rlimit", "pids": "rlimit", "cpu": "none"}
        return {k: "cgroup" if k in self._enforced else fallback[k] for k, v in asked.items() if v}

    def _listen(self) -> int:
        become_subreaper()
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        os.set_blocking(reader, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._note_request())
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        return reader

    def start(self) -> None:
        """The first start; a program that cannot even be executed raises StartFailed and leaves nothing."""
        try:
            self._spawn()
        except StartFailed as error:
            self._record.change(phase="exited", message=str(error))
            self._group.remove()
            raise

    def _spawn(self) -> None:
        readers, writers = zip(os.pipe(), os.pipe(), strict=True)
        self._oom_before = self._group.out_of_memory_kills()
        limits = resource_limits(self._launch, self._enforced, _tasks_of(self._launch.uid))
        try:
            self._pid = spawn(self._launch, self._group, limits, writers)
        except StartFailed:
            for descriptor in readers:
                os.close(descriptor)
            raise
        finally:
            for descriptor in writers:
                os.close(descriptor)
        for descriptor, name in zip(readers, "oe", strict=True):
            os.set_blocking(descriptor, False)
            self._pipes[descriptor] = name
        self._started = time.monotonic()
        self._again_at = None
        who = identify(self._pid)
        self._record.change(
            phase="running", child=list(who) if who else None, startedAt=time.time_ns() // 1000, message=None
        )

    def _note_request(self) -> None:
        # Only noted: a handler may run in the middle of a start.
        self._asked = True

    def _begin_stop(self) -> None:
        wish = read_json(self._directory / CONTROL) or {}
        grace = wish.get("grace")
        self._kill_at = time.monotonic() + (self._launch.grace if grace is None else float(grace))
        if self._pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, self._launch.stop_signal)

    def run(self) -> None:
        while not self._step():
            pass
        self._output.flush()
        self._group.remove()

    def _step(self) -> bool:
        ready, _, _ = select.select([self._wake, *self._pipes], [], [], self._patience())
        for descriptor in ready:
            if descriptor == self._wake:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 4096)
            else:
                self._drain(descriptor)
        ended = kin.reap()
        if self._pid in ended:
            self._after_end(ended[self._pid])
        if self._asked and self._kill_at is None:
            self._begin_stop()
        if self._kill_at is not None:
            return self._stopping()
        if self._record.value.get("phase") in {"exited", "gave-up"}:
            return True
        if self._again_at is not None and time.monotonic() >= self._again_at:
            self._restart()
        return self._record.value.get("phase") in {"exited", "gave-up"}

    def _patience(self) -> float | None:
        if self._kill_at is not None:
            # While stopping, members that are not our children give no signal when they end.
            return 0.05
        return None if self._again_at is None else max(0.0, self._again_at - time.monotonic())

    def _drain(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, 65_536)
        except BlockingIOError:
            return
        if data:
            self._output.feed(self._pipes[descriptor], data)
        else:
            os.close(descriptor)
            del self._pipes[descriptor]

    def _restart(self) -> None:
        self._record.change(restarts=self._record.value["restarts"] + 1)
        try:
            self._spawn()
        except StartFailed as error:
            self._output.note(f"could not be started again: {error}")
            self._settle(failed=True)

    def _after_end(self, status: int) -> None:
        self._pid = 0
        code = os.waitstatus_to_exitcode(status)
        ran = time.monotonic() - self._started
        entry = {
            "code": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "ranSeconds": round(ran, 3),
            "at": time.time_ns() // 1000,
            "outOfMemory": self._group.out_of_memory_kills() > self._oom_before,
        }
        self._exits = [*self._exits, entry][-EXITS_KEPT:]
        self._record.change(child=None, exits=self._exits)
        if self._kill_at is not None:
            return
        # What the process left running would hold its port and its memory against the next start.
        self._end_family()
        self._close_pipes()
        if ran >= self._launch.stable_after:
            self._crashes = 0
        self._settle(failed=code != 0)

    def _settle(self, *, failed: bool) -> None:
        self._crashes += 1
        phase = verdict(self._launch, failed=failed, crashes=self._crashes)
        message = None
        if phase == "backing-off":
            delay = delay_before(self._launch, self._crashes)
            self._again_at = time.monotonic() + delay
            message = f"starts again in {delay:g} s"
        elif phase == "gave-up":
            message = f"ended {self._crashes} times in a row; not started again"
            self._output.note(message)
        self._record.change(phase=phase, message=message)

    def _stopping(self) -> bool:
        if self._record.value.get("phase") != "stopping":
            self._record.change(phase="stopping", message=None)
        family = self._group.members() | kin.descendants(os.getpid())
        late = self._kill_at is not None and time.monotonic() >= self._kill_at
        if family and not late:
            return False
        self._end_family()
        for pid, status in kin.reap().items():
            if pid == self._pid:
                self._after_end(status)
        self._close_pipes()
        self._record.change(phase="stopped", child=None, message="killed after its grace" if family else None)
        return True

    def _end_family(self) -> None:
        self._group.kill()
        kin.end_descendants(os.getpid())

    def _close_pipes(self) -> None:
        for descriptor in list(self._pipes):
            while descriptor in self._pipes and select.select([descriptor], [], [], 0)[0]:
                self._drain(descriptor)
            if descriptor in self._pipes:
                os.close(descriptor)
                del self._pipes[descriptor]
        self._output.flush()


def _tasks_of(uid: int | None) -> int:
    """How many tasks the user runs already, threads included."""
    wanted = os.getuid() if uid is None else uid
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == wanted:
                    count += sum(1 for _ in os.scandir(f"{entry.path}/task"))
    return count
