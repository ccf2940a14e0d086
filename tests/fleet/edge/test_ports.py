"""Which ports the edge takes, and what it says about them."""

from __future__ import annotations

import socket

import pytest

from quarterdeck.fleet.edge import ports as room
from quarterdeck.fleet.edge.host import LocalSockets
from quarterdeck.fleet.edge.ports import Ports, can_listen, choose_ports, free_ports, is_shared, url_for
from quarterdeck.kernel.errors import Conflict


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The ports that can be had; nothing is bound."""
    ports = {80, 443}
    monkeypatch.setattr(room, "can_listen", lambda port, _address: port in ports or port > 10_000)
    return ports


def test_the_usual_ports_are_taken_when_both_can_be_had(free: set[int]):
    assert choose_ports(LocalSockets(), None, None, None) == Ports(http=80, https=443)


@pytest.mark.parametrize("taken", [80, 443])
def test_free_loopback_ports_are_taken_when_one_of_the_usual_cannot(free: set[int], taken: int):
    free.discard(taken)
    chosen = choose_ports(LocalSockets(), None, None, None)
    assert chosen.address == "127.0.0.1"
    assert chosen.http != chosen.https
    assert min(chosen.http, chosen.https) > 1024


def test_a_named_port_is_taken_or_refused(free: set[int]):
    assert choose_ports(LocalSockets(), 20_080, 20_443, None) == Ports(http=20_080, https=20_443)
    assert choose_ports(LocalSockets(), 20_080, None, None) == Ports(http=20_080, https=443)
    with pytest.raises(Conflict) as refused:
        choose_ports(LocalSockets(), 8080, None, None)
    assert refused.value.code == "edge_proxy_host_port_conflict"
    assert "8080" in refused.value.message


def test_kept_ports_stay_and_only_those_in_use_must_be_free(free: set[int]):
    kept = Ports(http=20_080, https=443, address="127.0.0.1")
    free.clear()
    assert choose_ports(LocalSockets(), None, None, None, kept=kept) == kept
    assert choose_ports(LocalSockets(), 20_081, None, None, kept=kept) == Ports(
        http=20_081, https=443, address="127.0.0.1"
    )
    with pytest.raises(Conflict):
        choose_ports(LocalSockets(), None, None, None, kept=kept, secure=True)


def test_an_address_shows_its_port_unless_a_browser_guesses_it():
    usual, other = Ports(http=80, https=443), Ports(http=8080, https=8443)
    assert url_for("a.example", usual) == "http://a.example"
    assert url_for("a.example", usual, tls=True) == "https://a.example"
    assert url_for("a.example", other) == "http://a.example:8080"
    assert url_for("a.example", other, tls=True) == "https://a.example:8443"


def test_a_port_that_two_programs_share_is_seen():
    [port] = free_ports(1, "127.0.0.1")
    with socket.socket() as first, socket.socket() as second:
        for held in (first, second):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            held.bind(("127.0.0.1", port))
        first.listen()
        assert not is_shared(port)
        assert not can_listen(port, "127.0.0.1")
        assert not can_listen(port, "")
        second.listen()
        assert is_shared(port)
