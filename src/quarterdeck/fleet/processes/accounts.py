"""Users of their own for host processes and agents: numbers from a range nobody else uses, without an entry to log in
by. Whoever has one of them is apart from all others of the host, so one book holds those of the whole host
(docs/adr/0047). A directory keeps its own beside: it is what remains where the host's is lost, and what is backed up.
"""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypedDict

from quarterdeck.fleet.processes.ledgers import changing
from quarterdeck.fleet.processes.supervisor.record import read_json, write_json
from quarterdeck.kernel.errors import Unavailable

FIRST, LAST = 700_000, 709_999
PLACE = Path("/var/lib/quarterdeck-accounts/accounts.json")
VARIABLE = "QUARTERDECK_ACCOUNTS"
"""Names another file: for containers that share files or processes, and where /var/lib cannot be written."""
OWN, MOVED = "accounts.json", "accounts-moved.json"
Book = dict[str, int]


class Kept(TypedDict):
    """The host's book: what the accounts of each data directory have."""

    directories: dict[str, Book]


def assign(directory: Path, account: str, *, theirs: Callable[[], Collection[str]] | None = None) -> int | None:
    """The user number of `account` in `directory`, for ever the same and nobody else's on this host; None where we are
    not root and cannot change users. `theirs` as for `take_over`; without it no number counts as somebody's for what
    runs under it. Raises `Unavailable` (`process_accounts_exhausted`, `process_accounts_unwritable`).
    """
    if os.geteuid() != 0:
        return None
    directory.mkdir(parents=True, exist_ok=True, mode=0o711)
    with _host() as host:
        held = _held(host, directory, read_json(directory / OWN) or {}, theirs)
        if account not in held:
            held[account] = _fresh(host, held.values())
        _keep(directory, held)
        return held[account]


def take_over(directory: Path, theirs: Callable[[], Collection[str]]) -> None:
    """Enter what the directory's own book says in the host's: a number that is free is kept, another is replaced, and
    `moved` names it then. `theirs` tells the accounts of the directory that have running processes: what runs under the
    number of any other one is somebody else's, and so is the number. Raises as `assign`.
    """
    if os.geteuid() == 0 and (directory / OWN).exists():
        with _host() as host:
            _keep(directory, _held(host, directory, read_json(directory / OWN) or {}, theirs))


def translated(directory: Path, book: Book) -> dict[int, int]:
    """By the number that it had, the one that each account of a restored book has here. Whatever is given away by it
    is right at once: nothing is `moved`. Raises as `assign`.
    """
    if os.geteuid() != 0:
        return {}
    with _host() as host:
        held = _held(host, directory, book, lambda: (), {})
        return {number: held[account] for account, number in book.items()}


def moved(directory: Path) -> dict[str, list[int]]:
    """The numbers that accounts of the directory had before, and things in it may still belong to."""
    return read_json(directory / MOVED) or {}


def settled(directory: Path, account: str) -> None:
    """Nothing belongs to an earlier number of the account any more."""
    with changing(directory / MOVED) as book:
        book.pop(account, None)


@contextlib.contextmanager
def _host() -> Iterator[dict[str, Any]]:
    """The host's book, written last: what stands in it stands in the directory's own, too."""
    place = Path(os.environ.get(VARIABLE) or PLACE)
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with changing(place) as host:
            host.setdefault("directories", {})
            yield host
        descriptor = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unavailable(
            f"The user numbers of this host cannot be kept in {place} ({error.strerror}).",
            code="process_accounts_unwritable",
            hint=f"See that root may write there, or name another file with {VARIABLE}, the same for all of the host.",
        ) from None


def _held(
    host: dict[str, Any],
    directory: Path,
    own: Book,
    theirs: Callable[[], Collection[str]] | None,
    noted: dict[str, list[int]] | None = None,
) -> Book:
    """What the directory holds, with all that its own book says. Where both differ, the files are as its own says."""
    held: Book = host["directories"].setdefault(str(directory.resolve()), {})
    differing = {account: number for account, number in own.items() if held.get(account) != number}
    if not differing:
        return held
    running, ours = (_running(), theirs()) if theirs is not None else (set[int](), ())
    told = moved(directory) if noted is None else noted
    for account, number in differing.items():
        held.pop(account, None)
        if number in _taken(host) or (number in running and account not in ours) or not FIRST <= number <= LAST:
            told[account] = sorted({*told.get(account, ()), number})
            held[account] = _fresh(host, own.values())
        else:
            held[account] = number
    if noted is None and told:
        write_json(directory / MOVED, told)
    return held


def _keep(directory: Path, held: Book) -> None:
    if read_json(directory / OWN) != held:
        write_json(directory / OWN, dict(held))


def _taken(host: dict[str, Any]) -> set[int]:
    return {number for held in host["directories"].values() for number in held.values()}


def _fresh(host: dict[str, Any], besides: Collection[int]) -> int:
    """A number that nobody has had, in turn; once all have been given, one of a directory that is gone."""
    taken = _taken(host) | set(besides) | {entry.pw_uid for entry in pwd.getpwall()} | _running()
    for number in range(int(host.get("next", FIRST)), LAST + 1):
        if number not in taken:
            host["next"] = number + 1
            return number
    host["next"] = LAST + 1
    still = {entry.pw_uid for entry in pwd.getpwall()} | _running() | set(besides)
    for place, held in host["directories"].items():
        if not os.path.lexists(place):
            for account, number in list(held.items()):
                del held[account]
                if number not in still:
                    return int(number)
    raise Unavailable(
        "No user number is left on this host.",
        code="process_accounts_exhausted",
        hint="Remove data directories that are no longer needed: their numbers are given again then.",
    )


def _running() -> set[int]:
    """The users of the range that something runs as."""
    found: set[int] = set()
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            with contextlib.suppress(OSError):
                for line in (place / "status").read_text(errors="replace").splitlines():
                    if line.startswith("Uid:"):
                        found.update(int(word) for word in line.split()[1:])
                        break
    return {number for number in found if FIRST <= number <= LAST}
