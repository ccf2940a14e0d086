"""Two servers on one PostgreSQL database, as processes of their own: one works, one stands beside it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
import threading
import time
import uuid

import httpx
import psycopg
import pytest
from sqlalchemy import select
from websockets.sync.client import connect

from fakes.transit_server import OPERATOR, Key, transit_server
from quarterdeck.access import Access, grants
from quarterdeck.access.model import Grant
from quarterdeck.fleet.workers.client import run_worker
from quarterdeck.identity.model import User
from quarterdeck.instance import Instance
from quarterdeck.kernel.db import open_database
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs import WorkerHandlers
from quarterdeck.kernel.settings_reading import load
from quarterdeck.kernel.vault import Secret
from serving.process import serving
from support.databases import empty_database, fresh_database

pytestmark = pytest.mark.postgresql
PASSWORD = "correct horse battery staple"
SECONDS = 60
START = 240


class Door:
    """A client of one of the servers."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    def send(self, method, path, body=None, *, headers=None):
        with httpx.Client(trust_env=False, timeout=SECONDS) as client:
            return client.request(method, self.url + path, json=body, headers=self.headers | (headers or {}))

    def ok(self, method, path, body=None, **options):
        answer = self.send(method, path, body, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


class Pair:
    """`one` works, `two` stands beside it."""

    def __init__(self, place, url):
        self.place, self.url = place, url
        self.one = self.two = None
        self.token = None

    def at(self, served):
        return Door(served.url, self.token)


@pytest.fixture(scope="module")
def pair(postgresql, tmp_path_factory):
    """Both, with an administrator."""
    place = tmp_path_factory.mktemp("pair")
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(fresh_database("postgresql", place, postgresql))
        both = Pair(place, url)
        both.one = stack.enter_context(serving(place / "one", database_url=url))
        both.one.ready(START)
        said = {"email": "ada@example.com", "password": PASSWORD, "displayName": "Ada"}
        both.at(both.one).ok("POST", "/api/bootstrap/auth/first-admin", said)
        (place / "two").mkdir(mode=0o700)
        shutil.copy(place / "one" / "master.key", place / "two" / "master.key")
        both.two = stack.enter_context(serving(place / "two", database_url=url, beside="true"))
        both.two.ready(START)
        # Through the one that stands beside: what it does not answer, it passes on.
        signed = {"email": "ada@example.com", "password": PASSWORD}
        both.token = both.at(both.two).ok("POST", "/api/auth/sign-in/email", signed)["token"]
        yield both


@contextlib.contextmanager
def following(door, path):
    """The events of a stream, as they come."""
    heard = []

    def read(answer):
        with contextlib.suppress(httpx.HTTPError, httpx.StreamError):
            told = (line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: "))
            heard.extend(map(json.loads, told))

    with (
        httpx.Client(trust_env=False, timeout=SECONDS) as client,
        client.stream("GET", door.url + path, headers=door.headers) as answer,
    ):
        assert answer.status_code == 200
        reading = threading.Thread(target=read, args=(answer,))
        reading.start()
        yield heard
        reading.join(SECONDS)


def until(true, seconds=SECONDS):
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def deployment(door):
    """The id of one that fails soon: nobody answers where its source is."""
    unique = time.monotonic_ns()
    project = door.ok("POST", "/api/projects", {"name": f"Shop {unique}"})["id"]
    said = {"projectId": project, "name": "production", "kind": "production"}
    place = {"projectId": project, "environmentId": door.ok("POST", "/api/environments", said)["id"]}
    here = {"name": f"here-{unique}", "host": "127.0.0.1", "providerKey": "local-shell", "proxyKind": "none"}
    server = door.ok("POST", "/api/servers", here)["id"]
    source = {"kind": "git-public", "locator": "http://127.0.0.1:9/shop.git"}
    resource = door.ok("POST", "/api/resources", {**place, "name": "Web", "source": source})["id"]
    wanted = {**place, "resourceId": resource, "serverId": server, "executionMode": "detached"}
    return door.ok("POST", "/api/deployments", wanted)["id"]


def test_each_says_who_else_is_there(pair):
    for served, stands in ((pair.one, "working"), (pair.two, "beside")):
        found = until(lambda served=served: both_of(pair.at(served).ok("GET", "/readyz")))
        assert found == {"status": "ready", "stands": stands, "servers": 2}
    facts = str(pair.at(pair.two).ok("GET", "/api/system/doctor"))
    assert f"process {pair.two.process.pid} on " in facts


def both_of(found):
    return found if found.get("servers") == 2 else None


def test_events_that_a_change_through_one_makes_are_told_by_the_other_at_once(pair):
    one = pair.at(pair.one)
    with connect(pair.two.url.replace("http", "ws") + "/ws/events", proxy=None) as socket:
        socket.send(json.dumps({"type": "auth", "token": pair.token}))
        assert json.loads(socket.recv(SECONDS))["type"] == "ready"
        token = one.ok("POST", "/api/admin/worker-tokens", {})["token"]
        said = {"token": token, "machineId": str(uuid.uuid4()), "name": "rack-1", "agents": [], "maxSlots": 1}
        Door(pair.two.url).ok("POST", "/api/workers/register", said)
        began = time.monotonic()
        told = json.loads(socket.recv(SECONDS))
        while told["type"] != "machine.updated":
            told = json.loads(socket.recv(SECONDS))
        took = time.monotonic() - began
    assert told["machineId"] == said["machineId"]
    assert took < 10, "woken, and not at the next look, which is 20 seconds away"


def test_a_deployment_is_followed_through_the_one_that_does_not_run_it(pair):
    two = pair.at(pair.two)
    ref = deployment(two)
    with following(two, f"/api/deployments/{ref}/events/stream") as heard:
        until(lambda: heard and heard[-1] == {"deploymentId": ref})
    told = [body["event"] for body in heard if body.get("kind") == "event"]
    assert told[-1]["status"] == "failed"
    known = pair.at(pair.one).ok("GET", f"/api/deployments/{ref}/events")["envelopes"]
    assert [one["sequence"] for one in told] == [one["event"]["sequence"] for one in known if one["kind"] == "event"]
    lines = two.ok("GET", f"/api/deployments/{ref}/logs")["logs"]
    assert lines
    assert lines == pair.at(pair.one).ok("GET", f"/api/deployments/{ref}/logs")["logs"]


def test_a_role_that_was_taken_elsewhere_is_refused_by_the_next_request(pair):
    one, two = pair.at(pair.one), pair.at(pair.two)
    path = f"/api/deployments/{deployment(one)}/logs"
    one.ok("POST", "/api/admin/developers", {"name": "bea", "password": PASSWORD, "role": "developer"})
    session = two.ok("POST", "/api/auth/login", {"username": "bea", "password": PASSWORD})
    hers = Door(pair.two.url, session["accessToken"])
    database = open_database(pair.url)  # as the server that works has it: no server here is told anything
    try:
        bea, home = database.read_sync(place_of, "bea")
        assert hers.send("GET", path).status_code == 403
        for _ in range(2):
            database.write_sync(grants.give, Access(), bea, home, "organization:viewer")
            assert hers.send("GET", path).status_code == 200
            database.write_sync(grants.take, Access(), bea, home, "organization:viewer")
            assert hers.send("GET", path).status_code == 403
    finally:
        database.close_sync()


def place_of(tx, name):
    """Numbers of a user and of the organization that they are in."""
    user = tx.first(select(User).where(User.username == name))
    return user.id, tx.scalars(select(Grant.organization_id).where(Grant.user_id == user.id)).first()


async def test_a_worker_that_dials_the_one_beside_works_for_the_other(pair, tmp_path):
    token = pair.at(pair.one).ok("POST", "/api/admin/worker-tokens", {})["token"]
    working = asyncio.create_task(
        run_worker(
            pair.two.url,
            Secret(token),
            ["tasks"],
            1,
            tmp_path,
            handlers=WorkerHandlers(),
            signals=False,
            name="dialled",
        )
    )
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                found = await asyncio.to_thread(pair.at(pair.one).ok, "GET", "/api/web/machines")
                if [one["name"] for one in found["items"] if one["status"] == "online"] == ["dialled"]:
                    break
                await asyncio.sleep(0.1)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


def test_a_request_is_passed_on_as_it_came(pair):
    two = pair.at(pair.two)
    page = Door(pair.two.url).send("GET", "/console/sign-in", headers={"accept": "text/html"})
    assert page.status_code == 200
    assert "Quarterdeck" in page.text
    missing = two.send("GET", "/api/projects/prj_none%2Fx?a=b%20c")
    assert missing.status_code == 404
    refused = two.send("POST", "/api/projects", {"name": ""})
    assert refused.status_code == 400
    assert Door(pair.two.url).send("GET", "/api/projects").status_code == 401
    forged = {"x-quarterdeck-beside": "e30.0"}
    assert pair.at(pair.one).send("GET", "/api/projects", headers=forged).status_code == 200
    assert two.send("GET", "/api/projects", headers=forged).status_code == 503


def test_without_the_one_that_works_nothing_is_changed_and_what_is_known_is_told(pair):
    one, two = pair.at(pair.one), pair.at(pair.two)
    ref = deployment(one)
    known = one.ok("GET", f"/api/deployments/{ref}/events")["envelopes"]
    pair.one.process.kill()
    pair.one.process.wait()
    refused = two.send("POST", "/api/projects", {"name": "Never"})
    assert refused.status_code == 503
    assert "working_server_away" in refused.text
    told = two.ok("GET", f"/api/deployments/{ref}/events")["envelopes"]
    assert told[: len(known)][0] == known[0]
    with serving(pair.place / "one", database_url=pair.url) as again:
        again.ready(START)
        listed = until(lambda: (answer := two.send("GET", "/api/projects")).is_success and answer.json())
        assert "Never" not in str(listed)
        # What it ran when it was killed is ended, once.
        ended = until(
            lambda: [e for e in two.ok("GET", f"/api/deployments/{ref}/events")["envelopes"] if "reason" in e]
        )
        assert [one["reason"] for one in ended] == ["completed"]
        assert again.stop() == 0
    assert two.send("GET", "/readyz").status_code == 503


def refused(directory, url, **given):
    """Why a server does not stand beside another."""
    with pytest.raises(Conflict) as conflict:
        Instance.open(
            load({"data_dir": directory, "database_url": Secret(url), "beside": True, "log_level": "error", **given})
        )
    return conflict.value


def test_who_has_not_the_same_master_key_is_told_which_one_it_needs(pair, tmp_path):
    missing = refused(tmp_path / "three", pair.url)
    assert missing.code == "master_key_missing"
    assert "copy master.key" in missing.hint
    assert not (tmp_path / "three" / "master.key").exists()
    (tmp_path / "four").mkdir(mode=0o700)
    other = tmp_path / "four" / "master.key"
    other.write_text(f"v1 other {base64.b64encode(bytes(32)).decode()}\n")
    other.chmod(0o600)
    wrong = refused(tmp_path / "four", pair.url)
    assert wrong.code == "data_key_unreadable"
    assert str(other) in wrong.hint


def test_servers_beside_each_other_need_the_same_key_backend_and_no_file(postgresql, tmp_path):
    with fresh_database("postgresql", tmp_path, postgresql) as url, transit_server() as server:
        given = {"key_backend": "transit", "transit_address": server.url, "transit_token": OPERATOR}
        common = {"database_url": url, "no_edge": True, "log_level": "error"}
        Instance.open(load({"data_dir": tmp_path / "one", **common, **given})).close_sync()
        assert refused(tmp_path / "two", url).code == "key_backend_not_configured"
        assert refused(tmp_path / "two", url, **given).code == "no_server_to_stand_beside"  # it has no administrator
        server.keys["transit/quarterdeck"] = Key()
        wrong = refused(tmp_path / "two", url, **given)
        assert (wrong.code, "copy master.key" in wrong.hint) == ("data_key_unreadable", False)
        assert not (tmp_path / "two" / "master.key").exists()


def test_nobody_stands_beside_nothing_or_beside_an_older_schema(postgresql, tmp_path):
    with empty_database("postgresql", tmp_path, postgresql) as url:
        assert refused(tmp_path / "alone", url).code == "no_server_to_stand_beside"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
            connection.execute("INSERT INTO alembic_version VALUES ('0026')")
            assert refused(tmp_path / "alone", url).code == "schema_older_than_program"
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            assert refused(tmp_path / "alone", url).code == "schema_newer_than_program"
