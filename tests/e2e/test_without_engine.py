"""On a machine without an engine the same applications run as host processes, and sites as files of the edge."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.afterwards import HEALTH, MORTAL, SERVER, dies, finds_its_port_taken
from e2e.client import Client, signed_in
from e2e.repositories import Repositories
from e2e.server import Deck
from e2e.traffic import Traffic
from e2e.truth import error_code, releases, runtimes, settled

pytestmark = [pytest.mark.edge, pytest.mark.root]


PLAIN = {"strategy": "workspace-commands", "startCommand": "python3 server.py"}


@pytest.fixture(scope="module")
def client(bare: Deck) -> Iterator[Client]:
    with signed_in(bare) as made:
        yield made


@pytest.mark.parametrize("app", ["flask", "express"])
def test_a_sample_runs_as_a_process_of_its_own_user(
    bare: Deck, client: Client, repositories: Repositories, app: str
) -> None:
    application = client.application(app, repositories.sample(app).source())
    deployment = client.deployed(application)
    assert client.visit(client.hostname(deployment)).text == f"{app} 1\n"
    settled(bare, client, application, deployment)
    pid = _pid(bare, deployment)
    assert Path(f"/proc/{pid}").stat().st_uid not in {0, os.geteuid()}


def test_a_site_is_served_by_the_edge_alone(bare: Deck, client: Client, repositories: Repositories) -> None:
    repository = repositories.sample("static")
    application = client.application("site", repository.source(), port=80)
    first = client.deployed(application)
    host = client.hostname(first)
    assert ">static 1<" in client.visit(host).text
    assert "text/css" in client.visit(host, "/style.css").headers["content-type"]
    assert runtimes(bare, application) == {}
    repository.release("2")
    with Traffic(bare.edge_port, host) as traffic:
        second = client.succeeded(client.redeploy(application))
    assert not traffic.failures
    assert ">static 2<" in client.visit(host).text
    third = client.succeeded(client.rollback(second, first))
    assert ">static 1<" in client.visit(client.hostname(third)).text


def test_a_process_is_replaced_without_a_failed_request_and_given_back_without_its_repository(
    bare: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.sample("wsgi")
    application = client.application("wsgi", repository.source())
    first = client.deployed(application)
    repository.release("2")
    with Traffic(bare.edge_port, client.hostname(first)) as traffic:
        time.sleep(0.3)
        second = client.succeeded(client.redeploy(application))
        settled(bare, client, application, second)
    assert not traffic.failures
    assert set(traffic.answers) == {"wsgi 1", "wsgi 2"}
    repository.delete()
    third = client.succeeded(client.rollback(second, first))
    assert client.visit(client.hostname(third)).text == "wsgi 1\n"
    settled(bare, client, application, third)
    assert first in releases(bare)


def test_a_zip_file_is_deployed_and_once_more_when_it_is_another_one(
    bare: Deck, client: Client, repositories: Repositories, tmp_path: Path
) -> None:
    repository = repositories.sample("wsgi", "zipped")
    archive = Path(shutil.make_archive(str(tmp_path / "app"), "zip", repository.directory))
    application = client.application("zipped", {"kind": "zip-artifact", "locator": str(archive)})
    first = client.deployed(application)
    assert client.visit(client.hostname(first)).text == "wsgi 1\n"
    repository.release("2")
    shutil.make_archive(str(tmp_path / "app"), "zip", repository.directory)
    second = client.succeeded(client.redeploy(application))
    assert client.visit(client.hostname(second)).text == "wsgi 2\n"
    settled(bare, client, application, second)
    archive.write_bytes(b"no archive")
    third = client.redeploy(application)
    assert client.wait(third)["status"]["current"] == "failed"
    assert error_code(bare, third) == "source_archive_invalid"
    settled(bare, client, application, second)


def test_a_step_that_fails_leaves_the_running_process_alone(
    bare: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.sample("flask", "fragile")
    application = client.application("fragile", repository.source())
    first = client.deployed(application)
    repository.change({"requirements.txt": "flask==999.0\n"})
    second = client.redeploy(application)
    shown = client.wait(second)
    assert shown["status"]["current"] == "failed"
    assert shown["latestFailure"]["phase"] == "package"
    assert client.visit(client.hostname(first)).text == "flask 1\n"
    settled(bare, client, application, first)
    assert second not in releases(bare)


def test_a_process_that_ends_after_its_success_is_restarted_and_told_of(
    bare: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.add("mortal", {"server.py": MORTAL})
    application = client.application("mortal", repository.source(), runtime=PLAIN, health=HEALTH)
    dies(bare, client, application, repository)


def test_a_process_whose_port_a_stranger_took_is_started_on_another_and_led_to(
    bare: Deck, client: Client, repositories: Repositories
) -> None:
    repository = repositories.add("robbed", {"server.py": SERVER})
    application = client.application("robbed", repository.source(), runtime=PLAIN)
    host, done = finds_its_port_taken(bare, client, application)
    assert done["status"] == "succeeded", done
    assert client.visit(host).text == "dockerfile 1\n"


def test_processes_and_the_edge_outlive_the_control_plane(
    bare: Deck, client: Client, repositories: Repositories
) -> None:
    application = client.application("lasting", repositories.sample("wsgi", "lasting").source())
    deployment = client.deployed(application)
    host, pid = client.hostname(deployment), _pid(bare, deployment)
    with Traffic(bare.edge_port, host) as traffic:
        bare.stop()
        time.sleep(0.5)
        bare.start()
        client.sign_in()
        settled(bare, client, application, deployment)
    assert not traffic.failures
    assert _pid(bare, deployment) == pid


def _pid(deck: Deck, deployment: str) -> int:
    from quarterdeck.fleet.processes.runtime import Processes

    pid = Processes(deck.runtime).status(deployment).pid
    assert pid is not None
    return pid
