"""Events of a stream by their type and by what their message says."""

from __future__ import annotations

import pytest

from quarterdeck.kernel import events

STREAM = "task:7"
SAID = (
    ("log", "The agent claude runs."),
    ("error", "100 % of the budget is spent_now!"),
    ("log", "the AGENT ended."),
    ("note", "A character \0 that is none: agent"),
    ("log", None),
)


@pytest.fixture
async def told(database):
    def verb(tx):
        for type_, message in SAID:
            events.append(tx, STREAM, type_, {} if message is None else {"message": message})
            events.append(tx, "task:8", type_, {"message": "agent"})

    await database.write(verb)
    return database


@pytest.mark.parametrize(
    ("types", "message", "found"),
    [
        ((), "", [1, 2, 3, 4, 5]),
        (("log",), "", [1, 3, 5]),
        (("log", "error"), "", [1, 2, 3, 5]),
        (("log", "error"), "Agent", [1, 3]),
        (("nothing",), "agent", []),
        ((), "100 %", [2]),
        ((), "t_n", [2]),
        ((), "a_e", []),
        ((), "now!", [2]),
    ],
)
async def test_what_is_wanted_is_found(told, types, message, found):
    wanted = events.Wanted(types=frozenset(types), message=message)
    page, total = await told.read(events.matching, STREAM, wanted, 0, 10)
    assert ([one.sequence for one in page], total) == (found, len(found))


async def test_pages_and_what_is_no_text_for_a_database(told):
    page, total = await told.read(events.matching, STREAM, events.Wanted(types=frozenset({"log"})), 1, 1)
    assert ([one.sequence for one in page], total) == ([3], 3)
    page, _ = await told.read(events.matching, STREAM, events.Wanted(message="claude"), 0, 10)
    assert [one.data["message"] for one in page] == [SAID[0][1]]
    assert (await told.read(events.matching, STREAM, events.Wanted(types=frozenset({"note"})), 0, 10))[1] == 1
