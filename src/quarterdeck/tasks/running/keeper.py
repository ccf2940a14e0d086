"""The process between a worker and a program that it runs: it gives the program a session, a terminal, a user and a
control group of its own, and ends everything that the program left behind.

It stands on the standard library and the supervisor's rooms, and is started by `program.py`. It reads lines of JSON
from stdin: first what to start, then `{"signal": 15}` or `{"end": seconds}`; the end of stdin, as when the worker was
killed, ends the program too. It writes lines of JSON to stdout: `started`, `refused`, `exited`, `ended`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from quarterdeck.fleet.processes.supervisor import cgroups, child, kin
from quarterdeck.fleet.processes.supervisor.identity import identify
from quarterdeck.fleet.processes.supervisor.launch import Launch
from quarterdeck.fleet.processes.supervisor.record import write_json

LONGEST_ORDER = 8 << 20


class Keeper:
    def __init__(self, order: dict[str, Any]) -> None:
        self._launch = Launch(**order["launch"])
        self._terminal: int = order["terminal"]
        self._record = Path(order["record"])
        child.become_subreaper()
        launch = self._launch
        self._group, self._enforced = cgroups.make(launch.marker, launch.memory, launch.cpus, launch.pids)
        self._pid = 0
        self._exited = False
        self._wake = self._listen()
        self._rest = b""

    def _listen(self) -> int:
        reader, writer = os.pipe()
        for one in (reader, writer):
            os.set_blocking(one, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGTTOU):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: None)  # the worker says by stdin what shall end
        return reader

    def start(self) -> bool:
        """Whether the program runs. What it is is on disk before it does anything that could outlive us."""
        self._keep_record(None)
        # Without a control group its processes are not counted: the kernel's own limit counts all of a user.
        limits = child.resource_limits(replace(self._launch, pids=None), self._enforced, 0)
        os.set_inheritable(self._terminal, False)
        outputs = (self._terminal, self._terminal)
        try:
            self._pid = child.spawn(self._launch, self._group, limits, outputs, self._terminal)
        except child.StartFailed as failed:
            self._group.remove()
            self._record.unlink(missing_ok=True)
            tell({"refused": failed.step, "message": failed.message})
            return False
        finally:
            os.close(self._terminal)
        self._keep_record(self._pid)
        tell({"started": self._pid, "limits": sorted(self._enforced)})
        return True

    def _keep_record(self, pid: int | None) -> None:
        me, it = identify(os.getpid()), identify(pid) if pid else None
        write_json(
            self._record,
            {
                "marker": self._launch.marker,
                "keeper": list(me) if me else None,
                "program": list(it) if it else None,
                "group": self._group.dump(),
            },
        )

    def run(self) -> None:
        """Until nothing of the program is left."""
        open_input, deadline = True, None
        while True:
            patience = 0.05 if deadline is not None else None
            ready, _, _ = select.select([self._wake, *([0] if open_input else [])], [], [], patience)
            if self._wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 4096)
            if 0 in ready:
                orders = self._orders()
                if orders is None:
                    open_input, deadline = False, 0.0
                for order in orders or []:
                    if "signal" in order:
                        self._signal(order["signal"])
                    if "end" in order:
                        deadline = time.monotonic() + order["end"]
            for pid, status in kin.reap().items():
                if pid == self._pid:
                    self._exited = True
                    tell({"exited": os.waitstatus_to_exitcode(status)})
            if deadline is not None and (time.monotonic() >= deadline or not self._living()):
                break
        self._end()

    def _orders(self) -> list[dict[str, Any]] | None:
        data = os.read(0, 65_536)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines if line]

    def _living(self) -> set[int]:
        return kin.descendants(os.getpid()) | self._group.members()

    def _signal(self, number: int) -> None:
        """To the program's group and to what is in the foreground of its terminal; a kill is for everything."""
        if number == signal.SIGKILL:
            self._group.kill()
            kin.end_descendants(os.getpid())
            return
        if not self._exited:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, number)
        if number != signal.SIGINT:
            for pid in self._living() - {self._pid}:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)

    def _end(self) -> None:
        left = self._living() - {self._pid}
        self._group.kill()
        kin.end_descendants(os.getpid())
        for pid, status in kin.reap().items():
            if pid == self._pid and not self._exited:
                tell({"exited": os.waitstatus_to_exitcode(status)})
        kin.end_marked(self._launch.marker)
        self._group.remove()
        self._record.unlink(missing_ok=True)
        tell({"ended": True, "left": len(left)})


def tell(what: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(1, json.dumps(what).encode() + b"\n")


def first_line() -> bytes:
    """What to start; nothing comes behind it before we have answered."""
    line = b""
    while not line.endswith(b"\n") and len(line) < LONGEST_ORDER:
        part = os.read(0, 65_536)
        if not part:
            sys.exit(2)
        line += part
    return line


if __name__ == "__main__":
    keeper = Keeper(json.loads(first_line()))
    if keeper.start():
        keeper.run()
