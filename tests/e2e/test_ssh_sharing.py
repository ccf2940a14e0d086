"""One machine that is several servers, one application on several servers, and many who work on one at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from e2e.client import Application, Client, Refused, signed_in
from e2e.engine import View
from e2e.over_ssh import application, dockerfile, eventually, key_pair, register, running, visit
from e2e.repositories import Repositories
from e2e.server import deck
from quarterdeck.fleet.targets.login import Login
from quarterdeck.fleet.targets.remote import Remote
from quarterdeck.fleet.targets.ssh import MOST_COMMANDS, MOST_LOCKS, MOST_TURNS, SshHost
from quarterdeck.kernel.errors import Problem, Timeout, Unavailable
from quarterdeck.kernel.vault import Secret
from real.host import Machine, machine

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Machine]:
    with machine(6, authorized=[keys[1]]) as made:
        yield made


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    with deck(place / "sharing") as made, signed_in(made) as client:
        yield client


@contextlib.asynccontextmanager
async def signed_in_to(there: Machine, key: str) -> AsyncIterator[Remote]:
    async with await SshHost.connect(Login(there.address, 22, there.username, Secret(key))) as host:
        remote = await Remote.look(host)
        await remote.enter("a-test")
        yield remote


def test_a_machine_that_is_registered_twice_is_not_left_while_something_serves_there(
    client: Client, there: Machine, keys: tuple[str, str], repositories: Repositories
) -> None:
    first, second = register(client, there, keys[0]), register(client, there, keys[0])
    app = application(client, first, "twice", repositories.add("twice", dockerfile("1")).source())
    deployment = client.deployed(app)
    assert client.post(f"/api/servers/{second}/uninstall", {})["items"]
    with pytest.raises(Refused) as refused:
        client.post(f"/api/servers/{second}/uninstall", {"remove": True})
    assert (refused.value.status, refused.value.code) == (409, "server_in_use")
    assert visit(client, there, deployment).text == "1\n"
    assert running(there, app) == [deployment]


def test_an_application_that_moves_leaves_nothing_behind_and_disturbs_nobody(
    client: Client, there: Machine, keys: tuple[str, str], repositories: Repositories
) -> None:
    with machine(7, authorized=[keys[1]]) as elsewhere:
        old, new = register(client, there, keys[0]), register(client, elsewhere, keys[0])
        resident = application(client, new, "resident", repositories.add("resident", dockerfile("resident")).source())
        client.deployed(resident)
        repository = repositories.add("mover", dockerfile("1"))
        app = application(client, old, "mover", repository.source())
        first = client.deployed(app)

        # A move that fails: the old one serves on, and nobody is led to whoever has its port on the new server.
        repository.change({"Dockerfile": "FROM busybox:latest\nCMD echo no; exit 3\n"})
        app.server = new
        failed = client.deploy(app)
        assert client.wait(failed)["status"]["current"] == "failed"
        assert visit(client, there, first).text == "1\n"
        eventually(lambda: visit(client, elsewhere, failed).status_code, 404)

        repository.change(dockerfile("2"))
        second = client.deployed(app)
        assert visit(client, elsewhere, second).text == "2\n"
        eventually(lambda: running(elsewhere, app), [second])
        eventually(lambda: running(there, app), [], 60)
        eventually(lambda: visit(client, there, first).status_code, 404)


def ids(engine: View, app: Application) -> list[tuple[str, object]]:
    """Containers with their state and networks, and images."""
    found = [(row["Id"], [row["State"], *row["NetworkSettings"]["Networks"]]) for row in engine.containers(app.id)]
    return [*found, *((row["Id"], None) for row in engine.images(app.id))]


def test_a_second_control_plane_takes_away_only_its_own_containers_networks_and_images(
    client: Client, there: Machine, keys: tuple[str, str], repositories: Repositories, place: Path
) -> None:
    ours = repositories.add("ours", dockerfile("1")).source()
    app = application(client, register(client, there, keys[0]), "ours", ours)
    deployment = client.deployed(app)
    with deck(place / "guest") as second, signed_in(second) as guest, View(there.docker_host) as engine:
        before = ids(engine, app)
        server = register(guest, there, keys[0])
        other = application(guest, server, "theirs", repositories.add("theirs", dockerfile("2")).source())
        assert visit(guest, there, guest.deployed(other)).text == "2\n"
        assert running(there, app) == [deployment]
        guest.post(f"/api/resources/{other.id}/runtime/stop", {"resourceId": other.id})
        guest.post(f"/api/resources/{other.id}/archive", {"resourceId": other.id})
        path = f"/api/servers/{server}/uninstall"
        eventually(lambda: [one for one in guest.post(path, {})["items"] if one["kind"] in {"container", "route"}], [])
        gone = guest.post(path, {"remove": True})["items"]
        assert {one["kind"] for one in gone if not one["removed"]} == {"edge", "directory"}
        assert not ids(engine, other)
        assert ids(engine, app) == before
    assert running(there, app) == [deployment]
    assert visit(client, there, deployment).text == "1\n"


async def test_who_has_turns_and_locks_can_still_run_commands(there: Machine, keys: tuple[str, str]) -> None:
    """As many as there may be of each, each with one inside of the other, on one connection."""
    async with signed_in_to(there, keys[0]) as remote:
        full, entered = asyncio.Event(), 0

        async def work(number: int) -> str:
            nonlocal entered
            async with remote.turn(f"dep_{number}"):
                entered += 1
                if entered == MOST_TURNS:
                    full.set()
                await asyncio.wait_for(full.wait(), 20)
                async with remote.files.lock(remote.root / f"lock-{number}"):
                    done = await asyncio.gather(*(remote.host.run(["echo", str(number)]) for _ in range(MOST_COMMANDS)))
                    return done[0].text

        several = [asyncio.create_task(work(number)) for number in range(MOST_TURNS + 3)]
        said = await asyncio.wait_for(asyncio.gather(*several), 40)
        assert said == [f"{number}\n" for number in range(len(several))]


async def test_waiting_for_a_session_counts_and_can_be_given_up(there: Machine, keys: tuple[str, str]) -> None:
    async with signed_in_to(there, keys[0]) as remote:
        long = [asyncio.create_task(remote.host.run(["sleep", "8"])) for _ in range(MOST_COMMANDS)]
        await asyncio.sleep(0.5)
        with pytest.raises(Timeout):
            await remote.host.run(["true"], seconds=1)
        assert await remote.host.lost() is False
        async with contextlib.AsyncExitStack() as locks:
            for number in range(MOST_LOCKS):
                await locks.enter_async_context(remote.files.lock(remote.root / f"held-{number}"))
            with pytest.raises(Problem) as busy:
                async with remote.files.lock(remote.root / "one-more", seconds=1):
                    pass
            assert busy.value.code == "edge_proxy_busy"
        await asyncio.gather(*long)


async def test_a_turn_that_is_lost_ends_what_is_done_in_it(there: Machine, keys: tuple[str, str]) -> None:
    async with signed_in_to(there, keys[0]) as remote:

        async def idle() -> None:
            async with asyncio.timeout(20), remote.turn("dep_lost"):
                there.run("pkill", "-f", "dep_lost.lock")
                await asyncio.sleep(60)

        with pytest.raises(Unavailable) as cut:
            await idle()
        assert cut.value.code == "ssh_connection_lost"
        async with remote.turn("dep_lost"):
            assert (await remote.host.run(["echo", "on"])).text == "on\n"
