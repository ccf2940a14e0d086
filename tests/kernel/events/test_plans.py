"""What was delivered costs nothing when somebody asks what waits."""

from __future__ import annotations

import pytest

from quarterdeck.kernel.events import Subscriber, subscriptions

MANY = 100_000
INDEX = "ix_domain_events_type_transaction_id"
FILL = """
WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {first} + {count})
INSERT INTO domain_events (stream, sequence, cursor, type, data, at, correlation_id, "transaction")
SELECT 'bulk', i, 'cursor-' || i, CASE WHEN i % 2 = 0 THEN 'bulk-even' ELSE 'bulk-odd' END, '{{}}', i, '-', {transaction}
FROM n"""
FETCHED = (
    "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables "
    "WHERE relname = 'domain_events'"
)


@pytest.fixture
def subscriber(monkeypatch):
    seen = []
    only = Subscriber("bulk", frozenset({"bulk-even", "bulk-odd"}), lambda tx, event: seen.append(event.sequence))
    monkeypatch.setattr(subscriptions, "_REGISTERED", {"bulk": only})
    return only, seen


def fill(tx, first, count):
    transaction = "i % 3 + 1" if tx.dialect == "postgresql" else "0"
    tx.execute(FILL.format(first=first, count=count, transaction=transaction))


def deliver_to_the_end(tx):
    tx.execute(subscriptions._REGISTER, {"name": "bulk"})
    last = tx.execute('SELECT "transaction", id FROM domain_events ORDER BY "transaction" DESC, id DESC LIMIT 1').one()
    tx.execute(subscriptions._MOVE, {"name": "bulk", "transaction": last[0], "event_id": last[1]})


def work_of(database, verb, *args):
    """Rows that PostgreSQL fetched, or hundreds of steps that SQLite took, for what a verb asked."""

    def measured(tx):
        if tx.dialect == "postgresql":
            before = tx.execute(FETCHED).scalar() or 0
            verb(tx, *args)
            return (tx.execute(FETCHED).scalar() or 0) - before
        steps = []
        tx.raw.set_progress_handler(lambda: steps.append(1), 100)
        try:
            verb(tx, *args)
        finally:
            tx.raw.set_progress_handler(None, 0)
        return len(steps)

    return database.write_sync(measured)


def test_asking_and_delivering_cost_the_same_after_many_events(database, subscriber):
    only, seen = subscriber
    database.write_sync(fill, 0, 100)
    database.write_sync(deliver_to_the_end)
    few = work_of(database, subscriptions.waits), work_of(database, subscriptions.deliver, only)
    database.write_sync(fill, 100, MANY)
    database.write_sync(deliver_to_the_end)
    if database.dialect == "postgresql":
        database.write_sync(lambda tx: tx.execute("ANALYZE domain_events"))
    many = work_of(database, subscriptions.waits), work_of(database, subscriptions.deliver, only)
    assert max(many) <= max(few) + 10, (few, many)

    database.write_sync(lambda tx: tx.execute(
        'INSERT INTO domain_events (stream, sequence, cursor, type, data, at, correlation_id, "transaction") '
        "VALUES ('bulk', 200000, 'new', 'bulk-odd', '{}', 1, '-', :transaction)",
        {"transaction": 4 if tx.dialect == "postgresql" else 0},
    ))  # fmt: skip
    assert database.read_sync(subscriptions.waits)
    assert work_of(database, subscriptions.deliver, only) <= max(few) + 10
    assert seen == [200_000]
    assert not database.read_sync(subscriptions.waits)


def test_what_waits_is_found_by_a_range_of_its_index(database, subscriber):
    database.write_sync(fill, 0, 20_000)
    values = {"transaction": 0, "event_id": 19_990, "open": 10, "limit": 100}
    values |= {"type_0": "bulk-even", "type_1": "bulk-odd"}

    def plan(tx):
        if tx.dialect == "postgresql":
            tx.execute("ANALYZE domain_events")
        word = "EXPLAIN" if tx.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
        statement = f"{word} {subscriptions._waiting(tx.dialect, 2)}"
        return "\n".join(str(row[-1]) for row in tx.execute(statement, values))

    told = database.write_sync(plan)
    assert told.count(INDEX) == 2, told
    if database.dialect == "postgresql":
        assert told.count("ROW(transaction, id) > ROW(") == 2, told
    else:
        assert told.count("(type=? AND transaction=? AND id>?)") == 2, told
