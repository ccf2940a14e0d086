"""What nobody needs on a server behind SSH is found and taken away, and all that is somebody's stays."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from e2e.client import Client, signed_in
from e2e.engine import View
from e2e.over_ssh import application, dockerfile, eventually, key_pair, register, running, visit
from e2e.repositories import Repositories
from e2e.server import Deck, deck
from e2e.truth import rows
from quarterdeck.deploy.deployments import orphans_on_servers
from quarterdeck.fleet.processes.spec import ProcessSpec
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.fleet.targets.ssh import SshHost
from quarterdeck.instance import Instance
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.settings_reading import load
from quarterdeck.kernel.vault import Secret
from real.host import Machine, machine

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]

LOST, THEIRS, UNKNOWN = "dep_000000000001", "dep_000000000002", "res_000000000001"
DAY = 86_400


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Machine]:
    with machine(9, authorized=[keys[1]]) as made:
        yield made


@pytest.fixture(scope="module")
def yard(place: Path) -> Iterator[Deck]:
    """What is needed is asked of both databases by the tests of that room."""
    with deck(place / "orphans") as made:
        yield made


@pytest.fixture(scope="module")
def client(yard: Deck) -> Iterator[Client]:
    with signed_in(yard) as made:
        yield made


@pytest.fixture(scope="module")
def server(client: Client, there: Machine, keys: tuple[str, str]) -> str:
    return register(client, there, keys[0])


@contextlib.asynccontextmanager
async def later(yard: Deck, days: float) -> AsyncIterator[Any]:
    """The stopped installation as it is so many days from now."""
    instance = Instance.open(load({"data_dir": yard.data, "edge_http_port": yard.edge_port}))
    clock = HeldClock(instance.db.clock.now())
    clock.advance(days * DAY)
    db = SimpleNamespace(read=instance.db.read, write=instance.db.write, clock=clock)
    try:
        yield SimpleNamespace(
            db=db, data=instance.data, uid=instance.uid, placement=instance.placement, edges=instance.edges
        )
    finally:
        await instance.edges.close()
        await instance.close()


async def looked(yard: Deck, server: str, days: float) -> orphans_on_servers.Outcome:
    yard.stop()
    try:
        async with later(yard, days) as instance:
            row = int(rows(yard, f"SELECT id FROM fleet_servers WHERE ref = '{server}'")[0][0])
            return await orphans_on_servers.tidy(instance, row, instance.db.clock.now() - orphans_on_servers.DAY)
    finally:
        yard.start()


@contextlib.asynccontextmanager
async def signed_in_to(there: Machine, key: str) -> AsyncIterator[Remote]:
    async with await SshHost.connect(Login(there.address, 22, there.username, Secret(key))) as host:
        yield await Remote.look(host)


async def starts(there: Machine, key: str, name: str, instance: str) -> None:
    """A host process there, with the marks of an attempt."""
    marks = {"quarterdeck.deployment": name, "quarterdeck.instance": instance}
    async with signed_in_to(there, key) as remote:
        await remote.processes.start(ProcessSpec(instance=name, argv=("sleep", "900"), directory="/", labels=marks))


def instance_of(yard: Deck) -> str:
    return str(rows(yard, "SELECT uid FROM instance")[0][0])


def leaves(there: Machine, kept: str) -> None:
    """A release, sources, a route, and where a route once led, that no record names."""
    for directory in ("releases", "deployments"):
        made = there.root / directory / LOST
        made.mkdir(parents=True)
        (made / "file").write_text("x")
    route = json.loads((there.root / "edge" / "routes" / f"{kept}.json").read_text())
    route |= {"id": UNKNOWN, "hostnames": ["nobody.example.test"]}
    (there.root / "edge" / "routes" / f"{UNKNOWN}.json").write_text(json.dumps(route))
    for name in (UNKNOWN, "res_000000000002"):
        (there.root / "edge" / "upstreams" / name).write_text("127.0.0.1:9")


def paths(there: Machine) -> list[str]:
    """What is called after nothing that a record names, host processes left aside."""
    names = (LOST, UNKNOWN, "res_000000000002")
    every = [path for path in there.root.rglob("*") if path.name.split(".", 1)[0] in names]
    found = [str(path.relative_to(there.root)) for path in every]
    return sorted(path for path in found if not path.startswith(("processes/", "locks/")))


async def test_what_nobody_needs_goes_and_what_is_somebodys_stays(
    yard: Deck, client: Client, there: Machine, server: str, keys: tuple[str, str], repositories: Repositories
) -> None:
    app = application(client, server, "kept", repositories.add("kept-there", dockerfile("1")).source())
    kept = client.deployed(app)
    ours = instance_of(yard)
    with View(there.docker_host) as engine:
        (container,) = engine.containers(app.id)
        engine.twin(container["Id"], "lost", deployment=LOST)
        engine.twin(container["Id"], "service", deployment="", service="db", attempt=LOST)
        engine.twin(container["Id"], "theirs", deployment=THEIRS, instance="another")
        engine.network("lost-network", managed="true", instance=ours)
        engine.network("their-network", managed="true", instance="another")
    await starts(there, keys[0], LOST, ours)
    await starts(there, keys[0], THEIRS, "another")
    leaves(there, app.id)
    before = paths(there)
    assert len(before) == 5

    # Nothing of it is a day old.
    assert (await looked(yard, server, 0)).removed == 0
    assert paths(there) == before

    # Another installation works with the account: what has only a name may be its own, and stays.
    (there.root / "installations" / "another").touch()
    assert await looked(yard, server, 2) == orphans_on_servers.Outcome(removed=3)
    assert paths(there) == before
    with View(there.docker_host) as engine:
        names = {row["Names"][0].lstrip("/") for row in engine.all()}
        assert {"lost", "service"}.isdisjoint(names)
        assert "theirs" in names
        assert {"lost-network", "their-network"} & engine.networks() == {"their-network"}
    assert sorted(path.name for path in there.root.glob("processes/instances/*")) == [THEIRS]

    (there.root / "installations" / "another").unlink()
    assert (await looked(yard, server, 2)).removed == 4
    assert paths(there) == []
    assert sorted(path.name for path in there.root.glob("processes/instances/*")) == [THEIRS]
    assert visit(client, there, kept).text == "1\n"
    assert running(there, app) == sorted([kept, THEIRS])
    assert await looked(yard, server, 2) == orphans_on_servers.Outcome()


def due(yard: Deck) -> None:
    """The daily look is due now; the installation is stopped meanwhile."""
    yard.stop()
    with contextlib.closing(sqlite3.connect(yard.data / "quarterdeck.db")) as connection:
        query = "UPDATE job_schedules SET next_due_at = 1 WHERE name = 'housekeeping:server-runtimes'"
        connection.execute(query)
        connection.commit()
    yard.start()


def work(client: Client, server: str) -> dict[str, Any]:
    found = client.get("/api/operator-work", serverId=server, kind="runtime-maintenance")["items"]
    looks = [one for one in found if one["operationKey"] == orphans_on_servers.KIND]
    return looks[0] if looks else {}


def test_each_server_is_looked_at_by_itself_and_says_how_it_went(
    yard: Deck, client: Client, there: Machine, server: str, keys: tuple[str, str], repositories: Repositories
) -> None:
    with machine(10, authorized=[keys[1]]) as away:
        absent = register(client, away, keys[0])
        client.deployed(application(client, absent, "absent", repositories.add("absent", dockerfile("1")).source()))
        never = client.post("/api/servers", {"name": "Never", "host": "192.0.2.7", "providerKey": "generic-ssh"})["id"]
        with View(there.docker_host) as engine:
            container = next(row for row in engine.all() if row["Labels"].get("quarterdeck.resource"))
            engine.twin(container["Id"], "young", deployment=LOST)
        away.off()
        due(yard)
        eventually(lambda: work(client, server).get("status"), "succeeded", 60)
        said = work(client, server)["safeDetails"]
        assert (said["removed"], said["kept"]) == (0, 0)  # what is there is not a day old
        eventually(lambda: work(client, absent).get("status"), "retry-scheduled", 60)
        assert away.address in work(client, absent)["safeDetails"]["message"]
        assert work(client, str(never)) == {}  # nobody can sign in to it


def test_a_server_where_nothing_was_ever_put_is_left_without_a_trace(
    yard: Deck, client: Client, keys: tuple[str, str]
) -> None:
    with machine(11, authorized=[keys[1]], engine=False) as empty:
        server = register(client, empty, keys[0])
        due(yard)
        eventually(lambda: work(client, server).get("status"), "succeeded", 60)
        assert list((empty.place / "varlib").iterdir()) == []
