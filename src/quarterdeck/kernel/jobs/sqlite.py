"""The ledger's hot statements for SQLite: one writer, so a turn that is seen free stays free."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs import routes
from quarterdeck.kernel.jobs import transitions as step
from quarterdeck.kernel.jobs.job import COLUMNS, Job
from quarterdeck.kernel.jobs.statements import DRAFT_COLUMNS, Draft, Ending

PAIRS = 200  # SQLite takes at most 500 terms in one compound SELECT

INSERT = (
    f"INSERT INTO jobs ({', '.join(DRAFT_COLUMNS)}, attempts, lapses, fence, report_number) "  # noqa: S608 - own words
    f"VALUES ({', '.join('?' * len(DRAFT_COLUMNS))}, 0, 0, 0, 0) "
    "ON CONFLICT (kind, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING"
)
LIVE_ROUTES = """
WITH RECURSIVE live(route) AS (
  SELECT (SELECT min(route) FROM jobs WHERE due_at IS NOT NULL)
  UNION ALL
  SELECT (SELECT min(route) FROM jobs WHERE due_at IS NOT NULL AND route > live.route)
  FROM live WHERE live.route IS NOT NULL
) SELECT route FROM live WHERE route IS NOT NULL"""
CANDIDATES = (
    "SELECT * FROM (SELECT id, lane, due_at FROM jobs WHERE route = ? AND lane = ? AND due_at <= ? "
    "ORDER BY due_at, id LIMIT ?)"
)
KNOWN = CANDIDATES.replace("ORDER BY", "AND kind NOT IN (SELECT value FROM json_each(?)) ORDER BY")
CHOSEN = "SELECT id, lane, due_at FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
CLAIM = f"""
UPDATE jobs SET {step.CLAIM.becomes}, fence = fence + 1, attempts = attempts + 1, owner = ?, started_at = ?,
  lease_until = ? + lease_seconds * 1000000, due_at = NULL, route = NULL, report_number = 0, report_reply = NULL
WHERE id IN (SELECT id FROM (%s) ORDER BY lane, due_at, id LIMIT ?)
RETURNING {COLUMNS}"""  # noqa: S608 - own words
END = f"""
UPDATE jobs SET state = ?, result = ?, error_code = ?, error_category = ?, error_message = ?, retriable = ?,
  closed_by = ?, finished_at = ?, lease_until = NULL, turn_key = NULL
WHERE id = ? AND fence = ? AND {step.SUCCEED.allowed} AND owner = coalesce(?, owner)
RETURNING {COLUMNS}"""  # noqa: S608 - own words
RENEW = f"""
UPDATE jobs SET lease_until = ? + lease_seconds * 1000000
WHERE id = ? AND fence = ? AND {step.SUCCEED.allowed} AND owner = coalesce(?, owner)
RETURNING id, cancel_requested_at"""  # noqa: S608 - own words
REPORT = f"""
UPDATE jobs SET report_number = ?, report_reply = NULL, lease_until = ? + lease_seconds * 1000000
WHERE id = ? AND fence = ? AND {step.SUCCEED.allowed} AND report_number < ?
  AND owner = coalesce(?, owner)
RETURNING {COLUMNS}"""  # noqa: S608 - own words
PROMOTE = f"""
UPDATE jobs SET turn_key = parked_key, parked_key = NULL, wake_at = NULL, due_at = run_at,
  route = {routes.SPELT}
WHERE id = (SELECT id FROM jobs WHERE parked_key = ? AND run_at <= ? ORDER BY lane, run_at, id LIMIT 1)
  AND NOT EXISTS (SELECT 1 FROM jobs WHERE turn_key = ?)
RETURNING id"""  # noqa: S608 - own words


class SqliteStatements:
    def lock_keys(self, tx: Tx, keys: Sequence[str]) -> None:
        pass

    def turns_held(self, tx: Tx, keys: Sequence[str]) -> set[str]:
        return {key for key in keys if tx.hot("SELECT 1 FROM jobs WHERE turn_key = ?", (key,)).fetchone()}

    def insert(self, tx: Tx, drafts: Sequence[Draft]) -> list[int | None]:
        ids: list[int | None] = []
        for draft in drafts:
            cursor = tx.hot(INSERT, draft.values())
            ids.append(cursor.lastrowid if cursor.rowcount else None)
        return ids

    def live_routes(self, tx: Tx) -> list[str]:
        return [row[0] for row in tx.hot(LIVE_ROUTES)]

    def claim(
        self,
        tx: Tx,
        *,
        owner: str,
        pairs: Sequence[tuple[str, int]],
        now: int,
        limit: int,
        unknown: Sequence[str] = (),
    ) -> list[Job]:
        asked, values = self._candidates(pairs, now, limit, unknown)
        if len(pairs) > PAIRS:  # more than one statement can ask: the first of all parts are claimed by their ids
            found: list[tuple[int, int, int]] = []
            for start in range(0, len(pairs), PAIRS):
                part, given = self._candidates(pairs[start : start + PAIRS], now, limit, unknown)
                found += tx.hot(f"SELECT lane, due_at, id FROM ({part})", given).fetchall()  # noqa: S608 - own words
            asked, values = CHOSEN, [json.dumps([job_id for _, _, job_id in sorted(found)[:limit]])]
        rows = tx.hot(CLAIM % asked, (owner, now, now, *values, limit)).fetchall()
        return sorted((Job(*row) for row in rows), key=lambda job: (job.lane_rank, job.run_us, job.id))

    @staticmethod
    def _candidates(
        pairs: Sequence[tuple[str, int]], now: int, limit: int, unknown: Sequence[str]
    ) -> tuple[str, list[Any]]:
        part = pairs[:PAIRS]
        left_out = [json.dumps(list(unknown))] if unknown else []
        values: list[Any] = [value for route, lane in part for value in (route, lane, now, *left_out, limit)]
        return " UNION ALL ".join([KNOWN if unknown else CANDIDATES] * len(part)), values

    def end(self, tx: Tx, endings: Sequence[Ending], now: int) -> list[Job]:
        ended = []
        for one in endings:
            row = tx.hot(
                END,
                (
                    one.state, one.result, one.error_code, one.error_category, one.error_message, one.retriable,
                    one.closed_by, now, one.job_id, one.fence, one.owner,
                ),
            ).fetchone()  # fmt: skip
            if row:
                ended.append(Job(*row))
        return ended

    def renew(
        self, tx: Tx, held: Sequence[tuple[int, int]], now: int, owner: str | None
    ) -> list[tuple[int, int | None]]:
        rows = (tx.hot(RENEW, (now, job_id, fence, owner)).fetchone() for job_id, fence in held)
        return [row for row in rows if row]

    def report(self, tx: Tx, job_id: int, fence: int, number: int, now: int, owner: str | None) -> Job | None:
        row = tx.hot(REPORT, (number, now, job_id, fence, number, owner)).fetchone()
        return Job(*row) if row else None

    def promote(self, tx: Tx, key: str, now: int) -> int | None:
        row = tx.hot(PROMOTE, (key, now, key)).fetchone()
        return row[0] if row else None
