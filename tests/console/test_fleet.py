"""Pages and forms of servers and their keys."""

from __future__ import annotations

from litestar import Litestar
from litestar.testing import TestClient

from console.portside import EVERYTHING, Portside
from console.quay import ANOTHER
from quarterdeck.console.views.fleet import PolicyForm
from quarterdeck.kernel.errors import Conflict

SERVER = "/console/fleet/servers/srv_1"
Client = TestClient[Litestar]


def test_a_server_is_tested_and_measured_on_its_page(client: Client, ports: Portside) -> None:
    assert "There is no Docker engine." in client.post(f"{SERVER}/test").text
    page = client.get(f"{SERVER}/capacity").text
    assert "9 GB free of 100 GB" in page
    for words in ("yes, as process 812", "2.11.4", "Runs another configuration", "postgres:16", "storefront / web"):
        assert words in page, words
    unseen = client.get("/console/fleet/servers/srv_2/capacity").text
    assert "Nothing answers at 198.51.100.7." in unseen
    assert "/ is 91 % full." in page
    assert "expect this key" not in page


def test_the_command_of_a_worker_names_where_the_console_was_found(client: Client) -> None:
    assert (
        "qd worker --server http://deck.example --token @FILE --capability deploy" in client.get("/console/fleet").text
    )


def test_another_host_key_is_accepted_only_by_pressing_for_it(client: Client, ports: Portside) -> None:
    ports.another_key = True
    page = client.post(f"{SERVER}/test").text
    assert ANOTHER in page
    assert "I have compared" in page
    assert ports.done == []
    assert client.post(f"{SERVER}/host-key", data={"fingerprint": ANOTHER}).status_code == 303
    assert ports.done == [("trust", "srv_1", ANOTHER)]


def test_each_form_of_the_page_does_its_deed(client: Client, ports: Portside) -> None:
    for form, data, deed in (
        ("name", {"name": "fra-9"}, ("rename", "srv_1", "fra-9")),
        ("credential", {"credential": "agent", "username": "ada"}, ("sign_in", "srv_1", "agent", "ada")),
        ("edge", {"edge": "none"}, ("edge", "srv_1", "none")),
        ("edge/bootstrap", {}, ("bring_up", "srv_1")),
        ("deactivate", {}, ("deactivate", "srv_1")),
    ):
        answer = client.post(f"{SERVER}/{form}", data=data)
        assert (answer.status_code, answer.headers["location"]) == (303, SERVER), form
        assert ports.done[-1] == deed
    refused = client.post("/console/fleet/servers/srv_2/edge/bootstrap")
    assert refused.status_code == 409
    assert "is deactivated" in refused.text


def test_an_engine_is_looked_at_then_agreed_to_or_refused(client: Client, ports: Portside) -> None:
    # srv_1 is the machine of the control plane, srv_2 is deactivated: its engine is looked at and nothing more.
    there = "/console/fleet/servers/srv_2"
    assert "Look at the engine" not in client.get(SERVER).text
    assert "Look at the engine" in client.get(there).text
    page = client.get(f"{there}/engine").text
    assert "apt-get install docker.io" in page
    assert "Run these commands" not in page
    page = client.get("/console/fleet/servers/srv_3/engine").text
    assert 'name="plan" value="4711"' in page
    for form, data, deed in (
        ("engine", {"plan": "4711"}, ("use_engine", "srv_3", "4711")),
        ("engine/refuse", {"reason": "not ours"}, ("refuse_engine", "srv_3", "not ours")),
    ):
        answer = client.post(f"/console/fleet/servers/srv_3/{form}", data=data)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/fleet/servers/srv_3/engine")
        assert ports.done[-1] == deed
    changed = client.post("/console/fleet/servers/srv_3/engine", data={"plan": "1"})
    assert (changed.status_code, "another one than was agreed to" in changed.text) == (409, True)
    ports.engine_problem = Conflict("Nothing says how to sign in to hel-2.", code="ssh_credential_missing")
    assert "Nothing says how to sign in" in client.get(f"{there}/engine").text


def test_a_server_is_forgotten_when_its_name_is_typed(client: Client, ports: Portside) -> None:
    standing = client.get(f"{SERVER}/delete").text
    assert "Not yet: it is still active, 2 resources in use are placed on it." in standing
    assert "qd server deactivate fra-1" in standing
    assert "with_history" not in standing
    asked = client.get("/console/fleet/servers/srv_2/delete").text
    assert "Erase what was deployed to it, too: 3 deployments, with logs" in asked
    assert "Not yet" not in asked
    wrong = client.post("/console/fleet/servers/srv_2/delete", data={"confirmation": "fra-1"})
    assert wrong.status_code == 400
    typed = {"confirmation": "hel-2"}
    for sent, erased in ((typed, False), ({**typed, "with_history": "yes"}, True)):
        assert client.post("/console/fleet/servers/srv_2/delete", data=sent).status_code == 303
        assert ports.done[-1] == ("delete", "srv_2", erased)


def test_a_server_gets_another_address_after_its_host_key_was_looked_at(client: Client, ports: Portside) -> None:
    there = "/console/fleet/servers/srv_3"
    assert "Change address" in client.get(there).text
    assert "Change address" not in client.get(SERVER).text
    refused = client.post(f"{there}/address", data={"host": "192.0.2.99", "port": "22", "fingerprint": ""})
    assert (refused.status_code, "Compare its key." in refused.text, ports.done) == (409, True, [])
    moved = {"host": "192.0.2.99", "port": "2222", "fingerprint": ANOTHER}
    assert client.post(f"{there}/address", data=moved).status_code == 303
    assert ports.done == [("move", "srv_3", "192.0.2.99", "2222", ANOTHER)]


def test_the_list_says_how_much_room_a_server_has(client: Client) -> None:
    page = client.get("/console/fleet").text
    assert "9.3 GiB of 40.0 GiB free" in page


def test_what_was_left_on_a_server_is_shown_and_goes_when_its_name_is_typed(client: Client, ports: Portside) -> None:
    there = "/console/fleet/servers/srv_2"
    assert f"{there}/uninstall" in client.get(there).text
    assert "/uninstall" not in client.get(SERVER).text
    asked = client.get(f"{there}/uninstall").text
    assert "What goes: 1 container, 1 directory." in asked
    assert "Volumes hold data, and are never removed." in asked
    wrong = client.post(f"{there}/uninstall", data={"confirmation": "fra-1"})
    assert (wrong.status_code, ports.done) == (400, [])
    done = client.post(f"{there}/uninstall", data={"confirmation": "hel-2"})
    assert (done.status_code, ports.done) == (200, [("uninstall", "srv_2")])
    assert "2 things removed, 1 stays." in done.text
    assert "does not answer" not in asked
    ports.engine_silent = True
    assert "Leave behind what its Docker engine holds, which does not answer" in client.get(f"{there}/uninstall").text
    refused = client.post(f"{there}/uninstall", data={"confirmation": "hel-2"})
    assert (refused.status_code, len(ports.done)) == (409, 1)
    assert "Start Docker there." in refused.text
    left = client.post(f"{there}/uninstall", data={"confirmation": "hel-2", "without_engine": "yes"})
    assert (left.status_code, len(ports.done)) == (200, 2)
    ports.out_of_reach = True
    unreached = client.get(f"{there}/uninstall")
    assert unreached.status_code == 503
    assert "Check that the machine is on." in unreached.text
    assert "It could not be looked at." in unreached.text


def test_a_policy_that_removes_is_asked_about_before_it_is_kept(client: Client, ports: Portside) -> None:
    typed = {"name": "weekly", "server": "srv_1", "days": "14", "category-unused-images": "yes", "enabled": "yes"}
    saved = client.post("/console/fleet/policies", data=typed)
    assert (saved.status_code, saved.headers["location"]) == (303, "/console/fleet/policies")
    assert ports.done == [("policy", PolicyForm("weekly", "srv_1", "14", ("unused-images",), False, True))]
    asked = client.post("/console/fleet/policies", data={**typed, "remove": "yes"})
    assert (asked.status_code, len(ports.done)) == (200, 1)
    assert "Every hour, on fra-1, what has not changed for 14 days." in asked.text
    assert 'name="category-unused-images" value="yes"' in asked.text
    assert client.post("/console/fleet/policies", data={**typed, "remove": "yes", "sure": "yes"}).status_code == 303
    assert ports.done[-1][1].remove
    refused = client.post("/console/fleet/policies", data={**typed, "days": "soon"})
    assert (refused.status_code, "is no number of days" in refused.text) == (400, True)
    assert 'value="weekly"' in refused.text
    nothing = {key: value for key, value in typed.items() if not key.startswith("category-")}
    refused = client.post("/console/fleet/policies", data=nothing)
    assert (refused.status_code, "Nothing is chosen to look for." in refused.text) == (400, True)


def test_a_policy_fills_the_form_whole_and_loses_nothing_that_the_form_has_not(client: Client) -> None:
    page = client.get("/console/fleet/policies?policy=look").text
    assert "Change look" in page
    assert 'value="90"' in page
    assert 'type="hidden" name="category-preview-workspaces"' in page
    assert 'value="srv_1" selected' in client.get("/console/fleet/policies?server=srv_1").text


def test_a_refused_key_is_not_sent_back(client: Client, ports: Portside) -> None:
    typed = {"name": "deploy", "username": "ada", "content": "pear-tree-4711"}
    refused = client.post("/console/fleet/keys", data=typed)
    assert refused.status_code == 400
    assert 'value="deploy"' in refused.text
    assert "pear-tree-4711" not in refused.text
    stored = client.post("/console/fleet/keys", data={**typed, "content": "-----BEGIN PRIVATE KEY-----"})
    assert (stored.status_code, ports.done) == (303, [("add_credential", "deploy", "ada")])
    assert "Still used by hel-2." in client.get("/console/fleet/keys/sshcred_1/delete").text
    assert client.post("/console/fleet/keys/sshcred_2/delete").status_code == 303
    assert ports.done[-1] == ("delete_credential", "sshcred_2")


def test_who_may_only_look_sees_no_forms(client: Client, ports: Portside) -> None:
    ports.permissions = frozenset({"deploy:servers.list", "deploy:servers.show", "deploy:credentials.list-ssh"})
    assert ports.permissions != EVERYTHING
    page = client.get(SERVER).text
    assert 'action="/console/fleet/servers' not in page
    assert "Forget" not in page
    assert "Store key" not in client.get("/console/fleet/keys").text
    assert "uninstall" not in client.get("/console/fleet/servers/srv_2").text
    assert "How it is now" not in page
    assert "Tidied by itself" not in page
    ports.permissions |= {"deploy:scheduled-runtime-prune-policies.list"}
    assert "Save policy" not in client.get("/console/fleet/policies").text
    assert "Add a server" not in client.get("/console/fleet").text
