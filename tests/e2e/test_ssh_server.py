"""Applications on a server behind SSH: a machine of its own with a real SSH server and a Docker engine."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from e2e.afterwards import control
from e2e.client import Client, Refused, signed_in
from e2e.engine import View
from e2e.over_ssh import (
    HEALTH,
    answer,
    application,
    dockerfile,
    eventually,
    key_pair,
    lifecycle,
    put_away,
    register,
    running,
    visit,
    written,
)  # fmt: skip
from e2e.repositories import Repositories
from e2e.server import Deck
from e2e.truth import error_code, rows
from real.host import Machine, machine

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Machine]:
    with machine(1, authorized=[keys[1]]) as made:
        yield made


@pytest.fixture(scope="module")
def client(bare: Deck) -> Iterator[Client]:
    with signed_in(bare) as made:
        yield made


@pytest.fixture(scope="module")
def server(client: Client, there: Machine, keys: tuple[str, str]) -> str:
    return register(client, there, keys[0])


def test_a_container_is_built_started_verified_and_routed_there(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    repository = repositories.add(f"ship-{server}", dockerfile("1"))
    app = application(client, server, "ship", repository.source(), health=HEALTH)
    first = client.deployed(app)
    assert visit(client, there, first).text == "1\n"
    shown = client.get(f"/api/servers/{server}")["server"]
    assert shown["edgeProxy"]["status"] == "ready"

    # A new version beside it, then back to the first one without a build.
    repository.change(dockerfile("2"))
    second = client.succeeded(client.redeploy(app))
    assert visit(client, there, second).text == "2\n"
    eventually(lambda: running(there, app), [second])
    third = client.succeeded(client.rollback(second, first))
    assert visit(client, there, third).text == "1\n"
    eventually(lambda: running(there, app), [third])

    for operation, state in (("stop", []), ("start", [third]), ("restart", [third])):
        assert control(client, app, operation)["status"] == "succeeded"
        assert running(there, app) == state
        assert visit(client, there, third).status_code == (200 if state else 503)
    # Nothing but what runs is left behind, here and there.
    eventually(lambda: left_behind(there), [])


def left_behind(there: Machine) -> list[str]:
    """Turns that somebody has, and sources that lie there."""
    return [str(path) for path in (*there.root.glob("locks/*"), *there.root.glob("deployments/*"))]


def test_a_version_that_is_not_well_leaves_the_one_before_alone(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    repository = repositories.add(f"ill-{server}", dockerfile("1"))
    app = application(client, server, "ill", repository.source())
    first = client.deployed(app)
    repository.change({"Dockerfile": "FROM busybox:latest\nCMD echo no; exit 3\n"})
    second = client.redeploy(app)
    failed = client.wait(second)
    assert failed["status"]["current"] == "failed"
    assert error_code(client.deck, second) == "runtime_exited", failed["latestFailure"]
    assert visit(client, there, first).text == "1\n"
    eventually(lambda: running(there, app), [first])


def test_a_canceled_build_leaves_nothing_there(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    repository = repositories.add(f"slow-{server}", {"Dockerfile": "FROM busybox:latest\nRUN sleep 60\n"})
    app = application(client, server, "slow", repository.source())
    deployment = client.deploy(app)
    eventually(lambda: "sleep 60" in client.told(deployment), True)
    client.cancel(deployment)
    assert client.wait(deployment, 30)["status"]["current"] == "canceled"
    with View(there.docker_host) as engine:
        assert engine.containers(app.id) == []
    eventually(lambda: left_behind(there), [])


def test_what_is_archived_is_taken_away_there(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    app = application(client, server, "leaving", repositories.add(f"leaving-{server}", dockerfile("1")).source())
    deployment = client.deployed(app)
    control(client, app, "stop")
    assert running(there, app) == []
    client.post(f"/api/resources/{app.id}/archive")
    eventually(lambda: visit(client, there, deployment).status_code in {404, 503}, True)


def test_what_it_writes_and_how_it_is_are_seen_from_here(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    repository = repositories.add(f"seen-{server}", dockerfile("1"))
    app = application(client, server, "seen", repository.source(), health=HEALTH)
    client.deployed(app)
    eventually(lambda: lifecycle(client, app), "running")
    eventually(lambda: "version 1 starts" in written(client, app), True)
    live = client.get(f"/api/resources/{app.id}/health", mode="live")
    assert live["overall"] == "healthy", live
    with View(there.docker_host) as engine:
        (container,) = engine.containers(app.id)
        engine.remove(container["Id"])
    # What should run and is gone is started again, there.
    eventually(lambda: len(running(there, app)), 1)
    eventually(lambda: lifecycle(client, app), "running")

    control(client, app, "stop")
    eventually(lambda: lifecycle(client, app), "stopped")


def test_a_request_that_was_not_served_there_is_found_by_its_id(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    app = application(client, server, "asked", repositories.add(f"asked-{server}", dockerfile("1")).source())
    deployment = client.deployed(app)
    control(client, app, "stop")
    unserved = visit(client, there, deployment, "/cart?token=secret")
    assert unserved.status_code == 503
    path = "/api/resource-access-failures/{}"
    eventually(lambda: known(client, unserved.headers["x-request-id"]), True)
    found = client.get(path.format(unserved.headers["x-request-id"]))
    assert (found["relatedIds"]["resourceId"], found["relatedIds"]["serverId"]) == (app.id, server)
    assert found["evidence"]["affected"]["path"] == "/cart"

    unknown = httpx.get(f"http://{there.address}/", headers={"Host": "nobody.example"}, timeout=15, trust_env=False)
    assert unknown.status_code == 404
    eventually(lambda: known(client, unknown.headers["x-request-id"]), True)
    assert client.get(path.format(unknown.headers["x-request-id"]))["relatedIds"] == {"serverId": server}
    assert not known(client, "6f0d6a3c-5b1e-4b43-9d0c-0a9a3d4f7c11")


def known(client: Client, request_id: str) -> bool:
    try:
        return bool(client.get(f"/api/resource-access-failures/{request_id}"))
    except Refused as refused:
        if refused.code != "resource_access_failure_evidence_not_found":
            raise
        return False


def test_an_edge_of_another_version_is_replaced_when_somebody_asks(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    app = application(client, server, "edge", repositories.add(f"edge-{server}", dockerfile("1")).source())
    deployment = client.deployed(app)
    (program,) = there.root.glob("program/caddy-*")
    program.rename(program.with_name("caddy-0"))
    client.post(f"/api/servers/{server}/edge-proxy/bootstrap", {})
    eventually(lambda: [path.name for path in there.root.glob("program/caddy-*")], [program.name])
    eventually(lambda: answer(client, there, deployment), (200, "1\n"))
    running = there.run("sh", "-c", "readlink /proc/$(pgrep caddy)/exe").strip()
    assert running.endswith(f"/program/{program.name}")


def test_all_that_was_left_there_is_said_and_taken_away(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    path = f"/api/servers/{server}/uninstall"
    with pytest.raises(Refused) as refused:
        client.post(path, {"remove": True})
    assert (refused.value.status, refused.value.code) == (409, "server_in_use")
    put_away(client, server)

    said = client.post(path, {})["items"]
    assert {"image", "network", "edge", "directory"} <= {one["kind"] for one in said}
    assert not any(one["removed"] for one in said)
    assert there.root.exists()
    # Another installation works with the same account: what is shared stays.
    stranger = there.root / "installations" / "another"
    stranger.touch()
    kept = {one["kind"]: one.get("kept") for one in client.post(path, {})["items"]}
    assert "Another installation" in kept["edge"]
    assert "Another installation" in kept["directory"]
    stranger.unlink()

    gone = client.post(path, {"remove": True})["items"]
    assert all(one["removed"] for one in gone), gone
    assert not there.root.parent.exists()
    query = (
        f"SELECT action FROM audit_events WHERE resource_id = '{server}' AND action LIKE 'server.unins%' ORDER BY id"
    )
    # What was only asked for or refused is not in the trail; what was about to go stands there before it went.
    assert rows(client.deck, query) == [("server.uninstalling",), ("server.uninstalled",)]
    assert there.run("pgrep", "-c", "caddy", check=False).strip() == "0"
    assert client.post(path, {})["items"] == []
    shown = client.get(f"/api/servers/{server}")["server"]["edgeProxy"]
    assert shown["status"] == "pending"

    # And it can be begun anew.
    app = application(client, server, "anew", repositories.add(f"anew-{server}", dockerfile("9")).source())
    assert visit(client, there, client.deployed(app)).text == "9\n"
    put_away(client, server)
    again = client.post(path, {"remove": True})["items"]
    assert all(one["removed"] for one in again), again
