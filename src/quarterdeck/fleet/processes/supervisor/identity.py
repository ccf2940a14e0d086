"""Who a process is: a pid alone is reused, a pid with its start time and the boot it lives in is not."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import NamedTuple


class Identity(NamedTuple):
    """`start` is field 22 of /proc/PID/stat, in clock ticks since boot."""

    pid: int
    start: int
    boot: str


class Stat(NamedTuple):
    state: str
    parent: int
    session: int
    start: int


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def read_stat(pid: int) -> Stat | None:
    """The few fields needed of /proc/PID/stat, or None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name stands in parentheses and may itself contain any character.
    fields = text[text.rindex(")") + 2 :].split()
    return Stat(state=fields[0], parent=int(fields[1]), session=int(fields[3]), start=int(fields[19]))


def identify(pid: int) -> Identity | None:
    stat = read_stat(pid)
    return Identity(pid, stat.start, boot_id()) if stat else None


def is_alive(who: Identity | None) -> bool:
    """True while exactly this process runs; a zombie has ended."""
    if who is None or who.boot != boot_id():
        return False
    stat = read_stat(who.pid)
    return stat is not None and stat.start == who.start and stat.state not in "ZX"


def send(who: Identity, number: int) -> bool:
    """Signal exactly this process; False when it is gone. The descriptor pins the pid against reuse."""
    try:
        descriptor = os.pidfd_open(who.pid)
    except OSError:
        return False
    try:
        if not is_alive(who):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
