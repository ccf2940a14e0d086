"""Users of their own for host processes: numbers from a range nobody else uses, without an entry to log in by."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from quarterdeck.fleet.processes.ledgers import changing
from quarterdeck.kernel.errors import Unavailable

FIRST, LAST = 700_000, 709_999


def assign(directory: Path, account: str) -> int | None:
    """The user number of `account`, for ever the same; None where we are not root and cannot change users."""
    if os.geteuid() != 0:
        return None
    with changing(directory / "accounts.json") as book:
        if account in book:
            return int(book[account])
        taken = set(book.values()) | {entry.pw_uid for entry in pwd.getpwall()}
        for uid in range(FIRST, LAST + 1):
            if uid not in taken:
                book[account] = uid
                return uid
    raise Unavailable(f"No user number is left for {account}.", code="process_accounts_exhausted")
