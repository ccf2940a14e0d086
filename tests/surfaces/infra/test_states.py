"""States as people see and change them: versions, differences, going back, pushing, taking a lock away."""

from __future__ import annotations

import asyncio
import json

import pytest

from quarterdeck.infra.states import states
from support import infra_rows as rows
from support.infra_yard import attempted, ends, kept, spec_uid, versions


async def place(crew, name: str = "ledger") -> str:
    return f"/api/cli/configurations/{await spec_uid(crew, name)}/state"


async def said_no(crew, status: int, method: str, path: str, body=None, **options) -> str:
    """A refusal in the envelope of the surface, and nothing succeeded meanwhile, says the audit trail."""
    before = len(await crew.told())
    answer = await crew.send(method, path, body, **options)
    assert (answer.status_code, answer.json().keys() - {"hint"}) == (status, {"code", "error"}), answer.text
    assert [one for one in (await crew.told())[before:] if one["outcome"] == "success"] == []
    return answer.json()["error"]


async def test_a_specification_without_a_state_says_so(crew) -> None:
    await attempted(crew)
    at = await place(crew)
    assert await crew.ok("GET", at) == {"state": None}
    await said_no(crew, 404, "GET", f"{at}/versions")
    await said_no(crew, 404, "GET", f"{at}/versions/current")
    await said_no(crew, 404, "GET", f"{at}/diff")
    await said_no(crew, 404, "POST", f"{at}/rollback", {"version": 1, "reason": "why"})
    await said_no(crew, 404, "POST", f"{at}/unlock", {"reason": "why"})


async def test_what_counts_is_shown_with_whoever_works_on_it(crew) -> None:
    one = await attempted(crew)
    await one.lock("abc")
    await one.write(rows.state(3, resources=[rows.resource("a", count=2)]), "abc")
    shown = (await crew.ok("GET", await place(crew)))["state"]
    assert (shown["version"], shown["serial"], shown["lineage"], shown["resources"]) == (1, 3, "one", 2)
    lock = shown["lock"]
    assert (lock["id"], lock["who"], lock["operation"]) == ("abc", "root@runner", "OperationTypeApply")
    assert lock["job_id"] == one.uid
    assert "T" in lock["locked_at"]


async def test_versions_are_listed_newest_first_in_pages_without_their_contents(crew) -> None:
    one = await attempted(crew)
    await one.wrote(1, 2, 3, 4, 5)
    at = f"{await place(crew)}/versions"
    first = await crew.ok("GET", f"{at}?limit=2")
    assert [(row["number"], row["current"]) for row in first["versions"]] == [(5, True), (4, False)]
    assert "sealed" not in json.dumps(first)
    second = await crew.ok("GET", f"{at}?limit=3&before={first['next_before']}")
    assert ([row["number"] for row in second["versions"]], second["next_before"]) == ([3, 2, 1], None)
    assert first["versions"][0]["job_id"] == one.uid
    for wrong in ("limit=0", "limit=101", "before=0", "before=x", "before=99999999999999999999"):
        await said_no(crew, 400, "GET", f"{at}?{wrong}")


async def test_who_reads_a_state_is_written_down_and_may_be_an_administrator_alone(crew) -> None:
    written = rows.state(1, resources=[rows.resource("a", password="hunter2")])
    one = await attempted(crew)
    await one.lock()
    await one.write(written)
    at = f"{await place(crew)}/versions"
    for name in ("current", "1"):
        answer = await crew.send("GET", f"{at}/{name}")
        assert answer.content == written
        assert "attachment" in answer.headers["content-disposition"]
        told = (await crew.told())[-1]
        assert (told["action"], told["actor_label"]) == ("infra-state.read", "ada")
    _, developer = await crew.person("dev", "organization:developer")
    await said_no(crew, 403, "GET", f"{at}/1", token=developer)
    for wrong in ("0", "2", "-1", "x", "1.0", "٣", "99999999999"):
        await said_no(crew, 404, "GET", f"{at}/{wrong}")


async def test_what_differs_is_told_by_address_and_values_to_administrators_alone(crew) -> None:
    one = await attempted(crew)
    await one.lock()
    secret = rows.resource("b", value="old-secret", tags={"env": "one", "db_password": "p1"})
    secret["instances"][0]["sensitive_attributes"] = [[{"type": "get_attr", "value": "value"}]]
    changed = rows.resource("b", value="new-secret", tags={"env": "two", "db_password": "p2"})
    changed["instances"][0]["sensitive_attributes"] = []
    same = rows.resource("a", count=2)
    outputs = {"token": {"value": "t1", "type": "string", "sensitive": True}}
    others = {"token": {"value": "t2", "type": "string", "sensitive": True}}
    await one.write(rows.state(1, resources=[same, secret, rows.resource("gone")], outputs=outputs))
    await one.write(rows.state(2, resources=[same, changed, rows.resource("new")], outputs=others))
    at = f"{await place(crew)}/diff"

    found = await crew.ok("GET", at)
    assert (found["from"], found["to"], found["left_out"]) == (1, 2, 0)
    assert found["summary"] == {"create": 1, "update": 2, "delete": 1}
    by_address = {row["address"]: row for row in found["changes"]}
    assert by_address["terraform_data.gone"]["action"] == "delete"
    assert by_address["terraform_data.new"]["action"] == "create"
    paths = [(row["path"], row["sensitive"]) for row in by_address["terraform_data.b"]["attributes"]]
    assert paths == [("tags.db_password", True), ("tags.env", False), ("value", True)]
    assert "before" not in json.dumps(found)
    assert await crew.ok("GET", f"{at}?from=2&to=1") != found

    told = len(await crew.told())
    told_values = await crew.send("GET", f"{at}?from=1&to=2&values=true")
    for secret_text in ("old-secret", "new-secret", "p1", "p2", "t1", "t2"):
        assert secret_text not in told_values.text
    shown = {row["address"]: row for row in told_values.json()["changes"]}["terraform_data.b"]["attributes"]
    assert (shown[1]["before"], shown[1]["after"]) == ("one", "two")
    assert (shown[2]["before"], shown[2]["after"]) == ("****", "****")
    assert [row["action"] for row in (await crew.told())[told:]] == ["infra-state.compared"]
    _, viewer = await crew.person("vic", "organization:viewer")
    assert (await crew.send("GET", at, token=viewer)).status_code == 200
    await said_no(crew, 403, "GET", f"{at}?values=true", token=viewer)
    await said_no(crew, 404, "GET", f"{at}?from=9")


async def test_going_back_is_a_new_version_with_a_higher_serial_and_everything_else_to_the_byte(crew) -> None:
    one = await attempted(crew)
    await one.lock()
    first = rows.state(1, resources=[rows.resource("a", number=1.0, large=12345678901234567890)])
    for state in (first, rows.state(2), rows.state(7)):
        await one.write(state)
    await one.unlock()
    at = await place(crew)
    made = await crew.once(
        "infra-state.rolled-back", "POST", f"{at}/rollback", {"version": 1, "reason": " It \n broke "}
    )
    version = made["version"]
    assert (version["number"], version["serial"], version["cause"]) == (4, 8, "rollback")
    assert (version["reason"], version["author"], version["resources"]) == ("It broke", "ada", 1)
    data = (await one.send("GET")).content
    assert json.loads(data) == {**json.loads(first), "serial": 8}
    assert b"12345678901234567890" in data
    assert b'"number": 1.0' in data
    await one.lock()
    assert (await one.write(rows.state(8))).status_code == 409, "what was planned before does not fit any more"
    assert (await one.write(rows.state(9))).status_code == 200


async def test_nobody_goes_back_under_the_hands_of_a_job_nor_without_a_reason(crew) -> None:
    one = await attempted(crew)
    await one.wrote(1, 2)
    at = f"{await place(crew)}/rollback"
    for body in ({"version": 1}, {"version": 1, "reason": " \n "}, {"version": 1, "reason": "x" * 501},
                 {"reason": "why"}, {"version": 0, "reason": "why"}, {"version": "1", "reason": "why"}):  # fmt: skip
        await said_no(crew, 400, "POST", at, body)
    await said_no(crew, 404, "POST", at, {"version": 9, "reason": "why"})
    await said_no(crew, 409, "POST", at, {"version": 2, "reason": "why"})
    await one.lock()
    assert "root@runner" in await said_no(crew, 409, "POST", at, {"version": 1, "reason": "why"})
    await ends(crew, one)
    await crew.ok("POST", at, {"version": 1, "reason": "its attempt is over, so its lock holds nothing"})
    _, developer = await crew.person("dev", "organization:developer")
    await said_no(crew, 403, "POST", at, {"version": 1, "reason": "why"}, token=developer)


async def test_of_two_who_go_back_at_once_each_gets_a_version_or_is_told(crew) -> None:
    one = await attempted(crew)
    await one.wrote(1, 2, 3)
    at = f"{await place(crew)}/rollback"
    answers = await asyncio.gather(
        *(crew.send("POST", at, {"version": number, "reason": "why"}) for number in (1, 2, 1, 2))
    )
    numbers = [row.number for row in await versions(crew)]
    serials = [row.serial for row in await versions(crew)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert serials == sorted(set(serials))
    assert sum(answer.status_code == 200 for answer in answers) == len(numbers) - 3 >= 1
    assert {answer.status_code for answer in answers} <= {200, 409}


async def test_a_state_is_found_by_the_name_of_its_specification_as_the_specification_is(crew) -> None:
    one = await attempted(crew)
    await one.lock()
    await one.write(rows.state(1))
    await one.unlock()
    at = await place(crew)
    by_name = "/api/cli/configurations/ledger/state"
    assert await crew.ok("GET", by_name) == await crew.ok("GET", at)
    assert (await crew.ok("GET", f"{by_name}/versions/current"))["serial"] == 1
    assert await crew.ok("GET", "/api/cli/configurations/ledger/drift")
    pushed = await crew.ok("POST", f"{by_name}/push", {"state": json.loads(rows.state(2)), "reason": "by hand"})
    assert pushed["version"]["serial"] == 2
    back = await crew.ok("POST", f"{by_name}/rollback", {"version": 1, "reason": "it broke"})
    assert back["version"]["number"] == 3
    await said_no(crew, 404, "GET", "/api/cli/configurations/nobody/state")


async def test_a_lock_that_is_named_is_taken_away_and_no_other(crew) -> None:
    one = await attempted(crew)
    await one.lock("abc")
    at = f"{await place(crew)}/unlock"
    refused = await said_no(crew, 409, "POST", at, {"reason": "It hung.", "lock_id": "def\x1b"})
    assert "locked by root@runner for OperationTypeApply" in refused, refused
    assert "lock abc" in refused
    assert "\x1b" not in refused
    assert (await kept(crew)).lock_id == "abc"
    await said_no(crew, 400, "POST", at, {"reason": "It hung.", "lock_id": "x" * 101})
    await said_no(crew, 400, "POST", at, {"lock_id": "abc"})
    assert (await one.write(rows.state(1), "abc")).status_code == 200
    await crew.once("infra-state.unlocked", "POST", at, {"reason": "It hung.", "lock_id": "abc"})
    lost = await one.lock("abc")
    assert (lost.status_code, lost.json()["code"]) == (409, "state_lock_lost")


@pytest.mark.parametrize("named", [None, ""])
async def test_a_lock_that_is_not_named_is_taken_away_whichever_it_is(crew, named) -> None:
    one = await attempted(crew)
    await one.lock("abc")
    at = f"{await place(crew)}/unlock"
    await crew.once("infra-state.unlocked", "POST", at, {"reason": "It hung.", "lock_id": named})
    assert (await kept(crew)).lock_id is None


async def test_of_two_who_take_one_lock_away_the_second_does_not_take_the_next(crew) -> None:
    one = await attempted(crew)
    await one.lock("abc")
    at, body = f"{await place(crew)}/unlock", {"reason": "It hung.", "lock_id": "abc"}
    await crew.ok("POST", at, body)
    other = await attempted(crew)
    assert (await other.lock("def")).status_code == 200
    await said_no(crew, 409, "POST", at, body)
    assert (await kept(crew)).lock_id == "def"


async def test_a_lock_is_taken_away_with_a_reason_and_its_holder_writes_no_more(crew) -> None:
    one = await attempted(crew)
    await one.lock("abc")
    at = f"{await place(crew)}/unlock"
    await said_no(crew, 400, "POST", at, {})
    shown = await crew.once("infra-state.unlocked", "POST", at, {"reason": "It hung."})
    assert shown["state"]["lock"] is None
    told = (await crew.told())[-1]
    assert "It hung." in str(told["detail"])
    assert "abc" in str(told["detail"])
    assert (await one.write(rows.state(1), "abc")).status_code == 409
    assert (await one.unlock("abc")).status_code == 200, "there is nothing to let go of any more"
    await said_no(crew, 409, "POST", at, {"reason": "again"})
    other = await attempted(crew)
    assert (await other.lock("def")).status_code == 200
    assert (await one.unlock("abc")).status_code == 409
    assert (await kept(crew)).lock_id == "def"


async def test_a_state_is_brought_along_and_replaced_by_the_rules_of_every_write(crew) -> None:
    one = await attempted(crew)
    at = f"{await place(crew)}/push"
    state = json.loads(rows.state(5, "elsewhere", [rows.resource("a")]))
    made = await crew.once("infra-state.pushed", "POST", at, {"state": state, "reason": "From the old bucket."})
    assert (made["version"]["serial"], made["version"]["cause"]) == (5, "push")
    await said_no(crew, 409, "POST", at, {"state": {**state, "serial": 4}, "reason": "why"})
    await said_no(crew, 409, "POST", at, {"state": {**state, "serial": 6, "lineage": "other"}, "reason": "why"})
    await said_no(crew, 400, "POST", at, {"state": {**state, "version": 3}, "reason": "why"})
    await said_no(crew, 400, "POST", at, {"state": "text", "reason": "why"})
    await said_no(crew, 400, "POST", at, {"reason": "why"})
    await said_no(crew, 400, "POST", at, {"state": {**state, "serial": 6}})
    await one.lock()
    await said_no(crew, 409, "POST", at, {"state": {**state, "serial": 6}, "reason": "why"})
    await one.unlock()
    await crew.ok("POST", at, {"state": {**state, "serial": 6}, "reason": "why"})
    assert json.loads((await one.send("GET")).content)["serial"] == 6
    assert len(await versions(crew)) == 2


@pytest.mark.parametrize("path", ["", "/versions", "/versions/1", "/diff"])
async def test_another_organization_sees_nothing(crew, path) -> None:
    one = await attempted(crew)
    await one.wrote(1, 2)
    _, stranger = await crew.person("eve", "organization:owner", organization="org_other")
    await said_no(crew, 404, "GET", f"{await place(crew)}{path}", token=stranger)


@pytest.mark.parametrize("act", ["rollback", "unlock", "push"])
async def test_another_organization_changes_nothing(crew, act) -> None:
    one = await attempted(crew)
    await one.wrote(1, 2)
    await one.lock()
    _, stranger = await crew.person("eve", "organization:owner", organization="org_other")
    body = {"version": 1, "reason": "why", "state": json.loads(rows.state(9))}
    await said_no(crew, 404, "POST", f"{await place(crew)}/{act}", body, token=stranger)
    assert ((await kept(crew)).serial, (await kept(crew)).lock_id) == (2, "lock-1")


async def test_what_a_specification_holds_is_counted_by_its_state(crew) -> None:
    one = await attempted(crew)
    await one.wrote(1, resources=[rows.resource("a", count=3), {**rows.resource("d"), "mode": "data"}])

    def count(tx) -> int:
        spec = tx.one(rows.select(rows.Spec), what="spec")
        return states.holds_resources(tx, spec)

    assert await crew.db.read(count) == 3
