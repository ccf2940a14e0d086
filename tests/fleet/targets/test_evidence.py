"""A failed request is found in the log of the edge of a server behind SSH, and a server that is away keeps nobody."""

from __future__ import annotations

import gzip
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from quarterdeck.fleet.edge.layout import Layout
from quarterdeck.fleet.servers.failed_requests import Place, ask
from quarterdeck.fleet.targets import evidence
from quarterdeck.fleet.targets.connections import Connections
from quarterdeck.fleet.targets.host import LocalHost
from quarterdeck.fleet.targets.login import Login

NOW = datetime.now(UTC)


def line(request_id: str, *, code: str = "edge_upstream_unavailable", at: datetime = NOW) -> bytes:
    return (
        f'{{"ts":"{at.isoformat()}","request":{{"host":"a.example","uri":"/x","method":"GET"}},"status":502,'
        f'"request_id":"{request_id}","edge_code":"{code}"}}\n'
    ).encode()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "a directory" / "edge")
    made.log.mkdir(parents=True)
    made.access_log.write_bytes(line("new") + b"not json, names new\n" + line("old", at=NOW - timedelta(days=8)))
    rolled = made.log / "access-2026-11-22T00-00-00.000.json.gz"
    rolled.write_bytes(gzip.compress(line("rolled")))
    return made


async def test_the_newest_log_and_what_was_rolled_off_it_are_searched(layout: Layout) -> None:
    found = {one: await evidence.find(LocalHost(), layout, one, NOW) for one in ("new", "rolled", "old", "none")}
    assert {one: entry.request_id if entry else None for one, entry in found.items()} == {
        "new": "new", "rolled": "rolled", "old": None, "none": None
    }  # fmt: skip
    assert await evidence.find(LocalHost(), Layout(layout.directory / "none"), "new", NOW) is None


@pytest.mark.parametrize("asked", ["", "-f/etc/passwd x", "a$(id)", "a\nb", "é", "x" * 81])
async def test_what_is_no_id_is_not_looked_for(layout: Layout, asked: str) -> None:
    layout.access_log.write_bytes(line(asked))
    assert await evidence.find(LocalHost(), layout, asked, NOW) is None


@pytest.mark.sshd
async def test_a_server_that_is_away_is_named_and_the_others_answer(login: Login) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = replace(login, port=probe.getsockname()[1])
        connections = Connections()
        try:
            places = [Place("srv_away", "Away", nobody), Place("srv_here", "Here", login)]
            answer = await ask(connections, places, "never-seen", NOW)
            assert (answer.entry, answer.silent) == (None, ["Away"])
            late = await ask(connections, places, "never-seen", NOW, seconds=0)
            assert (late.entry, sorted(late.silent)) == (None, ["Away", "Here"])
            assert await ask(connections, [], "never-seen", NOW) == type(answer)()
        finally:
            await connections.close()
