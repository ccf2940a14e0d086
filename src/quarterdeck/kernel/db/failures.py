"""Telling a database that fails from a rule that fails."""

from __future__ import annotations

import sqlite3
import sys

from quarterdeck.kernel.errors import Unavailable


class DatabaseUnavailable(Unavailable):
    """The change could not be kept, for no fault of its own: it may be tried again as it is."""

    default_code = "database_unavailable"


def of_storage(error: BaseException) -> bool:
    """Whether the database itself failed (full, away, deadlocked), and not the rule that used it."""
    driver = getattr(error, "orig", None) or error
    psycopg = sys.modules.get("psycopg")  # loaded only where PostgreSQL is in use
    kinds = (sqlite3.OperationalError,) if psycopg is None else (sqlite3.OperationalError, psycopg.OperationalError)
    return isinstance(error, DatabaseUnavailable) or isinstance(driver, kinds)
