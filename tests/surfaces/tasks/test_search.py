"""One search over tasks, machines and projects."""

from __future__ import annotations

import pytest

from support import task_rows

ADMIN, SEARCH, SETTINGS = "/api/admin/projects", "/api/web/search", "/api/admin/settings"
EMPTY = {"tasks": [], "machines": [], "workers": [], "projects": []}


async def found(crew, words, **options):
    answer = await crew.ok("GET", SEARCH, params={"q": words, **options.pop("params", {})}, **options)
    assert answer["machines"] == answer["workers"]
    return {
        "tasks": [one["id"] for one in answer["tasks"]],
        "machines": [one["name"] for one in answer["machines"]],
        "projects": [one["key"] for one in answer["projects"]],
    }


@pytest.fixture
async def carol(crew):
    for key, about in (("SHOP", "Sells 100% of it"), ("DOCS", "Tells how")):
        body = {"key": key, "name": f"The {key}", "repoUrl": "https://git.example.com/a.git", "description": about}
        await crew.ok("POST", ADMIN, body, status=201)
    who, token = await crew.person("carol", "tasks:developer")
    await crew.ok("POST", f"{ADMIN}/SHOP/members", {"developerId": who}, status=201)
    return token


async def test_everything_that_somebody_sees_is_found(crew, carol):
    mine = await crew.db.write(task_rows.task, "SHOP", description="Mend the Falcon login")
    other = await crew.db.write(task_rows.task, "DOCS", description="Describe the falcon")
    await crew.db.write(task_rows.machine, "falcon-1")
    await crew.db.write(task_rows.machine, "kestrel")
    assert await found(crew, "FALCON") == {"tasks": [other, mine], "machines": ["falcon-1"], "projects": []}
    assert await found(crew, " falcon ", token=carol) == {"tasks": [mine], "machines": ["falcon-1"], "projects": []}
    assert await found(crew, "falcon", params={"limit": 1}) == {
        "tasks": [other], "machines": ["falcon-1"], "projects": []
    }  # fmt: skip
    for words in ("shop", "The SHOP", "sells"):
        assert (await found(crew, words))["projects"] == ["SHOP"]
    assert (await found(crew, "docs", token=carol))["projects"] == []
    assert (await found(crew, "git.example.com"))["projects"] == ["DOCS", "SHOP"]
    for words in (f"#{mine}", f"{mine}"):
        assert mine in (await found(crew, words, token=carol))["tasks"]
    assert (await found(crew, f"#{other}", token=carol))["tasks"] == []
    _, eve = await crew.person("eve", "tasks:admin", organization="org_elsewhere")
    for words in ("falcon", "shop", f"#{mine}"):
        assert await crew.ok("GET", SEARCH, params={"q": words}, token=eve) == EMPTY


async def test_every_sign_stands_for_itself(crew, carol):
    said = {
        sign: await crew.db.write(task_rows.task, "SHOP", description=f"before {sign} after")
        for sign in ("%", "_", "\\", "'", '"', "[a]", "*", "--", "é")
    }
    for sign, task in said.items():
        assert (await found(crew, sign))["tasks"] == [task], sign
    assert (await found(crew, "100%"))["projects"] == ["SHOP"]
    assert (await found(crew, "%s"))["projects"] == []
    assert await found(crew, "befor_ %") == {"tasks": [], "machines": [], "projects": []}


async def test_nothing_is_asked_for_nothing(crew, carol):
    for params in ({}, {"q": ""}, {"q": "  "}):
        assert await crew.ok("GET", SEARCH, params=params) == EMPTY
    await crew.refused(400, "VALIDATION_ERROR", "GET", SEARCH, params={"q": "x" * 201})
    await crew.refused(400, "VALIDATION_ERROR", "GET", SEARCH, params={"q": "x", "limit": 0})


async def test_developers_see_machines_where_the_settings_say_so(crew, carol):
    await crew.db.write(task_rows.machine, "kestrel")
    _, lea = await crew.person("lea", "tasks:lead")
    await crew.ok("PUT", SETTINGS, {"machinesVisibleToDevelopers": False})
    for token, names in ((carol, []), (lea, ["kestrel"]), ("", ["kestrel"])):
        assert (await found(crew, "kestrel", token=token))["machines"] == names
    await crew.ok("PUT", SETTINGS, {"machinesVisibleToDevelopers": True})
    assert (await found(crew, "kestrel", token=carol))["machines"] == ["kestrel"]
