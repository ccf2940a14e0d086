"""What is really there, found without the product's own reports: containers, processes, files, rows."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import psycopg

from e2e.client import Application, Client
from e2e.engine import View
from e2e.server import Deck
from quarterdeck.fleet.processes.runtime import Processes
from quarterdeck.kernel import audit
from quarterdeck.kernel.db import open_database

SETTLE_SECONDS = 60


def rows(deck: Deck, statement: str, file: str = "quarterdeck.db") -> list[tuple[Any, ...]]:
    """The answer of the installation's database to one SELECT; `file` is where SQLite has the table."""
    if deck.database_url:
        with psycopg.connect(deck.database_url, autocommit=True) as connection:
            return list(connection.execute(statement.encode()).fetchall())
    with contextlib.closing(sqlite3.connect(f"file:{deck.data}/{file}?mode=ro", uri=True)) as connection:
        return list(connection.execute(statement).fetchall())


def unfinished_jobs(deck: Deck) -> list[tuple[Any, ...]]:
    wanted = "'succeeded', 'failed', 'canceled', 'dead-lettered'"
    kinds = "(kind LIKE 'deployment%' OR kind LIKE 'runtime%')"
    return rows(deck, f"SELECT kind, state, subject, attempts FROM jobs WHERE state NOT IN ({wanted}) AND {kinds}")


def runtimes(deck: Deck, application: Application) -> dict[str, str]:
    """Which deployments of an application have a container or a process, and its state."""
    found: dict[str, str] = {}
    if deck.docker_host:
        with View(deck.docker_host) as engine:
            for container in engine.containers(application.id):
                deployment = container["Labels"]["quarterdeck.deployment"]
                assert deployment not in found, f"two containers of {deployment}"
                found[deployment] = container["State"]
    for status in Processes(deck.runtime).list():
        if status.labels.get("quarterdeck.resource") == application.id:
            found[status.instance] = status.phase
    return found


def leftovers(deck: Deck) -> list[str]:
    """Files that only a deployment in progress may have."""
    root = deck.runtime
    shown = [path for path in root.glob("edge/candidates/*") if content(path)]
    return [str(path.relative_to(root)) for path in (*root.glob("deployments/*"), *shown)]


def releases(deck: Deck) -> set[str]:
    return {path.name for path in deck.runtime.glob("releases/*")}


def route_files(deck: Deck) -> set[str]:
    return {path.stem for path in deck.runtime.glob("edge/routes/*.json")}


def edge_configuration_names(deck: Deck, hostname: str) -> bool:
    """Whether the configuration that the edge was last given knows a host name."""
    file = deck.runtime / "edge" / "current.json"
    return file.exists() and hostname in json.dumps(json.loads(file.read_text()))


def audit_problems(deck: Deck) -> list[str]:
    """What the proof of the audit trail finds wrong."""
    database = open_database(deck.database_url or deck.data / "quarterdeck.db")
    try:
        report = database.read_sync(audit.verify)
        return [finding.message for finding in report.findings]
    finally:
        database.close_sync()


def doctor_troubles(client: Client, but: Collection[str] = ()) -> dict[str, str]:
    """What the doctor says when it is not content: its facts, and what it says of providers. {} when it is, or when
    nothing is wrong `but` what has these codes.
    """
    doctor = client.get("/api/system/doctor")
    readiness = doctor["readiness"]
    said = [one for each in doctor["providers"] for one in each["configuration"]["diagnostics"]]
    wrong = [one for one in said if one["severity"] == "error" and one["code"] not in but]
    problems = [name for name in readiness["details"] if name.startswith("problem")]
    if not wrong and not problems and all(readiness["checks"].values()):
        return {}
    return {**readiness["details"], "diagnostics": "; ".join(one["message"] for one in said)}


def sound(deck: Deck, client: Client, but: Collection[str] = ()) -> None:
    """Assert that the proof of the audit trail finds nothing wrong, and that the doctor becomes content by itself: it
    tells of a server that was away until the next try to reach it, which is half a minute off at most.
    """
    assert audit_problems(deck) == []
    until(lambda: doctor_troubles(client, but) == {}, lambda: doctor_troubles(client, but), 90)


def content(file: Path) -> bytes:
    """Of a file that work in progress may take away while it is looked at: then there is none."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def until(condition: Callable[[], object], what: Callable[[], object], seconds: float = SETTLE_SECONDS) -> None:
    """Wait for follow-up work: `what` is told when it never comes true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


def settled(deck: Deck, client: Client, application: Application, serving: str | None) -> None:
    """Assert that exactly the runtime of `serving` is left, and nothing of any other attempt."""
    wanted = {serving: "running"} if serving else {}

    def facts() -> tuple[object, ...]:
        return runtimes(deck, application), leftovers(deck), unfinished_jobs(deck)

    until(lambda: facts() == (wanted, [], []), lambda: (serving, facts(), deck.log("server", 30)))
    shown = client.get("/api/deployments", resourceId=application.id)["items"]
    running = [item["id"] for item in shown if item["status"] not in {"succeeded", "failed", "canceled", "rolled-back"}]
    assert running == []


def running_with(marker: str) -> list[int]:
    """Processes of this machine that carry the marker in their arguments; containers run here too."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker.encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


def log_size(deck: Deck, stream: str) -> int:
    """Bytes that the lines of a stream take in the store."""
    query = (
        "SELECT COALESCE(SUM(LENGTH(l.message) + 64), 0) FROM log_lines l JOIN log_streams s ON s.id = l.stream_id "
        f"WHERE s.name = '{stream}'"
    )
    return int(rows(deck, query, "logs.db")[0][0])


def error_code(deck: Deck, deployment: str) -> str | None:
    """Why a deployment failed, as programs read it."""
    query = f"SELECT error_code FROM deploy_deployments WHERE ref = '{deployment}'"
    code: str | None = rows(deck, query)[0][0]
    return code
