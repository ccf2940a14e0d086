"""The ledger's hot statements for PostgreSQL: arrays through `unnest`, rows taken with SKIP LOCKED."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.jobs import routes
from quarterdeck.kernel.jobs import transitions as step
from quarterdeck.kernel.jobs.job import COLUMN_NAMES, COLUMNS, Job
from quarterdeck.kernel.jobs.statements import DRAFT_COLUMNS, Draft, Ending

_INTEGERS = {"lane", "max_attempts", "lease_seconds"}
_BIGINTS = {
    "organization_id", "worker_id", "parent_id", "retry_of_id", "run_at", "created_at", "due_at", "wake_at",
}  # fmt: skip


def _array(column: str) -> str:
    if column in _INTEGERS:
        return "%s::integer[]"
    return "%s::bigint[]" if column in _BIGINTS else "%s::text[]"


_OF_JOBS = ", ".join(f"j.{name}" for name in COLUMN_NAMES)
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(key, 7)) FROM unnest(%s::text[]) AS key"
HELD = "SELECT turn_key FROM jobs WHERE turn_key = ANY(%s::text[])"
INSERT = (
    f"INSERT INTO jobs ({', '.join(DRAFT_COLUMNS)}, attempts, lapses, fence, report_number) "  # noqa: S608 - own words
    f"SELECT d.*, 0, 0, 0, 0 FROM unnest({', '.join(_array(column) for column in DRAFT_COLUMNS)}) AS d "
    "ON CONFLICT (kind, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING uid, id"
)
LIVE_ROUTES = """
WITH RECURSIVE live(route) AS (
  (SELECT route FROM jobs WHERE due_at IS NOT NULL ORDER BY route LIMIT 1)
  UNION ALL
  SELECT (SELECT j.route FROM jobs j WHERE j.due_at IS NOT NULL AND j.route > live.route ORDER BY j.route LIMIT 1)
  FROM live WHERE live.route IS NOT NULL
) SELECT route FROM live WHERE route IS NOT NULL"""
CLAIM = f"""
WITH picked AS MATERIALIZED (
  SELECT c.id FROM unnest(%s::text[], %s::integer[]) AS p(route, lane)
  CROSS JOIN LATERAL (
    SELECT j.id, j.due_at FROM jobs j WHERE j.route = p.route AND j.lane = p.lane AND j.due_at <= %s
    ORDER BY j.due_at, j.id LIMIT %s FOR UPDATE OF j SKIP LOCKED
  ) AS c ORDER BY p.lane, c.due_at, c.id LIMIT %s
)
UPDATE jobs j SET {step.CLAIM.becomes}, fence = j.fence + 1, attempts = j.attempts + 1, owner = %s, started_at = %s,
  lease_until = %s + j.lease_seconds * 1000000::bigint, due_at = NULL, route = NULL, report_number = 0,
  report_reply = NULL
FROM picked WHERE j.id = picked.id RETURNING {_OF_JOBS}"""  # noqa: S608 - own words
KNOWN = CLAIM.replace("ORDER BY j.due_at", "AND j.kind <> ALL(%s::text[])\n    ORDER BY j.due_at", 1)
END = f"""
UPDATE jobs j SET state = e.state, result = e.result, error_code = e.error_code, error_category = e.error_category,
  error_message = e.error_message, retriable = e.retriable, closed_by = e.closed_by, finished_at = %s,
  lease_until = NULL, turn_key = NULL
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::integer[],
  %s::text[], %s::text[])
  AS e(id, fence, state, result, error_code, error_category, error_message, retriable, closed_by, owner)
WHERE j.id = e.id AND j.fence = e.fence AND j.{step.SUCCEED.allowed} AND j.owner = coalesce(e.owner, j.owner)
RETURNING {_OF_JOBS}"""  # noqa: S608 - own words
RENEW = f"""
UPDATE jobs j SET lease_until = %s + j.lease_seconds * 1000000::bigint
FROM unnest(%s::bigint[], %s::bigint[]) AS h(id, fence)
WHERE j.id = h.id AND j.fence = h.fence AND j.{step.SUCCEED.allowed} AND j.owner = coalesce(%s, j.owner)
RETURNING j.id, j.cancel_requested_at"""  # noqa: S608 - own words
REPORT = f"""
UPDATE jobs SET report_number = %s, report_reply = NULL, lease_until = %s + lease_seconds * 1000000::bigint
WHERE id = %s AND fence = %s AND {step.SUCCEED.allowed} AND report_number < %s
  AND owner = coalesce(%s, owner)
RETURNING {COLUMNS}"""  # noqa: S608 - own words
PROMOTE = f"""
UPDATE jobs SET turn_key = parked_key, parked_key = NULL, wake_at = NULL, due_at = run_at,
  route = {routes.SPELT}
WHERE id = (SELECT id FROM jobs WHERE parked_key = %s AND run_at <= %s ORDER BY lane, run_at, id LIMIT 1)
  AND NOT EXISTS (SELECT 1 FROM jobs WHERE turn_key = %s)
RETURNING id"""  # noqa: S608 - own words


class PostgresqlStatements:
    def lock_keys(self, tx: Tx, keys: Sequence[str]) -> None:
        if keys:
            tx.hot(LOCK, (sorted(set(keys)),))

    def turns_held(self, tx: Tx, keys: Sequence[str]) -> set[str]:
        return {row[0] for row in tx.hot(HELD, (list(keys),))}

    def insert(self, tx: Tx, drafts: Sequence[Draft]) -> list[int | None]:
        columns = [list(column) for column in zip(*(draft.values() for draft in drafts), strict=True)]
        ids = dict(tx.hot(INSERT, columns).fetchall())
        return [ids.get(draft.uid) for draft in drafts]

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
        words, lanes = [route for route, _ in pairs], [lane for _, lane in pairs]
        left_out = (list(unknown),) if unknown else ()
        values = (words, lanes, now, *left_out, limit, limit, owner, now, now)
        claimed = [Job(*row) for row in tx.hot(KNOWN if unknown else CLAIM, values)]
        return sorted(claimed, key=lambda job: (job.lane_rank, job.run_us, job.id))

    def end(self, tx: Tx, endings: Sequence[Ending], now: int) -> list[Job]:
        ordered = sorted(endings, key=lambda one: one.job_id)
        columns = [
            [getattr(one, name) for one in ordered]
            for name in (
                "job_id", "fence", "state", "result", "error_code", "error_category", "error_message", "retriable",
                "closed_by", "owner",
            )
        ]  # fmt: skip
        return [Job(*row) for row in tx.hot(END, (now, *columns))]

    def renew(
        self, tx: Tx, held: Sequence[tuple[int, int]], now: int, owner: str | None
    ) -> list[tuple[int, int | None]]:
        ordered = sorted(held)
        values = (now, [job_id for job_id, _ in ordered], [fence for _, fence in ordered], owner)
        return tx.hot(RENEW, values).fetchall()  # type: ignore[no-any-return]

    def report(self, tx: Tx, job_id: int, fence: int, number: int, now: int, owner: str | None) -> Job | None:
        row = tx.hot(REPORT, (number, now, job_id, fence, number, owner)).fetchone()
        return Job(*row) if row else None

    def promote(self, tx: Tx, key: str, now: int) -> int | None:
        row = tx.hot(PROMOTE, (key, now, key)).fetchone()
        return row[0] if row else None
