"""A page of people costs what it shows, however many there are: in statements, in rows, and by indexes alone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from budgets.test_lists import without_index
from quarterdeck.access import grants
from quarterdeck.identity import users
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel.db import Tx
from support.deck import HOME, running, signed_in

TABLES = ("identity_users", "identity_invitations", "access_grants")
PAGES = {
    "/api/organizations/org_self_hosted/members?limit=3": ("items", 3),
    "/api/users?per_page=3&page=2": ("users", 3),
    "/api/admin/developers?limit=3": ("items", 3),
}


class Cost:
    """What a route asked of the database: its statements, and how many people were read."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []
        self.people = 0
        event.listen(Engine, "before_cursor_execute", self._hear)
        event.listen(User, "load", self._count)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT") and any(table in statement for table in TABLES):
            self.said.append((statement, parameters))

    def _count(self, *_: Any) -> None:
        self.people += 1

    def clear(self) -> None:
        self.said.clear()
        self.people = 0

    def deaf(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._hear)
        event.remove(User, "load", self._count)


@pytest.fixture
def cost():
    made = Cost()
    yield made
    made.deaf()


async def fill(deck, first: int, last: int) -> None:
    def verb(tx: Tx) -> None:
        place = tx.one(select(Organization).where(Organization.ref == HOME), what=HOME).id
        for number in range(first, last):
            user = users.create(tx, username=f"person-{number}", email=f"person-{number}@example.com")
            tx.flush()
            for role in ("organization:developer", "tasks:developer"):
                grants.give(tx, deck.instance.access, user.id, place, role)

    await deck.instance.db.write(verb)


async def test_a_page_of_many_people_costs_what_one_of_few_does(tmp_path, database_address, cost):
    async with running(tmp_path, database_address) as fresh:
        deck = await signed_in(fresh)
        found: list[dict[str, tuple[int, int]]] = []
        for first, last in ((0, 12), (12, 120)):
            await fill(deck, first, last)
            costs = {}
            for path, (name, count) in PAGES.items():
                await deck.send("GET", path)  # the snapshot of grants is compiled once
                cost.clear()
                answer = await deck.send("GET", path)
                assert (answer.status_code, len(answer.json()[name])) == (200, count), answer.text
                costs[path] = (len(cost.said), cost.people)
                scanned = without_index(deck.instance, [*cost.said], TABLES)
                assert scanned == set(), path
            found.append(costs)
        few, many = found
        assert many == few
        assert all(people <= 5 for _, people in many.values()), many


async def test_pages_follow_each_other_and_leave_nobody_out(tmp_path, database_address):
    async with running(tmp_path, database_address) as fresh:
        deck = await signed_in(fresh)
        await fill(deck, 0, 20)
        everybody = {f"person-{number}" for number in range(20)}
        members, cursor = [], None
        while members == [] or cursor:
            query = {"limit": 6, **({"cursor": cursor} if cursor else {})}
            page = await deck.do("organizations.list-members", organizationId=HOME, query=query)
            members += [one["displayName"] for one in page["items"]]
            cursor = page.get("nextCursor")
        assert everybody <= set(members)
        assert len(members) == len(set(members)) == 21
        listed = []
        for number in range(1, 6):
            page = (await deck.send("GET", f"/api/users?per_page=5&page={number}")).json()
            assert page["total"] == 21
            listed += [one["username"] for one in page["users"]]
        assert everybody <= set(listed)
        assert len(listed) == 21
        names, cursor = [], ""
        while names == [] or cursor:
            page = (await deck.send("GET", f"/api/admin/developers?limit=6&cursor={cursor}")).json()
            assert page["total"] == 21
            names += [one["name"] for one in page["items"]]
            cursor = page["nextCursor"]
        assert names[:2] == ["person-19", "person-18"]
        assert everybody <= set(names)
        assert len(names) == 21
