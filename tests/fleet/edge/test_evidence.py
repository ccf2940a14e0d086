"""A failed request is found again by the id that its answer showed; a good one, and an application's own, are not."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import pytest

from quarterdeck.fleet.edge import evidence
from quarterdeck.fleet.edge.edge import Edge
from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.edge.routes import ProxyRoute
from support.edge_traffic import application, until

WEB = ProxyRoute(id="web", hostnames=("web.localhost",), retry_seconds=0)
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.edge
async def test_what_the_edge_answers_itself_is_found_by_its_id(edge: Edge, get):
    await edge.put_route(WEB)
    nothing_live = await get("web.localhost/cart?token=secret")
    await edge.switch("web", "127.0.0.1:1")
    unreachable = await get("web.localhost/pay")
    unknown = await get("nobody.localhost/", headers={"Accept": "text/html"})
    async with application("one") as one:
        await edge.switch("web", one.upstream)
        good = await get("web.localhost/")
    expected = {
        nothing_live: (503, "edge_upstream_unavailable", "web", "/cart"),
        unreachable: (502, "edge_upstream_unavailable", "web", "/pay"),
        unknown: (404, "edge_unknown_host", None, "/"),
    }
    now = datetime.now(UTC)
    for answer, told in expected.items():
        wanted = answer.headers["x-request-id"]
        await until(lambda wanted=wanted: evidence.find(edge.layout, wanted, now))
        found = evidence.find(edge.layout, wanted, now)
        assert (found.status, found.edge_code, found.route, found.request.uri) == told
        assert found.status == answer.status_code
    assert found.hostname == "nobody.localhost"
    assert good.status_code == 200
    assert evidence.find(edge.layout, good.headers["x-request-id"], now) is None


def entry(request_id: str, at: datetime, **more: str) -> bytes:
    fields = "".join(f',"{name}":"{value}"' for name, value in more.items())
    return (
        f'{{"ts":"{at.isoformat()}","request":{{"host":"a.localhost:8080","uri":"/x","method":"GET"}},"status":502,'
        f'"request_id":"{request_id}"{fields}}}\n'
    ).encode()


def test_a_log_that_was_rolled_away_is_read_too_and_what_is_old_is_not(tmp_path):
    layout = Layout(tmp_path)
    layout.log.mkdir()
    now = datetime.now(UTC)
    layout.access_log.write_bytes(b"not json, names one\n" + entry("one-more", now, edge_code="x"))
    rolled = layout.log / "access-2026-11-22T00-00-00.000.json.gz"
    rolled.write_bytes(
        gzip.compress(
            entry("one", now, edge_code="edge_upstream_unavailable")
            + entry("old", now - timedelta(days=8), edge_code="edge_upstream_unavailable")
            + entry("own", now)
        )
    )
    (layout.log / "access-2026-11-21T00-00-00.000.json.gz").write_bytes(b"cut off")
    found = evidence.find(layout, "one", now)
    assert found is not None
    assert found.hostname == "a.localhost"
    for missing in ("old", "own", "none"):
        assert evidence.find(layout, missing, now) is None
