"""What the address of a database says, known without its driver: a server on SQLite never loads the other one."""

from __future__ import annotations


def sqlalchemy_url(url: str) -> str:
    """`postgres://` and `postgresql://` addresses with the psycopg driver named."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url


def libpq_url(url: str) -> str:
    """The same address as the driver itself takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
