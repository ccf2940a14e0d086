"""A server is added in steps: the machine, the key, the test, and only then it is registered."""

from __future__ import annotations

import html

from litestar import Litestar
from litestar.testing import TestClient

from console.portside import Portside
from console.quay import ANOTHER, PUBLIC, SHOWN
from quarterdeck.console.views.fleet import ServerChoice

NEW = "/console/fleet/new"
TEST = "/console/fleet/new/test"
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\npear-tree-4711\n-----END OPENSSH PRIVATE KEY-----"
Client = TestClient[Litestar]
TYPED = {"name": "ber-1", "host": "203.0.113.9", "port": "22", "credential": "sshcred_1", "edge": "caddy"}


def test_a_draft_is_looked_at_before_it_is_added_with_what_mends_it(client: Client, ports: Portside) -> None:
    looked = client.post(TEST, data=TYPED)
    assert looked.status_code == 200
    text = html.unescape(looked.text)
    for words in (
        "203.0.113.9 answers.",
        "data-copy=\"echo 'ada ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/quarterdeck\"",
        "Works, but look",
        "The edge would listen on 8080 and 8443.",
        'value="ber-1"',
        f'name="fingerprint" value="{SHOWN}"',
    ):
        assert words in text, words
    assert ports.done == []
    assert "Test the connection" in client.get(TEST).text
    pinned = {**TYPED, "fingerprint": SHOWN, "tested": "203.0.113.9:22"}
    added = client.post(NEW, data=pinned)
    assert (added.status_code, added.headers["location"]) == (303, "/console/fleet/servers/srv_9")
    assert ports.done == [("add_server", ServerChoice(**pinned))]
    assert ports.done[0][1].expected_key == SHOWN


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_is_kept(client: Client, ports: Portside) -> None:
    refused = client.post(TEST, data={**TYPED, "host": "a b"})
    assert refused.status_code == 400
    assert "neither a host name" in refused.text
    assert 'value="ber-1"' in refused.text
    assert 'value="sshcred_1" selected' in refused.text
    nameless = client.post(NEW, data={**TYPED, "name": ""})
    assert (nameless.status_code, ports.done) == (400, [])


def test_what_is_missing_is_told_at_every_field_at_once(client: Client, ports: Portside) -> None:
    empty = client.post(NEW, data={"name": " ", "host": "203.0.113.9", "port": "", "credential": ""})
    assert (empty.status_code, ports.done) == (400, [])
    for words in ("Give the server a name", "usually 22", "Something is missing"):
        assert words in empty.text
    pasted = client.post(TEST, data={**TYPED, "credential": "pasted", "content": " "})
    assert (pasted.status_code, ports.done) == (400, [])
    assert "Paste the private key" in pasted.text
    # The machine of the control plane has no port and no key.
    assert client.post(NEW, data={"name": "here", "host": "", "port": "", "credential": ""}).status_code == 303


def test_a_new_key_is_made_once_and_its_line_shown_before_anything_is_tested_or_added(
    client: Client, ports: Portside
) -> None:
    for path, undone in ((TEST, "tested"), (NEW, "added")):
        ports.done.clear()
        made = client.post(path, data={**TYPED, "credential": "new", "username": "ada"})
        assert (made.status_code, ports.done) == (200, [("keep_key", "ber-1", "ada", True)])
        assert f"Nothing was {undone} yet." in made.text
        # Said before anything else of the page, with what to run and the button that goes on.
        assert made.text.index("First, let the new key in") < made.text.index("1. The machine")
        assert "mkdir -p ~/.ssh" in made.text[: made.text.index("1. The machine")]
        assert f'data-copy="{PUBLIC}"' in made.text
        assert "authorized_keys" in made.text
        assert 'value="sshcred_1" selected' in made.text
        assert "203.0.113.9 answers." not in made.text


def test_a_pasted_key_is_stored_and_never_sent_back(client: Client, ports: Portside) -> None:
    typed = {**TYPED, "credential": "pasted", "content": KEY}
    looked = client.post(TEST, data=typed)
    assert "203.0.113.9 answers." in looked.text
    assert ports.done == [("keep_key", "ber-1", "", False)]
    assert 'value="sshcred_2" selected' in looked.text
    refused = client.post(NEW, data={**typed, "content": "pear-tree-4711"})
    assert refused.status_code == 400
    assert "This is not a private key." in refused.text
    added = client.post(NEW, data=typed)
    assert (added.status_code, ports.done[-1][1].credential) == (303, "sshcred_2")
    assert not any("pear-tree-4711" in answer.text for answer in (looked, refused, added))


def test_a_machine_that_lets_nobody_in_is_told_how_to(client: Client) -> None:
    page = html.unescape(client.post(TEST, data={**TYPED, "host": "locked"}).text)
    assert f"data-copy=\"echo '{PUBLIC}'\"" in page
    assert 'name="fingerprint" value=""' in page


def test_another_host_key_than_at_the_first_test_is_not_taken_over(client: Client, ports: Portside) -> None:
    ports.another_key = True
    typed = {**TYPED, "fingerprint": SHOWN, "tested": "203.0.113.9:22"}
    page = client.post(TEST, data=typed).text
    assert "It shows another host key than a moment ago." in page
    assert ANOTHER in page
    assert f'name="fingerprint" value="{SHOWN}"' in page
    # Another address is another machine: nothing is expected of it yet.
    moved = client.post(TEST, data={**typed, "port": "2222"}).text
    assert "another host key" not in moved
    assert f'name="fingerprint" value="{ANOTHER}"' in moved


def test_who_may_not_store_keys_is_offered_stored_ones_and_refused_others(client: Client, ports: Portside) -> None:
    ports.permissions -= {"deploy:credentials.create-ssh"}
    page = client.get(NEW).text
    assert "A new key, made here" not in page
    assert "<textarea" not in page
    assert "deploy (root)" in page
    ports.may_keep_keys = False
    refused = client.post(NEW, data={**TYPED, "credential": "new"})
    assert (refused.status_code, ports.done) == (403, [])
    assert "Ask Jonas Weber." in refused.text
    ports.permissions -= {"deploy:credentials.list-ssh", "deploy:servers.test-draft-connectivity"}
    page = client.get(NEW).text
    assert "deploy (root)" not in page
    assert "Test the connection" not in page
