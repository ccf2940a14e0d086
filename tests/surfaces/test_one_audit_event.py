"""Every mutating route succeeds with exactly one audit event, and changes nothing where that cannot be written."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

import surfaces.acts
from quarterdeck.deploy.observation.distant import Distant
from quarterdeck.kernel.audit.model import audit_events
from quarterdeck.kernel.db import Tx
from quarterdeck.surfaces.deploy import deployments as deployment_routes
from quarterdeck.surfaces.deploy import preview_cleanup
from quarterdeck.tasks.dispatching.loop import Dispatching
from support.acts import ACTS, Act, Person, Stage, endpoints, first_stage, idle, mutating, settled
from support.deck import EMAIL, HOME, PASSWORD, running
from support.mailbox import mailbox
from support.records import plain_records
from support.whole import changes, whole

HERE = Path(__file__).parent
REVIEWED = json.loads((HERE / "acts" / "told.json").read_text())
TOLD: dict[str, list[Any]] = REVIEWED["told"]
READ: dict[str, str] = REVIEWED["changes nothing"]
ELSEWHERE: dict[str, str] = REVIEWED["driven elsewhere"]
FIRST: dict[str, list[Any]] = REVIEWED["the first act of all"]
FULL = "the trail is full"
ROOMS = surfaces.acts.__all__
TRIGGER = {
    "sqlite": (
        f"CREATE TRIGGER act_full BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, '{FULL}'); END",
        "DROP TRIGGER act_full",
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION act_full() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{FULL}'; END $$;
        CREATE TRIGGER act_full BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION act_full()""",
        "DROP TRIGGER act_full ON audit_events",
    ),
}


def test_every_mutating_route_has_a_prepared_call() -> None:
    """Or is driven elsewhere for a reason; and nothing is prepared or excused that is no route."""
    assert {*ACTS, *ELSEWHERE, *FIRST} == {*mutating()}
    assert {*ACTS} == {*TOLD, *READ}
    assert not {*ACTS} & {*ELSEWHERE, *FIRST}
    for name, reason in ELSEWHERE.items():
        shown = re.findall(r"tests/\S+\.py", reason)
        assert shown, name
        assert all((HERE.parents[1] / file).exists() for file in shown), name


FIRST_ACTS = {
    "POST /api/auth/setup": {"username": "ada", "password": PASSWORD, "vault_password": "opens the playbooks"},
    "POST /api/bootstrap/auth/first-admin": {"email": EMAIL, "password": PASSWORD, "displayName": "Ada"},
}


@pytest.mark.parametrize("name", sorted(FIRST))
async def test_the_first_act_of_all_is_told_once_and_undone_where_it_cannot_be(tmp_path, database_address, name):
    assert {*FIRST_ACTS} == {*FIRST}
    with mailbox() as box, plain_records():
        async with running(tmp_path, database_address) as deck:
            stage = Stage(deck, HOME, Person(0, "", "anonymous", ""), box)
            assert await driven(stage, name, Act(body=FIRST_ACTS[name], nobody=True)) == []


def of_room(room: str) -> list[str]:
    return [name for name, prepare in ACTS.items() if prepare.__module__.endswith(f".{room}")]


@pytest.mark.parametrize("room", ROOMS)
async def test_a_success_is_told_once_and_undone_where_it_cannot_be(tmp_path, database_address, room, monkeypatch):
    # No worker runs here: who asks for the end of something must not wait for it.
    monkeypatch.setattr(deployment_routes, "SYNCHRONOUS_SECONDS", 0.1)
    monkeypatch.setattr(preview_cleanup, "PATIENCE", 0.1)
    monkeypatch.setattr(Distant, "run", idle)
    monkeypatch.setattr(Dispatching, "run", idle)
    wrong: dict[str, list[str]] = {}
    with mailbox() as box, plain_records():
        async with running(tmp_path, database_address, **box.settings) as deck:
            stage = await first_stage(deck, box)
            for name in of_room(room):
                act = await ACTS[name](stage)
                found = await driven(stage, name, act)
                if found:
                    wrong[name] = found
    assert not wrong, json.dumps(wrong, indent=1)


async def driven(stage: Stage, name: str, act: Act) -> list[str]:
    """What is wrong with a call that is made to fail first, and succeeds then."""
    await settled(stage)
    before = await stage.read(whole)
    await full(stage)
    try:
        refused = await stage.perform(name, act)
    finally:
        await full(stage, ends=True)
    await settled(stage)
    between = await stage.read(whole)
    wrong = [f"changed without its event: {one}" for one in changes(before, between)]
    answer = await stage.perform(name, act)
    action, resource, whose, *other = {**TOLD, **FIRST}.get(name, ["", "", ""])
    if answer.status_code != (other[0] if other else endpoints()[name].status):
        wrong.append(f"answered {answer.status_code}: {answer.text[:300]}")
    after = await stage.read(whole)
    events = await trail(stage, answer.headers["x-request-id"])
    if name in READ:
        wrong += [] if refused.status_code == answer.status_code else [f"a reading fails with {refused.text[:300]}"]
        wrong += [f"a reading changes {one}" for one in changes(between, after)]
        return wrong + [f"a reading tells {one['action']}" for one in events]
    wrong += undisclosed(refused)
    if len(events) != 1:
        return [*wrong, f"told {[one['action'] for one in events]}"]
    (event,) = events
    if event["action"] != action or event["outcome"] != "success":
        wrong.append(f"told {event['action']} {event['outcome']}")
    named = await called(stage, resource, act, answer)
    if f"{event['resource_type']}:{plain(event['resource_id'])}" != named:
        wrong.append(f"about {event['resource_type']}:{event['resource_id']}, not {named}")
    actor = {"owner": (act.by or stage.owner).name, "person": act.known.get("name", "")}.get(whose, whose)
    if event["actor_label"] != actor:
        wrong.append(f"by {event['actor_label']}, not {actor}")
    if not changes({**between, "audit_events": []}, {**after, "audit_events": []}):
        wrong.append("succeeds without changing anything")
    return wrong


def undisclosed(refused: Any) -> list[str]:
    """A defect is told in the envelope of the surface, by its request id alone."""
    wrong = []
    if refused.status_code != 500:
        wrong.append(f"without its event it answers {refused.status_code}: {refused.text[:300]}")
    body = refused.text
    if FULL in body or "Traceback" in body or "audit" in body.lower() or ".py" in body:
        wrong.append(f"discloses: {body[:300]}")
    if refused.headers["x-request-id"] not in body:
        wrong.append(f"does not name its request: {body[:300]}")
    if not refused.headers["content-type"].startswith("application/json") or not isinstance(refused.json(), dict):
        wrong.append(f"no envelope: {body[:300]}")
    return wrong


async def called(stage: Stage, resource: str, act: Act, answer: Any) -> str:
    """The thing as the reviewed file writes it: `project:{id}` takes the answer's, the path's, the body's or what the
    call is known to be about; `session@table` the newest row of a table.
    """
    kind, mark, rest = resource.partition("@")
    if mark:
        table, _, field = rest.partition(".")
        query = text(f"SELECT {field or 'uid'} FROM {table} ORDER BY id DESC LIMIT 1")
        return f"{kind}:{plain(await stage.read(lambda tx: tx.execute(query).scalar_one()))}"
    known = {**flat(act.body), **(flat(answer.json()) if answer.content else {}), **act.path, **act.known}
    if "device_code" in known:  # kept and told by the beginning of its digest
        known["device"] = hashlib.sha256(known["device_code"].encode()).hexdigest()[:16]
    kind, _, name = resource.partition(":")
    return f"{kind}:{plain(name.format_map(Missing(known)))}"


class Missing(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"<no {key} among {sorted(self)}>"


def flat(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        return {key: one for name, inner in value.items() for key, one in flat(inner, f"{prefix}{name}_").items()}
    return {prefix.rstrip("_"): str(value)}


def plain(text_: str) -> str:
    return text_.replace("-", "") if re.fullmatch(r"[0-9a-f-]{32,36}", text_) else text_


async def full(stage: Stage, *, ends: bool = False) -> None:
    """A trigger of the database's own refuses every audit event, or no longer does."""

    def verb(tx: Tx) -> None:
        tx.execute(text(TRIGGER[tx.dialect][ends]))

    await stage.write(verb)


async def trail(stage: Stage, request_id: str) -> list[dict[str, Any]]:
    asked = select(audit_events).where(audit_events.c.request_id == request_id).order_by(audit_events.c.id)
    return await stage.read(lambda tx: [dict(row) for row in tx.execute(asked).mappings()])
