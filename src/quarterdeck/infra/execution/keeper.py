"""The process between a runner and a program that it runs for a job: nothing that descends from the program outlives
it, however often it forked and whatever session it made for itself.

It stands on the standard library and the supervisor's rooms: `python keeper.py RUNNER PROGRAM ARGUMENT…`, where RUNNER
is the process that waits for it. It ends as the program did, with its status or by its signal, once nothing is left. An
interrupt is passed on to the program, and so is the end of the runner.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from quarterdeck.fleet.processes.supervisor import child, kin

MISSING = 127


class Keeper:
    def __init__(self, runner: int) -> None:
        self._pid = 0
        self._interrupted = False
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGINT, lambda *_: self._interrupt())
        child.become_subreaper()
        if not child.signalled_with(runner, signal.SIGINT):
            self._interrupted = True

    def _interrupt(self) -> None:
        self._interrupted = True
        if self._pid:
            os.kill(self._pid, signal.SIGINT)

    def run(self, argv: list[str]) -> int:
        """Answers how the program ended, as `waitpid` says it, when nothing of it is left."""
        keeper = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become(argv, keeper)
        self._pid = pid
        if self._interrupted:
            os.kill(pid, signal.SIGINT)
        while True:
            ended, status = os.waitpid(-1, 0)
            if ended == pid:
                break
        self._pid = 0
        kin.end_descendants(keeper)
        return status


def _become(argv: list[str], keeper: int) -> None:
    try:
        child.restore_signals()
        if child.signalled_with(keeper, signal.SIGINT):
            os.execvp(argv[0], argv)  # noqa: S606 - the purpose
    except OSError as error:
        os.write(2, f"{argv[0]} cannot be run: {error.strerror}\n".encode())
    finally:
        os._exit(MISSING)


def end_as(status: int) -> None:
    """End this process in the way of another one."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.stdout.flush()
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    end_as(Keeper(int(sys.argv[1])).run(sys.argv[2:]))
