"""What keeps the decision who may do what free of the number of grants. How long it takes is measured by
bench/authorization.py.
"""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import Engine, event

from quarterdeck.access import Access, grants
from quarterdeck.access.catalogue import CATALOGUE
from quarterdeck.kernel.db import Tx
from quarterdeck.kernel.principal import Principal

PEOPLE, ORGANIZATION, ROLE = 400, 1, "organization:viewer"


async def test_a_decision_asks_no_database_and_a_change_reads_one_persons_grants(database):
    access = Access()

    def given(tx: Tx) -> None:
        for person in range(1, PEOPLE + 1):
            grants.give(tx, access, person, ORGANIZATION, ROLE)

    await database.write(given)
    await access.ready(database)
    said: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM access_" in statement:
            said.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        for _ in range(PEOPLE):
            person = Principal("user", random.randint(1, PEOPLE), "uid", "somebody", ORGANIZATION)  # noqa: S311
            await access.ready(database)
            access.decide(person, random.choice(sorted(CATALOGUE)))  # noqa: S311
        assert said == []
        await database.write(grants.take, access, 7, ORGANIZATION, ROLE)
        said.clear()
        await access.ready(database)
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
    assert len(said) == 1
    assert "access_grants.user_id IN" in said[0][0]
    assert access.roles(7, ORGANIZATION) == frozenset()
    assert access.roles(8, ORGANIZATION) == {ROLE}
