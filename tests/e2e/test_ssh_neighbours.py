"""One server with several masters: two control planes, an account that is not root, a control plane of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.client import Application, Client, Refused, signed_in
from e2e.over_ssh import HEALTH, application, eventually, key_pair, lifecycle, register, visit, written
from e2e.repositories import Repositories
from e2e.server import SOURCES, deck
from e2e.truth import error_code
from quarterdeck.fleet.edge.routes import RedirectRoute, encode_route
from real.host import ACCOUNT_ID, Machine, machine
from support.certificates import issued
from support.run import sample

pytestmark = [pytest.mark.edge, pytest.mark.sshd, pytest.mark.root]
RUNTIME = {"strategy": "workspace-commands", "startCommand": "python3 server.py"}
PROGRAM = """import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"NAME %d" % os.getuid())


print("NAME starts", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    return key_pair()


@pytest.fixture(scope="module")
def there(keys: tuple[str, str]) -> Iterator[Machine]:
    with machine(24, authorized=[keys[1]], engine=False, account="ada") as made:
        yield made


@pytest.fixture(scope="module")
def agent(place: Path, keys: tuple[str, str]) -> Iterator[str]:
    """The socket of a real agent that holds the key."""
    socket = str(place / "agent")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        eventually(Path(socket).is_socket, True)
        subprocess.run(["ssh-add", "-q", "-"], input=keys[0], text=True, env={"SSH_AUTH_SOCK": socket}, check=True)
        yield socket
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def client(place: Path, agent: str) -> Iterator[Client]:
    with deck(place / "first", extra={"SSH_AUTH_SOCK": agent}) as made, signed_in(made) as client:
        yield client


@pytest.fixture(scope="module")
def server(client: Client, there: Machine, keys: tuple[str, str]) -> str:
    return register(client, there, keys[0])


def process(client: Client, server: str, name: str, repositories: Repositories) -> Application:
    source = repositories.add(name, {"server.py": PROGRAM.replace("NAME", name)}).source()
    return application(client, server, name, source, runtime=RUNTIME)


def checks(client: Client, server: str) -> dict[str, dict[str, Any]]:
    found = client.post(f"/api/servers/{server}/connectivity-tests", {})
    return {check["name"]: check for check in found["checks"]}


def proxy(there: Machine) -> list[str]:
    return there.run("pgrep", "-x", "caddy", check=False).split()


def test_two_control_planes_on_one_server_leave_alone_what_the_other_has(
    client: Client, there: Machine, server: str, keys: tuple[str, str], place: Path, repositories: Repositories
) -> None:
    app = process(client, server, "resident", repositories)
    first = client.deployed(app)
    assert checks(client, server)["other-installations"]["message"].startswith("No other installation")
    user = visit(client, there, first).text
    edge = proxy(there)
    with deck(place / "second") as second, signed_in(second) as guest:
        same = register(guest, there, keys[0])
        assert checks(guest, same)["other-installations"]["message"].startswith("Another installation of Quarterdeck")
        passing = process(guest, same, "passing", repositories)
        second_deployment = guest.deployed(passing)
        assert "Another installation of Quarterdeck" in str(guest.logs(second_deployment))
        assert visit(guest, there, second_deployment).text.split()[0] == "passing"
        assert visit(guest, there, second_deployment).text.split()[1] != user.split()[1]

        # An edge of another version than the guest's is not ended under whoever else is led through it.
        (program,) = there.root.glob("program/caddy-*")
        program.rename(program.with_name("caddy-0"))
        guest.post(f"/api/servers/{same}/edge-proxy/bootstrap", {})
        eventually(lambda: guest.get(f"/api/servers/{same}")["server"]["edgeProxy"]["status"], "ready")
        assert proxy(there) == edge
        there.root.joinpath("program", "caddy-0").rename(program)

        guest.post(f"/api/resources/{passing.id}/runtime/stop", {"resourceId": passing.id})
        guest.post(f"/api/resources/{passing.id}/archive", {"resourceId": passing.id})
        path = f"/api/servers/{same}/uninstall"
        eventually(lambda: [one for one in guest.post(path, {})["items"] if one["kind"] in {"process", "route"}], [])
        gone = guest.post(path, {"remove": True})["items"]
        assert {one["kind"] for one in gone if not one["removed"]} == {"edge", "directory"}
        assert all("Another installation" in one["kept"] for one in gone if not one["removed"])
        assert visit(client, there, first).text == user
    assert proxy(there) == edge
    assert (there.root / "releases" / first).is_dir()
    assert visit(client, there, first).text == user


def test_a_machine_that_is_the_home_of_a_control_plane_is_not_worked_on_in_the_same_directory(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    app = process(client, server, "intruder", repositories)
    key = there.root.parent / "master.key"
    key.parent.mkdir(mode=0o711, exist_ok=True)
    key.touch()
    try:
        there.cut()  # who is there already looks again when he comes back
        found = checks(client, server)["other-installations"]
        assert (found["status"], found["metadata"]["code"]) == ("failed", "server_in_use")
        deployment = client.deploy(app)
        shown = client.wait(deployment)
        assert error_code(client.deck, deployment) == "server_in_use"
        assert "Sign in to it as another account" in shown["latestFailure"]["message"]
        assert not list(there.root.glob(f"*/{deployment}*"))
    finally:
        key.unlink()
    client.deployed(app)


def test_an_edge_that_refuses_new_routes_says_why_and_serves_on(
    client: Client, there: Machine, server: str, repositories: Repositories
) -> None:
    """Somebody else's certificate on the same edge is only half there when it reads it again."""
    repository = repositories.add("running", {"index.html": "1"})
    app = application(client, server, "running", repository.source(), port=None, kind="static-site")
    running = client.deployed(app)
    own, edge = there.root / "own.pem", there.root / "edge"
    certificate, key = issued("own.example.test")
    (there.root / "own.key").write_bytes(key)
    own.write_bytes(certificate)
    seen = "/var/lib/quarterdeck/runtime/own"
    files = {"certificate_file": f"{seen}.pem", "key_file": f"{seen}.key"}
    route = RedirectRoute(id="own", hostnames=("own.example.test",), target="https://a.test", tls="files", **files)
    (edge / "routes" / "own.json").write_bytes(encode_route(route))
    before = client.deployed(process(client, server, "before", repositories))

    own.write_bytes(certificate[: len(certificate) // 2])
    late = process(client, server, "late", repositories)
    deployment = client.deploy(late)
    shown = client.wait(deployment)
    assert shown["status"]["current"] == "failed"
    assert error_code(client.deck, deployment) == "edge_proxy_configuration_refused"
    told = shown["latestFailure"]["message"]
    assert "goes on serving those before: the certificate or its key for own.example.test is not one in PEM" in told
    assert "Put a whole certificate and its key in PEM form" in told
    assert "/var/lib" not in told
    assert [visit(client, there, one).text.split()[0] for one in (running, before)] == ["1", "before"]
    eventually(lambda: list(there.root.glob(f"*/{deployment}*")), [])
    assert not list(there.root.glob(f"edge/*/{late.id}*"))
    # What has its route already is deployed as ever.
    repository.change({"index.html": "2"})
    assert visit(client, there, client.succeeded(client.redeploy(app))).text == "2"

    own.write_bytes(certificate)
    assert visit(client, there, client.deployed(late)).text.startswith("late ")
    (edge / "routes" / "own.json").unlink()


def test_who_is_not_root_deploys_by_ipv6_with_a_key_of_the_agent(
    client: Client, there: Machine, repositories: Repositories
) -> None:
    body = {"name": "Ada's", "host": there.address6, "port": 22, "providerKey": "generic-ssh", "proxyKind": "caddy"}
    server = str(client.post("/api/servers", body)["id"])
    way = {"kind": "local-ssh-agent", "username": "ada"}
    client.post(f"/api/servers/{server}/credentials", {"credential": way})
    found = checks(client, server)
    assert {found[name]["status"] for name in ("tcp", "ssh-handshake", "host-key", "authentication")} == {"passed"}
    assert (found["sudo"]["status"], found["sudo"]["metadata"]["code"]) == ("failed", "sudo_unavailable")
    assert "sudo asks for a password" in found["sudo"]["message"]
    assert "echo 'ada ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/quarterdeck" in found["sudo"]["message"]
    # Root's installation is another one than hers.
    assert found["other-installations"]["message"].startswith("No other installation")
    there.allow_sudo("ada ALL=(ALL) NOPASSWD:ALL")
    found = checks(client, server)
    assert found["sudo"]["status"] == "passed"
    assert "runs as ada, and the edge on ports from 1024 on" in found["sudo"]["message"]

    # A name can be made of an IPv4 address alone; that is said, with what to do.
    app = process(client, server, "hers", repositories)
    with pytest.raises(Refused) as refused:
        client.deploy(app)
    assert refused.value.code == "default_access_domain_unavailable"
    scope = {"kind": "deployment-target", "serverId": server}
    policy = {"scope": scope, "mode": "custom-template", "templateRef": "{slug}-{id}.ada.example.test"}
    client.post("/api/default-access-domain-policies", policy)
    deployment = client.deployed(app)
    shown = client.get(f"/api/servers/{server}")["server"]
    assert shown["edgeProxy"]["status"] == "ready"
    root = there.home / ".local/share/quarterdeck/runtime"
    assert (root / "releases" / deployment).stat().st_uid == ACCOUNT_ID
    for host in (there.address, f"[{there.address6}]"):
        told = httpx.get(f"http://{host}:8080/", headers={"Host": client.hostname(deployment)}, trust_env=False)
        assert told.text == f"hers {ACCOUNT_ID}"
    # How full it is, is measured where her things are.
    capacity = client.get(f"/api/servers/{server}/capacity")
    assert str(root) in str(capacity)
    stop = {"resourceId": app.id}
    client.post(f"/api/resources/{app.id}/runtime/stop", stop)
    client.post(f"/api/resources/{app.id}/archive", stop)
    path = f"/api/servers/{server}/uninstall"
    eventually(lambda: [one for one in client.post(path, {})["items"] if one["kind"] == "process"], [])
    assert all(one["removed"] for one in client.post(path, {"remove": True})["items"])
    assert not root.exists()


CLOCK = """
from datetime import timedelta

from quarterdeck.kernel import clock

now = clock.SystemClock.now
clock.SystemClock.now = lambda self: now(self) + timedelta(days={days})
"""


@pytest.mark.parametrize("days", sample([1, -1], 1, "days"))
def test_a_clock_that_is_a_day_off_is_told_and_breaks_nothing(
    there: Machine, keys: tuple[str, str], place: Path, repositories: Repositories, days: int
) -> None:
    """For who works there it makes no difference which of the two clocks is wrong: here it is the control plane's."""
    shifted = place / f"shifted{days}"
    shifted.mkdir()
    (shifted / "sitecustomize.py").write_text(CLOCK.format(days=days))
    extra = {"PYTHONPATH": f"{shifted}:{SOURCES}"}
    with deck(place / f"clock{days}", extra=extra) as made, signed_in(made) as client:
        server = register(client, there, keys[0])
        found = checks(client, server)["clock"]
        assert (found["status"], found["metadata"]["code"]) == ("failed", "clock_skew")
        assert "timedatectl set-ntp true" in found["message"]
        repository = repositories.add(f"clock{days}", {"server.py": PROGRAM.replace("NAME", "1")})
        app = application(client, server, f"clock{days}", repository.source(), runtime=RUNTIME, health=HEALTH)
        first = client.deployed(app)
        repository.change({"server.py": PROGRAM.replace("NAME", "2")})
        second = client.succeeded(client.redeploy(app))
        assert visit(client, there, second).text.startswith("2 ")
        eventually(lambda: lifecycle(client, app), "running")
        eventually(lambda: "2 starts" in written(client, app), True)
        third = client.succeeded(client.rollback(second, first))
        assert visit(client, there, third).text.startswith("1 ")
        eventually(lambda: [path.name for path in there.root.glob(f"processes/instances/{third}")], [third])
