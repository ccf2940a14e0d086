"""What it costs to find the workflow of a request for a secret does not grow with the rules."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event

from quarterdeck.broker.policies import resolving
from quarterdeck.broker.policies.compiling import Compiled
from quarterdeck.broker.policies.facts import Facts
from quarterdeck.kernel.db import open_database
from support import broker_rows as rows

MOST = 3
"""The version of the rules, the rule with its workflow, and on PostgreSQL a lock."""


async def test_a_request_finds_its_workflow_in_as_many_statements_beside_a_thousand_rules(database_address):
    database = open_database(database_address, parts=[Compiled()])
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    def resolved(tx, organization_id):
        facts = Facts(organization_id, None, None, None, None, "vault", "team-1/password", "read")
        tx.session.connection()  # the unit's own savepoint is not the rule's
        said.clear()
        found = resolving.resolve(tx, facts)
        return found.policy.name, [one for one in said if not one.startswith("SAVEPOINT")]

    def more(tx, first, last):
        flow = rows.workflow(tx, f"flow {first}")
        for number in range(first, last):
            rows.policy(tx, f"rule {number}", {"secret_ref_prefix": f"team-{number}/"}, flow, priority=number)
        return flow.organization_id

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        for first, last in ((1, 10), (10, 1_000)):
            organization = await database.write(more, first, last)
            await database.write(resolved, organization)  # compiles
            name, statements = await database.write(resolved, organization)
            assert name == "rule 1"
            assert len(statements) <= MOST, statements
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
        database.close_sync()
