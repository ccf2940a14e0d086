"""Starting the application: into its session, its group and its user, with nothing of ours left open."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import signal
import termios
from collections.abc import Callable

from .cgroups import Group
from .launch import Launch

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def become_subreaper() -> None:
    """Orphaned descendants become our children instead of init's."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def signalled_with(parent: int, number: int) -> bool:
    """Be sent this signal when our parent ends, as a program that we become, too. False where it has ended by now."""
    _prctl(_PR_SET_PDEATHSIG, number)
    return os.getppid() == parent


class StartFailed(Exception):
    """The program could not be started; `step` says which part of it."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(f"{step}: {message}")
        self.step = step
        self.message = message


def resource_limits(launch: Launch, enforced: set[str], running: int) -> list[tuple[int, int]]:
    """Resource limits as (resource, value): those always set, and the stand-ins for groups the host did not allow.

    `running` is how many tasks the user has already, because the kernel counts processes by user.
    """
    limits = [(resource.RLIMIT_CORE, 0)]
    if launch.open_files:
        limits.append((resource.RLIMIT_NOFILE, launch.open_files))
    if launch.memory and "memory" not in enforced:
        # Data, not address space: runtimes such as V8 reserve far more addresses than they ever use.
        limits.append((resource.RLIMIT_DATA, launch.memory))
    if launch.pids and "pids" not in enforced:
        limits.append((resource.RLIMIT_NPROC, running + launch.pids))
    return limits


def spawn(
    launch: Launch, group: Group, limits: list[tuple[int, int]], outputs: tuple[int, int], terminal: int | None = None
) -> int:
    """Fork and execute; answers the pid once the program really runs. A `terminal` becomes its own and is what it
    reads from. Raises StartFailed.
    """
    told, tell = os.pipe()
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        step = "prepare"
        try:
            for name, act in _steps(launch, group, limits, outputs, terminal, supervisor):
                step = name
                act()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
            text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            os.write(tell, f"{step}\0{text}".encode())
        os._exit(127)
    os.close(tell)
    with open(told, "rb", closefd=True) as pipe:  # noqa: PTH123 - a descriptor, not a path
        report = pipe.read()
    if report:
        os.waitpid(pid, 0)
        step, _, message = report.decode(errors="replace").partition("\0")
        raise StartFailed(step, message)
    return pid


def _steps(
    launch: Launch,
    group: Group,
    limits: list[tuple[int, int]],
    outputs: tuple[int, int],
    terminal: int | None,
    supervisor: int,
) -> list[tuple[str, Callable[[], object]]]:
    return [
        ("session", os.setsid),
        ("group", group.enter),
        ("output", lambda: _redirect(outputs, terminal)),
        ("directory", lambda: os.chdir(launch.directory)),
        ("limits", lambda: _limit(limits)),
        ("user", lambda: _drop(launch.uid)),
        ("rights", lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1)),
        ("lifetime", lambda: _die_with(supervisor)),
        ("signals", restore_signals),
        ("program", lambda: _execute(launch)),
    ]


def _execute(launch: Launch) -> None:
    """Become the program. It is looked up here, as its user and in the directories that it may enter, because the
    system's own search answers "Permission denied" for a program that is nowhere.
    """
    places = [place for place in launch.environment.get("PATH", "").split(":") if place and _may_enter(place)]
    environment = {**launch.environment, "PATH": ":".join(places)}
    name = launch.argv[0]
    path = name if "/" in name else next((found for place in places if _runs(found := f"{place}/{name}")), None)
    if path is None:
        raise FileNotFoundError(errno.ENOENT, f"there is no program {name!r} that its user can run")
    os.execve(path, launch.argv, environment)  # noqa: S606 - the purpose


def _may_enter(place: str) -> bool:
    """Also a directory that is not there yet: the program may make it."""
    try:
        os.stat(place)  # noqa: PTH116 - nothing more than it takes after a fork
    except PermissionError:
        return False
    except OSError:
        return True
    return os.access(place, os.X_OK)


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)  # noqa: PTH113 - nothing more than it takes after a fork


def _redirect(outputs: tuple[int, int], terminal: int | None) -> None:
    if terminal is None:
        given = os.open(os.devnull, os.O_RDONLY)
    else:
        given = terminal
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for source, target in ((given, 0), (outputs[0], 1), (outputs[1], 2)):
        os.dup2(source, target)


def _limit(limits: list[tuple[int, int]]) -> None:
    for name, value in limits:
        hard = resource.getrlimit(name)[1]
        top = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (top, top))


def _drop(uid: int | None) -> None:
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    os.umask(0o022)


def _die_with(supervisor: int) -> None:
    # Set after the change of user, which would clear it.
    if not signalled_with(supervisor, signal.SIGKILL):
        os._exit(127)


def restore_signals() -> None:
    """Every signal does again what it does to a program that was just started."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
