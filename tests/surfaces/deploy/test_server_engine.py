"""What is decided about the engine of a server, over the API, against a real SSH server and a real engine."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from quarterdeck.fleet.engines.installing import INSTALL
from quarterdeck.fleet.servers import engines
from quarterdeck.fleet.servers.model import Server
from quarterdeck.identity.model import Organization, User
from quarterdeck.kernel import jobs
from quarterdeck.kernel.errors import Conflict
from quarterdeck.kernel.jobs import Outcome
from quarterdeck.kernel.principal import Context, Principal, current
from support.deck import HOME
from support.notes import notes

pytestmark = pytest.mark.sshd
STEPS = [["apt-get", "update"], ["apt-get", "install", "docker.io"]]


@pytest.fixture
async def server(deck, keys, there):
    """Registered, and signed in to with a key of its own."""
    body = {"name": "There", "host": "127.0.0.1", "port": there.port, "providerKey": "generic-ssh"}
    made = (await deck.do("servers.register", body))["id"]
    way = {"kind": "ssh-private-key", "privateKey": keys[0], "username": there.username}
    await deck.do("servers.configure-credential", {"credential": way}, serverId=made)
    return made


def has_engine(there, address):
    there.stop()
    there.settings = [f"SetEnv DOCKER_HOST={address}"]
    there.start()


async def look(deck, server):
    answer = await deck.send("GET", f"/api/servers/{server}/engine")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def decide(deck, server, **wish):
    answer = await deck.send("POST", f"/api/servers/{server}/engine", wish)
    return answer.status_code, answer.json()


async def refusal(deck, server, **wish):
    status, body = await decide(deck, server, **wish)
    return status, body["data"]["domainCode"]


async def engine_notes(deck, server):
    audited, told = await notes(deck, f"server:{server}")
    assert [one.replace(".", "-") for one in audited if "engine" in one] == [one for one in told if "engine" in one]
    return [one for one in audited if "engine" in one]


async def test_an_engine_that_is_there_is_used_when_somebody_agrees_and_not_when_it_is_refused(
    deck, server, there, docker_host
):
    has_engine(there, docker_host)
    seen = await look(deck, server)
    assert (seen["state"], seen["origin"], seen["plan"]["steps"]) == ("ready", "found", [])
    assert seen["version"]
    assert seen["decision"] == {"use": "undecided", "decidedAt": None, "reason": None}
    assert await refusal(deck, server, decision="use") == (409, "engine_consent_missing")
    assert await refusal(deck, server, decision="use", consent=True, reason="no") == (400, "validation_error")
    assert await engine_notes(deck, server) == []
    for _ in range(2):
        status, made = await decide(deck, server, decision="use", consent=True, planId=seen["plan"]["id"])
        assert (status, made["decision"]["use"], made["workId"]) == (200, "adopted", None)
    assert await engine_notes(deck, server) == ["server.engine-adopted"]

    for _ in range(2):
        status, made = await decide(deck, server, decision="refuse", reason="belongs to another team")
        assert (status, made["decision"]["use"], made["decision"]["reason"]) == (
            200, "refused", "belongs to another team"
        )  # fmt: skip
    found = await deck.do("servers.test-connectivity", serverId=server)
    (said,) = [one for one in found["checks"] if one["name"] == "docker-engine"]
    assert said["status"] == "skipped"
    assert (await look(deck, server))["decision"]["use"] == "refused"
    assert (await decide(deck, server, decision="use", consent=True))[1]["decision"]["use"] == "adopted"
    assert await engine_notes(deck, server) == [
        "server.engine-adopted", "server.engine-refused", "server.engine-adopted"
    ]  # fmt: skip


async def test_the_first_time_that_an_engine_is_seen_is_written_down_once(deck, server, there, docker_host):
    has_engine(there, docker_host)
    for _ in range(2):
        await deck.do("servers.test-connectivity", serverId=server)
    assert (await look(deck, server))["decision"]["use"] == "adopted"
    assert await engine_notes(deck, server) == ["server.engine-adopted"]


async def test_a_new_version_gets_no_engine_on_a_server_where_it_is_refused(deck, server):
    def refused(tx):
        row = tx.one(select(Server).where(Server.ref == server), what=server)
        return deck.instance.placement.target(tx, row).engine_refused

    assert await deck.instance.db.read(refused) is None
    await decide(deck, server, decision="refuse")
    assert await deck.instance.db.read(refused) == "There"


async def test_what_is_not_ours_to_start_and_who_may_not_ask_is_refused(deck, server, there, tmp_path):
    has_engine(there, f"unix://{tmp_path}/none.sock")
    seen = await look(deck, server)
    assert (seen["state"], seen["plan"]["refusal"]["code"]) == ("stopped", "engine_by_hand")
    assert await refusal(deck, server, decision="use", consent=True) == (502, "engine_by_hand")
    path = f"/api/servers/{server}/engine"
    for token, status in ((await deck.member("viewer"), 403), (await deck.member("owner", "org_elsewhere"), 404)):
        for method, wish in (("GET", None), ("POST", {"decision": "refuse"})):
            assert (await deck.send(method, path, wish, token=token)).status_code == status
    assert (await deck.send("GET", f"{path}/work", token=await deck.member("viewer"))).status_code == 403
    here = await deck.server()
    for method, wish in (("GET", None), ("POST", {"decision": "refuse"})):
        answer = await deck.send(method, f"/api/servers/{here}/engine", wish)
        assert (answer.status_code, answer.json()["data"]["domainCode"]) == (400, "validation_error")
    mute = await deck.server(name="Mute", providerKey="generic-ssh", host="192.0.2.1")
    answer = await deck.send("GET", f"/api/servers/{mute}/engine")
    assert (answer.status_code, answer.json()["data"]["domainCode"]) == (409, "ssh_credential_missing")
    await deck.do("servers.deactivate", {}, serverId=server)
    assert await refusal(deck, server, decision="refuse") == (409, "server_inactive")


def administrator(tx):
    home = tx.one(select(Organization).where(Organization.ref == HOME), what="home organization")
    return tx.one(select(User).order_by(User.id).limit(1), what="administrator"), home


@pytest.mark.parametrize("good", [True, False])
async def test_work_on_an_engine_is_one_at_a_time_and_ends_in_the_servers_record(deck, server, good):
    write, kind = deck.instance.db.write, jobs.kinds.get(INSTALL)
    ada, home = await deck.instance.db.read(administrator)
    current.set(Context(principal=Principal("user", ada.id, ada.uid, ada.username, home.id)))
    first = await write(engines.request, server, STEPS)
    assert (await write(engines.request, server, [["true"]])).id == first.id
    with pytest.raises(Conflict) as busy:
        await write(engines.refuse, server)
    assert busy.value.code == "engine_busy"
    standing = (await deck.do("servers.delete-check", serverId=server))["blockers"]
    assert {"runtime-task": 1}.items() <= {one["kind"]: one["count"] for one in standing}.items()
    told = (await deck.send("GET", f"/api/servers/{server}/engine/work")).json()
    assert (told["workId"], told["ended"], told["lines"]) == (first.work_ref, False, [])

    def carry_out(tx):
        job = jobs.get(tx, first.id)
        order = kind.assign(tx, job)
        assert (order.steps, order.ssh.host) == (STEPS, "127.0.0.1")
        ready = '{"version": "24.0.7", "origin": "installed"}'
        failed = Outcome("failed", error_code="engine_install_failed", error_message="No room.")
        kind.finish(tx, job, Outcome("succeeded", result=ready) if good else failed)

    await write(carry_out)
    told = (await deck.send("GET", f"/api/servers/{server}/engine/work")).json()
    assert told["decision"]["use"] == ("installed" if good else "undecided")
    wanted = ["server.engine-install-requested", *(["server.engine-installed"] if good else [])]
    assert await engine_notes(deck, server) == wanted
