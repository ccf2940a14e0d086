"""Host processes and static sites on a server behind SSH that has no Docker engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.afterwards import control
from e2e.client import Application, Client, signed_in
from e2e.over_ssh import (
    HEALTH,
    answer,
    application,
    begun,
    eventually,
    key_pair,
    lifecycle,
    register,
    visit,
    written,
)  # fmt: skip
from e2e.repositories import Repositories
from e2e.server import deck
from e2e.truth import error_code
from real.host import Machine, machine

pytestmark = [pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]

PROGRAM = """import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"VERSION %d %s" % (os.getuid(), os.environ.get("TOKEN", "").encode()))


print("version VERSION starts", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
RUNTIME = {
    "strategy": "workspace-commands", "installCommand": "true", "buildCommand": "touch built",
    "startCommand": "python3 server.py",
}  # fmt: skip


def program(version: str) -> dict[str, str]:
    return {"server.py": PROGRAM.replace("VERSION", version)}


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Machine]:
    with machine(3, authorized=[keys[1]], engine=False) as made:
        yield made


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    """How a machine without an engine is worked on does not depend on the database."""
    with deck(place / "plain") as made, signed_in(made) as client:
        yield client


@pytest.fixture(scope="module")
def server(client: Client, there: Machine, keys: tuple[str, str]) -> str:
    return register(client, there, keys[0])


def instances(there: Machine) -> list[str]:
    return sorted(path.name for path in there.root.glob("processes/instances/*"))


def secret(client: Client, app: Application, value: str) -> None:
    body = {"resourceId": app.id, "key": "TOKEN", "value": value, "exposure": "runtime"}
    client.post(f"/api/resources/{app.id}/secrets", body)


def test_a_host_process_is_built_started_verified_and_routed_there(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    repository = repositories.add("host", program("1"))
    app = application(client, server, "host", repository.source(), runtime=RUNTIME, health=HEALTH)
    secret(client, app, "hush-hush-token")
    first = client.deployed(app)
    said = visit(client, there, first).text.split()
    assert (said[0], int(said[1]) >= 700_000, said[2]) == ("1", True, "hush-hush-token")
    assert (there.root / "releases" / first / "tree" / "built").exists()
    eventually(lambda: lifecycle(client, app), "running")
    eventually(lambda: "version 1 starts" in written(client, app), True)

    repository.change(program("2"))
    second = client.succeeded(client.redeploy(app))
    assert visit(client, there, second).text.startswith("2 ")
    third = client.succeeded(client.rollback(second, first))
    assert visit(client, there, third).text.startswith("1 ")
    eventually(lambda: instances(there), [third])
    for operation, status in (("stop", 503), ("start", 200), ("restart", 200)):
        assert control(client, app, operation)["status"] == "succeeded"
        assert visit(client, there, third).status_code == status

    repository.change({"server.py": "raise SystemExit(3)\n"})
    failed = client.redeploy(app)
    client.wait(failed)
    assert error_code(client.deck, failed) == "runtime_exited"
    assert visit(client, there, third).text.startswith("1 ")
    eventually(lambda: instances(there), [third])
    eventually((there.root / "releases" / failed).exists, False)

    # No secret is on that machine's disk.
    for path in there.root.rglob("*"):
        if path.is_file() and path.parent.name != "program":
            assert b"hush-hush-token" not in path.read_bytes(), path

    there.off()
    eventually(lambda: lifecycle(client, app), "unknown", 40)
    there.on()
    eventually(lambda: answer(client, there, third)[1].split()[:1], ["1"], 90)


def test_a_static_site_is_served_there_from_its_release(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    repository = repositories.add("pages", {"index.html": "first page", "deep/er.html": "deeper"})
    app = application(client, server, "pages", repository.source(), port=None, kind="static-site")
    first = client.deployed(app)
    assert visit(client, there, first).text == "first page"
    assert visit(client, there, first, "/deep/er.html").text == "deeper"
    repository.change({"index.html": "second page"})
    second = client.succeeded(client.redeploy(app))
    assert visit(client, there, second).text == "second page"
    third = client.succeeded(client.rollback(second, first))
    assert visit(client, there, third).text == "first page"
    assert not list(there.root.glob("releases/.*"))


def test_a_host_process_that_is_cut_off_in_its_build_goes_on(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    runtime = {**RUNTIME, "buildCommand": "sleep 3 && echo once >> built"}
    app = application(client, server, "cutoff", repositories.add("cutoff", program("1")).source(), runtime=runtime)
    deployment = client.deploy(app)
    eventually(lambda: begun(client, deployment, "package"), True)
    eventually(lambda: "package: Build" in client.told(deployment), True)
    there.cut()
    client.succeeded(deployment)
    assert visit(client, there, deployment).text.startswith("1 ")
    tree = there.root / "releases" / deployment / "tree"
    assert (tree / "built").read_text() == "once\n"
    assert [name for name in instances(there) if name.startswith(deployment)] == [deployment]
