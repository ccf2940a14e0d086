from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from quarterdeck.fleet.processes import ports
from quarterdeck.kernel.clock import HeldClock
from quarterdeck.kernel.errors import Unavailable


def free_span(width: int) -> tuple[int, int]:
    for first in range(29_000, 31_000, width):
        if all(ports.is_free(port) for port in range(first, first + width)):
            return first, first + width - 1
    raise AssertionError("no free ports on this host")


def test_an_instance_keeps_its_port(tmp_path):
    port = ports.assign(tmp_path, "a")
    assert ports.assign(tmp_path, "a") == port
    assert ports.assign(tmp_path, "b") != port
    assert ports.held(tmp_path)["a"] == port


def test_a_port_somebody_listens_on_is_passed_over(tmp_path):
    first, last = free_span(2)
    with socket.create_server(("127.0.0.1", first)):
        assert ports.assign(tmp_path, "a", span=(first, last)) == last
        with pytest.raises(Unavailable):
            ports.assign(tmp_path, "b", span=(first, last))


def test_a_released_port_rests_before_another_gets_it(tmp_path):
    span, clock = free_span(1), HeldClock()
    port = ports.assign(tmp_path, "a", span=span, clock=clock)
    ports.release(tmp_path, "a", clock=clock)
    clock.advance(ports.QUARANTINE - 1)
    with pytest.raises(Unavailable):
        ports.assign(tmp_path, "b", span=span, clock=clock)
    clock.advance(2)
    assert ports.assign(tmp_path, "b", span=span, clock=clock) == port


def test_a_port_an_upstream_still_names_is_not_handed_out(tmp_path):
    first, last = free_span(2)
    assert ports.assign(tmp_path, "a", span=(first, last), reserved={first}) == last


def test_many_at_once_get_ports_of_their_own(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda n: ports.assign(tmp_path, f"i{n}"), range(24)))
    assert len(set(given)) == 24
