"""A Docker engine on a server behind SSH, installed with consent by the packages of its own distribution."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.client import Client, Refused, signed_in
from e2e.over_ssh import application, dockerfile, eventually, key_pair, put_away, register, running, visit
from e2e.repositories import Repositories
from e2e.server import deck
from e2e.small_server import FILES, RUNTIME
from e2e.truth import error_code, rows
from real import base_images
from real.debian import Debian, debian
from real.host import Machine, machine

pytestmark = [pytest.mark.engine, pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Debian]:
    with debian(21, authorized=[keys[1]]) as made:
        yield made


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    """How a machine is worked on does not depend on the database."""
    with deck(place / "engines") as made, signed_in(made) as client:
        yield client


@pytest.fixture(scope="module")
def server(client: Client, there: Machine, keys: tuple[str, str]) -> str:
    return register(client, there, keys[0])


def engine(client: Client, server: str) -> dict[str, Any]:
    return client.get(f"/api/servers/{server}/engine")


def decide(client: Client, server: str, **wish: Any) -> dict[str, Any]:
    return client.post(f"/api/servers/{server}/engine", {"decision": "use", **wish})


def ended(client: Client, server: str, seconds: float = 120) -> tuple[dict[str, Any], str]:
    """The work when it has ended, and all that it said."""
    deadline, after, said = time.monotonic() + seconds, 0, []
    while True:
        told = client.get(f"/api/servers/{server}/engine/work", after=after)
        said += [line["message"] for line in told["lines"]]
        if told["ended"] and told["next"] == after:
            return told, "\n".join(said)
        after = told["next"]
        assert time.monotonic() < deadline, said[-20:]
        time.sleep(0.2)


def noted(client: Client, server: str) -> list[str]:
    query = (
        f"SELECT action FROM audit_events WHERE resource_id = '{server}' AND action LIKE 'server.engine%' ORDER BY id"
    )
    return [str(row[0]) for row in rows(client.deck, query)]


def refused(client: Client, server: str, **wish: Any) -> tuple[int, str]:
    with pytest.raises(Refused) as caught:
        decide(client, server, **wish)
    return caught.value.status, caught.value.code


def test_an_engine_is_installed_once_somebody_has_agreed_to_the_commands_and_a_container_runs_in_it(
    client: Client, there: Debian, server: str, repositories: Repositories
) -> None:
    before = there.run("dpkg-query", "-W")
    seen = engine(client, server)
    assert (seen["state"], seen["origin"], seen["decision"]["use"]) == ("absent", None, "undecided")
    assert seen["plan"]["steps"][-2]["argv"][-1] == "docker.io"
    assert seen["plan"]["steps"][-1]["argv"] == ["service", "docker", "start"]
    assert refused(client, server) == (409, "engine_consent_missing")
    assert refused(client, server, consent=True, planId="0" * 12) == (409, "engine_plan_changed")
    assert there.run("dpkg-query", "-W") == before
    assert noted(client, server) == []

    there.slow(6)
    made = decide(client, server, consent=True, planId=seen["plan"]["id"])
    # Who asks once more meanwhile gets the same work.
    assert decide(client, server, consent=True)["workId"] == made["workId"]
    # The control plane dies in the middle: what was begun goes on, and is taken up by its successor.
    eventually(lambda: "Slowly." in heard(client, server), True, 60)
    client.deck.stop(graceful=False)
    client.deck.start()
    work, said = ended(client, server)
    assert (work["state"], work["workId"]) == ("succeeded", made["workId"]), said
    assert "Setting up docker.io" in said, said
    seen = engine(client, server)
    assert (seen["state"], seen["origin"], seen["decision"]["use"]) == ("ready", "installed", "installed")
    assert seen["version"]
    assert seen["plan"]["steps"] == []
    assert noted(client, server) == ["server.engine-install-requested", "server.engine-installed"]
    checks = client.post(f"/api/servers/{server}/connectivity-tests", {})["checks"]
    assert next(one for one in checks if one["name"] == "docker-engine")["status"] == "passed"

    base_images.ensure(there.docker_host, ["busybox"])
    app = application(client, server, "boxed", repositories.add(f"boxed-{server}", dockerfile("1")).source())
    first = client.deployed(app)
    assert visit(client, there, first).text == "1\n"
    assert running(there, app) == [first]


def test_what_was_installed_is_said_and_taken_away_when_it_is_asked_for_and_nobody_else_uses_it(
    client: Client, there: Debian, server: str
) -> None:
    path = f"/api/servers/{server}/uninstall"
    put_away(client, server)

    def engine_in(items: list[dict[str, Any]]) -> dict[str, Any]:
        return next(one for one in items if one["kind"] == "engine")

    assert "Add --engine" in engine_in(client.post(path, {})["items"])["kept"]
    stranger = there.run(*DOCKER, "run", "-d", "--name", "theirs", "busybox", "sleep", "600").strip()
    gone = client.post(path, {"remove": True, "engine": True})["items"]
    assert engine_in(gone)["kept"] == "Containers of others are in it: theirs."
    assert all(one["removed"] for one in gone if one["kind"] not in {"engine", "volume"}), gone
    there.run(*DOCKER, "rm", "-f", stranger)

    said = engine_in(client.post(path, {"engine": True})["items"])
    assert said["name"].startswith("docker.io ")
    assert "kept" not in said or said["kept"] is None
    gone = client.post(path, {"remove": True, "engine": True})["items"]
    assert all(one["removed"] for one in gone), gone
    for package in ("docker.io", "containerd", "runc"):
        state = there.run("dpkg-query", "-W", "-f", "${db:Status-Status}", package, check=False)
        assert state in {"config-files", "not-installed", ""}, (package, state)
    assert there.run("pgrep", "-c", "dockerd", check=False).strip() == "0"
    assert not (there.tree / "var/lib/quarterdeck").exists()
    assert noted(client, server)[-1] == "server.engine-removed"
    seen = engine(client, server)
    assert (seen["state"], seen["decision"]["use"]) == ("absent", "undecided")
    assert client.post(path, {})["items"] == []


DOCKER = ("docker", "-H", "unix:///run/docker.sock")


@pytest.mark.full
def test_an_account_that_may_not_become_root_changes_nothing_and_one_that_may_is_let_in_across_a_cut(
    client: Client, keys: tuple[str, str], repositories: Repositories
) -> None:
    with debian(22, authorized=[keys[1]], username="ada") as there:
        server = register(client, there, keys[0])
        before = there.run("dpkg-query", "-W")
        seen = engine(client, server)
        assert (seen["state"], seen["account"]) == ("absent", "ada")
        assert seen["plan"]["refusal"]["code"] == "sudo_unavailable"
        assert refused(client, server, consent=True) == (409, "sudo_unavailable")
        assert noted(client, server) == []
        assert there.run("dpkg-query", "-W") == before

        rule = there.tree / "etc/sudoers.d/quarterdeck"
        rule.write_text("ada ALL=(ALL) NOPASSWD:ALL\n")
        rule.chmod(0o440)
        there.slow(6)
        work = decide(client, server, consent=True)["workId"]
        eventually(lambda: "Slowly." in heard(client, server), True, 60)
        there.cut()
        told, said = ended(client, server)
        assert (told["state"], told["workId"]) == ("succeeded", work), said
        # What was begun went on; it was neither begun anew nor heard twice.
        assert said.count("Setting up docker.io") == said.count("Slowly.") == 1, said
        assert "The connection was cut." in said
        seen = engine(client, server)
        assert (seen["state"], seen["origin"]) == ("ready", "installed")
        assert noted(client, server) == ["server.engine-install-requested", "server.engine-installed"]


SLOW_GROUPS = '#!/bin/sh\nsleep 10\nexec /usr/sbin/addgroup "$@"\n'


@pytest.mark.full
def test_a_server_that_is_switched_off_in_the_middle_is_installed_to_the_end_when_it_is_back(
    client: Client, keys: tuple[str, str]
) -> None:
    with debian(24, authorized=[keys[1]]) as there:
        server = register(client, there, keys[0])
        slow = there.tree / "usr/local/sbin/addgroup"
        slow.write_text(SLOW_GROUPS)
        slow.chmod(0o755)
        work = decide(client, server, consent=True)["workId"]
        eventually(lambda: "Setting up docker.io" in heard(client, server), True, 120)
        there.off()
        slow.unlink()
        there.on()
        told, said = ended(client, server, 240)
        assert (told["state"], told["workId"]) == ("succeeded", work), said
        seen = engine(client, server)
        assert (seen["state"], seen["origin"]) == ("ready", "installed")
        assert there.run("dpkg", "--audit") == ""


def heard(client: Client, server: str) -> str:
    return "\n".join(line["message"] for line in client.get(f"/api/servers/{server}/engine/work")["lines"])


@pytest.mark.full
def test_an_engine_that_is_refused_gets_nothing_new_until_it_is_used_again(
    client: Client, keys: tuple[str, str], repositories: Repositories
) -> None:
    with machine(23, authorized=[keys[1]]) as there:
        server = register(client, there, keys[0])
        assert decide(client, server, decision="refuse", reason="not ours")["decision"]["use"] == "refused"
        repository = repositories.add(f"refused-{server}", FILES)
        app = application(client, server, "refused", repository.source(), runtime=RUNTIME)
        first = client.deployed(app)
        assert visit(client, there, first).text.startswith("drill 1")
        assert running(there, app) == []
        boxed = application(client, server, "image", repositories.add(f"image-{server}", dockerfile("1")).source())
        deployment = client.deploy(boxed)
        assert client.wait(deployment)["status"]["current"] == "failed"
        assert error_code(client.deck, deployment) == "engine_refused"
        decide(client, server, consent=True)
        again = client.deployed(boxed)
        assert visit(client, there, again).text == "1\n"
        assert noted(client, server) == ["server.engine-refused", "server.engine-adopted"]
