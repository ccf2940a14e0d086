"""One trail, told by the runbooks, tasks and broker surfaces in their own words and envelopes."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from quarterdeck.access import grants
from quarterdeck.identity import sessions
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel import audit
from quarterdeck.kernel.audit import browse
from quarterdeck.kernel.principal import Principal

RUNBOOKS, TASKS, BROKER = "/api/audit", "/api/admin/audit-logs", "/api/v1/audit-events"
ROLES = ("runbooks:super-admin", "tasks:admin", "broker:admin")


class ToldAction(audit.Action):
    DONE = "told-sample.done"
    LEFT = "told-sample.left"


async def person(deck, organization="org_elsewhere", roles=ROLES):
    """Somebody of another organization who may read the trail there; answers token and uid."""

    def verb(tx):
        place = tx.first(select(Organization).where(Organization.ref == organization))
        user = tx.first(select(User).where(User.username == "eve"))
        if user is None:
            user = tx.add(
                User(uid=tx.ids.uid(), username="eve", display_name="Eve", created_at=tx.now, updated_at=tx.now)
            )
        for role in roles:
            grants.give(tx, deck.instance.access, user.id, place.id, role)
        made = sessions.open_session(tx, user, place, kinds=("session",), client_kind="web")
        return made.tokens["session"].reveal(), user.uid

    return await deck.instance.db.write(verb)


@pytest.fixture
async def told(deck):
    """Five acts of the first organization by a person, one of another organization; all sealed."""
    await deck.member("owner", "org_elsewhere")

    def verb(tx):
        def place(ref):
            return tx.first(select(Organization).where(Organization.ref == ref)).id

        home, other = place("org_self_hosted"), place("org_elsewhere")
        ada = tx.first(select(User).order_by(User.id))
        tx.act_as(Principal(kind="user", id=ada.id, uid=ada.uid, label=ada.username, organization_id=home))
        for number in range(5):
            action = ToldAction.LEFT if number == 4 else ToldAction.DONE
            resource = {"resource_type": "service", "resource_id": f"{number}"}
            outcome = "denied" if number == 4 else "success"
            audit.record(tx, action, **resource, outcome=outcome, detail={"word": "=1+1", "number": number})
        audit.record(tx, ToldAction.DONE, resource_type="service", resource_id="9", organization_id=other)
        return ada.id, ada.uid, ada.username

    found = await deck.instance.db.write(verb)
    while await deck.instance.db.write(audit.seal):
        pass
    return found


async def asked(deck, path, token="", **query):
    answer = await deck.send("GET", path, token=token, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_runbooks_list_pages_by_id_and_counts(deck, told):
    user, _, username = told
    first = await asked(deck, RUNBOOKS, per_page=2, action_prefix="told-sample")
    assert (first["total"], first["per_page"]) == (5, 2)
    assert [one["resource"] for one in first["entries"]] == ["services/4", "services/3"]
    newest = first["entries"][0]
    assert (newest["user_id"], newest["username"], newest["action"]) == (user, username, "told-sample.left")
    assert newest["details"] == {"word": "=1+1", "number": 4}
    assert newest["timestamp"] == newest["created_at"]
    assert newest["created_at"].endswith("+00:00")
    assert first["next_cursor"] == first["entries"][-1]["id"]
    rest = await asked(deck, RUNBOOKS, cursor=first["next_cursor"], action_prefix="told-sample")
    assert [one["resource"] for one in rest["entries"]] == ["services/2", "services/1", "services/0"]
    end = await asked(deck, RUNBOOKS, cursor=rest["next_cursor"], action_prefix="told-sample")
    assert (end["entries"], end["next_cursor"]) == ([], None)


async def test_runbooks_filters_narrow_in_the_surfaces_words(deck, told):
    user, _, username = told
    for query, count in (
        ({"action": "told-sample.left"}, 1),
        ({"action": "told-sample.left", "action_prefix": "told-sample"}, 1),
        ({"action": "told-sample.left", "action_prefix": "user"}, 0),
        ({"action": "session.signed-in"}, 0),  # here it is called login
        ({"action_prefix": "told"}, 0),
        ({"action_prefix": "told-sample", "username": username.upper()}, 5),
        ({"action_prefix": "told-sample", "username": "nobody"}, 0),
        ({"action_prefix": "told-sample", "user_id": user}, 5),
        ({"action_prefix": "told-sample", "user_id": user + 1000}, 0),
        ({"action_prefix": "told-sample", "search": "service"}, 5),
        ({"search": "told-sample.LEFT"}, 1),
        ({"action_prefix": "told-sample", "date_from": "2020-01-01"}, 5),
        ({"action_prefix": "told-sample", "date_to": "2020-01-01"}, 0),
        ({"action_prefix": "told-sample", "date_to": deck.instance.db.clock.now().date().isoformat()}, 5),
    ):
        found = await asked(deck, RUNBOOKS, **query)
        assert (len(found["entries"]), found["total"]) == (count, count), query
    assert (await asked(deck, RUNBOOKS, action="login"))["total"] >= 1
    offered = await asked(deck, f"{RUNBOOKS}/filters")
    assert username in offered["usernames"]
    assert {"told-sample", "user"} <= set(offered["action_categories"])
    assert {"told-sample.left", "login"} <= set(offered["actions"])


async def test_a_table_is_exported_whole_and_the_export_is_written_down(deck, told):
    answer = await deck.send("GET", f"{RUNBOOKS}/export", params={"format": "csv", "action_prefix": "told-sample"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit_log_')
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["id", "timestamp", "username", "action", "resource", "details", "ip_address"]
    assert [row[4] for row in rows[1:]] == [f"services/{number}" for number in (4, 3, 2, 1, 0)]
    answer = await deck.send("GET", f"{RUNBOOKS}/export", params={"format": "json", "limit": 3})
    assert answer.headers["content-type"].startswith("application/json")
    found = json.loads(answer.text)
    assert [one["action"] for one in found] == ["audit.export", "audit.export", "told-sample.left"]
    assert set(found[0]) == {"id", "timestamp", "username", "action", "resource", "details", "ip_address"}
    none = await deck.send("GET", f"{RUNBOOKS}/export", params={"format": "json", "action": "nothing.such"})
    assert json.loads(none.text) == []
    told_of = await asked(deck, RUNBOOKS, action="audit.export")
    assert told_of["total"] == 3


async def test_an_export_goes_out_in_parts_of_bounded_size(deck, told, monkeypatch):
    monkeypatch.setattr(browse, "PART", 2)
    seen = []
    original = browse.look

    def watched(tx, wanted, limit, before=None):
        found = original(tx, wanted, limit, before)
        seen.append(len(found.events))
        return found

    monkeypatch.setattr(browse, "look", watched)
    answer = await deck.send("GET", f"{RUNBOOKS}/export", params={"format": "csv", "action_prefix": "told-sample"})
    assert len(answer.text.splitlines()) == 6
    assert max(seen) == 2
    assert sum(seen) == 5


def test_what_a_spreadsheet_would_calculate_is_quoted():
    from quarterdeck.surfaces.shared.auditing import csv_lines

    assert csv_lines([["=1+1", "@x", "plain", None, {"a": 1}, 3]]) == b'\'=1+1,\'@x,plain,,"{""a"":1}",3\r\n'


async def test_tasks_list_pages_by_cursor(deck, told):
    user, _, username = told
    first = await asked(deck, TASKS, limit=2, targetType="service")
    assert (first["total"], [one["targetId"] for one in first["items"]]) == (5, ["4", "3"])
    newest = first["items"][0]
    assert (newest["actorId"], newest["actorName"], newest["actor"]) == (user, username, username)
    assert (newest["target"], newest["outcome"], newest["timestamp"]) == ("service:4", "denied", newest["createdAt"])
    rest = await asked(deck, TASKS, targetType="service", cursor=first["nextCursor"])
    assert ([one["targetId"] for one in rest["items"]], rest["nextCursor"]) == (["2", "1", "0"], None)
    for query, count in (
        ({"actorId": user, "targetType": "service"}, 5),
        ({"actorId": 0, "targetType": "service"}, 0),
        ({"action": "told-sample.left"}, 1),
        ({"targetType": "service", "targetId": "3"}, 1),
        ({"q": "told-sample.le"}, 1),
        ({"targetType": "service", "from": "2020-01-01", "to": "2020-01-02"}, 0),
        ({"targetType": "service", "from": "2020-01-01T00:00:00Z"}, 5),
    ):
        found = await asked(deck, TASKS, **query)
        assert (len(found["items"]), found["total"]) == (count, count), query
    assert (await asked(deck, TASKS, action="auth.login"))["total"] >= 1


async def test_the_broker_names_actors_and_resources_as_it_documents(deck, told):
    _, uid, username = told
    found = await asked(deck, BROKER, action="told-sample.left")
    (event,) = found
    assert (event["actor"], event["actor_display"]) == (f"user:{uid}", username)
    assert (event["resource"], event["status"]) == ("service:4", "denied")
    assert event["metadata"] == {"word": "=1+1", "number": 4}
    assert event["occurred_at"].endswith("Z")
    since = (deck.instance.db.clock.now() + timedelta(hours=1)).isoformat()
    for query, count in (
        ({"actor": f"user:{uid}", "resource": "service:3"}, 1),
        ({"actor": "user:0190b0a0-0000-7000-8000-000000000000", "resource": "service:3"}, 0),
        ({"actor": "agent:0190b0a0-0000-7000-8000-000000000000"}, 0),
        ({"actor": "system", "resource": "service:3"}, 0),
        ({"actor": "anonymous", "resource": "service:3"}, 0),
        ({"actor": "somebody", "resource": "service:3"}, 0),
        ({"resource": "service:99"}, 0),
        ({"action": "told-sample.done", "until": since}, 4),
        ({"action": "told-sample.done", "since": since}, 0),
        ({"action": "told-sample.done", "limit": 3}, 3),
        ({"action": "told-sample.done", "limit": 99_999}, 4),
    ):
        assert len(await asked(deck, BROKER, **query)) == count, query
    await deck.send("POST", "/api/auth/sign-in/email", {"email": "x@example.com", "password": "wrong"}, token=None)
    refused = [one for one in await asked(deck, BROKER, resource="auth:login") if one["status"] == "denied"]
    assert [one["actor"] for one in refused] == ["anonymous"]


async def test_a_request_is_followed_by_its_correlation_id(deck, told):
    chosen = "0190b0a0-1111-7111-8111-222222222222"
    answer = await deck.send("POST", "/api/projects", {"name": "Followed"}, headers={"x-correlation-id": chosen})
    assert answer.status_code == 201
    for spelt in (chosen, chosen.replace("-", ""), chosen.upper()):
        found = await asked(deck, BROKER, correlation_id=spelt)
        assert [(one["action"], one["correlation_id"]) for one in found] == [("project.created", chosen)]


BAD = [
    (RUNBOOKS, {"per_page": 0}, 422),
    (RUNBOOKS, {"per_page": 201}, 422),
    (RUNBOOKS, {"cursor": "x"}, 422),
    (RUNBOOKS, {"cursor": "-1"}, 422),
    (RUNBOOKS, {"cursor": "99999999999999999999999"}, 422),
    (RUNBOOKS, {"date_from": "yesterday"}, 422),
    (RUNBOOKS, {"date_to": "9999-12-31"}, 422),
    (RUNBOOKS, {"user_id": "ada"}, 422),
    (RUNBOOKS, {"search": "a\x00b"}, 422),
    (f"{RUNBOOKS}/export", {"format": "xml"}, 422),
    (f"{RUNBOOKS}/export", {"limit": 50_001}, 422),
    (TASKS, {"limit": 101}, 400),
    (TASKS, {"actorId": "ada"}, 400),
    (TASKS, {"from": "x"}, 400),
    (TASKS, {"cursor": "!"}, 400),
    (BROKER, {"limit": -1}, 400),
    (BROKER, {"limit": "NaN"}, 400),
    (BROKER, {"since": "x"}, 400),
    (BROKER, {"until": "2026-13-01T00:00:00Z"}, 400),
    (BROKER, {"correlation_id": "x"}, 400),
]


async def test_bad_filters_are_refused_in_the_envelope_of_the_surface(deck):
    for path, query, status in BAD:
        answer = await deck.send("GET", path, params=query)
        assert answer.status_code == status, (path, query, answer.text)
        body = answer.json()
        if status == 422:
            assert set(body) == {"detail"}
            assert body["detail"][0]["loc"][0] == "query"
        elif path == TASKS:
            assert (body["statusCode"], body["error"]) == (400, "Bad Request")
        else:
            assert set(body) == {"error", "message"}
    assert (await asked(deck, RUNBOOKS, action="audit.export"))["total"] == 0


async def test_another_organization_reads_its_own_events_alone(deck, told):
    token, _ = await person(deck)
    shown = await asked(deck, RUNBOOKS, token, action_prefix="told-sample")
    assert ([one["resource"] for one in shown["entries"]], shown["total"]) == (["services/9"], 1)
    listed = await asked(deck, TASKS, token, targetType="service")
    assert ([one["targetId"] for one in listed["items"]], listed["total"]) == (["9"], 1)
    assert [one["resource"] for one in await asked(deck, BROKER, token, action="told-sample.done")] == ["service:9"]
    assert "told-sample.left" not in (await asked(deck, f"{RUNBOOKS}/filters", token))["actions"]
    table = await deck.send("GET", f"{RUNBOOKS}/export", token=token, params={"action_prefix": "told-sample"})
    assert len(table.text.splitlines()) == 2


async def test_who_may_not_read_the_trail_is_told_which_permission_is_missing(deck):
    token, _ = await person(deck, "org_self_hosted", ())
    for path, body in ((RUNBOOKS, "detail"), (TASKS, "message"), (BROKER, "error")):
        answer = await deck.send("GET", path, token=token)
        assert answer.status_code == 403, path
        assert body in answer.json()
        assert (await deck.send("GET", path, token=None)).status_code == 401
