"""Telling a database that fails from a rule that fails."""

from __future__ import annotations

import sqlite3
import sys

from sqlalchemy.exc import IntegrityError

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


def of_duplicate(error: BaseException) -> bool:
    """Whether somebody else has made the same thing first: what is unique was to be there twice."""
    if not isinstance(error, IntegrityError):
        return False
    if isinstance(error.orig, sqlite3.IntegrityError):
        return error.orig.sqlite_errorname in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
    return getattr(error.orig, "sqlstate", None) == "23505"
