"""Looking a failed access up by the id that its page shows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from quarterdeck.fleet.credentials import access
from quarterdeck.fleet.credentials.model import ServerCredential
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.servers.model import Server
from quarterdeck.fleet.targets.login import HostKeyPin
from support.served import SOURCE, deployed

KEY = "resources.access-failure-evidence.lookup"
CODE = "resource_access_failure_evidence_not_found"


@pytest.fixture
def written(deck):
    """Writes a line of the edge's access log, as the edge does."""
    layout = Layout(Path(deck.instance.placement.root) / "edge")
    layout.log.mkdir(parents=True)

    def write(request_id, status, code, route=None):
        line = {
            "ts": datetime.now(UTC).isoformat(),
            "request": {"host": "web.localhost:8080", "uri": "/cart", "method": "GET"},
            "status": status, "request_id": request_id, "edge_code": code,
        }  # fmt: skip
        if route is not None:
            line["route"] = route
        with layout.access_log.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")

    return write


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (502, "edge_upstream_unavailable", ("resource_access_upstream_unavailable", "infra", "inspect-runtime-logs")),
        (503, "edge_upstream_unavailable", ("resource_access_route_unavailable", "infra", "check-health")),
        (504, "edge_upstream_unavailable", ("resource_access_upstream_timeout", "timeout", "inspect-runtime-logs")),
        (500, "edge_request_failed", ("resource_access_edge_error", "infra", "diagnostic-summary")),
    ],
)
async def test_a_failure_is_found_with_its_cause_and_its_resource(deck, written, status, code, told):
    server = await deck.server()
    resource = await deck.resource(source=SOURCE)
    await deployed(deck, resource, server)
    written("req-1", status, code, resource)
    found = await deck.do(KEY, requestId="req-1")
    evidence = found["evidence"]
    assert (evidence["code"], evidence["category"], found["nextAction"]) == told
    assert evidence["affected"] == {"hostname": "web.localhost", "path": "/cart", "method": "GET"}
    assert (found["relatedIds"]["resourceId"], found["relatedIds"]["serverId"]) == (resource, server)
    assert found["capturedAt"] < found["expiresAt"]
    for query in ({"resourceId": resource}, {"hostname": "web.localhost"}, {"path": "/cart"}):
        assert (await deck.do(KEY, requestId="req-1", query=query))["filters"] == query
    for query in ({"resourceId": "res_x"}, {"hostname": "x.localhost"}, {"path": "/"}):
        await deck.refused(404, CODE, KEY, requestId="req-1", query=query)
    stranger = await deck.member("owner", "org_other")
    await deck.refused(404, CODE, KEY, requestId="req-1", token=stranger)


async def test_a_name_that_no_route_has_is_the_installations_own_matter(deck, written):
    written("req-2", 404, "edge_unknown_host")
    found = await deck.do(KEY, requestId="req-2")
    assert (found["evidence"]["code"], found["relatedIds"]) == ("resource_access_route_not_found", {})
    stranger = await deck.member("owner", "org_other")
    await deck.refused(404, CODE, KEY, requestId="req-2", token=stranger)


async def test_a_server_that_may_not_be_signed_in_to_is_named_and_the_question_is_answered(deck):
    stranger = await deck.member("owner", "org_other")
    body = {"name": "Agents only", "host": "192.0.2.1", "providerKey": "generic-ssh"}
    server = (await deck.do("servers.register", body, token=stranger))["id"]

    def as_before(tx):
        row = tx.first(select(Server).where(Server.ref == server))
        tx.add(ServerCredential(uid=tx.ids.uid(), server_id=row.id, kind=access.AGENT, configured_at=tx.now))
        tx.flush()
        access.keep_host_key(tx, row.id, HostKeyPin("SHA256:one", "ssh-ed25519"))

    await deck.instance.db.write(as_before)
    refused = await deck.refused(404, CODE, KEY, requestId="req-4", token=stranger)
    assert "out of reach: Agents only." in refused["message"]


async def test_what_is_not_kept_is_not_found(deck):
    await deck.refused(404, CODE, KEY, requestId="req-3")
    await deck.refused(404, CODE, KEY, requestId="a*b")
