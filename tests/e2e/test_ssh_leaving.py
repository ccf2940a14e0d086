"""Leaving a server behind SSH whose Docker engine does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.client import Client, Refused, signed_in
from e2e.engine import View
from e2e.over_ssh import application, dockerfile, eventually, key_pair, register, visit
from e2e.repositories import Repositories
from e2e.server import deck
from e2e.test_ssh_server import put_away
from e2e.truth import rows, unfinished_jobs
from real.host import Machine, machine

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Machine]:
    with machine(12, authorized=[keys[1]]) as made:
        yield made


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    with deck(place / "leaving") as made, signed_in(made) as client:
        yield client


def trail(client: Client, server: str) -> list[str]:
    query = (
        f"SELECT action FROM audit_events WHERE resource_id = '{server}' AND action LIKE 'server.unins%' ORDER BY id"
    )
    return [str(row[0]).removeprefix("server.") for row in rows(client.deck, query)]


def test_a_server_whose_engine_is_stopped_is_left_when_somebody_says_so(
    client: Client, there: Machine, keys: tuple[str, str], repositories: Repositories
) -> None:
    server = register(client, there, keys[0])
    app = application(client, server, "lost", repositories.add("lost-engine", dockerfile("1")).source())
    client.deployed(app)
    put_away(client, server)
    there.kill_engine()
    path = f"/api/servers/{server}/uninstall"

    said = {one["kind"]: one for one in client.post(path, {})["items"]}
    assert {"silent-engine", "edge", "directory"} <= said.keys()
    assert "could not be looked at" in said["silent-engine"]["kept"]
    with pytest.raises(Refused) as refused:
        client.post(path, {"remove": True})
    assert (refused.value.status, refused.value.code) == (409, "server_engine_unseen")
    assert "--without-engine" in str(refused.value)
    assert there.root.exists()
    assert trail(client, server) == ["uninstalling", "uninstall-given-up"]

    gone = client.post(path, {"remove": True, "withoutEngine": True})["items"]
    assert [one["kind"] for one in gone if not one["removed"]] == ["silent-engine"]
    assert not there.root.parent.exists()
    assert there.run("pgrep", "-c", "caddy", check=False).strip() == "0"
    assert trail(client, server)[2:] == ["uninstalling", "uninstalled"]
    # It is whole in the record, and nobody comes back for what was left.
    shown: dict[str, Any] = client.get(f"/api/servers/{server}")["server"]
    assert (shown["lifecycleStatus"], shown["edgeProxy"]["status"]) == ("active", "pending")
    eventually(lambda: unfinished_jobs(client.deck), [])
    query = (
        "SELECT COUNT(*) FROM deploy_deployments d JOIN fleet_servers s ON s.id = d.server_id "
        f"WHERE s.ref = '{server}' AND d.retired_at IS NULL"
    )
    assert rows(client.deck, query) == [(0,)]
    assert not there.root.parent.exists()

    # Docker runs again: what it kept is found, and goes; and the server can be begun anew.
    there.start_engine()
    with View(there.docker_host) as engine:
        assert engine.images(app.id)
    kinds = {one["kind"] for one in client.post(path, {"remove": True})["items"] if one["removed"]}
    assert "image" in kinds
    with View(there.docker_host) as engine:
        assert (engine.images(app.id), engine.containers(app.id)) == ([], [])
    anew = application(client, server, "anew", repositories.add("anew-engine", dockerfile("2")).source())
    assert visit(client, there, client.deployed(anew)).text == "2\n"
