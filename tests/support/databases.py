"""Databases for tests: a copied SQLite file, or a PostgreSQL database cloned from a migrated template."""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg

from quarterdeck.kernel.db.migrate import migrate


def database_kinds() -> list[str]:
    """Which databases this run uses: QUARTERDECK_TEST_DATABASES, else both."""
    return os.environ.get("QUARTERDECK_TEST_DATABASES", "sqlite,postgresql").split(",")


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    assert on_path, "PostgreSQL is not installed: run script/test --install, or set QUARTERDECK_TEST_DATABASES=sqlite"
    return Path(on_path).parent


MEMORY = Path("/dev/shm")
ROOM = 2 << 30
"""Bytes that memory has to have free before a server's data directory lies there."""
FAST = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0",
    "max_wal_size=256MB", "checkpoint_timeout=1h",
)  # fmt: skip
"""Nothing of a server outlives its run, and no database of one a few seconds."""


@contextlib.contextmanager
def server_directory() -> Iterator[Path]:
    """Where a server keeps its data: in memory where that has room, for a database is made for each of thousands of
    tests. Not below pytest's own directory: another run closes that one to other users, and the server is one.
    """
    there = MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM else None
    with tempfile.TemporaryDirectory(prefix="qd-pg-", dir=there, ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextlib.contextmanager
def postgresql_server(directory: Path) -> Iterator[str]:
    """A server on loopback with its own data directory, fast and unsafe settings, ended afterwards."""
    given = os.environ.get("QUARTERDECK_TEST_POSTGRESQL")
    if given:
        yield given
        return
    binaries = _binaries()
    data = directory / "data"
    account: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        account = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        owner = pwd.getpwnam("postgres")
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(
        [*account, binaries / "initdb", "-D", data, "-U", "quarterdeck", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        cwd=directory,
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *account,
                binaries / "postgres",
                "-D",
                data,
                "-p",
                str(port),
                "-k",
                directory,
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "max_connections=200",
                *(word for setting in FAST for word in ("-c", setting)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd=directory,
        )
    address = f"postgresql://quarterdeck@127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(f"{address}/postgres").close()
                break
            assert process.poll() is None, (directory / "log").read_text()
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


@cache
def _sqlite_template() -> Path:
    directory = tempfile.mkdtemp(prefix="quarterdeck-template-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    path = Path(directory) / "template.db"
    migrate(path)
    return path


@cache
def _postgresql_template(server: str) -> str:
    name = "template_" + uuid.uuid4().hex[:12]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    migrate(f"{server}/{name}")
    return name


@contextlib.contextmanager
def empty_database(kind: str, directory: Path, server: str | None) -> Iterator[str | Path]:
    """A database without any table."""
    name = "empty_" + uuid.uuid4().hex[:12]
    if kind == "sqlite":
        yield directory / f"{name}.db"
        return
    assert server
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield f"{server}/{name}"
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextlib.contextmanager
def fresh_database(kind: str, directory: Path, server: str | None) -> Iterator[str | Path]:
    if kind == "sqlite":
        path = directory / "quarterdeck.db"
        shutil.copy(_sqlite_template(), path)
        yield path
        return
    assert server
    name = "test_" + uuid.uuid4().hex[:12]
    template = _postgresql_template(server)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        # Copied as files, which takes a checkpoint: without fsync that is far less than to log every page.
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    try:
        yield f"{server}/{name}"
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
