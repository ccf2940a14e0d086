"""The whole database, as rows that can be compared."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import text

from quarterdeck.kernel.db import Tx

Whole = dict[str, list[str]]

PASSING = {
    "audit_unsealed": "the sealer's queue, which it works off beside",
    "audit_seals": "the sealer's",
    "audit_tallies": "the sealer's",
    "jobs_schedules": "due times that are passed on",
    "deploy_observations": "what the observer sees meanwhile",
    "fleet_sightings": "what looks at servers see, and no deed of anybody",
    "kernel_presences": "the sign of life of each server process",
}
"""Tables that move while nobody changes anything."""
LAST_USE = {"last_used_at", "last_seen_at", "used_at_last"}


def whole(tx: Tx, *, apart: Iterable[str] = ()) -> Whole:
    """Every row of every table but logs, passing ones and `apart`, without the time of a credential's last use."""
    left_out = {*PASSING, *apart}
    found: Whole = {}
    for table in tables(tx):
        if table in left_out or table.startswith(("log_", "logs_", "sqlite_")):
            continue
        result = tx.execute(text(f'SELECT * FROM "{table}"'))
        names = list(result.keys())
        kept = [at for at, name in enumerate(names) if name not in LAST_USE]
        found[table] = sorted(repr(tuple((names[at], row[at]) for at in kept)) for row in result)
    return found


def tables(tx: Tx) -> list[str]:
    if tx.dialect == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    else:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    return list(tx.execute(text(query)).scalars())


def changes(before: Whole, after: Whole) -> list[str]:
    """The rows that came and went, by table."""
    told = []
    for table in sorted({*before, *after}):
        was, now = before.get(table, []), after.get(table, [])
        if was != now:
            gone, new = set(was) - set(now), set(now) - set(was)
            told += [f"{table} - {row}"[:400] for row in sorted(gone)] + [
                f"{table} + {row}"[:400] for row in sorted(new)
            ]
    return told
