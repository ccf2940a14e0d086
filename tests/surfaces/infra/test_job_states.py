"""The state of a job, as Terraform's `http` backend asks for it: what is refused, and in which words."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json

import pytest
from sqlalchemy import select, update

from quarterdeck.infra.states import locks
from quarterdeck.infra.states.model import State
from quarterdeck.infra.work.model import InfraJob
from quarterdeck.kernel import jobs
from quarterdeck.surfaces.infra.large_bodies import BODIES
from support import infra_rows as rows
from support.infra_yard import again, attempted, ends, kept, versions


async def test_without_a_state_there_is_404_and_afterwards_what_was_written_to_the_byte(crew) -> None:
    one = await attempted(crew)
    missing = await one.send("GET")
    assert (missing.status_code, missing.json().keys() - {"hint"}) == (404, {"code", "error"})
    written = rows.state(1, resources=[rows.resource("a")])
    await one.lock()
    assert (await one.write(written)).status_code == 200
    found = await one.send("GET")
    assert (found.status_code, found.content) == (200, written)
    assert found.headers["content-md5"] == base64.b64encode(hashlib.md5(written).digest()).decode()  # noqa: S324


@pytest.mark.parametrize("methods", [("LOCK", "UNLOCK"), ("POST", "DELETE")])
async def test_a_lock_is_held_by_one_and_told_to_the_other(crew, methods) -> None:
    one, other = await attempted(crew), await attempted(crew)
    assert (await one.lock("a", methods[0])).status_code == 200
    refused = await other.lock("b", methods[0])
    assert refused.status_code == 423
    told = refused.json()
    assert (told["ID"], told["Who"]) == ("a", "root@runner")
    assert told["error"]
    assert "Extra" not in told
    assert (await other.unlock("a", methods[1])).status_code == 409, "nobody unlocks for somebody else"
    assert (await one.unlock("b", methods[1])).status_code == 409, "nor under another name"
    assert (await one.unlock("a", methods[1])).status_code == 200
    assert (await one.unlock("a", methods[1])).status_code == 200, "the answer may have got lost"
    assert (await other.lock("b", methods[0])).status_code == 200


async def test_the_same_lock_once_more_is_the_same_lock_and_another_of_the_same_attempt_is_not(crew) -> None:
    one = await attempted(crew)
    assert (await one.lock("a")).status_code == 200
    assert (await one.lock("a")).status_code == 200
    assert (await one.lock("b")).status_code == 423
    assert (await kept(crew)).lock_id == "a"


async def test_of_many_who_lock_at_once_exactly_one_holds(crew) -> None:
    several = [await attempted(crew) for _ in range(6)]
    answers = await asyncio.gather(*(one.lock(f"lock-{at}") for at, one in enumerate(several)))
    assert sorted(answer.status_code for answer in answers) == [200, 423, 423, 423, 423, 423]
    holder = next(answer.status_code for answer in answers if answer.status_code == 200)
    assert holder == 200
    writes = await asyncio.gather(*(one.write(rows.state(1), f"lock-{at}") for at, one in enumerate(several)))
    assert sorted(answer.status_code for answer in writes) == [200, 409, 409, 409, 409, 409]
    assert len(await versions(crew)) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ID": ""}', b'{"ID": 7}', b'{"ID": "a\\u0000b"}', b"[]", b"\xff"])
async def test_a_lock_without_a_usable_id_is_refused(crew, body) -> None:
    one = await attempted(crew)
    answer = await one.send("LOCK", "/lock", body)
    assert (answer.status_code, answer.json().keys() - {"hint"}) == (400, {"code", "error"})
    too_long = json.dumps({"ID": "x" * 101}).encode()
    assert (await one.send("LOCK", "/lock", too_long)).status_code == 400


async def test_nothing_is_written_without_the_lock(crew) -> None:
    one = await attempted(crew)

    async def refused(lock):
        answer = await one.write(rows.state(1), lock)
        return answer.status_code, answer.json()["code"]

    assert await refused(None) == (409, "state_not_locked")
    assert await refused("lock-1") == (409, "state_lock_lost")
    await one.lock()
    assert await refused(None) == (409, "state_not_locked")
    assert await refused("other") == (409, "state_lock_lost")
    assert await versions(crew) == []


async def test_a_serial_never_goes_back_and_the_same_write_twice_is_one_version(crew) -> None:
    one = await attempted(crew)
    await one.lock()
    first = rows.state(5, resources=[rows.resource("a")])
    assert (await one.write(first)).status_code == 200
    assert (await one.write(first)).status_code == 200
    assert (await one.write(rows.state(5))).status_code == 409, "the same serial, other contents"
    assert (await one.write(rows.state(4))).status_code == 409
    assert (await one.write(rows.state(6, "other"))).status_code == 409, "another lineage"
    assert (await one.write(rows.state(6))).status_code == 200
    assert [(row.number, row.serial) for row in await versions(crew)] == [(1, 5), (2, 6)]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"nonsense", b"{}", b'{"version": 4}', rows.state(1)[:-1],
        rows.state(1).replace(b'"version": 4', b'"version": 3'), rows.state(-1), rows.state(2**63), rows.state(1, ""),
        rows.state(1, "x" * 101), rows.state(1, "a b"), rows.state(1, "a\x00"), rows.state(1) + b"{}",
        b"\xef\xbb\xbf" + rows.state(1), rows.state(1).replace(b"one", b"\xff"), b"[" * 100_000,
        rows.state(1).replace(b'"resources": []', b'"resources": [{}]'),
        rows.state(1).replace(b'"resources": []', b'"resources": 7'), b'{"encrypted_data": "x", "serial": 1}',
        # What could not be compared with another version afterwards.
        *(
            rows.state(1).replace(b"[]", b'[{"mode": "managed", "type": "t", "name": "n", "instances": [' + one, 1)
            for one in (
                b'{"schema_version": 0, "index_key": 1e999}]}]',
                b'{"schema_version": 0, "index_key": {}}]}]',
                b'], "module": 5}]',
            )
        ),
        rows.state(1).replace(b'"resources": []', b'"resources": [], "outputs": []'),
        rows.state(1).replace(b'"resources": []', b'"resources": [], "outputs": 1e999'),
    ],
)  # fmt: skip
async def test_what_is_no_state_is_refused_and_not_repeated(crew, body) -> None:
    one = await attempted(crew)
    await one.lock()
    answer = await one.write(body)
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() - {"hint"} == {"code", "error"}
    assert await versions(crew) == []
    assert (await one.write(rows.state(1))).status_code == 200


async def test_a_checksum_that_is_sent_is_checked(crew) -> None:
    one = await attempted(crew)
    await one.lock()
    body = rows.state(1)
    right = base64.b64encode(hashlib.md5(body).digest()).decode()  # noqa: S324
    for wrong in ("", "nonsense", base64.b64encode(hashlib.md5(b"x").digest()).decode()):  # noqa: S324
        answer = await one.write(body, headers={"content-md5": wrong})
        assert answer.status_code == 400
    assert await versions(crew) == []
    assert (await one.write(body, headers={"content-md5": right})).status_code == 200


async def test_more_than_50_mib_are_refused_and_a_large_state_is_kept(crew) -> None:
    one = await attempted(crew)
    await one.lock()
    too_large = b"{" + b" " * (50 << 20)
    assert (await one.write(too_large)).status_code == 413
    large = rows.state(1, resources=[rows.resource("a", input="x" * (20 << 20))])
    assert (await one.write(large)).status_code == 200
    assert (await one.send("GET")).content == large
    (row,) = await versions(crew)
    assert (row.size, len(row.sealed) < 1 << 20) == (len(large), True), "packed before it is sealed"


async def test_a_credential_opens_its_own_job_alone_and_only_while_the_attempt_runs(crew) -> None:
    one, other = await attempted(crew), await attempted(crew, name="shop")
    await one.wrote(1)
    assert (await other.send("GET", job=one.uid)).status_code == 404
    assert (await other.send("LOCK", "/lock", b'{"ID": "x"}', job=one.uid)).status_code == 404
    stranger = await attempted(crew)
    stranger.password = one.password
    assert (await stranger.send("GET")).status_code == 401
    newer = await again(crew, one)
    assert (await one.send("GET")).status_code == 401
    assert (await one.lock()).status_code == 401
    assert (await newer.send("GET")).status_code == 200
    await ends(crew, newer)
    for method, path, body in (("GET", "", None), ("POST", "", rows.state(2)), ("LOCK", "/lock", b'{"ID": "x"}')):
        assert (await newer.send(method, path, body)).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"nobody").decode(), "Bearer x", "Digest a=b",
     "Basic " + base64.b64encode(b"a\x00:b").decode(), "Basic " + base64.b64encode(b"\xff:b").decode(),
     "Basic " + base64.b64encode(b":").decode()],
)  # fmt: skip
async def test_nonsense_for_a_credential_is_401(crew, header) -> None:
    one = await attempted(crew)
    answer = await crew.deck.client.get(f"/api/jobs/{one.uid}/state", headers={"authorization": header})
    assert (answer.status_code, answer.json().keys() - {"hint"}) == (401, {"code", "error"})


async def test_people_do_not_come_to_the_state_of_a_job(crew) -> None:
    one = await attempted(crew)
    assert (await crew.send("GET", f"/api/jobs/{one.uid}/state")).status_code == 401
    assert (await crew.send("GET", f"/api/jobs/{one.uid}/state", token=None)).status_code == 401


async def test_nothing_of_a_credential_is_kept_or_told(crew) -> None:
    one = await attempted(crew)
    await one.wrote(1)
    kept_hash = await crew.db.read(lambda tx: tx.one(select(InfraJob), what="job").credential_hash)
    assert kept_hash
    assert one.password not in kept_hash
    assert hashlib.sha256(one.password.encode()).hexdigest() != kept_hash
    assert one.password not in json.dumps(await crew.told(), default=str)


async def test_a_lock_that_a_dead_attempt_left_is_taken_over_and_written_down(crew) -> None:
    one = await attempted(crew)
    await one.lock("old")
    newer = await again(crew, one)
    assert (await newer.lock("new")).status_code == 200
    assert (await kept(crew)).lock_id == "new"
    assert [row["action"] for row in await crew.told()][-1] == "infra-state.lock-taken-over"
    assert (await newer.write(rows.state(1), "old")).status_code == 409


async def test_an_attempt_whose_lock_was_taken_away_gets_none_again_and_the_next_one_does(crew) -> None:
    one = await attempted(crew)
    await one.wrote(1)
    await one.lock("a")
    await crew.db.write(lambda tx: locks.steal(tx, tx.one(select(State), what="state"), "It hung."))
    for answer in (
        await one.lock("b"), await one.lock("a"), await one.write(rows.state(2), "b"),
        await one.write(rows.state(2), "a"), await one.send("DELETE"),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (409, "state_lock_lost")
    assert (await one.lock("b")).json()["ID"] == "state_lock_lost", "Terraform shows nothing else of it"
    assert len(await versions(crew)) == 1
    assert (await one.send("GET")).status_code == 200, "it may still look"
    other = await attempted(crew)
    await other.wrote(2)
    assert (await one.lock("c")).status_code == 409
    following = await again(crew, one)
    await following.wrote(3)


async def test_a_job_that_was_told_to_stop_may_still_write_what_it_has_made(crew) -> None:
    one = await attempted(crew)
    await one.lock()

    def cancel(tx) -> None:
        job = tx.one(select(InfraJob), what="job")
        jobs.cancel(tx, job.ledger_id, "Enough.")
        tx.execute(update(InfraJob).values(status="CANCELLED", completed_at=tx.now))

    await crew.db.write(cancel)
    assert (await one.write(rows.state(1))).status_code == 200
    assert (await one.unlock()).status_code == 200


@pytest.mark.parametrize(("job_type", "given"), [("PLAN", {}), ("DEPLOY", {"read_only": True})])
async def test_a_job_that_only_looks_writes_no_state(crew, job_type, given) -> None:
    one = await attempted(crew, job_type, **given)
    assert (await one.lock()).status_code == 200, "it keeps others out while it reads"
    assert (await one.write(rows.state(1))).status_code == 403
    assert (await one.send("DELETE")).status_code == 403
    assert await versions(crew) == []


async def test_a_state_goes_only_when_it_names_no_resources(crew) -> None:
    one = await attempted(crew, "DESTROY")
    assert (await one.send("DELETE")).status_code == 200, "there is none"
    await one.wrote(1, resources=[rows.resource("a")])
    assert (await one.send("DELETE")).status_code == 409
    other = await attempted(crew, "DESTROY")
    await other.lock("theirs")
    assert (await one.send("DELETE")).status_code == 409
    await other.write(rows.state(2), "theirs")
    await other.unlock("theirs")
    assert (await one.send("DELETE")).status_code == 200
    assert (await one.send("GET")).status_code == 404
    state = await kept(crew)
    assert (state.version, state.serial, state.lineage) == (3, None, None)
    await one.wrote(1, lineage="anew")
    assert [row.cause for row in await versions(crew)] == ["write", "write", "removed", "write"]


async def test_a_job_whose_specification_is_gone_has_no_state(crew) -> None:
    one = await attempted(crew)
    await crew.db.write(lambda tx: tx.execute(update(InfraJob).values(spec_id=None)))
    assert (await one.send("GET")).status_code == 409
    assert (await one.lock()).status_code == 409
    assert await crew.db.read(lambda tx: tx.first(select(State))) is None


async def test_other_methods_and_addresses_know_nothing_of_locking(crew) -> None:
    one = await attempted(crew)
    assert (await one.send("LOCK")).status_code == 405
    assert (await one.send("PUT", "/lock", b"{}")).status_code == 405
    answer = await crew.deck.client.request("LOCK", "/api/projects")
    assert answer.status_code == 405


async def test_large_bodies_of_one_job_and_of_all_have_only_so_much_room(crew, monkeypatch) -> None:
    monkeypatch.setattr("quarterdeck.kernel.http.bodies.SMALL", 100)
    one, other = await attempted(crew), await attempted(crew, name="other")
    await one.lock()
    await other.lock()
    large = rows.state(1, resources=[rows.resource(f"r{at}") for at in range(20)])
    with BODIES.room(one.uid, 1000), BODIES.room(one.uid, 1000):
        refused = await one.write(large)
        assert (refused.status_code, refused.json().keys() - {"hint"}) == (429, {"code", "error"})
        assert int(refused.headers["retry-after"]) >= 1
        assert (await other.write(large)).status_code == 200
    with BODIES.room("elsewhere", BODIES.free):
        assert (await one.write(large)).status_code == 429
    assert (await one.write(large)).status_code == 200
    assert (await one.write(b"x" * 1000)).status_code == 400
    assert BODIES.taken == 0
