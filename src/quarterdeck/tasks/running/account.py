"""Whom an agent runs as: a user of its own for each project where the worker is root, else the worker's own."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from quarterdeck.fleet.processes import accounts
from quarterdeck.fleet.processes.ownership import renumber
from quarterdeck.kernel.errors import Invalid
from quarterdeck.tasks.agents.configuration import Run


@dataclass(frozen=True, slots=True)
class Account:
    """`uid` None: nobody is changed to. `home` is where the agent program keeps what it is logged in with."""

    uid: int | None
    name: str
    home: Path

    @property
    def owner(self) -> tuple[int, int] | None:
        """User and group of what belongs to it; the group has the user's number. None: the worker's own."""
        return None if self.uid is None else (self.uid, self.uid)

    def run_as(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """The argv that runs `argv` as this user, without a way back."""
        if self.uid is None:
            return argv
        number = str(self.uid)
        return ("setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--no-new-privs", "--", *argv)


def account_of(run: Run, directory: Path, organization: str, project_key: str) -> Account:
    """The account of a project's agents on this machine, its home made; the same for ever. Raises `Invalid`
    (`agent_user_unknown`).
    """
    if os.geteuid() != 0 or not run.own_user:
        own = pwd.getpwuid(os.geteuid())
        return Account(None, own.pw_name, Path(own.pw_dir))
    if run.user is not None:
        try:
            entry = pwd.getpwnam(run.user)
        except KeyError:
            raise Invalid(
                f"This machine has no user {run.user}.",
                code="agent_user_unknown",
                hint="Make the user, or change `user` in agents.toml.",
            ) from None
        return Account(entry.pw_uid, entry.pw_name, Path(entry.pw_dir))
    uid = accounts.assign(directory, f"agent:{organization}/{project_key}")
    homes = directory / "homes"
    homes.mkdir(parents=True, exist_ok=True, mode=0o711)
    home = homes / str(uid)
    home.mkdir(exist_ok=True, mode=0o700)
    if uid is not None:
        os.chown(home, uid, uid)
    return Account(uid, f"agent-{uid}", home)


def take_over(directory: Path, workspaces: Path) -> None:
    """Before the first agent, and after what an earlier session left running was ended: where a project's number turned
    out to be somebody else's on this host, it has another one, and its home and its workspaces are given to that.
    Raises what `accounts.take_over` and `ownership.renumber` raise.
    """
    accounts.take_over(directory, lambda: ())
    for account, numbers in accounts.moved(directory).items():
        uid = accounts.assign(directory, account)
        if uid is None:
            return
        for before in numbers:
            _move_home(directory / "homes" / str(before), directory / "homes" / str(uid), before, uid)
            for project in workspaces.iterdir() if workspaces.is_dir() else ():
                if project.is_dir() and not project.is_symlink() and project.lstat().st_gid == before:
                    project.chmod(0o700)  # whose number it is has no business there; `enclose` opens it again
                    renumber(project, before, uid)
        accounts.settled(directory, account)


def _move_home(home: Path, new: Path, before: int, uid: int) -> None:
    """A home is named by the number of its user."""
    if home.is_dir() and not new.exists():
        home.rename(new)
    if new.is_dir() and new.lstat().st_uid in {0, before}:
        os.chown(new, 0, 0)
        renumber(new, before, uid)
        os.chown(new, uid, uid)
